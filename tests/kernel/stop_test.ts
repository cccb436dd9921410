/**
 * Possible harm of a stop, in addition to the calls of `look_test.ts`, case by
 * case.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { encode } from "../../bpf/encode.ts";
import { parseText } from "../../bpf/text.ts";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { SyscallError } from "../../ffi/error.ts";
import { openLibc } from "../../ffi/libc.ts";
import { archByName } from "../../tables/arch.ts";
import { call } from "../cli/harness.ts";
import { needs } from "../machine.ts";
import { confinedCommand, statusField } from "./confined.ts";
import { ownThread, until, waitsIn } from "./waiting.ts";

const test = needs("dump");

const NUMBERS = archByName(Deno.build.arch)?.syscalls;

function numberOf(name: string): number {
  const number = NUMBERS?.get(name);
  assert(number !== undefined, name);
  return number;
}

/** A filter with one answer to some calls, which allows all others. */
function answer(
  names: readonly string[],
  value: number,
): Uint8Array<ArrayBuffer> {
  const tests = names.map((name) => `jeq #${numberOf(name)}, no`);
  return encode(parseText(
    `ld [0]\n${tests.join("\n")}\nret #0x7fff0000\nno: ret #${value}\n`,
  ));
}

const ALLOW_ALL = answer([], 0);
const KILL_PROCESS = 0x8000_0000;
const USER_NOTIF = 0x7fc0_0000;
const NO_RESTART = answer(["restart_syscall"], 0x0005_0001);

/** A program in TypeScript that runs until it is disposed of. */
interface Running extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly pid: number;
  /** Reads a line of its output. */
  line(): Promise<string>;
  /** Writes a line to its input. */
  tell(): Promise<void>;
  readonly errors: Promise<string>;
}

const url = (path: string): string => JSON.stringify(import.meta.resolve(path));

/** Names that every program has. */
const PRELUDE = `
import { loadFilter } from ${url("../../ffi/load.ts")};
import { dumpFilters } from ${url("../../ffi/live/dump.ts")};
import { openLibc } from ${url("../../ffi/libc.ts")};
import { createCaller } from ${url("./waits.ts")};
const { call, put, libc } = createCaller();
const load = (text, flags = []) => loadFilter(Uint8Array.fromBase64(text), { flags });
const say = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\\n"));
const listen = () => Deno.stdin.readSync(new Uint8Array(1));
const time = (seconds) => put(new BigUint64Array([BigInt(seconds), 0n]));
`;

function start(body: string): Running {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", PRELUDE + body],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = linesOf(process.stdout);
  const writer = process.stdin.getWriter();
  const errors = new Response(process.stderr).text();
  return {
    process,
    pid: process.pid,
    errors,
    line: async () => {
      const { value } = await lines.next();
      if (value === undefined) {
        const { code, signal } = await process.status;
        throw new Error(`it ended: ${signal ?? code} ${await errors}`);
      }
      return value;
    },
    tell: () => writer.write(new Uint8Array([10])),
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await writer.abort().catch(() => {});
      await lines.return(undefined);
      await errors;
      await process.status;
    },
  };
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

const text = (filter: Uint8Array): string => JSON.stringify(filter.toBase64());

function refusal(tid: number): string {
  return assertThrows(() => dumpFilters(tid), SyscallError).message;
}

test("reading filters lets restart_syscall continue a call only if the filters allow it", async () => {
  const sleep = numberOf("nanosleep");
  const restart = numberOf("restart_syscall");
  const cases = [[ALLOW_ALL, restart], [NO_RESTART, sleep]] as const;
  for (const [filter, expected] of cases) {
    await using running = start(`
      load(${text(filter)});
      call("nanosleep", time(3600), 0n);
    `);
    const { pid } = running;
    await until(() => waitsIn(pid) === sleep);
    for (let i = 0; i < 3; i++) {
      assertEquals(dumpFilters(pid), [filter]);
      let number: number | undefined;
      await until(() => (number = waitsIn(pid)) !== undefined);
      assertEquals(number, expected, `look ${i}`);
    }
  }
});

test("reading filters interrupts a call that a later filter denies instead of repeating it", async () => {
  const sleep = numberOf("nanosleep");
  const late = answer(["nanosleep", "restart_syscall"], KILL_PROCESS);
  await using running = start(`
    const worker = new Worker("data:application/typescript," + encodeURIComponent(\`
      import { createCaller } from ${url("./waits.ts")};
      const { call, put } = createCaller();
      self.postMessage(0);
      const time = put(new BigUint64Array([3600n, 0n]));
      self.postMessage(call("nanosleep", time, 0n));
    \`), { type: "module" });
    worker.onmessage = ({ data }) => {
      say(String(data));
      if (data !== 0) return;
      listen();
      load(${text(late)}, ["SECCOMP_FILTER_FLAG_TSYNC"]);
      say("loaded");
    };
  `);
  assertEquals(await running.line(), "0");
  const tasks = (): number[] =>
    [...Deno.readDirSync(`/proc/${running.pid}/task`)]
      .map(({ name }) => Number(name));
  await until(() => tasks().some((tid) => waitsIn(tid) === sleep));
  const tid = tasks().find((tid) => waitsIn(tid) === sleep);
  assert(tid !== undefined);
  await running.tell();
  assertEquals(await running.line(), "loaded");
  assertEquals(dumpFilters(tid), [late]);
  assertEquals(await running.line(), "-4", "EINTR");
});

