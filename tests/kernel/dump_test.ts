import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { SyscallError } from "../../ffi/error.ts";
import { openLibc } from "../../ffi/libc.ts";
import { needs } from "../machine.ts";
import { confinedCommand, statusField } from "./confined.ts";
import { ownThread } from "./waiting.ts";

const test = needs("dump");

const ALLOW = 0x7fff_0000;
const DUMP = new URL("../../ffi/live/dump.ts", import.meta.url).href;

/** Allows everything; `tag` makes one differ from another. */
function allowAll(tag: number, length = 2): Uint8Array<ArrayBuffer> {
  const program: Program = [
    ...Array.from({ length: length - 1 }, () => ({
      op: "ld.imm" as const,
      k: tag,
      jt: 0,
      jf: 0,
    })),
    { op: "ret.k", k: ALLOW, jt: 0, jf: 0 },
  ];
  return encode(program);
}

/** Runs at all times and answers signals, USR1 before USR2. */
const BUSY =
  "trap 'echo got' USR1; trap 'echo end' USR2; echo up; while :; do :; done";

/** Runs a shell script, under filters if there are any, and awaits its first line. */
async function start(
  script: string,
  filters: readonly Uint8Array[] = [],
): Promise<Running> {
  const command = filters.length === 0
    ? new Deno.Command("sh", {
      args: ["-c", script],
      stdout: "piped",
      stdin: "null",
    })
    : confinedCommand({
      filters: filters.map((bytes) => bytes.toBase64()),
      command: "sh",
      args: ["-c", script],
    }, { stderr: "inherit" });
  const process = command.spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let rest = "";
  const line = async (): Promise<string> => {
    while (!rest.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the process ended");
      rest += value;
    }
    const end = rest.indexOf("\n");
    const text = rest.slice(0, end);
    rest = rest.slice(end + 1);
    return text;
  };
  return {
    process,
    first: await line(),
    line,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await reader.cancel();
      await process.status;
    },
  };
}

interface Running extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly first: string;
  readonly line: () => Promise<string>;
}

/** Lets another process send a signal a little later. */
function sendLater(pid: number, signal: string): Deno.ChildProcess {
  return new Deno.Command("sh", { args: ["-c", `kill -${signal} ${pid}`] })
    .spawn();
}

function refusal(tid: number): SyscallError {
  return assertThrows(() => dumpFilters(tid), SyscallError);
}

/**
 * Asserts that this thread has released it. Another `verify --all` may read it
 * in the meantime.
 */
function assertUnharmed(tid: number, states: string): void {
  const self = ownThread();
  let tracer: string;
  while ((tracer = statusField(tid, "TracerPid")) !== "0") {
    assert(tracer !== self, `${tid} is still traced`);
  }
  const state = statusField(tid, "State")[0] ?? "";
  assert(states.includes(state), `state ${state}, one of ${states} expected`);
}

