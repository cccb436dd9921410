/**
 * Measures the check of the certificate of Docker's default for x86_64, x86 and
 * x32: wall time inside fresh processes, after start-up and after reading the
 * profile.
 *
 * ```sh
 * deno task check-time      # 40 processes
 * deno task check-time 100
 * ```
 *
 * The process runs like the single file: its functions are compiled as
 * tools/eager.ts arranges, with the V8 flags with which the file starts (`FAST`
 * in hook/program.ts).
 *
 * @module
 */

import { join } from "@std/path";
import { formatTable } from "../host/table.ts";
import { FAST } from "../hook/program.ts";
import { compileProfile } from "../pipeline/compile_profile.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import {
  type Given,
  type Manual,
  start,
  toNumber,
} from "../tools/arguments.ts";
import { bundle } from "../tools/deno_bundle.ts";
import { compileAtOnce } from "../tools/eager.ts";
import { makeCertificate } from "../verify/certificate/make.ts";
import { TARGET } from "./check_child.ts";
import { summarize } from "./engine/summary.ts";

const MANUAL: Manual = {
  usage: "deno task check-time [OPTION...] [PROCESSES]",
  brief:
    "Measures the check of a certificate in PROCESSES fresh processes (default: 40).",
  options: {},
  words: 1,
};

async function main({ words: [word = "40"] }: Given): Promise<void> {
  const count = toNumber("PROCESSES", word);
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-check-" });
  try {
    const path = (name: string): string => join(directory, name);
    const filter = compileProfile(DEFAULT_PROFILE, TARGET);
    if (filter.kind !== "proved") {
      throw new Error(`Unreachable: ${filter.kind}`);
    }
    const { program, policy, bytes } = filter;
    const text = await makeCertificate(program, policy);
    await Deno.writeTextFile(path("f.cert"), text);
    await Deno.writeFile(path("f.bpf"), bytes);
    const args = [path("f.cert"), path("f.bpf")];
    const child = await bundle("bench/check_child.ts", path("child.js"));
    await Deno.writeTextFile(
      path("child.js"),
      await compileAtOnce(child, [{ args }]),
    );
    const [first, second]: [number[], number[]] = [[], []];
    for (let i = 0; i < count; i++) {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", `--v8-flags=${FAST}`, "--no-config", "--no-lock"],
          ...["--no-remote", path("child.js"), ...args],
        ],
        stderr: "inherit",
      }).output();
      const times = new TextDecoder().decode(stdout).split(" ").map(Number);
      first.push(times[0] ?? NaN);
      second.push(times[1] ?? NaN);
    }
    const row = (name: string, times: readonly number[]): string[] => {
      const { min, median } = summarize(times);
      return [name, min.toFixed(2), median.toFixed(2)];
    };
    const table = formatTable([
      [`${text.length} bytes, ${program.length} instructions`, "min", "median"],
      row("first check, ms", first),
      row("second check, ms", second),
    ]);
    await Deno.stdout.write(new TextEncoder().encode(table));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) start(MANUAL, main);
