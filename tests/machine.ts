/**
 * The facts about the machine on which tests depend, each found by trial, and
 * the record of tests that were skipped because the machine lacks something.
 *
 * A test that needs something asks for it at its registration:
 *
 * ```ts ignore
 * needs("root", "crun")("compile: a container …", async () => { … });
 * if (has("i386", "calls by int $0x80 in containers")) rows.push(…);
 * ```
 *
 * Tests without their needs are ignored and recorded; `tests/run.ts` prints the
 * record after the last test, with the one command that installs the missing
 * packages. Under `CI=true` they fail, except for features of the kernel and
 * data outside of the repository. As a program it prints the packages that
 * tests need, one per line, for `.ci/run`.
 *
 * @module
 */

import { dumpFilters } from "../ffi/live/dump.ts";
import { SyscallError } from "../ffi/error.ts";
import { openLibc } from "../ffi/libc.ts";
import { showsCaller } from "../ffi/seccomp_engine.ts";
import { openStub } from "../ffi/stub.ts";
import { findMirror } from "../tools/mirror.ts";
import { confinedCommand } from "./kernel/confined.ts";

/**
 * Remedy: `kernel` another kernel or processor, `user` another user, `package`
 * an installation, `data` files next to the repository.
 */
export type Remedy = "kernel" | "user" | "package" | "data";

/** The reason why the machine lacks something. */
export interface Absence {
  /** The need that was asked for, or one that it builds on. */
  readonly need: Need;
  readonly remedy: Remedy;
  /** Explanation, without the need's name. */
  readonly reason: string;
}

/** One line of the record. */
export interface LeftOut extends Absence {
  /** The test file, relative to the repository. */
  readonly file: string;
  /** A test by its name, or rows of tests in words. */
  readonly what: string;
  readonly kind: "test" | "rows";
}

/** Registers a test. */
export type Register = (
  name: string,
  test: (t: Deno.TestContext) => void | Promise<void>,
) => void;

/** Programs, a library and the kernel's headers, which packages bring. */
export type Installed =
  | (
    | "as"
    | "bash"
    | "bash-completion"
    | "buildah"
    | "bwrap"
    | "busybox"
    | "chromium"
    | "containerd"
    | "coq"
    | "crun"
    | "ctr"
    | "dash"
    | "dpkg-deb"
  )
  | ("docker" | "dockerd" | "fish" | "gawk" | "gcc" | "headers" | "libseccomp")
  | "libc-headers"
  | "dot"
  | "man"
  | "mawk"
  | "python3"
  | (
    | "newuidmap"
    | "node"
    | "npm"
    | "nsenter"
    | "podman"
    | "skopeo"
    | "runc"
    | "script"
    | "setpriv"
    | "shellcheck"
    | "strace"
    | "systemd"
    | "unshare"
    | "zsh"
  );

/** Needs that cannot be installed. */
export type Fact =
  | "admin"
  | "checkpoint-restore"
  | "debian-mirror"
  | "dump"
  | "i386"
  | "instruction-pointer"
  | "mdwe"
  | "mounts"
  | "new-privileges"
  | "root"
  | "shared"
  | "stub"
  | "userns"
  | "x86_64";

/** Needs of tests. */
export type Need = Installed | Fact;

/** The packages of Debian that bring them. */
const PACKAGES: Readonly<Record<Installed, string>> = {
  as: "binutils",
  bash: "bash",
  "bash-completion": "bash-completion",
  buildah: "buildah",
  bwrap: "bubblewrap",
  busybox: "busybox-static",
  chromium: "chromium",
  containerd: "containerd",
  coq: "coq",
  crun: "crun",
  ctr: "containerd",
  dash: "dash",
  docker: "docker.io",
  dockerd: "docker.io",
  "dpkg-deb": "dpkg",
  fish: "fish",
  gawk: "gawk",
  dot: "graphviz",
  gcc: "gcc",
  headers: "linux-libc-dev",
  "libc-headers": "libc6-dev",
  libseccomp: "libseccomp2",
  man: "man-db",
  mawk: "mawk",
  newuidmap: "uidmap",
  node: "nodejs",
  npm: "npm",
  nsenter: "util-linux",
  podman: "podman",
  skopeo: "skopeo",
  python3: "python3",
  runc: "runc",
  script: "bsdutils",
  setpriv: "util-linux",
  shellcheck: "shellcheck",
  strace: "strace",
  systemd: "systemd",
  unshare: "util-linux",
  zsh: "zsh",
};

