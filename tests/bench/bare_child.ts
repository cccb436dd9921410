/**
 * Runs a small benchmark and writes its document, for `bare_test.ts`, which
 * removes everything that a machine may lack.
 *
 * @module
 */

import { QUICK } from "../../bench/effort.ts";
import { runBenchmark } from "../../bench/run.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { resolve } from "../../profile/semantics/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import { archByName } from "../../tables/arch.ts";

if (import.meta.main) {
  const arch = archByName(Deno.build.arch);
  if (arch === undefined) throw new Error("no such machine");
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
    arch: arch.name,
    kernel: { major: 6, minor: 1 },
    capabilities: new Set(),
  });
  if (seccomp === undefined) throw new Error("no section");
  const { policy } = resolve(seccomp, { arches: [arch], semantics: "crun" });
  const [engine] = Deno.args;
  runBenchmark({
    subject: { name: "default", policy, seccomp, arches: [arch] },
    efforts: {
      ...QUICK,
      calls: { rounds: 2, count: 20, tries: 1 },
      positions: { rounds: 2, count: 20, tries: 1 },
      published: { rounds: 2, count: 20, tries: 1 },
      growth: { rounds: 2, count: 20, tries: 1 },
      builds: 1,
      stackedRounds: 1,
      stackedHeight: 1,
    },
    quick: true,
    command: "test",
    histograms: [],
    progress: () => {},
    ...(engine === "process" ? { engine } : {}),
  }).then((report) => {
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
  });
}
