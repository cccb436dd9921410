/**
 * Programs of another release of Debian, from the mirror of this machine, unpacked
 * into a folder: nothing is installed.
 *
 * @module
 */

import { join } from "@std/path";
import { ask } from "../host/command.ts";
import { findMirror } from "./mirror.ts";

/** A runtime of another release. */
export interface EnteredRuntime {
  /** Its name, which must be valid in file names. */
  readonly name: string;
  /** The words that start it on this machine. */
  readonly words: readonly string[];
  /** Name of the environment variable that gets the path of the bundle. */
  readonly bundleVariable: string;
}

/** A root file system; disposing of it removes all files. */
export interface DebianRoot extends AsyncDisposable {
  /** The folder. */
  readonly path: string;
  /** Such as `trixie`. */
  readonly suite: string;
  /**
   * The words that run a command inside. The variable `SHARED` names a folder
   * that has the same path inside.
   */
  enter(...command: readonly string[]): readonly string[];
  /** A runtime of that release; its bundle is visible inside. */
  runtime(name: "crun" | "runc"): EnteredRuntime;
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Without a home folder, Deno has no place for its cache. */
const ACCOUNTS = {
  passwd: "root:x:0:0:root:/root:/bin/sh\n",
  group: "root:x:0:\n",
};
/** For a slow mirror. */
const LIMIT_MS = 300_000;

/**
 * Lines of `sh` that enter a root: a real `pivot_root`, so that runtimes can
 * pivot again, and a tree with only cgroup2. `SHARED` has the same path inside.
 */
const ENTER = `
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
cd "$ROOT"
mkdir -p proc sys dev tmp run old ".$SHARED"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount --bind "$SHARED" ".$SHARED"
pivot_root . old
exec /bin/busybox sh -c '/bin/busybox umount -l /old && cd / && exec "$@"' sh "$@"
`;

/**
 * Unpacks packages and all that they depend on.
 *
 * @param suite The release, such as `trixie`.
 * @param packages Their names; busybox-static is added automatically.
 * @returns The root, or the reason why it cannot be made.
 */
export async function makeDebianRoot(
  suite: string,
  packages: readonly string[],
): Promise<DebianRoot | string> {
  const mirror = findMirror();
  if (mirror === undefined) return "no mirror of Debian in /etc/apt";
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-root-" });
  const root = join(folder, "root");
  const fault = await unpack({ folder, root, suite, mirror, packages });
  const dispose = (): Promise<void> => Deno.remove(folder, { recursive: true });
  if (fault !== undefined) {
    await dispose();
    return fault;
  }
  const enter = (...command: readonly string[]): readonly string[] => [
    ...["env", `ROOT=${root}`, "unshare", "--mount"],
    ...["sh", "-c", ENTER, "sh", ...command],
  ];
  return {
    path: root,
    suite,
    enter,
    runtime: (name): EnteredRuntime => ({
      name: `${name}-${suite}`,
      words: enter(name),
      bundleVariable: "SHARED",
    }),
    [Symbol.asyncDispose]: dispose,
  };
}

interface Unpacking {
  readonly folder: string;
  readonly root: string;
  readonly suite: string;
  readonly mirror: string;
  readonly packages: readonly string[];
}

/** Returns the description of a failure. */
async function unpack(
  { folder, root, suite, mirror, packages }: Unpacking,
): Promise<string | undefined> {
  const at = (name: string): string => join(folder, name);
  for (const name of ["lists/partial", "archives/partial", "cache"]) {
    await Deno.mkdir(at(name), { recursive: true });
  }
  await Deno.writeTextFile(at("status"), "");
  // Experimental is incomplete without sid.
  const isPartial = suite === "experimental";
  await Deno.writeTextFile(
    at("sources.list"),
    [suite, ...isPartial ? ["sid"] : []]
      .map((one) => `deb [signed-by=${KEYRING}] ${mirror} ${one} main\n`)
      .join(""),
  );
  const settings = {
    "Dir::Etc::sourcelist": at("sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::lists": at("lists"),
    "Dir::State::status": at("status"),
    "Dir::Cache": at("cache"),
    "Dir::Cache::archives": at("archives"),
    "APT::Sandbox::User": "root",
  };
  await Deno.writeTextFile(
    at("apt.conf"),
    Object.entries(settings).map(([k, v]) => `${k} "${v}";\n`).join(""),
  );
  const apt = ["env", `APT_CONFIG=${at("apt.conf")}`, "apt-get", "-qq"];
  const names = [...packages, "busybox-static"];
  const download = [
    ...["install", "--download-only", "-y"],
    ...isPartial ? ["--target-release", suite] : [],
  ];
  const steps = [
    [...apt, "update"],
    [...apt, ...download, "--no-install-recommends", ...names],
  ];
  for (const words of steps) {
    const { code, stderr } = await ask(words, { limitMs: LIMIT_MS });
    if (code !== 0) return `${suite}: ${stderr.trim().split("\n").at(-1)}`;
  }
  // Debian has merged these folders since bookworm.
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await Deno.mkdir(join(root, "usr", name), { recursive: true });
    await Deno.symlink(`usr/${name}`, join(root, name));
  }
  for await (const { name } of Deno.readDir(at("archives"))) {
    if (!name.endsWith(".deb")) continue;
    const words = ["dpkg", "-x", join(at("archives"), name), root];
    const { code, stderr } = await ask(words, { limitMs: LIMIT_MS });
    if (code !== 0) return `${name}: ${stderr.trim()}`;
  }
  await configure(root);
  return undefined;
}

/** Does the work of package scripts, which are never run. */
async function configure(root: string): Promise<void> {
  const at = (path: string): string => join(root, path);
  for (const [name, program] of [["sh", "dash"], ["awk", "mawk"]] as const) {
    await Deno.remove(at(`usr/bin/${name}`)).catch(() => {});
    await Deno.symlink(program, at(`usr/bin/${name}`));
  }
  await Deno.mkdir(at("etc"), { recursive: true });
  await Deno.mkdir(at("var"), { recursive: true });
  await Deno.remove(at("var/run"), { recursive: true }).catch(() => {});
  await Deno.symlink("../run", at("var/run"));
  for (const [name, line] of Object.entries(ACCOUNTS)) {
    await Deno.writeTextFile(at(`etc/${name}`), line);
  }
}
