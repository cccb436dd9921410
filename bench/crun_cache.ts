/**
 * Measures the costs of a container with crun's own cache (1.14 and later), as
 * crun fills it and with our filters in it, for each release of crun in a
 * temporary root. Prints the tables of docs/benchmarks.md.
 *
 * ```sh
 * deno task cached                        # 10 rounds, Debian 13 and sid
 * deno task cached 20 trixie
 * deno task cached --json docs/charts/crun.json
 * ```
 *
 * `bench --report docs/charts/bench.json --page docs` puts the tables of
 * docs/charts/crun.json on the page.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { ask } from "../host/command.ts";
import { writeWhole } from "../host/files.ts";
import { kernelRelease, processorName } from "../host/machine.ts";
import { formatTable } from "../host/table.ts";
import {
  type Given,
  type Manual,
  start,
  toNumber,
} from "../tools/arguments.ts";
import { type DebianRoot, makeDebianRoot } from "../tools/debian_root.ts";
import { BATCH, measureCrun } from "./experiments/cached.ts";
import { loadNow } from "./machine.ts";
import {
  type CrunReport,
  type CrunRun,
  crunSections,
} from "./report/crun_text.ts";

/** crun, and the programs that its wrapper needs. */
const PACKAGES: readonly string[] = [
  ...["crun", "bash", "coreutils", "dash", "mawk", "util-linux"],
  ...["libc-bin", "libgcc-s1"],
];

const MANUAL: Manual = {
  usage: "deno task cached [OPTION...] [ROUNDS [SUITE...]]",
  brief:
    "Measures starts, execs, attaches and memory with crun's cache, in 10 rounds\nunless ROUNDS says otherwise. Requires root and a quiet machine.",
  options: {
    json: { placeholder: "FILE", brief: "Also write the document to a file" },
  },
  words: 6,
};

async function main(given: Given): Promise<number> {
  const [word = "10", ...named] = given.words;
  const rounds = toNumber("ROUNDS", word);
  const loadBefore = loadNow();
  const runs: CrunRun[] = [];
  for (const suite of named.length === 0 ? ["trixie", "sid"] : named) {
    const root = await makeDebianRoot(suite, PACKAGES);
    if (typeof root === "string") {
      say(`skipped: ${suite}: ${root}`);
      continue;
    }
    await using _ = root;
    runs.push(await measureRoot(root, rounds));
  }
  const loads = [loadBefore, loadNow()].map((load) => load.toFixed(1));
  const report: CrunReport = {
    schemaVersion: 1,
    taken: new Date().toISOString(),
    machine:
      `${processorName()}, ${navigator.hardwareConcurrency} processors; ${`Linux ${kernelRelease()}`}; load ${
        loads.join(" to ")
      }`,
    rounds,
    batch: BATCH,
    runs,
  };
  for (const { title, rows } of crunSections(report)) {
    say(`${title}\n\n${formatTable(rows, { left: [0, 1] })}`);
  }
  const path = given.text("json");
  if (path !== undefined && runs.length > 0) {
    writeWhole(path, `${JSON.stringify(report, null, 1)}\n`);
  }
  return runs.length > 0 ? 0 : 1;
}

async function measureRoot(
  root: DebianRoot,
  rounds: number,
): Promise<CrunRun> {
  // The wrapper starts it from its path on this machine.
  const deno = Deno.execPath();
  await Deno.mkdir(dirname(`${root.path}${deno}`), { recursive: true });
  await Deno.copyFile(deno, `${root.path}${deno}`);
  // A file system in memory, like /run.
  const shared = await Deno.makeTempDir({
    dir: "/dev/shm",
    prefix: "seccomp-tree-",
  });
  const sh = (script: string): Promise<void> => enter(root, shared, script);
  try {
    await Deno.chmod(shared, 0o755);
    await sh("ldconfig");
    return await measureCrun({ shared, sh, wrapped: true }, rounds);
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
}

async function enter(
  root: DebianRoot,
  shared: string,
  script: string,
): Promise<void> {
  const said = join(shared, "said");
  const words = root.enter(
    "/usr/bin/sh",
    "-c",
    `export PATH=/usr/sbin:/usr/bin HOME=/root
{ ${script}\n} >${said} 2>&1 </dev/null`,
  );
  const { code } = await ask(["env", `SHARED=${shared}`, ...words], {
    limitMs: 300_000,
  });
  if (code !== 0) throw new Error(await Deno.readTextFile(said));
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
