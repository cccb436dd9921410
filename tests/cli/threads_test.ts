import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseText } from "../../bpf/text.ts";
import { nativeArch } from "../../cli/input/target.ts";
import {
  type ThreadGroup,
  threadGroups,
} from "../../cli/input/sources/process.ts";
import { verify, worstExit } from "../../cli/commands/verify_process.ts";
import { needs } from "../machine.ts";
import { call, createFolder, type Folder, MAIN, spawn } from "./harness.ts";

const test = needs("dump");

const ALLOW_ALL = "ret #0x7fff0000\n";
/** Denies only ptrace (101). */
const NO_PTRACE =
  "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n";

/** A process whose threads are under different filters. */
interface Mixed extends AsyncDisposable {
  readonly pid: number;
}

const LOAD = new URL("../../ffi/load.ts", import.meta.url).href;

/**
 * Starts a process in which single threads load their own filters.
 *
 * @param folder Folder for its program.
 * @param first Filter that its first thread loads.
 * @param other Filter that another thread loads.
 * @param all Filter that all threads are under from the start.
 */
async function startMixed(
  folder: Folder,
  { first, other, all }: {
    readonly first?: string;
    readonly other?: string;
    readonly all?: string;
  },
): Promise<Mixed> {
  const load = async (source?: string): Promise<string> => {
    if (source === undefined) return "";
    const { bytes } = await call(["asm", "-", "-f", "raw"], { stdin: source });
    return `loadFilter(new Uint8Array([${bytes}]));`;
  };
  const header = `import { loadFilter } from ${JSON.stringify(LOAD)};\n`;
  await folder.write(
    "worker.ts",
    `${header}${await load(other)} self.postMessage("up");\n`,
  );
  const main = await folder.write(
    "main.ts",
    `${header}
const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
// Later, as a new thread has the filters of the one that starts it.
worker.onmessage = () => { ${await load(first)} console.log("up"); };
setInterval(() => {}, 1000);
`,
  );
  const prefix = all === undefined ? [] : [
    ...["run", "-A", MAIN, "run", await folder.write("all.s", all), "--"],
    Deno.execPath(),
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...prefix, "run", "-A", "--no-check", main],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "up\n");
  return {
    pid: child.pid,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** The relevant part of a report. */
interface Report {
  readonly pid: number;
  readonly state: string | null;
  readonly thread?: number;
  readonly mixedThreads?: boolean;
  readonly threads: readonly {
    readonly tids: readonly number[];
    readonly state: string;
  }[];
}

/** Queries one process, alone and among all. */
async function askFor(pid: number, against: string): Promise<{
  readonly code: number;
  readonly json: Report;
  readonly text: string;
  readonly row: Report | undefined;
  readonly line: string;
}> {
  const one = ["verify", "-q", `pid:${pid}`, "--against", against];
  const all = ["verify", "-q", "--all", "--against", against];
  const json = await call([...one, "-o", "json"]);
  const text = await call(one);
  assertEquals(text.code, json.code);
  const lines = (await spawn(all)).out.split("\n");
  return {
    code: json.code,
    json: JSON.parse(json.out),
    text: text.out,
    row: await rowOf(pid, ["--against", against]),
    line: lines.find((line) => line.split(/ +/)[1] === String(pid)) ?? "",
  };
}

async function rowOf(
  pid: number,
  flags: readonly string[] = [],
): Promise<Report | undefined> {
  const { out } = await spawn([
    "verify",
    "--all",
    "-q",
    ...flags,
    "-o",
    "json",
  ]);
  const { processes }: { readonly processes: readonly Report[] } = JSON.parse(
    out,
  );
  return processes.find((row) => row.pid === pid);
}

test("verify finds the threads that have no filter", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using mixed = await startMixed(folder, { first: NO_PTRACE });
  const { code, json, text, row, line } = await askFor(mixed.pid, deny);
  assertEquals([code, json.state], [1, "unconfined"]);
  assert(json.thread !== mixed.pid, "the first thread has it");
  // And threads that it has started since, on a slow machine.
  assert(json.threads[0]?.tids.includes(mixed.pid));
  assertEquals(json.threads[0]?.state, "equivalent");
  assertMatch(
    text,
    new RegExp(
      `^unconfined: pid:${mixed.pid}, thread ${json.thread} \\(and \\d+ like it, of \\d+\\), no filter\n$`,
    ),
  );
  assertEquals([row?.state, row?.thread, row?.mixedThreads], [
    "unconfined",
    json.thread,
    true,
  ]);
  assertMatch(line, new RegExp(` unconfined \\(thread ${json.thread}\\) `));
});

