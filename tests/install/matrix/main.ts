/**
 * `deno task matrix`: installs for the managers of other releases of Debian, in
 * temporary roots, and prints a table for docs/install.md.
 *
 * For each manager and mode: `install` verifies a real container, and
 * `uninstall` restores every file of /etc and /usr. Some rows do more in
 * between: pods by the Container Runtime Interface, an upgrade of crun
 * (`rows.ts`).
 *
 * ```sh
 * deno task matrix
 * deno task matrix trixie
 * deno task matrix sid containerd upgrade
 * ```
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import $ from "dax";
import { ask } from "../../../host/command.ts";
import { formatTable } from "../../../host/table.ts";
import { type Given, type Manual, start } from "../../../tools/arguments.ts";
import { type DebianRoot, makeDebianRoot } from "../../../tools/debian_root.ts";
import { formatShim } from "../shim.ts";
import {
  DAEMONS,
  MANAGER_PACKAGES,
  OPTIONS,
  type Row,
  rowsWith,
  VERSIONS,
} from "./rows.ts";
import { PACKAGES, prelude } from "./script.ts";

const SUITES: readonly string[] = ["trixie", "sid", "experimental"];

/** The release whose crun is upgraded. */
const OLD_SUITE = "trixie";
/** For one row on a busy machine. */
const LIMIT_MS = 400_000;

const ROOT = fromFileUrl(new URL("../../..", import.meta.url));

/** A row of the table. */
export interface MatrixResult {
  readonly suite: string;
  readonly manager: string;
  readonly crun: string;
  readonly mode: string;
  /** `verified`, or what failed. */
  readonly outcome: string;
  readonly instructions: string;
}

const MANUAL: Manual = {
  usage:
    "deno task matrix [SUITE...] [MANAGER] [MODE] [pod | rootless | upgrade]",
  brief:
    "Installs for podman, docker and containerd of other releases of Debian\n(default: trixie, sid, experimental), or the rows that are named. Requires root.\nExits with 1 if one is not verified.",
  words: 5,
};

async function main({ words }: Given): Promise<number> {
  const results = await tryMatrix(words);
  say(formatTable([
    ["release", "manager", "crun", "mode", "outcome", "instructions"],
    ...results.map((r) => [
      ...[r.suite, r.manager, r.crun, r.mode, r.outcome, r.instructions],
    ]),
  ], { left: [0, 1, 2, 3, 4] }));
  const isGood = results.every(({ outcome }) => outcome === "verified");
  return results.length > 0 && isGood ? 0 : 1;
}

/**
 * Tries rows; prints what is skipped, and the output of those that fail.
 *
 * @param words Releases, and words of {@linkcode Row} that all rows have.
 * @returns The rows of the table.
 */
