/**
 * Starts containers while things go wrong, and reports the result of each: a
 * program that `disturbed_test.ts` starts on a small file system of its own.
 *
 * ```text
 * deno run -A tests/hook/disturbed.ts FOLDER STARTS SEED
 * ```
 *
 * The runtime is a stub that copies the configuration it is given. A start is
 * right if that is the configuration as it was, of which a runtime makes its own
 * filter, or the same with our proved filter.
 *
 * @module
 */

import { join } from "@std/path";
import {
  type DispatcherOptions,
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher/dispatcher.ts";
import { annotated } from "./primed.ts";
import {
  dispatcherOptions,
  HOOK_WORDS,
  NAMES,
  type Setup,
  SMALL_SECTION,
  smallConfig,
  toolSets,
  writeProgram,
} from "./shared.ts";

/** Result of all starts. */
export interface Report {
  /** Starts with our filter. */
  readonly added: number;
  /** Starts with the original configuration. */
  readonly plain: number;
  /** Starts by their disturbance. */
  readonly counts: Readonly<Record<string, number>>;
  /** Descriptions of starts that went wrong. */
  readonly wrong: readonly string[];
}

const [folder = "", starts = "", seed = ""] = Deno.args;
const store = join(folder, "store");
const bundle = join(folder, "bundle");
const runtime = join(folder, "crun");
const full = join(folder, "full");
const setup: Setup = {
  directory: folder,
  store,
  settingsPath: join(folder, "hook.json"),
  logPath: join(folder, "log"),
  log: () => Promise.resolve(""),
  errors: () => Promise.resolve([]),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

let state = Number(seed);
function below(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}
function oneOf<T>(list: readonly T[]): T {
  const item = list[below(list.length)];
  if (item === undefined) throw new Error("Unreachable: an empty list");
  return item;
}

/** One start. */
interface Start {
  /** Options of the dispatcher, which a disturbance may change. */
  options: DispatcherOptions;
  /** Words in front of the dispatcher. */
  words: readonly string[];
  /** Working directory. */
  cwd: string;
  /** Milliseconds until something is killed; absent if nothing is. */
  killAfter?: number;
}

/** Disturbances; the store and the file system are repaired after each. */
const DISTURBANCES: Readonly<Record<string, (start: Start) => void>> = {
  "nothing": () => {},
  "an empty store": () => remove(store),
  "kill -9": (start) => {
    if (below(2) === 0) remove(store);
    start.killAfter = below(400);
  },
  "a full disk": () => {
    if (below(2) === 0) remove(store);
    // The dispatcher is written into its place.
    Deno.writeFileSync(join(folder, "program"), new Uint8Array(0x1_0000));
    using file = Deno.openSync(full, { write: true, create: true });
    try {
      for (const size of [0x1_0000, 512, 1]) {
        try {
          for (;;) file.writeSync(new Uint8Array(size));
        } catch { /* It is full for this size. */ }
      }
    } finally {
      file.close();
    }
  },
  "a tampered file": () => tamper(),
  "a doubtful store": () => {
    Deno.mkdirSync(store, { recursive: true });
    Deno.chmodSync(store, oneOf([0o777, 0o770, 0o702]));
  },
  "a removed tool": (start) => {
    const name = oneOf(
      ["awk", "stat", "mv", "rm", "mkdir", "flock", "env", "date"] as const,
    );
    start.options = {
      ...start.options,
      tools: { ...start.options.tools, [name]: [`/removed/${name}`] },
    };
  },
  "a removed compiler": (start) => {
    if (below(2) === 0) remove(store);
    start.options = {
      ...start.options,
      slow: oneOf([["/removed/deno"], [
        ...HOOK_WORDS.slice(0, -1),
        "/removed/main.ts",
      ]]),
    };
  },
  "little memory": (start) => {
    remove(store);
    start.words = ["/bin/sh", "-c", 'ulimit -v 400000; exec "$@"', "sh"];
  },
  "little time": (start) => {
    remove(store);
    start.options = {
      ...start.options,
      settingsPath: `${start.options.settingsPath}.hurried`,
    };
  },
  "a removed working directory": (start) => {
    if (below(2) === 0) remove(store);
    start.cwd = join(folder, "cwd");
    start.words = ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh"];
    Deno.mkdirSync(start.cwd);
  },
};

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Changes a byte, the length, the owner or the mode of a file of the store. */
function tamper(): void {
  const names = filesOf(store);
  if (names.length === 0) return;
  const path = join(store, oneOf(names));
  const bytes = Deno.readFileSync(path);
  switch (below(5)) {
    case 0: {
      const at = below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      Deno.writeFileSync(path, bytes);
      return;
    }
    case 1:
      return Deno.writeFileSync(path, bytes.slice(0, below(bytes.length)));
    case 2:
      return Deno.chownSync(path, 1234, null);
    case 3:
      return Deno.chmodSync(path, 0o666);
    case 4:
      Deno.renameSync(path, join(folder, "moved"));
      return Deno.symlinkSync(join(folder, "moved"), path);
  }
}

function filesOf(path: string): readonly string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isFile, name }) =>
      isFile && !name.endsWith(".bad")
    ).map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Undoes what lasts. */
