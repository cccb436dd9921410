/**
 * Measures a whole process that compiles one profile, from an empty heap and
 * with cold code: processor time of all its threads, and of each pass inside.
 *
 * ```sh
 * deno task cold        # 20 rounds
 * deno task cold 40
 * ```
 *
 * The single file starts itself with flags of V8 (`FAST` in hook/program.ts),
 * and its functions are compiled as tools/eager.ts arranges; so are the passes.
 * All variants take turns within a round; the empty script is the cost of Deno
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
  readonly args: readonly string[];
}

const MANUAL: Manual = {
  usage: "deno task cold [ROUNDS]",
  brief:
    "Measures the processor time of a process that compiles one profile, in\nROUNDS rounds (default: 20).",
  words: 1,
};

async function main({ words: [word = "20"] }: Given): Promise<void> {
  const rounds = toNumber("ROUNDS", word);
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-cold-" });
  try {
    const empty = join(directory, "empty.js");
    const single = join(directory, "seccomp-tree");
    // Code that Deno has cached is valid only for the same flags of V8.
    const other = join(directory, "seccomp-tree-other");
    const lazy = join(directory, "seccomp-tree-lazy");
    const child = join(directory, "child.js");
    await Deno.writeTextFile(empty, "");
    await succeed(["run", "-A", join(ROOT, "tools/bundle.ts"), single]);
    await Deno.copyFile(single, other);
    await succeed([
      ...["run", "-A", join(ROOT, "tools/bundle.ts"), "--lazy", lazy],
    ]);
    const text = await bundle("bench/cold_child.ts", child);
    await Deno.writeTextFile(child, await compileAtOnce(text, [{ args: [] }]));
    const flags = `--v8-flags=${FAST}`;
    const ways: readonly Way[] = [
      { name: "an empty script", args: [...BARE, empty] },
      {
        name: "compile, from the sources",
        args: [join(ROOT, "cli/main.ts"), ...COMPILE],
      },
      {
        name: "compile, single file, as it starts itself",
        args: [flags, ...BARE, single, ...COMPILE],
      },
      {
        name: "compile, single file, without tools/eager.ts",
        args: [flags, ...BARE, lazy, ...COMPILE],
      },
      {
        name: "compile, single file, without flags of V8",
        args: [...BARE, other, ...COMPILE],
      },
    ];
    const cpu = ways.map((): number[] => []);
    const wall = ways.map((): number[] => []);
    const passes = PASSES.map((): number[] => []);
    for (let round = -1; round < rounds; round++) {
      for (const [i, { args }] of ways.entries()) {
        const [before, start] = [childrenCpuMs(), performance.now()];
        await succeed(["run", "-A", ...args]);
        // The first round fills Deno's caches.
        if (round < 0) continue;
        cpu[i]?.push(childrenCpuMs() - before);
        wall[i]?.push(performance.now() - start);
      }
      const out = await succeed(["run", "-A", flags, ...BARE, child]);
      for (const [i, ms] of out.split(" ").entries()) {
        passes[i]?.push(Number(ms));
      }
    }
    print(
      `Docker's default for x86_64, x86, x32; ${rounds} rounds, milliseconds`,
    );
    print(formatTable([
      ["process", "CPU min", "CPU median", "wall min", "wall median"],
      ...ways.map(({ name }, i) => [
        name,
        ...cells(cpu[i] ?? []),
        ...cells(wall[i] ?? []),
      ]),
    ]));
    print(formatTable([
      ["pass, in such a single file", "wall min", "wall median"],
      ...PASSES.map((name, i) => [name, ...cells(passes[i] ?? [])]),
    ]));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function cells(values: readonly number[]): readonly string[] {
  const { min, median } = summarize(values);
  return [min.toFixed(1), median.toFixed(1)];
}

/** Runs Deno and returns its output. */
async function succeed(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(
    `Cannot measure: deno ${args.join(" ")}: ${
      new TextDecoder().decode(stderr)
    }`,
  );
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) start(MANUAL, main);