/** Rounds of a test that other readers of this machine may disturb. */
const ROUNDS = 3;

test("reading filters does not stop a thread in the middle of a write", async () => {
  const size = 1 << 20;
  // Tests that read all processes run at the same time, and may stop the thread
  // between two parts of its write: they do not do so each time.
  const written: number[] = [];
  while (written.length < ROUNDS && written.at(-1) !== size) {
    written.push(await writeUnderALook(size));
  }
  assertEquals(written.at(-1), size, `${written}`);
});

/** Looks at a thread that writes more than a pipe holds; returns what it wrote. */
async function writeUnderALook(size: number): Promise<number> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--ext=ts",
      `${PRELUDE}
      load(${text(ALLOW_ALL)});
      console.error(call("write", 1n, put(new Uint8Array(${size})), ${size}n));`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { pid } = process;
  await until(() => waitsIn(pid) === numberOf("write"));
  const { code, out, err } = await call(["dump", `pid:${pid}`]);
  assertEquals([code, out], [5, ""]);
  assertEquals(
    err,
    `error: Cannot read filters of ${pid}: it waits in "write", which a stop would cut short; try again later\n`,
  );
  const { stdout, stderr } = await process.output();
  assertEquals(new TextDecoder().decode(stderr), `${stdout.length}\n`);
  return stdout.length;
}

test("reading filters does not stop a thread that waits for a supervisor", async () => {
  // flock is a call that a stop does not cut short otherwise.
  const filter = answer(["flock"], USER_NOTIF);
  const NEW_LISTENER = 8;
  await using running = start(`
    const worker = new Worker("data:application/typescript," + encodeURIComponent(\`
      import { createCaller } from ${url("./waits.ts")};
      const { call, put } = createCaller();
      self.onmessage = ({ data: fd }) => {
        for (;;) {
          const notification = new BigUint64Array(10);
          call("ioctl", BigInt(fd), 0xc0502100n, put(notification));
          Deno.stdout.writeSync(new TextEncoder().encode("asked\\\\n"));
          Deno.stdin.readSync(new Uint8Array(1));
          // id, value, and EBADF as the error.
          const answer = new BigUint64Array([notification[0], 0n, 0xfffffff7n]);
          call("ioctl", BigInt(fd), 0xc0182101n, put(answer));
        }
      };
      self.postMessage("up");
    \`), { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    const filter = Uint8Array.fromBase64(${text(filter)});
    const program = new BigUint64Array([BigInt(filter.length / 8), put(filter)]);
    const fd = call("seccomp", 1n, ${NEW_LISTENER}n, put(program));
    worker.postMessage(fd);
    say(String(call("flock", 0n, 8n)));
  `);
  const { pid } = running;
  assertEquals(await running.line(), "asked");
  assertEquals(waitsIn(pid), numberOf("flock"));
  const message = refusal(pid);
  assert(
    message.includes("waits for the answer of a seccomp supervisor"),
    message,
  );
  await running.tell();
  // Once asked, once answered.
  assertEquals(await running.line(), "-9");
});

test("reading filters does not stop a thread that waits for a child's execve", async () => {
  await using folder = await temporary();
  const fifo = `${folder.path}/fifo`;
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  await using target = start(`
    import { cString } from ${url("../../ffi/libc.ts")};
    const { symbols } = Deno.dlopen("libc.so.6", {
      posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
      posix_spawn_file_actions_addopen: {
        parameters: ["buffer", "i32", "buffer", "i32", "u32"],
        result: "i32",
      },
      posix_spawn: {
        parameters: ["buffer", "buffer", "buffer", "pointer", "buffer", "pointer"],
        result: "i32",
      },
    });
    const actions = new Uint8Array(256);
    symbols.posix_spawn_file_actions_init(actions);
    // The child opens this first, and its parent waits for it until then.
    symbols.posix_spawn_file_actions_addopen(actions, 0, cString(${
    JSON.stringify(fifo)
  }), 0, 0);
    const argv = new BigUint64Array([put(cString("true")), 0n]);
    load(${text(ALLOW_ALL)});
    say("up");
    const path = cString("/bin/true");
    say(String(symbols.posix_spawn(new Int32Array(1), path, actions, null, argv, null)));
  `);
  const { pid } = target;
  assertEquals(await target.line(), "up");
  await until(() => statusField(pid, "State")[0] === "D");
  const message = refusal(pid);
  assert(/waits in "(?:clone3?|vfork)"/.test(message), message);
  assert(statusField(pid, "TracerPid") !== ownThread());
  await Deno.writeTextFile(fifo, "");
  assertEquals(await target.line(), "0");
});

