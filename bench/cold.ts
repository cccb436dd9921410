/**
 * Measures a whole process that compiles one profile, from an empty heap and
 * with cold code: processor time of all its threads, and of each pass inside.
 *
 * ```sh
 * deno task cold        # 20 rounds
 * deno task cold 40
 * deno task cold --against d7d0953 60
 * ```
 *
 * The last command compares with another commit instead: `compile` and `--help`
 * of both single files and both sources, and the ratios of their times.
 *
 * The single file starts with V8 flags (`FAST` in hook/program.ts), and its
 * functions are compiled as tools/eager.ts arranges; so are the passes. All
 * variants take turns within a round; the empty script shows the cost of Deno
 * itself. Times are the minimum and the median of the rounds.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { formatTable } from "../host/table.ts";
import { FAST } from "../hook/program.ts";
import { bundle } from "../tools/deno_bundle.ts";
import {
  type Given,
  type Manual,
  start,
  toNumber,
} from "../tools/arguments.ts";
import { compileAtOnce } from "../tools/eager.ts";
import { childrenCpuMs } from "./engine/clock.ts";
import { PASSES } from "./cold_child.ts";
import { summarize } from "./engine/summary.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const COMPILE = ["compile", "default:docker", "-f", "raw", "--quiet"];
const BARE = ["--no-config", "--no-lock", "--no-remote", "--ext=js"];

interface Way {
  readonly name: string;
  readonly words: readonly string[];
}

const MANUAL: Manual = {
  usage: "deno task cold [OPTION...] [ROUNDS]",
  brief:
    "Measures the processor time of a process that compiles one profile, in\nROUNDS rounds (default: 20).",
  options: {
    against: {
      brief: "Compare with this commit",
      placeholder: "COMMIT",
    },
  },
  words: 1,
};

async function main({ words: [word = "20"], ...given }: Given): Promise<void> {
  const rounds = toNumber("ROUNDS", word);
  const commit = given.text("against");
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-cold-" });
  try {
    if (commit === undefined) await measure(directory, rounds);
    else await compare(directory, rounds, commit);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Measures the ways to run this program. */
async function measure(directory: string, rounds: number): Promise<void> {
  const empty = join(directory, "empty.js");
  const single = join(directory, "seccomp-tree");
  // Deno's code cache is valid only for the same V8 flags.
  const other = join(directory, "seccomp-tree-other");
  const lazy = join(directory, "seccomp-tree-lazy");
  const child = join(directory, "child.js");
  await Deno.writeTextFile(empty, "");
  await bundleTo(ROOT, single);
  await Deno.copyFile(single, other);
  await bundleTo(ROOT, lazy, ["--lazy"]);
  const text = await bundle("bench/cold_child.ts", child);
  await Deno.writeTextFile(child, await compileAtOnce(text, [{ args: [] }]));
  const run = [Deno.execPath(), "run", "-A"];
  const flags = `--v8-flags=${FAST}`;
  const ways: readonly Way[] = [
    { name: "an empty script", words: [...run, ...BARE, empty] },
    {
      name: "compile, from the sources",
      words: [...run, join(ROOT, "cli/main.ts"), ...COMPILE],
    },
    {
      name: "compile, single file, with its usual flags",
      words: [...run, flags, ...BARE, single, ...COMPILE],
    },
    {
      name: "compile, single file, without tools/eager.ts",
      words: [...run, flags, ...BARE, lazy, ...COMPILE],
    },
    {
      name: "compile, single file, without V8 flags",
      words: [...run, ...BARE, other, ...COMPILE],
    },
  ];
  const passes = PASSES.map((): number[] => []);
  const times = await timesOf(ways, rounds, async () => {
    const out = await succeed([...run, flags, ...BARE, child]);
    for (const [i, ms] of out.split(" ").entries()) passes[i]?.push(Number(ms));
  });
  print(
    `Docker's default for x86_64, x86, x32; ${rounds} rounds, milliseconds`,
  );
  print(formatTable([
    ["process", "CPU min", "CPU median", "wall min", "wall median"],
    ...ways.map(({ name }, i) => [
      name,
      ...cells(times[i]?.cpu ?? []),
      ...cells(times[i]?.wall ?? []),
    ]),
  ]));
  print(formatTable([
    ["pass, inside a single file", "wall min", "wall median"],
    ...PASSES.map((name, i) => [name, ...cells(passes[i] ?? [])]),
  ]));
}

/** Compares the processor time of this program with that of another commit. */
async function compare(
  directory: string,
  rounds: number,
  commit: string,
): Promise<void> {
  const root = join(directory, "other");
  const archive = join(directory, "other.tar");
  await Deno.mkdir(root);
  await succeed(["git", "archive", "-o", archive, commit]);
  await succeed(["tar", "-xf", archive, "-C", root]);
  const files = ["this", "that"].map((name) => join(directory, name));
  for (const [i, from] of [ROOT, root].entries()) {
    await bundleTo(from, files[i] ?? "");
  }
  const rows: (readonly string[])[] = [];
  for (const args of [COMPILE, ["--help"]]) {
    const run = [Deno.execPath(), "run", "-A"];
    for (
      const [name, words] of [
        ["single file", files.map((file) => [file])],
        [
          "sources",
          [ROOT, root].map((from) => [...run, join(from, "cli/main.ts")]),
        ],
      ] as const
    ) {
      const ways = words.map((way) => ({ name, words: [...way, ...args] }));
      const [now = NONE, then = NONE] = await timesOf(ways, rounds);
      rows.push([
        `${args[0]}, ${name}`,
        ...cells(now.cpu),
        ...cells(then.cpu),
        (summarize(now.cpu).min / summarize(then.cpu).min).toFixed(3),
        (summarize(now.cpu).median / summarize(then.cpu).median).toFixed(3),
      ]);
    }
  }
  print(
    `this program and ${commit}; ${rounds} rounds, milliseconds of CPU time`,
  );
  print(formatTable([
    [
      "process",
      "this min",
      "median",
      "that min",
      "median",
      "ratio",
      "of medians",
    ],
    ...rows,
  ]));
}

/** Makes the single file of a checkout. */
async function bundleTo(
  root: string,
  file: string,
  options: readonly string[] = [],
): Promise<void> {
  const tool = [Deno.execPath(), "run", "-A", "tools/bundle.ts"];
  await succeed([...tool, ...options, file], root);
}

/** Times of a command line, one for each round. */
interface Times {
  readonly cpu: number[];
  readonly wall: number[];
}

const NONE: Times = { cpu: [], wall: [] };

/** Runs command lines in turn; the first round fills Deno's caches. */
async function timesOf(
  ways: readonly Way[],
  rounds: number,
  afterRound: () => Promise<void> = async () => {},
): Promise<readonly Times[]> {
  const times = ways.map((): Times => ({ cpu: [], wall: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const [i, { words }] of ways.entries()) {
      const [before, start] = [childrenCpuMs(), performance.now()];
      await succeed(words);
      if (round < 0) continue;
      times[i]?.cpu.push(childrenCpuMs() - before);
      times[i]?.wall.push(performance.now() - start);
    }
    await afterRound();
  }
  return times;
}

function cells(values: readonly number[]): readonly string[] {
  const { min, median } = summarize(values);
  return [min.toFixed(1), median.toFixed(1)];
}

/** Runs a command line and returns its output. */
async function succeed(
  [program = "", ...args]: readonly string[],
  cwd: string = ROOT,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(
    `Cannot measure: ${program} ${args.join(" ")}: ${
      new TextDecoder().decode(stderr)
    }`,
  );
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) start(MANUAL, main);
