/**
 * `demo`: compiles and checks the embedded default profile for this host, and
 * compares it with the filter of the host's libseccomp.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { check } from "../../bpf/check.ts";
import { type Libseccomp, openLibseccomp } from "../../ffi/libseccomp.ts";
import { EXIT } from "../exit.ts";
import { compileSource } from "../input/filter.ts";
import type { SourceFlags } from "../input/flags.ts";
import type { Io } from "../io.ts";
import { measure } from "../../measure/measure.ts";
import { referenceProgram } from "../../hook/reference.ts";
import { loadSource } from "../input/source.ts";
import { assumedWords } from "../input/target.ts";
import { formatMeasures, MEASURES_LEGEND } from "./stats.ts";

/** The command. */
export const command: CommandDefinition = defineCommand({
  usage: "",
  examples: ["demo", "demo --color never"],
  parameters: {},
  run: runDemo,
});

/** Compiles the default profile for this host and shows the gain. */
export async function runDemo(io: Io): Promise<number> {
  const source = await loadSource(io, "default:docker");
  if (source.kind !== "profile") throw new Error("Unreachable: no profile");
  const flags: SourceFlags = {
    semantics: "crun",
    names: "builtin",
    unknown: "warn",
    strict: false,
    quiet: true,
    verbose: false,
  };
  const { resolved } = await compileSource(io, source, flags);
  const { program, bytes, arches, seccomp, assumed } = resolved;
  const target = assumedWords(assumed, flags);
  io.out(`Docker's default profile, ${target}\n\n`);
  const fault = check(program);
  if (fault !== undefined) throw fault;
  io.out(
    `${program.length} instructions, ${bytes.length} bytes: accepted by the kernel's rules,\nproved equal to the profile for every architecture, number and argument\n\n`,
  );
  const measures = [{ name: "seccomp-tree", ...measure(program, arches) }];
  const library = openLibrary();
  if (typeof library === "string") {
    io.out(`${library}: nothing to compare with\n\n`);
  } else {
    for (const [optimize, kind] of [[1, "linear"], [2, "tree"]] as const) {
      const reference = referenceProgram(
        library,
        seccomp,
        arches,
        optimize,
      );
      if (reference === undefined) continue;
      measures.push({
        name: `libseccomp ${library.version} ${kind}`,
        ...measure(reference, arches),
      });
    }
  }
  io.out(formatMeasures(measures));
  io.out(MEASURES_LEGEND);
  if (typeof library !== "string") {
    tellUnknown(io, library, arches, seccomp);
  }
  return EXIT.ok;
}

/** The host's library, or the reason why it cannot be used. */
function openLibrary(): Libseccomp | string {
  try {
    return openLibseccomp() ?? "libseccomp.so.2 is not installed here";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return "libseccomp.so.2 cannot be opened without --allow-ffi";
  }
}

function tellUnknown(
  io: Io,
  library: { known(name: string): boolean; readonly version: string },
  arches: readonly {
    readonly syscalls: ReadonlyMap<string, number>;
  }[],
  seccomp: {
    readonly syscalls: readonly { readonly names: readonly string[] }[];
  },
): void {
  const names = new Set(
    seccomp.syscalls.flatMap((entry) => entry.names)
      .filter((name) => arches.some((arch) => arch.syscalls.has(name)))
      .filter((name) => !library.known(name)),
  );
  if (names.size === 0) return;
  io.out(
    `\nlibseccomp ${library.version} does not know ${
      [...names].sort().join(", ")
    }: its filters have no rule for them\n`,
  );
}
