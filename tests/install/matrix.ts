/**
 * `deno task matrix`: installs for the managers of other releases of Debian, in
 * roots that are thrown away, and prints a table for docs/install.md.
 *
 * For each manager and mode: `install` has a real container verified, `status`
 * shows it active, `uninstall` restores every file of /etc and /usr/local.
 *
 * ```sh
 * deno task matrix
 * deno task matrix trixie
 * ```
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import $ from "dax";
import { ask } from "../../host/command.ts";
import { formatTable } from "../../host/table.ts";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { type DebianRoot, makeDebianRoot } from "../../tools/debian_root.ts";
import { formatShim } from "./shim.ts";

const SUITES: readonly string[] = ["trixie", "sid"];

/** Packages for managers and for the commands of a row. */
const PACKAGES: readonly string[] = [
  ...["crun", "runc", "podman", "conmon", "netavark", "containerd"],
  ...["docker.io", "docker-cli", "golang-github-containers-common"],
  ...["bash", "coreutils", "findutils", "grep", "mawk", "mount", "procps"],
  ...["dash", "libc-bin", "sed"],
];

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** A manager, its mode, and the daemon that it needs. */
interface Row {
  readonly manager: string;
  readonly mode: string;
  /** Lines of `sh` that start the daemon and wait for it. */
  readonly daemon?: string;
  /** Options of `install`. */
  readonly options?: string;
  /** Prints the manager's version. */
  readonly version: string;
}

const DOCKERD = `
containerd >/run/containerd.log 2>&1 &
dockerd --data-root /run/docker-data --storage-driver vfs --iptables=false \\
  --ip6tables=false --bridge=none --containerd /run/containerd/containerd.sock \\
  >/run/dockerd.log 2>&1 &
for i in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
`;
const CONTAINERD = `
containerd >/run/containerd.log 2>&1 &
for i in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.2; done
`;

const ROWS: readonly Row[] = [
  {
    ...{ manager: "podman", mode: "cache" },
    version: "podman --version",
  },
  { manager: "podman", mode: "hook", version: "podman --version" },
  {
    ...{ manager: "docker", mode: "cache", daemon: DOCKERD },
    ...{ options: "--reload", version: "dockerd --version" },
  },
  {
    ...{ manager: "docker", mode: "wrapper", daemon: DOCKERD },
    ...{ options: "--reload", version: "dockerd --version" },
  },
  {
    ...{ manager: "containerd", mode: "cache", daemon: CONTAINERD },
    ...{ options: "--append", version: "containerd --version" },
  },
  {
    ...{ manager: "containerd", mode: "wrapper", daemon: CONTAINERD },
    ...{ options: "--append", version: "containerd --version" },
  },
];

/** A row of the table. */
interface Result {
  readonly suite: string;
  readonly manager: string;
  readonly crun: string;
  readonly mode: string;
  /** `verified`, or what failed. */
  readonly outcome: string;
  readonly instructions: string;
}

const MANUAL: Manual = {
  usage: "deno task matrix [SUITE...]",
  brief:
    "Installs for podman, docker and containerd of other releases of Debian\n(default: trixie, sid). Requires root. Exits with 1 if one is not verified.",
  words: 5,
};

async function main({ words }: Given): Promise<number> {
  const shared = await Deno.makeTempDir({ prefix: "seccomp-tree-matrix-" });
  const results: Result[] = [];
  try {
    await share(shared);
    for (const suite of words.length === 0 ? SUITES : words) {
      const root = await makeDebianRoot(suite, PACKAGES);
      if (typeof root === "string") {
        say(`left out: ${suite}: ${root}`);
        continue;
      }
      await using _ = root;
      for (const row of ROWS) results.push(await tryRow(root, row, shared));
    }
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
  say(formatTable([
    ["release", "manager", "crun", "mode", "outcome", "instructions"],
    ...results.map((r) => [
      ...[r.suite, r.manager, r.crun, r.mode, r.outcome, r.instructions],
    ]),
  ], { left: [0, 1, 2, 3, 4] }));
  const isGood = results.every(({ outcome }) => outcome === "verified");
  return results.length > 0 && isGood ? 0 : 1;
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
): Promise<Result> {
  const { manager, mode, daemon = "", options = "", version } = row;
  const script = `
export PATH=/usr/sbin:/usr/bin HOME=/root DENO_DIR=${shared}
tree() { ${shared}/deno run -A ${shared}/program/cli/main.ts "$@"; }
digest() { find /etc /usr/local -type f -exec sha256sum {} + | sort | sha256sum; }
${version} | head -1
crun --version | head -1
mkdir -p /etc/containers /usr/local/bin
ldconfig
[ -e /etc/containers/policy.json ] ||
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
cp ${shared}/deno /usr/local/bin/deno
if [ ! -e /usr/lib/shim ]; then
  cp -r ${shared}/shim /usr/lib/shim
  mv /usr/bin/crun /usr/lib/shim/crun
  mv /usr/lib/shim/shim /usr/bin/crun
fi
${daemon}
before=$(digest)
tree install ${manager} --mode ${mode} --deno /usr/local/bin/deno --log stderr ${options} 2>&1 |
  grep -E 'Verified|error|not' || echo "install: nothing verified"
tree status 2>&1 | grep "^${manager} " | head -1
tree uninstall ${manager} >/dev/null 2>&1 || echo "error: uninstall failed"
[ "$before" = "$(digest)" ] && echo restored
`;
  const words = root.enter("sh", "-c", script);
  // A namespace of processes ends the daemons with the script.
  const { stdout, stderr } = await ask(
    [
      ...["env", `SHARED=${shared}`, "unshare", "--pid", "--fork"],
      ...["--kill-child", ...words],
    ],
    { limitMs: 240_000 },
  );
  const crun = /^crun version (\S+)/m.exec(stdout)?.[1] ?? "?";
  const first = stdout.split("\n", 1)[0] ?? "";
  const found = /(\d+\.\d+\.\d+)/.exec(first)?.[1] ?? "?";
  const verified = /Verified: .* of (\d+) instructions/.exec(stdout)?.[1];
  const isRestored = /^restored$/m.test(stdout);
  if (verified === undefined || !isRestored) say(`${stdout}\n${stderr}`);
  return {
    suite: root.suite,
    manager: `${manager} ${found}`,
    crun,
    mode,
    outcome: verified === undefined
      ? "not verified"
      : isRestored
      ? "verified"
      : "not restored",
    instructions: verified ?? "–",
  };
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
