/**
 * Puts one small fault at a time into the program and asks the tests whether
 * they notice, `deno task mutants`.
 *
 * ```sh
 * deno task mutants --folder hook --count 25 --seed 1
 * deno task mutants --folder verify/core,verify/decide.ts --count 0
 * ```
 *
 * The work happens in a copy of the checkout. A mutant that the type checker
 * refuses, that a test notices or that never ends is *killed*. The rest
 * *survive*, unless `argued.json` says why nobody could notice them. `reach.ts`
 * chooses the tests. The first that fails ends the trial.
 *
 * StrykerJS works here as well, but only in Node: it wants a `node_modules`
 * folder, takes mutants that do not type-check for survivors, and cannot draw a
 * sample.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import argued from "./argued.json" with { type: "json" };
import { type Mutation, mutationsOf } from "./mutate.ts";
import { type Reach, readReach } from "./reach.ts";
import { createRandom } from "../oracle/random.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** Folders whose files get mutants. */
const FOLDERS = [
  ...["bpf", "cli", "compiler", "ffi", "hook", "host", "install", "measure"],
  ...["pipeline", "profile", "tables", "verify"],
];

/** Data, which other tests compare with its sources. */
const DATA =
  /^tables\/(?:syscalls\/|.*_data\.ts)|default_profile|_code\.ts$|generate/;

const MANUAL: Manual = {
  usage: "deno task mutants [OPTION...]",
  brief:
    "Puts one small fault at a time into a copy of the program and runs the tests\nthat reach it. Exits with 1 if a mutant survives that argued.json does not name.",
  options: {
    folder: {
      placeholder: "F",
      brief: "Folders or files, separated by commas (default: all)",
    },
    count: {
      placeholder: "N",
      brief: "Mutants to try, 0 for all (default: 25)",
    },
    seed: { placeholder: "S", brief: "Seed of the sample (default: random)" },
    longest: {
      placeholder: "S",
      brief: "Leave out tests that took more seconds in earlier runs",
    },
    workers: {
      placeholder: "N",
      brief: "Copies of the checkout to work in (default: 1)",
    },
  },
};

/** One mutant: a fault in a file. */
interface Mutant {
  readonly path: string;
  readonly mutation: Mutation;
  readonly text: string;
}

type Fate = "killed" | "refused" | "timeout" | "argued" | "survived";

async function main(given: Given): Promise<number> {
  const count = given.number("count") ?? 25;
  const seed = given.number("seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const longest = given.number("longest") ?? Infinity;
  const workers = Math.max(1, given.number("workers") ?? 1);
  const all = await listMutants(given.text("folder")?.split(","));
  const mutants = count === 0 ? all : draw(all, count, seed);
  say(`seed ${seed}: ${mutants.length} of ${all.length} mutants`);
  const fates: Record<Fate, number> = {
    killed: 0,
    refused: 0,
    timeout: 0,
    argued: 0,
    survived: 0,
  };
  const queue = mutants[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      await using copy = await copyCheckout();
      const judge = new Judge(copy.path, longest);
      for (const mutant of queue) {
        const { fate, by } = await judge.judge(mutant);
        fates[fate]++;
        const word = fate === "survived" ? "SURVIVED" : fate;
        say(
          `${word} ${describe(mutant)}${by === undefined ? "" : `    ${by}`}`,
        );
      }
    }),
  );
  say(Object.entries(fates).map(([fate, n]) => `${n} ${fate}`).join(", "));
  return fates.survived === 0 ? 0 : 1;
}

async function listMutants(
  folders: readonly string[] = FOLDERS,
): Promise<readonly Mutant[]> {
  const paths = (await trackedFiles()).filter((path) =>
    /\.(?:ts|sh|awk)$/.test(path) && !DATA.test(path) &&
    FOLDERS.includes(path.split("/")[0] ?? "") &&
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
  );
  const mutants: Mutant[] = [];
  for (const path of paths) {
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const mutation of mutationsOf(path, text)) {
      mutants.push({ path, mutation, text });
    }
  }
  return mutants;
}

async function trackedFiles(): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z"],
    cwd: ROOT,
  }).output();
  return new TextDecoder().decode(stdout).split("\0").filter((p) => p !== "");
}

function draw(
  all: readonly Mutant[],
  count: number,
  seed: number,
): readonly Mutant[] {
  const random = createRandom(seed);
  const rest = [...all];
  const drawn: Mutant[] = [];
  while (drawn.length < count && rest.length > 0) {
    drawn.push(...rest.splice(random.int(rest.length), 1));
  }
  return drawn;
}