test("verify finds the thread that has another filter, not more of them", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using mixed = await startMixed(folder, {
    first: NO_PTRACE,
    other: ALLOW_ALL,
  });
  const filtered = threadGroups(mixed.pid).filter(({ confinement }) =>
    confinement.kind === "filters"
  );
  const [first, other, ...more] = filtered;
  assert(first?.tids.includes(mixed.pid));
  assertEquals(more, []);
  const [tid] = other?.tids ?? [];
  assert(tid !== undefined);
  const { json, row } = await askFor(mixed.pid, deny);
  for (const { threads } of [json, row ?? json]) {
    const [one, ...others] = threads.filter(({ tids }) => tids.includes(tid));
    assertEquals([one?.state, others], ["different", []]);
    // The third group is the threads that have no filter.
    assertEquals(threads.length, 3);
  }
});

test("verify shows how to see the filters of a thread", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using mixed = await startMixed(folder, {
    first: NO_PTRACE,
    all: ALLOW_ALL,
  });
  const { code, json, text } = await askFor(mixed.pid, deny);
  assertEquals([code, json.state], [1, "different"]);
  assertEquals(
    json.threads.map(({ tids, state }) => [tids.includes(mixed.pid), state]),
    [[true, "stacked"], [false, "different"]],
  );
  const command = /see {3}seccomp-tree (dump .*)/.exec(text)?.[1] ?? "";
  assertEquals(command, `dump --thread pid:${json.thread}`);
  const dumped = await call([...command.split(" "), "-f", "hex"]);
  assertEquals(dumped.out, "060000000000ff7f\n");
});

test("verify --all lists a process whose first thread is unconfined", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using mixed = await startMixed(folder, { other: NO_PTRACE });
  const dumped = await call(["dump", `pid:${mixed.pid}`]);
  assertEquals([dumped.code, dumped.out], [1, ""]);
  const warning =
    /^pid:\d+: warning: no filter, but thread \d+ has one: see it with (dump --thread pid:\d+)\n$/;
  assertMatch(dumped.err, warning);
  const [, command = ""] = warning.exec(dumped.err) ?? [];
  const other = await call([...command.split(" "), "-f", "raw"]);
  const { bytes } = await call(["asm", deny, "-f", "raw"]);
  assertEquals([other.code, other.bytes], [0, bytes]);
  const row = await rowOf(mixed.pid);
  assertEquals([row?.state, row?.mixedThreads], [null, true]);
  assertEquals(
    (await rowOf(mixed.pid, ["--against", deny]))?.state,
    "unconfined",
  );
});

/** Threads that need not exist. */
function group(tid: number, text: string): ThreadGroup {
  const programs = [parseText(text)];
  return { tids: [tid], confinement: { kind: "filters", programs } };
}

Deno.test("verify() answers with the worst thread", () => {
  const same = group(1, NO_PTRACE);
  const other = group(2, ALLOW_ALL);
  const free: ThreadGroup = { tids: [3], confinement: { kind: "none" } };
  const strict: ThreadGroup = { tids: [4], confinement: { kind: "strict" } };
  const unread: ThreadGroup = {
    tids: [5],
    confinement: { kind: "unread", error: new Error("no") },
  };
  const cases: readonly (readonly [readonly ThreadGroup[], string, number])[] =
    [
      [[same], "equivalent", 1],
      [[same, other], "different", 2],
      [[same, free], "unconfined", 3],
      [[same, strict], "strict", 4],
      [[same, unread], "unknown", 5],
      [[unread, same], "unknown", 5],
      // A difference counts even if something else could not be read.
      [[unread, other], "different", 2],
      [[unread, same, free], "unconfined", 3],
    ];
  for (const [groups, state, tid] of cases) {
    const { worst, all } = verify(groups, {
      native: nativeArch(),
      subject: parseText(NO_PTRACE),
    });
    assertEquals([worst.state, worst.tids], [state, [tid]]);
    assertEquals(all.length, groups.length);
  }
});

Deno.test("worstExit() ranks a no before unknown", () => {
  assertEquals(worstExit([]), 0);
  assertEquals(worstExit([0, 0]), 0);
  assertEquals(worstExit([0, 4, 0]), 4);
  assertEquals(worstExit([4, 5, 0]), 5);
  assertEquals(worstExit([5, 1, 4]), 1);
});