/** The file that users of bash-completion source. */
export const BASH_COMPLETION = "/usr/share/bash-completion/bash_completion";

/** linux/prctl.h. */
const PR_GET_MDWE = 66;

/** Folders that hold programs although a user's PATH may lack them. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/**
 * Seconds after which tests consider a process hung, even on a slow machine.
 */
export const PATIENCE_S = 300;

/** Name of the variable with the path of the record, which `tests/run.ts` sets. */
export const RECORD = "SECCOMP_TREE_LEFT_OUT";

/**
 * Name of a variable that lists needs to consider absent, for tests of this
 * module.
 */
export const WITHOUT = "SECCOMP_TREE_WITHOUT";

/** Test for a fact. */
interface Probe {
  readonly remedy: Remedy;
  /** Needs that it builds on; tried first. */
  readonly after?: readonly Need[];
  /** Returns the reason for an absence, undefined if the machine has it. */
  readonly run: () => string | undefined;
}

const FACTS: Readonly<Record<Fact, Probe>> = {
  "x86_64": {
    remedy: "kernel",
    run: () => unless(Deno.build.arch === "x86_64", `it is ${Deno.build.arch}`),
  },
  // Machine code that a process has written itself, in a cloned child.
  "stub": {
    remedy: "kernel",
    after: ["x86_64"],
    run: () => unless(openStub() !== undefined, "it forbids written code"),
  },
  "i386": {
    remedy: "kernel",
    after: ["stub"],
    run: () =>
      unless(
        openStub()?.servesI386() === true,
        "its kernel does not serve int $0x80",
      ),
  },
  // By it, filters of tests recognize the calls under test.
  "instruction-pointer": {
    remedy: "kernel",
    run: () => {
      const stub = openStub();
      return unless(
        stub === undefined || showsCaller(stub, "syscall"),
        "its kernel shows filters no instruction pointer",
      );
    },
  },
  "root": {
    remedy: "user",
    run: () => unless(Deno.uid() === 0, `the user is ${Deno.uid()}`),
  },
  // CAP_SYS_ADMIN, without which a filter takes no_new_privs.
  "admin": {
    remedy: "user",
    after: ["root"],
    run: () => unless(hasCapability(21n), "root lacks CAP_SYS_ADMIN"),
  },
  // Programs may gain privileges: NoNewPrivs is not set.
  "new-privileges": {
    remedy: "user",
    run: () => unless(statusField("NoNewPrivs") === "0", "no_new_privs is set"),
  },
  // A private user namespace, with root in it.
  "userns": {
    remedy: "kernel",
    after: ["unshare"],
    run: () => failureOf("unshare", ["--user", "--map-root-user", "true"]),
  },
  // PR_SET_MDWE, since Linux 6.3; PR_GET_MDWE changes nothing.
  "mdwe": {
    remedy: "kernel",
    run: () =>
      unless(
        openLibc().symbols.prctl(PR_GET_MDWE, 0n, 0n, 0n, 0n) >= 0,
        "its kernel has no PR_SET_MDWE",
      ),
  },
  // Mounts in a private mount namespace.
  "mounts": { remedy: "user", after: ["root", "unshare"], run: tryMounts },
  // PTRACE_SECCOMP_GET_FILTER: without CONFIG_CHECKPOINT_RESTORE EINVAL,
  // before Linux 4.4 EIO.
  "checkpoint-restore": {
    remedy: "kernel",
    after: ["root"],
    run: () =>
      unless(
        !["EIO", "EINVAL"].includes(tryDump()),
        `ptrace answers ${tryDump()}`,
      ),
  },
  // Filters of live processes; refused to confined or unprivileged processes.
  "dump": {
    remedy: "user",
    after: ["checkpoint-restore"],
    run: () =>
      unless(
        !["EACCES", "EPERM"].includes(tryDump()),
        `ptrace answers ${tryDump()}`,
      ),
  },
  // Packages of other releases, unpacked and not installed.
  "debian-mirror": {
    remedy: "data",
    after: ["mounts"],
    run: tryMirror,
  },
  // The folder `shared` beside the repository.
  "shared": {
    remedy: "data",
    run: () =>
      unless(
        exists(sharedFile("")),
        "../shared/data does not exist",
      ),
  },
};