/** A copy of the checkout beside a link to the shared data. */
async function copyCheckout(): Promise<AsyncDisposable & { path: string }> {
  const scratch = await Deno.makeTempDir({ prefix: "mutants-" });
  const path = join(scratch, "project");
  for (const file of await trackedFiles()) {
    await Deno.mkdir(join(path, dirname(file)), { recursive: true });
    await Deno.copyFile(join(ROOT, file), join(path, file));
  }
  const shared = join(ROOT, "../shared");
  await Deno.symlink(await Deno.realPath(shared), join(scratch, "shared"))
    .catch(() => {});
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(scratch, { recursive: true }),
  };
}

/** What became of a mutant, and the test that noticed it. */
interface Sentence {
  readonly fate: Fate;
  readonly by?: string;
}

/** What tests answered. */
interface Report {
  readonly outcome: "passed" | "failed" | "timeout";
  /** Tests with a failure. */
  readonly failed: readonly string[];
}

/** Tests that take longer than this, in seconds, are asked one by one. */
const QUICK_SECONDS = 1;

/** How long tests may take without a fault, in seconds. */
const LONGEST_SECONDS = 600;

/** How long a test may take with a fault if nobody knows its usual time. */
const GUESSED_SECONDS = 60;

/** Seconds of each test in earlier runs; it only decides the order. */
const TIMES = join(
  Deno.env.get("TMPDIR") ?? "/tmp",
  "seccomp-tree-mutants-times.json",
);

/** Judges the mutants of one copy of the checkout. */
class Judge {
  readonly #root: string;
  readonly #longest: number;
  readonly #seconds: Map<string, number>;
  /** Whether a test passes without a fault. */
  readonly #isGreen = new Map<string, boolean>();
  #reach: Reach | undefined;

  constructor(root: string, longest: number) {
    this.#root = root;
    this.#longest = longest;
    this.#seconds = readTimes();
  }

