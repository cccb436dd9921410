/**
 * Puts one small fault at a time into the program and asks the tests of its
 * folder whether they notice, `deno task mutants`.
 *
 * ```sh
 * deno task mutants --folder hook --count 25 --seed 1
 * deno task mutants --file verify/decide.ts --count 0
 * ```
 *
 * The work happens in a copy of the checkout. A mutant that the type checker
 * refuses, that a test notices or that never ends is *killed*. The rest
 * *survive*, unless `argued.json` says why nobody could notice them.
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
    "Puts one small fault at a time into a copy of the program and runs the tests\nof its folder. Exits with 1 if a mutant survives that argued.json does not name.",
  options: {
    folder: { placeholder: "F", brief: "Top-level folder (default: all)" },
    file: { placeholder: "F", brief: "One file instead" },
    count: {
      placeholder: "N",
      brief: "Mutants to try, 0 for all (default: 25)",
    },
    seed: { placeholder: "S", brief: "Seed of the sample (default: random)" },
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
  const workers = Math.max(1, given.number("workers") ?? 1);
  const all = await listMutants(
    given.text("folder"),
    given.text("file"),
  );
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
      for (const mutant of queue) {
        await requireGreen(copy.path, mutant.path);
        const fate = await judge(copy.path, mutant);
        fates[fate]++;
        if (fate === "survived") say(`SURVIVED ${describe(mutant)}`);
        else say(`${fate} ${describe(mutant)}`);
      }
    }),
  );
  say(Object.entries(fates).map(([fate, n]) => `${n} ${fate}`).join(", "));
  return fates.survived === 0 ? 0 : 1;
}

async function listMutants(
  folder: string | undefined,
  file: string | undefined,
): Promise<readonly Mutant[]> {
  const paths = (await trackedFiles()).filter((path) => {
    if (file !== undefined) return path === file;
    const top = path.split("/")[0] ?? "";
    return /\.(?:ts|sh|awk)$/.test(path) && !DATA.test(path) &&
      FOLDERS.includes(top) && (folder === undefined || top === folder);
  });
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

/** Tests that pass without a fault; a mutant killed by others would prove nothing. */
const green = new Set<string>();

async function requireGreen(root: string, path: string): Promise<void> {
  for (const tests of await testsOf(root, path)) {
    if (green.has(tests)) continue;
    if (await runTests(root, tests) !== "passed") {
      throw new Error(
        `Cannot judge mutants of ${path}: ${tests} fails without a fault; run it`,
      );
    }
    green.add(tests);
  }
}

async function judge(root: string, mutant: Mutant): Promise<Fate> {
  if (isArgued(mutant)) return "argued";
  const { path, mutation, text } = mutant;
  const file = join(root, path);
  await Deno.writeTextFile(file, apply(text, mutation));
  try {
    if (!path.endsWith(".ts")) {
      // What is embedded follows the file that was changed.
      await run(root, ["task", "embed"], 60_000);
    } else if (await run(root, ["check", path], 120_000) !== "passed") {
      return "refused";
    }
    for (const tests of await testsOf(root, path)) {
      const outcome = await runTests(root, tests);
      if (outcome === "timeout") return "timeout";
      if (outcome === "failed") return "killed";
    }
    return "survived";
  } finally {
    await Deno.writeTextFile(file, text);
    if (!path.endsWith(".ts")) await run(root, ["task", "embed"], 60_000);
  }
}

function runTests(
  root: string,
  tests: string,
): Promise<"passed" | "failed" | "timeout"> {
  return run(
    root,
    ["test", "-A", "--no-check", "--parallel", "--fail-fast", tests],
    TEST_LIMIT_MS,
  );
}

/** How long the tests of one folder may take, in milliseconds. */
const TEST_LIMIT_MS = 600_000;

/**
 * Names the tests to ask, the quickest to notice first: those of the file, those
 * of its folder, and those of the whole top-level folder.
 */
async function testsOf(
  root: string,
  path: string,
): Promise<readonly string[]> {
  const [top = ""] = path.split("/");
  const own = `tests/${path.replace(/\.\w+$/, "_test.ts")}`;
  const steps = [own, `tests/${dirname(path)}`, `tests/${top}`];
  const found: string[] = [];
  for (const step of new Set(steps)) {
    if (await exists(join(root, step))) found.push(step);
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

async function run(
  root: string,
  args: readonly string[],
  limit: number,
): Promise<"passed" | "failed" | "timeout"> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limit);
  const { success } = await child.status;
  clearTimeout(timer);
  return late ? "timeout" : success ? "passed" : "failed";
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