/** Root and everything that starts containers in tests/containers. */
export const CONTAINERS: readonly Need[] = [
  ...["x86_64", "instruction-pointer", "mounts", "dump"] as const,
  ...["crun", "runc", "busybox"] as const,
];

const known = new Map<Need, Absence | undefined>();

/**
 * Tests once whether the machine has something.
 *
 * @returns The reason for an absence, undefined if the machine has it.
 */
export function absence(need: Need): Absence | undefined {
  if (!known.has(need)) known.set(need, tryNeed(need));
  return known.get(need);
}

/**
 * Makes a function that registers tests, and ignores and records them when the
 * machine lacks one of the needs. Under `CI=true` they fail instead, unless the
 * kernel is what lacks it.
 */
export function needs(...wanted: readonly Need[]): Register {
  return (name, test): void => {
    const absent = absencesOf(wanted);
    for (const each of absent) record(each, "test", name);
    const fatal = absent.find(isFatal);
    if (fatal === undefined) {
      Deno.test({ name, ignore: absent.length > 0, fn: test });
    } else {
      Deno.test(name, () => {
        throw new Error(messageOf(fatal));
      });
    }
  };
}

/**
 * Reports whether the machine has the needs of some rows of a test, and records
 * the rows if it does not.
 *
 * @param rows Description of the rows that would be skipped.
 * @throws {Error} if it is absent under `CI=true`, unless the kernel is what
 * lacks it.
 */
export function has(need: Need, rows: string): boolean {
  const absent = absence(need);
  if (absent === undefined) return true;
  if (isFatal(absent)) throw new Error(messageOf(absent));
  record(absent, "rows", rows);
  return false;
}

/**
 * Finds a program in PATH and in the system's folders.
 *
 * @returns Its path, undefined if none exists.
 */
export function pathOf(program: string): string | undefined {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...path, ...SYSTEM_FOLDERS]) {
    if (folder === "") continue;
    try {
      const { isFile, mode } = Deno.statSync(`${folder}/${program}`);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return `${folder}/${program}`;
    } catch {
      // It does not exist, or is not accessible.
    }
  }
  return undefined;
}

/**
 * Names a file of the folder `shared/data` beside the repository, which is there
 * when the machine has "shared".
 *
 * @param path Relative to the folder.
 */
export function sharedFile(path: string): URL {
  return new URL(`../../shared/data/${path}`, import.meta.url);
}

/**
 * Prints a fact about this machine once per file.
 *
 * @param message One line.
 */
export function say(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
}

const said = new Set<string>();

/** Names the packages that bring some needs, all needs by default. */
export function packagesOf(
  wanted: Iterable<Need> = Object.keys(PACKAGES) as Installed[],
): readonly string[] {
  const names = [...wanted].filter((need) => !isFact(need));
  return [...new Set(names.map((name) => PACKAGES[name]))].sort();
}

/** Reports whether an absence fails tests under `CI=true`. */
function isFatal({ remedy }: Absence): boolean {
  return Deno.env.get("CI") === "true" &&
    (remedy === "user" || remedy === "package");
}

function messageOf({ need, reason }: Absence): string {
  return `Cannot run without "${need}": ${reason}`;
}

function absencesOf(wanted: readonly Need[]): readonly Absence[] {
  const absent = new Map<Need, Absence>();
  for (const need of wanted) {
    const each = absence(need);
    if (each !== undefined) absent.set(each.need, each);
  }
  return [...absent.values()];
}

function tryNeed(need: Need): Absence | undefined {
  const { remedy, after = [], run } = isFact(need)
    ? FACTS[need]
    : installation(need);
  for (const other of after) {
    const absent = absence(other);
    if (absent !== undefined) return absent;
  }
  const without = (Deno.env.get(WITHOUT) ?? "").split(",").includes(need);
  const reason = without ? `${WITHOUT} names it` : run();
  return reason === undefined ? undefined : { need, remedy, reason };
}

/**
 * Reports whether the program finds a fact: what {@link WITHOUT} names is hidden
 * from tests, not from what they test.
 */
export function programFinds(fact: Fact): boolean {
  return FACTS[fact].run() === undefined;
}

function isFact(need: Need): need is Fact {
  return Object.hasOwn(FACTS, need);
}

function unless(there: boolean, reason: string): string | undefined {
  return there ? undefined : reason;
}