export async function tryMatrix(
  words: readonly string[],
): Promise<readonly MatrixResult[]> {
  const shared = await Deno.makeTempDir({ prefix: "seccomp-tree-matrix-" });
  const results: MatrixResult[] = [];
  try {
    // A user of the roots starts the program, too.
    await Deno.chmod(shared, 0o755);
    await share(shared);
    const named = words.filter((word) => SUITES.includes(word));
    for (const suite of named.length === 0 ? SUITES : named) {
      const rows = rowsOf(suite, words, shared);
      if (rows.some(({ kind }) => kind === "upgrade")) {
        await shareOldCrun(shared);
      }
      const root = await makeDebianRoot(suite, [
        ...PACKAGES,
        ...rows.flatMap(({ manager }) => MANAGER_PACKAGES[manager]),
      ]);
      if (typeof root === "string") {
        say(`left out: ${suite}: ${root}`);
        continue;
      }
      await using _ = root;
      for (const row of rows) {
        const result = await tryRow(root, row, shared);
        results.push(result);
        say(Object.values(result).join("  "));
      }
    }
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
  return results;
}

/** The rows for a release, or those of them that are named. */
function rowsOf(
  suite: string,
  words: readonly string[],
  shared: string,
): readonly Row[] {
  const wanted = words.filter((word) => !SUITES.includes(word));
  return rowsWith(shared).filter(({ suites, manager, mode, kind = "" }) =>
    (suites?.includes(suite) ?? true) &&
    wanted.every((word) => [manager, mode, kind].includes(word))
  );
}

/** Puts crun of an older release, and libraries that newer ones lack, beside. */
async function shareOldCrun(folder: string): Promise<void> {
  const root = await makeDebianRoot(OLD_SUITE, ["crun"]);
  if (typeof root === "string") return say(`left out: upgrade: ${root}`);
  await using _ = root;
  await Deno.mkdir(join(folder, "old"));
  await $`cp ${root.path}/usr/bin/crun ${folder}/old/`;
  await $`sh -c ${`cp ${root.path}/usr/lib/*/libyajl.so.2* ${folder}/old/`}`;
}

/** Puts Deno and this program where the roots see them. */
async function share(folder: string): Promise<void> {
  await Deno.copyFile(Deno.execPath(), join(folder, "deno"));
  const { shim, strip } = formatShim("/usr/lib/shim", "/usr/local/bin/deno");
  await Deno.mkdir(join(folder, "shim"));
  await Deno.writeTextFile(join(folder, "shim/strip.js"), strip);
  await Deno.writeTextFile(join(folder, "shim/shim"), shim, { mode: 0o755 });
  for (const file of await $`git -C ${ROOT} ls-files`.lines()) {
    const path = join(folder, "program", file);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.copyFile(join(ROOT, file), path);
  }
  const { denoDir } = await $`${Deno.execPath()} info --json`.json();
  await $`cp -r ${join(denoDir, "npm")} ${folder}`;
}

async function tryRow(
  root: DebianRoot,
  row: Row,
  shared: string,
): Promise<MatrixResult> {
  const { manager, mode, kind } = row;
  // A namespace of processes ends the daemons with the script.
  const { stdout, stderr } = await ask(
    [
      ...["env", `SHARED=${shared}`, "unshare", "--pid", "--fork"],
      ...[
        "--kill-child",
        ...root.enter("/usr/bin/sh", "-c", scriptOf(row, shared)),
      ],
    ],
    { limitMs: LIMIT_MS },
  );
  const cruns = [...stdout.matchAll(/^crun version (\S+)/mg)].map((m) => m[1]);
  const first = stdout.split("\n", 1)[0] ?? "";
  const found = /(\d+\.\d+\.\d+)/.exec(first)?.[1] ?? "?";
  const verified = /Verified: .* of (\d+) instructions/.exec(stdout)?.[1];
  const isRestored = /^restored$/m.test(stdout);
  const isBad = /^bad: /m.test(stdout);
  const isGood = verified !== undefined && isRestored && !isBad;
  if (!isGood) say(`${manager} ${mode} ${kind ?? ""}\n${stdout}\n${stderr}`);
  return {
    suite: root.suite,
    manager: `${manager} ${found}${kind === undefined ? "" : `, ${kind}`}`,
    crun: cruns.join(" → ") || "?",
    mode,
    outcome: isGood
      ? "verified"
      : verified !== undefined && !isBad
      ? "not restored"
      : "not verified",
    instructions: verified ?? "–",
  };
}

/** Installs, uses, uninstalls; prints `bad:` and `restored`. */
function scriptOf(row: Row, shared: string): string {
  const { manager, mode, before = "", use = "", removal } = row;
  const { options = OPTIONS[manager] } = row;
  return `${prelude(shared)}
${VERSIONS[manager]} | head -1
${DAEMONS[manager]}
${before}
crun --version | head -1
digest >/run/before
tree install ${manager} --mode ${mode} --deno /usr/local/bin/deno --log stderr ${options} 2>&1 |
  grep -E 'Verified|error|not' || echo "bad: install: nothing verified"
${use}
${removal ?? `check "uninstall" tree uninstall ${manager}`}
digest >/run/after
if busybox cmp -s /run/before /run/after; then echo restored; else busybox diff /run/before /run/after; fi
`;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