test("reading filters does not hide a signal from a program that handles it", async () => {
  const sleep = numberOf("nanosleep");
  const SIGUSR1 = 10;
  await using target = start(`
    const { symbols } = Deno.dlopen("libc.so.6", { abs: { type: "pointer" } });
    libc.symbols.signal(${SIGUSR1}, symbols.abs);
    load(${text(NO_RESTART)});
    // Not forever: a hidden signal is also an answer.
    for (const limit = time(5);;) say(String(call("nanosleep", limit, 0n)));
  `);
  const { pid } = target;
  await using looker = start(`
    for (;;) {
      listen();
      for (let i = 0; i < 20; i++) dumpFilters(${pid});
      say("done");
    }
  `);
  const { symbols } = openLibc();
  const id = BigInt(pid);
  let early = 0;
  for (let i = 0; i < 100; i++) {
    await until(() => waitsIn(pid) === sleep);
    await looker.tell();
    symbols.usleep(i * 37 % 1000);
    // To the first thread, because another one could handle it while the first
    // is stopped.
    const nr = BigInt(numberOf("tgkill"));
    assertEquals(symbols.syscall(nr, id, id, BigInt(SIGUSR1), 0n, 0n, 0n), 0);
    const lines = await Promise.all([target.line(), looker.line()]);
    // As after a signal before the call: it comes while the call starts again.
    if (lines[0] === "0") early++;
    else assertEquals(lines, ["-4", "done"], `signal ${i}`);
    assert(early <= 3, `${early} of ${i + 1} signals are hidden`);
  }
});

test("reading filters does not affect a thread that job control has stopped", async () => {
  // Its sleep is interrupted by SIGSTOP, and therefore denied, with or without
  // a look.
  for (const looks of [0, 3]) {
    await using target = start(`
      load(${text(NO_RESTART)});
      say(String(call("nanosleep", time(5), 0n)));
    `);
    const { pid, process } = target;
    await until(() => waitsIn(pid) === numberOf("nanosleep"));
    process.kill("SIGSTOP");
    await until(() => statusField(pid, "State")[0] === "T");
    for (let i = 0; i < looks; i++) {
      assertEquals(dumpFilters(pid), [NO_RESTART]);
      await until(() => statusField(pid, "State")[0] === "T");
    }
    process.kill("SIGCONT");
    assertEquals(await target.line(), "-1", `${looks} looks`);
  }
});

test("reading filters releases a thread that executes another program", async () => {
  const execve = numberOf("execve");
  for (let i = 0; i < 20; i++) {
    const filter = answer(["acct"], execve + i);
    await using target = start(`
      load(${text(filter)});
      const worker = new Worker("data:application/typescript," + encodeURIComponent(\`
        import { createCaller } from ${url("./waits.ts")};
        import { cString } from ${url("../../ffi/libc.ts")};
        const { call, put } = createCaller();
        const path = put(cString("/bin/sh"));
        const words = ["sh", "-c", "echo other; exec sleep 3600"];
        const argv = put(BigUint64Array.from([...words.map((w) => put(cString(w))), 0n]));
        self.onmessage = () => call("execve", path, argv, 0n);
        self.postMessage(Deno.readLinkSync("/proc/thread-self"));
      \`), { type: "module" });
      const { data } = await new Promise((resolve) => worker.onmessage = resolve);
      say(data);
      listen();
      worker.postMessage("go");
      setInterval(() => {}, 1000);
    `);
    const tid = Number((await target.line()).split("/").at(-1));
    assert(tid !== target.pid);
    await target.tell();
    assertThrows(() => {
      for (;;) dumpFilters(tid);
    }, SyscallError);
    assertEquals(await target.line(), "other", `try ${i}`);
    assert(statusField(target.pid, "TracerPid") !== ownThread(), `try ${i}`);
  }
});

needs("dump", "bash")(
  "a look harms no program of one thread that waits",
  async () => {
    const filter = answer(["restart_syscall"], KILL_PROCESS).toBase64();
    await using folder = await temporary();
    const fifo = `${folder.path}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const child = confinedCommand({
      filters: [filter],
      command: "bash",
      args: ["-c", `exec 3<>${fifo}; read -t 3600 -u 3 word; echo "got $word"`],
    }).spawn();
    await until(() => statusField(child.pid, "Name") === "bash");
    await until(() => waitsIn(child.pid) !== undefined);
    for (let i = 0; i < 20; i++) {
      await until(() => waitsIn(child.pid) !== undefined);
      dumpFilters(child.pid);
    }
    await Deno.writeTextFile(fifo, "it\n");
    const { code, stdout } = await child.output();
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "got it\n"]);
  },
);

async function temporary(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "seccomp-tree-stop-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
