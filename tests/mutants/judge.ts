/**
 * Puts mutants into a copy of the checkout, one at a time, and runs the tests.
 *
 * @module
 */

import { join } from "@std/path";
import argued from "./argued.json" with { type: "json" };
import type { Mutation } from "./mutate.ts";
import { type Reach, readReach } from "./reach.ts";

/** One mutant: a fault in a file. */
export interface Mutant {
  readonly path: string;
  readonly mutation: Mutation;
  readonly text: string;
}

/** Outcome of a mutant. */
export type Fate = "killed" | "refused" | "timeout" | "argued" | "survived";

/** Outcome of a mutant, and the test that noticed it. */
export interface Sentence {
  readonly fate: Fate;
  readonly by?: string;
}

/** Result of tests. */
interface Report {
  readonly outcome: "passed" | "failed" | "timeout";
  /** Tests with a failure. */
  readonly failed: readonly string[];
}

/** Tests that take longer than this, in seconds, run one by one. */
const QUICK_SECONDS = 1;

/** Time limit of tests without a fault, in seconds. */
const LONGEST_SECONDS = 600;

/** Time limit of tests beyond five times their usual duration. */
const SPARE_SECONDS = 60;

/** Seconds of each test in earlier runs; they only decide the order. */
const TIMES = join(
  Deno.env.get("TMPDIR") ?? "/tmp",
  "seccomp-tree-mutants-times.json",
);

/** The tests to run, and the reader of messages. */
export interface JudgeOptions {
  /** Every test, as a path in the checkout. */
  readonly tests: readonly string[];
  /** Tests that take longer are skipped, in seconds. */
  readonly longest: number;
  /** Receives a line for the user. */
  readonly say: (line: string) => void;
}

/** Judges the mutants of one copy of the checkout. */
export class Judge {
  readonly #root: string;
  readonly #tests: readonly string[];
  readonly #longest: number;
  readonly #say: (line: string) => void;
  readonly #seconds: Map<string, number>;
  /** True if a test passes without a fault. */
  readonly #isGreen = new Map<string, boolean>();
  #reach: Reach | undefined;

  /**
   * Takes a copy of the checkout.
   *
   * @param root Its folder.
   * @param options The tests to run.
   */
  constructor(root: string, { tests, longest, say }: JudgeOptions) {
    this.#root = root;
    this.#tests = tests;
    this.#longest = longest;
    this.#say = say;
    this.#seconds = readTimes();
  }

  /** Tries one mutant. Afterward, the copy is restored. */
  async judge(mutant: Mutant): Promise<Sentence> {
    if (isArgued(mutant)) return { fate: "argued" };
    this.#reach ??= await readReach(`${this.#root}/`, this.#tests);
    const { path } = mutant;
    const [first, ...others] = this.#reach.testsOf(path);
    for (const test of others) {
      if (this.#seconds.has(test) || this.#isGreen.has(test)) continue;
      await this.#tryGreen(test);
    }
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
      (sum, test) => sum + 5 * (this.#seconds.get(test) ?? 0),
      SPARE_SECONDS,
    );
    const { outcome, failed } = await this.#runTests(tests, Math.ceil(limit));
    if (outcome === "passed") return undefined;
    // As in #runTests(): not every name is that of a test that ran.
    const named = failed.filter((test) => tests.includes(test));
    const suspects = named.length === 0 ? tests : named;
    const unknown = suspects.filter((test) => !this.#isGreen.has(test));
    if (unknown.length === 0) {
      return {
        fate: outcome === "timeout" ? "timeout" : "killed",
        by: suspects.length === 1 ? `${suspects[0]}` : `of ${suspects.length}`,
      };
    }
    // A test that fails without a fault notices nothing.
    await this.#takeBack(mutant);
    for (const test of unknown) await this.#tryGreen(test);
    await this.#put(mutant);
    return await this.#ask(mutant, tests);
  }

  /** Runs a test alone, without a fault: whether it passes, and for how long it runs. */
  async #tryGreen(test: string): Promise<void> {
    const limit = Math.min(LONGEST_SECONDS, 2 * this.#longest + SPARE_SECONDS);
    const { outcome } = await this.#runTests([test], limit);
    this.#isGreen.set(test, outcome === "passed");
    if (outcome === "timeout") this.#seconds.set(test, limit);
    if (outcome !== "passed") {
      this.#say(`Left out ${test}: it fails without a fault`);
    }
  }

  async #put({ path, text, mutation }: Mutant): Promise<void> {
    await this.#write(path, apply(text, mutation));
  }

  async #takeBack({ path, text }: Mutant): Promise<void> {
    await this.#write(path, text);
  }

  async #write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(join(this.#root, path), text);
    // Embedded text follows the changed file.
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
    const text = await Deno.readTextFile(report).catch(() => "");
    await Deno.remove(report).catch(() => {});
    const failed = [...text.matchAll(SUITE)]
      .filter(([suite]) => !/errors="0" failures="0"/.test(suite))
      .map(([, name = ""]) => name.replace(/^\.\//, ""));
    const [test] = tests;
    // A test that another file declares is reported as that file's, so only the
    // times of a test that runs alone are its own.
    if (outcome === "passed" && test !== undefined && tests.length === 1) {
      let seconds = 0;
      for (const [, time] of text.matchAll(CASE)) seconds += Number(time);
      this.#seconds.set(test, seconds);
      const times = JSON.stringify(Object.fromEntries(this.#seconds));
      await Deno.writeTextFile(TIMES, times);
    }
    return { outcome, failed };
  }
}

/** A file in the report of `deno test`, and its path. */
const SUITE = /<testsuite name="([^"]*)"[^]*?<\/testsuite>/g;

/** A test in such a report, and its seconds. */
const CASE = /<testcase [^>]*time="([^"]*)"/g;

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
export function mutatedLines({ text, mutation }: Mutant): string {
  const { start, replacement } = mutation;
  const mutated = apply(text, mutation);
  const from = mutated.lastIndexOf("\n", start - 1) + 1;
  const end = mutated.indexOf("\n", start + replacement.length);
  return mutated.slice(from, end < 0 ? undefined : end).trim();
}

/** Survivors that cannot be noticed, each with the reason. */
const ARGUED: readonly {
  readonly file: string;
  /** The lines of the fault. */
  readonly mutated: string;
  /** The replaced text, if its lines do not show it. */
  readonly original?: string;
  readonly why: string;
}[] = argued;

function isArgued(mutant: Mutant): boolean {
  const { path, text, mutation: { start, end } } = mutant;
  const lines = mutatedLines(mutant);
  return ARGUED.some(({ file, mutated, original }) =>
    file === path && mutated === lines &&
    (original === undefined || original === text.slice(start, end))
  );
}
