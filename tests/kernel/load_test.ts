import { assert, assertEquals, assertThrows } from "@std/assert";
import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { filterFlags, loadFilter } from "../../ffi/load.ts";
import { has, needs } from "../machine.ts";
import { confinedCommand } from "./confined.ts";

const test = needs("admin", "new-privileges");

const ALLOW = 0x7fff_0000;
const ALLOW_ALL: Program = [{ op: "ret.k", k: ALLOW, jt: 0, jf: 0 }];

/** Answers `value` to one number of x86_64 and aarch64 alike, allows the others. */
function deny(nrs: readonly number[], value: number): Program {
  return [
    { op: "ld.abs", k: 0, jt: 0, jf: 0 },
    ...nrs.flatMap((nr): Program => [
      { op: "jeq.k", k: nr, jt: 0, jf: 1 },
      { op: "ret.k", k: value, jt: 0, jf: 0 },
    ]),
    ...ALLOW_ALL,
  ];
}

interface Outcome {
  readonly code: number;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function read(command: Deno.Command): Promise<Outcome> {
  const { code, signal, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return {
    code,
    signal,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

function confined(
  program: Program,
  argv: readonly [string, ...string[]],
  options: Deno.CommandOptions = {},
): Promise<Outcome> {
  const [command, ...args] = argv;
  return read(confinedCommand({
    filters: [encode(program).toBase64()],
    command,
    args,
  }, options));
}

function plain(
  argv: readonly [string, ...string[]],
  options: Deno.CommandOptions = {},
): Promise<Outcome> {
  const [command, ...args] = argv;
  return read(
    new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }),
  );
}

/** Runs a script with modules of this project in a separate process. */
function script(code: string): Promise<Outcome> {
  const ffi = import.meta.resolve("../../ffi/");
  return plain([
    Deno.execPath(),
    "eval",
    "--no-lock",
    `const { loadFilter } = await import("${ffi}load.ts");
     const { dumpFilters } = await import("${ffi}live/dump.ts");
     const { openLibc } = await import("${ffi}libc.ts");
     const status = (tid, name) =>
       Deno.readTextFileSync("/proc/" + tid + "/status")
         .match(new RegExp(name + ":\\\\s*(.*)"))[1];
     const allow = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
     ${code}`,
  ]);
}

Deno.test("execWithFilter() does not change the output of a command", async () => {
  const cases: [string, ...string[]][] = [
    ["sh", "-c", "exit 0"],
    ["sh", "-c", "exit 7"],
    ["sh", "-c", "kill -KILL $$"],
    ["sh", "-c", "kill -SEGV $$"],
    ["sh", "-c", "echo out; echo err >&2; ls / | head -n 1"],
    ["env"],
    ["cat", "/proc/self/limits"],
    // Signals 1 to 28; 32 and 33 belong to the C library.
    ["sed", "-nE", "s/^(Sig...):.*(.{7})$/\\1 \\2/p", "/proc/self/status"],
    ...has("admin", "no_new_privs that execWithFilter() leaves alone")
      ? [["grep", "NoNewPrivs", "/proc/self/status"] as [string, ...string[]]]
      : [],
    ["sh", "-c", "ls -l /proc/self/fd | wc -l"],
    ["pwd"],
    ["printf", "%s\n", "", "a b", "ü"],
  ];
  const options = {
    cwd: "/",
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", EMPTY: "", X: "a=b\nc" },
  };
  for (const argv of cases) {
    const [expected, seen] = await Promise.all([
      plain(argv, options),
      confined(ALLOW_ALL, argv, options),
    ]);
    const title = JSON.stringify(argv);
    assertEquals(seen, expected, title);
    assert(!/deno/i.test(seen.stdout), title);
  }
});

Deno.test("execWithFilter() restores the limit on open files with which it was started", async () => {
  const limited = (command: string): Promise<Outcome> =>
    plain(["sh", "-c", `ulimit -Sn 333; ${command}`]);
  const self = JSON.stringify({
    filters: [encode(ALLOW_ALL).toBase64()],
    command: "sh",
    args: ["-c", "ulimit -Sn; ulimit -Hn"],
  });
  const file = import.meta.resolve("./confined.ts");
  // The shell waits: a command that it became would have another parent.
  const seen = await limited(
    `${Deno.execPath()} run -A --no-lock ${file} '${self}'; exit $?`,
  );
  assertEquals(seen.stderr, "");
  assertEquals(seen, await limited("ulimit -Sn; ulimit -Hn; exit 0"));
});

Deno.test("execWithFilter() keeps signals ignored except SIGPIPE, which Deno has overwritten", async () => {
  const confinedFile = import.meta.resolve("./confined.ts");
  const self = JSON.stringify({
    filters: [encode(ALLOW_ALL).toBase64()],
    command: "sed",
    args: ["-n", "s/^SigIgn:.//p", "/proc/self/status"],
  });
  const seen = await plain([
    "sh",
    "-c",
    `trap '' HUP PIPE USR1; exec ${Deno.execPath()} run -A --no-lock ${confinedFile} '${self}'`,
  ]);
  // SIGHUP is 1, SIGUSR1 is 10; SIGPIPE, 13, has its default action. The
  // signals of the C library, 32 and 33, are as Deno leaves them to children.
  assertEquals(seen.stdout.slice(-8), "0000201\n", seen.stderr);
});

Deno.test("execWithFilter() puts the command under the filter", async () => {
  const seen = await confined(ALLOW_ALL, ["cat", "/proc/self/status"]);
  assert(/^Seccomp:\s*2$/m.test(seen.stdout), seen.stdout);
  // uname is 63 on x86_64 and 160 on aarch64.
  const EPERM = 0x0005_0001;
  const denied = await confined(deny([63, 160], EPERM), ["uname"]);
  assert(denied.code !== 0);
  assert(/not permitted/i.test(denied.stderr), denied.stderr);
  const killed = await confined(deny([63, 160], 0x8000_0000), ["uname"]);
  assertEquals([killed.code, killed.signal], [128 + 31, "SIGSYS"]);
});

Deno.test("execWithFilter() reports a command that it cannot run before loading the filter", async () => {
  const execve = await confined(deny([59, 221], 0x8000_0000), ["true"]);
  assertEquals([execve.code, execve.signal], [1, null]);
  assert(
    execve.stderr.includes(
      'Cannot run "true": the filter answers KILL_PROCESS to execve; allow execve',
    ),
    execve.stderr,
  );
  const missing = await confined(deny([63], 0), ["no-such-command"]);
  assert(
    missing.stderr.includes('"no-such-command": execve answers ENOENT'),
    missing.stderr,
  );
  const folder = await confined(ALLOW_ALL, ["/etc"]);
  assert(folder.stderr.includes("execve answers EACCES"), folder.stderr);
});

Deno.test("execWithFilter() runs a script without #! by the shell, as execvp() does", async () => {
  const path = await Deno.makeTempFile({ dir: "/tmp", prefix: "no-shebang-" });
  try {
    await Deno.writeTextFile(path, "echo $1; exit 4\n");
    await Deno.chmod(path, 0o755);
    const seen = await confined(ALLOW_ALL, [path, "argument"]);
    assertEquals([seen.stdout, seen.code], ["argument\n", 4]);
  } finally {
    await Deno.remove(path);
  }
});

test("loadFilter() sets no_new_privs only if the kernel requires it", async () => {
  const root = await script(`
    loadFilter(allow);
    console.log(status("thread-self", "NoNewPrivs"), status("thread-self", "Seccomp"));
    loadFilter(allow, { noNewPrivs: "always" });
    console.log(status("thread-self", "NoNewPrivs"), status("thread-self", "Seccomp_filters"));
  `);
  assertEquals(root.stdout, "0 2\n1 2\n", root.stderr);
  // setresuid is 117 on x86_64 and 147 on aarch64; it acts on this thread alone.
  const user = await script(`
    const nr = { x86_64: 117n, aarch64: 147n }[Deno.build.arch];
    const id = 65534n;
    if (openLibc().symbols.syscall(nr, id, id, id, 0n, 0n, 0n) !== 0) throw 0;
    loadFilter(allow);
    console.log(status("thread-self", "NoNewPrivs"), status("thread-self", "Seccomp"));
    const target = new Deno.Command("sleep", { args: ["100"], cwd: "/" }).spawn();
    let seen;
    try { dumpFilters(target.pid); } catch (error) { seen = error; }
    console.log(seen.errnoName, seen.hint);
    target.kill("SIGKILL");
    await target.status;
  `);
  assertEquals(
    user.stdout.split("\n")[0],
    "1 2",
    user.stderr,
  );
  assert(
    /^(EACCES|EPERM) .*(CAP_SYS_ADMIN|root is required)/m.test(user.stdout),
    `${user.stdout}${user.stderr}`,
  );
});

Deno.test("loadFilter() with TSYNC confines every thread, without it the calling one", async () => {
  const count = `
    const tasks = [...Deno.readDirSync("/proc/self/task")].map((t) => t.name);
    const modes = tasks.map((t) => status("self/task/" + t, "Seccomp"));
    console.log(tasks.length > 1, modes.filter((m) => m === "2").length === tasks.length,
      modes.filter((m) => m === "2").length === 1);`;
  const one = await script(`loadFilter(allow); ${count}`);
  assertEquals(one.stdout, "true false true\n", one.stderr);
  const all = await script(
    `loadFilter(allow, { flags: ["SECCOMP_FILTER_FLAG_TSYNC"] }); ${count}`,
  );
  assertEquals(all.stdout, "true true false\n", all.stderr);
});

Deno.test("loadFilter() never drops a flag or loads a program that the kernel refuses", async () => {
  assertThrows(
    () => filterFlags(["SECCOMP_FILTER_FLAG_NEW_LISTENER"]),
    RangeError,
    'flag "SECCOMP_FILTER_FLAG_NEW_LISTENER" is not known',
  );
  assertEquals(
    filterFlags([
      "SECCOMP_FILTER_FLAG_TSYNC",
      "SECCOMP_FILTER_FLAG_LOG",
      "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    ]),
    7,
  );
  assertThrows(
    () => loadFilter(new Uint8Array(7)),
    RangeError,
    "a multiple of 8",
  );
  // WAIT_KILLABLE_RECV without a listener, no instructions, no final return, too many.
  const seen = await script(`
    const tries = [
      () => loadFilter(allow, { flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }),
      () => loadFilter(new Uint8Array(0)),
      () => loadFilter(new Uint8Array(8)),
      () => loadFilter(new Uint8Array(8 * 4097).fill(6)),
      () => loadFilter(allow, { flags: ["SECCOMP_FILTER_FLAG_LOG", "nonsense"] }),
    ];
    for (const attempt of tries) {
      try { attempt(); console.log("loaded"); } catch (error) {
        console.log(error.name, error.syscall, error.errnoName);
      }
    }
    console.log(status("thread-self", "Seccomp"));
  `);
  assertEquals(
    seen.stdout,
    "SyscallError seccomp EINVAL\n".repeat(4) +
      "RangeError undefined undefined\n0\n",
    seen.stderr,
  );
});