function repair(): void {
  for (const path of [full, join(folder, "cwd")]) remove(path);
  if (filesOf(folder).length > 0) {
    try {
      Deno.chmodSync(store, 0o700);
    } catch { /* It was removed. */ }
  }
}

/**
 * Kills one of the processes below another one: for a wrapper any of them, for
 * the hook a Deno, because the configuration is lost with the process that has
 * read it.
 */
function killBelow(root: number, onlyDeno: boolean): void {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), Number(parent));
    } catch { /* It has ended. */ }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === root || isBelow(parent));
  };
  const found = [...parents.keys()].filter(isBelow).filter((pid) => {
    if (!onlyDeno) return true;
    try {
      return Deno.readLinkSync(`/proc/${pid}/exe`) ===
        Deno.realPathSync(Deno.execPath());
    } catch {
      return false;
    }
  });
  if (found.length === 0) return;
  try {
    Deno.kill(oneOf(found), "SIGKILL");
  } catch { /* It has ended. */ }
}

/** The configuration that a container was started with; absent if none was. */
async function startOne(
  text: string,
  isHook: boolean,
  start: Start,
): Promise<{ readonly given?: string; readonly why: string }> {
  const program = await writeProgram(
    folder,
    "program",
    isHook ? renderHookDispatcher(start.options) : renderRuntimeWrapper({
      ...start.options,
      runtime,
      runtimeKind: "crun",
    }),
  );
  const [word = "", ...args] = [
    ...start.words,
    program,
    ...(isHook ? [] : ["create", "--bundle", bundle, "ID"]),
  ];
  const child = new Deno.Command(word, {
    args,
    cwd: start.cwd,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const input = new TextEncoder().encode(isHook ? text : "");
  const written = writer.write(input).then(() => writer.close())
    .catch(() => {});
  const timer = start.killAfter === undefined
    ? undefined
    : setTimeout(() => killBelow(child.pid, isHook), start.killAfter);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  await written;
  const decoder = new TextDecoder();
  const why = `${code}: ${decoder.decode(stderr)}`;
  return code === 0 ? { given: decoder.decode(stdout), why } : { why };
}

async function main(): Promise<Report> {
  const settings = {
    ...{ store, log: setup.logPath, names: NAMES, runtimeKind: "crun" },
  };
  for (
    const [name, more] of [["hook", {}], ["wrapper", { runtime }]] as const
  ) {
    for (
      const [end, deadlineMs] of [["", 60_000], [".hurried", 150]] as const
    ) {
      await Deno.writeTextFile(
        join(folder, `${name}.json${end}`),
        JSON.stringify({ ...settings, ...more, deadlineMs }),
        { mode: 0o600 },
      );
    }
  }
  // The copy goes to a pipe, which is never full.
  const copy = `if [ "$1" = create ]; then exec cat ${bundle}/config.json; fi`;
  const version = "echo crun version 1.8.1";
  await writeProgram(folder, "crun", `#!/bin/sh\n${copy}\n${version}\n`);
  await Deno.mkdir(bundle);
  const texts = ["read", "write", "open"].map((name, i) =>
    smallConfig({
      section: SMALL_SECTION.replace('"read"', `"read","${name}at${i}"`),
    })
  );
  const expected = new Map<string, string>();
  for (const text of texts) expected.set(text, await annotated(text));
  const counts: Record<string, number> = {};
  const wrong: string[] = [];
  let added = 0;
  let plain = 0;
  const sets = toolSets();
  for (let i = 0; i < Number(starts); i++) {
    const name = oneOf(Object.keys(DISTURBANCES));
    const isHook = below(2) === 0;
    const text = oneOf(texts);
    const { tools } = oneOf(sets);
    await Deno.writeTextFile(join(bundle, "config.json"), text);
    const start: Start = {
      options: {
        ...dispatcherOptions(setup, tools),
        settingsPath: join(folder, isHook ? "hook.json" : "wrapper.json"),
      },
      words: [],
      cwd: folder,
    };
    DISTURBANCES[name]?.(start);
    const { given, why } = await startOne(text, isHook, start);
    counts[name] = (counts[name] ?? 0) + 1;
    if (given === expected.get(text)) added++;
    else if (given === text) plain++;
    else {
      wrong.push(
        `start ${i}, ${isHook ? "hook" : "wrapper"}, ${tools.awk}, ${name}: ${
          given ?? "refused"
        }: ${why}`,
      );
    }
    repair();
  }
  return { added, plain, counts, wrong };
}

if (import.meta.main) {
  main().then((report) =>
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)))
  );
}
