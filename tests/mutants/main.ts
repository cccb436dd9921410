/**
 * Puts one small fault at a time into the program and checks whether the tests
 * notice it, `deno task mutants`.
 *
 * ```sh
 * deno task mutants --folder hook --count 25 --seed 1
 * deno task mutants --folder verify/core,verify/decide.ts --count 0
 * ```
 *
 * The work happens in a copy of the checkout. A mutant that the type checker
 * refuses, that a test notices or that never ends is *killed*. The rest
 * *survive*, unless `argued.json` says why they cannot be noticed. `reach.ts`
 * chooses the tests. The first that fails ends the trial.
 *
 * StrykerJS works here as well, but only in Node: it requires a `node_modules`
 * folder, reports mutants that do not type-check as survivors, and cannot draw
 * a sample.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { type Fate, Judge, type Mutant, mutatedLines } from "./judge.ts";
import { mutationsOf } from "./mutate.ts";
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

/** Files that run only on other machines. */
const ELSEWHERE = `registers_${
  Deno.build.arch === "x86_64" ? "aarch64" : "x86_64"
}.ts`;

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
  const tests = (await trackedFiles()).filter((path) =>
    path.endsWith("_test.ts")
  );
  const queue = mutants[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      await using copy = await copyCheckout();
      const judge = new Judge(copy.path, { tests, longest, say });
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
    !path.endsWith(ELSEWHERE) &&
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
  // Some tests become another user.
  await Deno.chmod(scratch, 0o755);
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

function describe(mutant: Mutant): string {
  const { path, text, mutation: { start, end, replacement } } = mutant;
  const line = text.slice(0, start).split("\n").length;
  const old = text.slice(start, end).replaceAll(/\s+/g, " ");
  return `${path}:${line}: ${old} → ${replacement}    ${mutatedLines(mutant)}`;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