  async judge(mutant: Mutant): Promise<Sentence> {
    if (isArgued(mutant)) return { fate: "argued" };
    this.#reach ??= await readReach(
      `${this.#root}/`,
      (await trackedFiles()).filter((path) => path.endsWith("_test.ts")),
    );
    const { path } = mutant;
    const [first, ...others] = this.#reach.testsOf(path);
    await this.#put(mutant);
    try {
      // The nearest test is quicker than the type checker.
      const early = await this.#ask(mutant, first === undefined ? [] : [first]);
      if (early !== undefined) return early;
      if (path.endsWith(".ts") && !await this.#isAccepted(path)) {
        return { fate: "refused" };
      }
      for (const tests of this.#groupsOf(others)) {
        const sentence = await this.#ask(mutant, tests);
        if (sentence !== undefined) return sentence;
      }
      return { fate: "survived" };
    } finally {
      await this.#takeBack(mutant);
    }
  }

  /** All quick tests at once, then one slow test each, the quickest first. */
  #groupsOf(tests: readonly string[]): readonly (readonly string[])[] {
    const timed = tests
      .map((test) => ({ test, seconds: this.#seconds.get(test) ?? 0 }))
      .filter(({ seconds }) => seconds <= this.#longest)
      .sort((a, b) => a.seconds - b.seconds);
    const quick = timed.filter(({ seconds }) => seconds <= QUICK_SECONDS);
    return [
      quick.map(({ test }) => test),
      ...timed.slice(quick.length).map(({ test }) => [test]),
    ];
  }

  async #ask(
    mutant: Mutant,
    all: readonly string[],
  ): Promise<Sentence | undefined> {
    const tests = all.filter((test) => this.#isGreen.get(test) !== false);
    if (tests.length === 0) return undefined;
    const limit = tests.reduce(
      (sum, test) => sum + 5 * (this.#seconds.get(test) ?? GUESSED_SECONDS / 5),
      GUESSED_SECONDS,
    );
    const { outcome, failed } = await this.#runTests(tests, Math.ceil(limit));
    if (outcome === "passed") return undefined;
    // A test that another file declares is reported as that file's.
    const named = failed.filter((test) => tests.includes(test));
    const suspects = named.length === 0 ? tests : named;
    const unknown = suspects.filter((test) => !this.#isGreen.has(test));
    if (unknown.length === 0) {
      return {
        fate: outcome === "timeout" ? "timeout" : "killed",
        by: suspects.length === 1 ? `${suspects[0]}` : `of ${suspects.length}`,
      };
    }
    // A test that fails without a fault notices nothing. Its time is known now.
    await this.#takeBack(mutant);
    for (const test of unknown) await this.#tryGreen(test);
    await this.#put(mutant);
    return await this.#ask(mutant, tests);
  }

  async #tryGreen(test: string): Promise<void> {
    const { outcome } = await this.#runTests([test], LONGEST_SECONDS);
    this.#isGreen.set(test, outcome === "passed");
    if (outcome !== "passed") say(`Left out ${test}: it fails without a fault`);
  }

  async #put({ path, text, mutation }: Mutant): Promise<void> {
    await this.#write(path, apply(text, mutation));
  }

  async #takeBack({ path, text }: Mutant): Promise<void> {
    await this.#write(path, text);
  }

  async #write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(join(this.#root, path), text);
    // What is embedded follows the file that was changed.
    if (!path.endsWith(".ts")) await run(this.#root, ["task", "embed"], 60);
  }

  async #isAccepted(path: string): Promise<boolean> {
    return await run(this.#root, ["check", path], 120) === "passed";
  }

  async #runTests(
    tests: readonly string[],
    limit: number,
  ): Promise<Report> {
    const report = join(this.#root, "mutants.xml");
    const outcome = await run(this.#root, [
      ...["test", "-A", "--no-check", "--fail-fast"],
      ...[`--junit-path=${report}`, ...tests],
    ], limit);
    if (outcome === "timeout") return { outcome, failed: [] };
    const failed: string[] = [];
    const text = await Deno.readTextFile(report).catch(() => "");
    await Deno.remove(report).catch(() => {});
    for (const [suite, name = ""] of text.matchAll(SUITE)) {
      const test = name.replace(/^\.\//, "");
      if (!/errors="0" failures="0"/.test(suite)) failed.push(test);
      else if (outcome === "passed") {
        const times = suite.matchAll(/<testcase [^>]*time="([^"]*)"/g);
        let seconds = 0;
        for (const [, time] of times) seconds += Number(time);
        this.#seconds.set(test, seconds);
      }
    }
    if (outcome === "passed") {
      const times = JSON.stringify(Object.fromEntries(this.#seconds));
      await Deno.writeTextFile(TIMES, times);
    }
    return { outcome, failed };
  }
}

/** A file in the report of `deno test`, and its path. */
const SUITE = /<testsuite name="([^"]*)"[^]*?<\/testsuite>/g;

function readTimes(): Map<string, number> {
  try {
    return new Map(Object.entries(JSON.parse(Deno.readTextFileSync(TIMES))));
  } catch {
    return new Map();
  }
}

async function run(
  root: string,
  args: readonly string[],
  limit: number,
): Promise<Report["outcome"]> {
  const start = performance.now();
  // `timeout` ends the children of a test as well.
  const { success } = await new Deno.Command("timeout", {
    args: ["--signal=KILL", `${limit}`, Deno.execPath(), ...args],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
  if (success) return "passed";
  return performance.now() - start >= 1000 * limit ? "timeout" : "failed";
}

function apply(text: string, { start, end, replacement }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** The lines of the fault, after it was put in. */
function mutatedLines({ text, mutation }: Mutant): string {
  const { start, replacement } = mutation;
  const mutated = apply(text, mutation);
  const from = mutated.lastIndexOf("\n", start - 1) + 1;
  const end = mutated.indexOf("\n", start + replacement.length);
  return mutated.slice(from, end < 0 ? undefined : end).trim();
}

function describe(mutant: Mutant): string {
  const { path, text, mutation: { start, end, replacement } } = mutant;
  const line = text.slice(0, start).split("\n").length;
  const old = text.slice(start, end).replaceAll(/\s+/g, " ");
  return `${path}:${line}: ${old} → ${replacement}    ${mutatedLines(mutant)}`;
}

/** Survivors that nobody can notice, each with the reason. */
const ARGUED: readonly {
  readonly file: string;
  readonly mutated: string;
  readonly why: string;
}[] = argued;

function isArgued(mutant: Mutant): boolean {
  const lines = mutatedLines(mutant);
  return ARGUED.some(({ file, mutated }) =>
    file === mutant.path && mutated === lines
  );
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