function installation(name: Installed): Probe {
  const isThere = (): boolean => {
    if (name === "libseccomp") return isLoadable("libseccomp.so.2");
    if (name === "libc-headers") return exists("/usr/include/stdio.h");
    if (name === "headers") return exists("/usr/include/asm-generic/errno.h");
    if (name === "bash-completion") return exists(BASH_COMPLETION);
    if (name === "systemd") return pathOf("systemd-analyze") !== undefined;
    const path = pathOf(name === "coq" ? "coqc" : name);
    // Containers have no other file than busybox.
    return path !== undefined && (name !== "busybox" || isStatic(path));
  };
  const reason = `the package ${PACKAGES[name]} is not installed`;
  return { remedy: "package", run: () => unless(isThere(), reason) };
}

function isLoadable(library: string): boolean {
  try {
    Deno.dlopen(library, {}).close();
    return true;
  } catch {
    return false;
  }
}

/** Reports whether an executable names no dynamic linker. */
function isStatic(path: string): boolean {
  const head = Deno.readFileSync(path).subarray(0, 4096);
  return !new TextDecoder("latin1").decode(head).includes("/ld-");
}

function statusField(name: string): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return new RegExp(`^${name}:\\s*(\\w+)$`, "m").exec(status)?.[1] ?? "0";
}

function hasCapability(bit: bigint): boolean {
  return (BigInt(`0x${statusField("CapEff")}`) >> bit & 1n) === 1n;
}

function tryMounts(): string | undefined {
  return failureOf("unshare", [
    ...["--mount", "--propagation", "private"],
    ...["mount", "-t", "tmpfs", "tmpfs", "/tmp"],
  ]);
}

/** Queries the mirror that apt uses for another release. */
function tryMirror(): string | undefined {
  const mirror = findMirror();
  if (mirror === undefined) return "apt has no mirror of Debian";
  return failureOf(Deno.execPath(), [
      ...["eval", "--no-config", "--no-lock"],
      `const url = ${JSON.stringify(`${mirror}/dists/trixie/Release`)};
     const { ok, status } = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(20_000) });
     if (!ok) throw new Error(\`\${url}: \${status}\`);`,
    ]) === undefined
    ? undefined
    : "the mirror of Debian that apt uses does not answer";
}

/** Runs a command and returns its complaint, undefined when it succeeds. */
function failureOf(
  program: string,
  args: readonly string[],
): string | undefined {
  const { success, stderr } = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
  }).outputSync();
  return unless(success, new TextDecoder().decode(stderr).trim());
}

let dumpErrno: string | undefined;

/** Reads the filters of a process; returns the errno of a refusal. */
function tryDump(): string {
  if (dumpErrno !== undefined) return dumpErrno;
  // It allows everything: a process without filters needs no ptrace.
  const { stdout } = confinedCommand({
    filters: [new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]).toBase64()],
    command: "sh",
    args: ["-c", "sleep 60 >/dev/null 2>&1 & echo $!"],
  }).outputSync();
  const pid = Number(new TextDecoder().decode(stdout));
  try {
    dumpFilters(pid);
    dumpErrno = "";
  } catch (error) {
    // An error of the reader does not mean that the machine lacks something.
    dumpErrno = error instanceof SyscallError ? error.errnoName : "";
  } finally {
    Deno.kill(pid, "SIGKILL");
  }
  return dumpErrno;
}

function exists(path: string | URL): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Adds a line to the record, or prints it if there is no record. */
function record(
  absent: Absence,
  kind: LeftOut["kind"],
  what: string,
): void {
  const root = new URL("../", import.meta.url).href;
  const file = Deno.mainModule.replace(root, "");
  const line: LeftOut = { ...absent, file, kind, what };
  const path = Deno.env.get(RECORD);
  if (path === undefined) {
    say(`Left out: ${what}: no ${absent.need}: ${absent.reason}`);
  } else {
    Deno.writeTextFileSync(path, `${JSON.stringify(line)}\n`, { append: true });
  }
}

if (import.meta.main) {
  // Other packages of Node contain npm and conflict with Debian's.
  const names = packagesOf()
    .filter((name) => name !== "npm" || absence("npm") !== undefined)
    .map((name) => `${name}\n`).join("");
  Deno.stdout.writeSync(new TextEncoder().encode(names));
}