/** When a process began, in ticks of the clock: with the pid, which process it is. */
function startTime(pid: number): string | undefined {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // Field 22; the name before field 3 may hold blanks.
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

test("dumpFilters() gives what was loaded, oldest first", async () => {
  const filters = [allowAll(1), allowAll(2, 4096), allowAll(3, 1)];
  await using target = await start("echo up; exec sleep 100", filters);
  const { pid } = target.process;
  assertEquals(dumpFilters(pid), filters);
  assertUnharmed(pid, "RS");
  assertEquals(dumpFilters(pid), filters, "a second time");
});

test("dumpFilters() returns no filters for a process without any, and does not stop it", async () => {
  await using target = await start("echo up; exec sleep 100");
  const { pid } = target.process;
  const switches = (): string => statusField(pid, "voluntary_ctxt_switches");
  while (statusField(pid, "State")[0] !== "S") await Promise.resolve();
  const before = switches();
  assertEquals(dumpFilters(pid), []);
  // A stop is a switch.
  assertEquals(switches(), before);
  assertEquals(dumpFilters(Deno.pid), [], "this process");
  assertEquals(dumpFilters(2), [], "kthreadd");
});

test("dumpFilters() neither stops a busy process nor loses its signals, 1,000 times", async () => {
  const filters = [allowAll(1)];
  await using target = await start(BUSY, filters);
  const { pid } = target.process;
  const began = startTime(pid);
  for (let i = 0; i < 100; i++) {
    // Another process sends it, so that it arrives at any point of a dump.
    const sender = sendLater(pid, "USR1");
    for (let j = 0; j < 10; j++) {
      assertEquals(dumpFilters(pid), filters);
      // It writes to a pipe at times, and may wait for that.
      assertUnharmed(pid, "RS");
    }
    await sender.status;
    target.process.kill("SIGUSR2");
    // If a signal were lost, only the other one would be answered.
    assertEquals(await target.line(), "got", `signal ${i}`);
    assertEquals(await target.line(), "end", `signal ${i}`);
  }
  assertUnharmed(pid, "R");
  assertEquals(startTime(pid), began, "the same process");
});

test("dumpFilters() leaves a stopped process stopped", async () => {
  await using target = await start(BUSY, [allowAll(1)]);
  const { pid } = target.process;
  target.process.kill("SIGSTOP");
  for (let i = 0; i < 20; i++) {
    assertEquals(dumpFilters(pid).length, 1);
  }
  // The signal may have been on its way at the first dump: it was passed on.
  while (statusField(pid, "State")[0] !== "T") await Promise.resolve();
  assertUnharmed(pid, "T");
  target.process.kill("SIGCONT");
  target.process.kill("SIGUSR1");
  assertEquals(await target.line(), "got");
});

test("dumpFilters() reads each thread separately", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { loadFilter } from ${
        JSON.stringify(import.meta.resolve("../../ffi/load.ts"))
      };
       loadFilter(Uint8Array.fromBase64("${allowAll(5).toBase64()}"));
       console.log("up");
       setInterval(() => {}, 1000);`,
    ],
    stdout: "piped",
    stdin: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const threads: number[] = [];
  for await (const { name } of Deno.readDir(`/proc/${child.pid}/task`)) {
    threads.push(Number(name));
  }
  assert(threads.length > 1);
  for (const tid of threads) {
    assertEquals(
      dumpFilters(tid),
      tid === child.pid ? [allowAll(5)] : [],
      `thread ${tid} of ${child.pid}`,
    );
    assertUnharmed(tid, "RS");
  }
  child.kill("SIGKILL");
  await reader.cancel();
  assertEquals((await child.status).signal, "SIGKILL");
});

test("dumpFilters() waits for other processes that read at the same time", async () => {
  const filters = [allowAll(1)];
  await using target = await start("echo up; exec sleep 100", filters);
  const { pid } = target.process;
  const reader = [
    `import { dumpFilters } from ${JSON.stringify(DUMP)};`,
    `console.log("up");`,
    `for (;;) dumpFilters(${pid});`,
  ].join("\n");
  const other = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", reader],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const up = other.stdout.getReader();
  await up.read();
  let met = 0;
  for (let i = 0; i < 500; i++) {
    if (statusField(pid, "TracerPid") !== "0") met++;
    assertEquals(dumpFilters(pid), filters);
  }
  other.kill("SIGKILL");
  await up.cancel();
  const { signal } = await other.status;
  assertEquals(signal, "SIGKILL", "the other one was refused");
  assert(met > 0, "the two never met");
  assertUnharmed(pid, "S");
});

test("dumpFilters() reports why it fails", async () => {
  const none = refusal(0x3fff_ffff);
  assertEquals([none.syscall, none.errnoName], [
    "ptrace(PTRACE_SEIZE)",
    "ESRCH",
  ]);

  await using zombie = await start(
    "(exec sleep 0.1) & echo $!; exec sleep 100",
  );
  const pid = Number(zombie.first);
  while (statusField(pid, "State")[0] !== "Z") await Promise.resolve();
  const dead = refusal(pid);
  assertEquals(dead.errnoName, "EPERM");
  assert(dead.hint.startsWith("it has ended"), dead.hint);

  await using traced = await start("echo up; exec sleep 100", [allowAll(1)]);
  const PTRACE_SEIZE = 0x4206;
  assertEquals(
    openLibc().symbols.ptrace(PTRACE_SEIZE, traced.process.pid, 0n, 0n),
    0,
  );
  // The kernel names the thread that traces.
  const tracer = /^thread (\d+) is already tracing it$/.exec(
    refusal(traced.process.pid).hint,
  );
  assertEquals(statusField(Number(tracer?.[1]), "Tgid"), String(Deno.pid));
  assertThrows(() => dumpFilters(0), RangeError, "not the id of a thread");
});

/** Reads the filters of a process while strace answers some calls in the kernel's place. */
async function dumpWhere(
  pid: number,
  injected: string,
): Promise<{ readonly answer: string; readonly calls: readonly string[] }> {
  const log = await Deno.makeTempFile({ prefix: "seccomp-tree-strace-" });
  try {
    const { stdout } = await new Deno.Command("strace", {
      args: [
        ...["-f", "-qq", "-X", "raw", "-o", log, "-e", "trace=ptrace,prctl"],
        ...["-e", `inject=${injected}`, Deno.execPath()],
        ...["eval", "--no-config", "--no-lock"],
        `import { dumpFilters } from ${JSON.stringify(DUMP)};
         try {
           console.log(dumpFilters(${pid}).length, "filters");
         } catch (error) {
           console.log(error.message);
         }`,
      ],
      stdin: "null",
    }).output();
    const text = await Deno.readTextFile(log);
    return {
      answer: new TextDecoder().decode(stdout),
      calls: text.split("\n").filter((line) => line.includes("ptrace(")),
    };
  } finally {
    await Deno.remove(log);
  }
}

const NOT_BUILT =
  "ptrace(PTRACE_SECCOMP_GET_FILTER) answers EINVAL; the kernel is built without CONFIG_CHECKPOINT_RESTORE";

needs("dump", "strace")(
  "dumpFilters() does not take filters that a kernel cannot show for none",
  async () => {
    await using target = await start("echo up; exec sleep 100", [allowAll(1)]);
    const { pid } = target.process;
    const before = await dumpWhere(pid, "prctl:error=EINVAL");
    assertStringIncludes(before.answer, NOT_BUILT);
    assertEquals(before.calls, [], "it was touched");
    // The first request for a filter, among the same requests each time.
    const { answer, calls } = await dumpWhere(
      pid,
      "ptrace:error=EPERM:when=999",
    );
    assertEquals(answer, "1 filters\n");
    const first = calls.findIndex((line) => line.includes("0x420c")) + 1;
    assert(first > 0, calls.join("\n"));
    const after = await dumpWhere(pid, `ptrace:error=EINVAL:when=${first}`);
    assertStringIncludes(after.answer, NOT_BUILT);
    assertUnharmed(pid, "RS");
  },
);

test("dumpFilters() returns a process that dies in the meantime to its parent", async () => {
  const filters = [allowAll(1)];
  await using target = await start(
    "for i in $(seq 60); do sh -c 'exit 3' & echo $!; wait $!; echo $?; done; echo up",
    filters,
  );
  let pid = Number(target.first);
  let dumped = 0;
  for (let i = 0; i < 60; i++) {
    try {
      for (let j = 0; j < 20; j++) {
        assertEquals(dumpFilters(pid), filters);
        dumped++;
      }
    } catch (error) {
      assert(error instanceof SyscallError, String(error));
      assert(["ESRCH", "EPERM"].includes(error.errnoName), error.message);
    }
    assertEquals(await target.line(), "3", `child ${i}`);
    pid = Number(await target.line());
  }
  assert(dumped > 0);
});

test("dumpFilters() leaves the death of its own child to the code that started it", async () => {
  let seen = 0;
  // One in ten dies during a dump, on a busy machine fewer.
  for (let i = 0; i < 20 || (seen === 0 && i < 1000); i++) {
    const child = confinedCommand({
      filters: [allowAll(1).toBase64()],
      command: "sleep",
      args: ["100"],
    }, { stdout: "null", stderr: "null" }).spawn();
    while (statusField(child.pid, "Name") !== "sleep") await Promise.resolve();
    const signal = i % 2 === 0 ? "TERM" : "KILL";
    const sender = sendLater(child.pid, signal);
    const error = assertThrows(() => {
      for (let j = 0; j < 10_000; j++) dumpFilters(child.pid);
    }, SyscallError);
    if (error.syscall !== "ptrace(PTRACE_SEIZE)") seen++;
    assertEquals((await child.status).signal, `SIG${signal}`, `child ${i}`);
    await sender.status;
  }
  assert(seen > 0, "no child died during a dump");
});
