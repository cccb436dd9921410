/**
 * `compile`: the optimal filter of a profile.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import { readCost } from "../input/cost.ts";
import { InputError, UsageError } from "../error.ts";
import { messageLine } from "../exit.ts";
import { type CompiledSource, compileSource } from "../input/filter.ts";
import {
  CERTIFICATE_FLAG,
  type CertificateFlags,
  COST_FLAGS,
  type CostFlags,
  type Format,
  FORMAT_FLAG,
  OUT_FLAG,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word as filePath,
} from "../input/flags.ts";
import {
  beyondFilter,
  describeBeyond,
  holdsRemarks,
} from "../output/beyond.ts";
import { formatFilter } from "../output/formats.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { loadProfile, refuseTwoStdins } from "../input/source.ts";
import { checkOut, refuseTwoOutputs, writeArtefact } from "../output/write.ts";

/** Flags of `compile`. */
export interface CompileFlags
  extends SourceFlags, CostFlags, OutputFlags, CertificateFlags {
  readonly format: Format;
  readonly out?: string;
  readonly oci?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  CompileFlags,
  [word?: string]
>({
  usage: "[OPTION...] [SOURCE]",
  examples: [
    "compile profile.json -f c -O filter.h",
    "compile --arch aarch64,arm -f raw -O filter.bpf default:docker",
  ],
  parameters: {
    flags: {
      ...FORMAT_FLAG,
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      ...CERTIFICATE_FLAG,
      oci: {
        kind: "parsed",
        parse: filePath,
        optional: true,
        placeholder: "DIR",
        brief: "OCI image layout for profile, filter and certificate",
      },
      ...COST_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, f: "format", O: "out", o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
  run: runCompile,
});

/** Compiles a profile and writes the filter. */
export async function runCompile(
  io: Io,
  flags: CompileFlags,
  word = "default:docker",
): Promise<void> {
  refuseTwoOutputs(flags);
  checkOut(flags.out, word);
  checkOut(flags.certificate, word);
  if (flags.oci !== undefined && flags.out === "-") {
    throw new UsageError(
      "Cannot write the filter and its place in the layout to standard output; omit -O -",
    );
  }
  refuseTwoStdins(word, flags.weights);
  const source = await loadProfile(
    io,
    word,
    flags,
    ({ form, name }) =>
      new InputError(
        `Cannot compile a filter (${form}); give a profile, or use optimize, disasm, simulate or prove`,
        { place: name },
      ),
  );
  const cost = await readCost(io, flags);
  const own = await withOwnSemantics(io, flags, [word]);
  const compiled = await compileSource(io, source, own, cost);
  const { name, resolved } = compiled;
  const beyond = beyondFilter(resolved.seccomp);
  if (flags.certificate !== undefined) {
    const { writeCertificate }: typeof import("../output/certificate.ts") =
      await import("../output/certificate.ts" as string);
    const { program, policy } = resolved;
    await writeCertificate(flags.certificate, [program, policy], "equal");
  }
  if (flags.oci !== undefined) {
    const { writeToLayout }: typeof import("../output/oci.ts") = await import(
      "../output/oci.ts" as string
    );
    const written = await writeToLayout(flags.oci, source, resolved, flags);
    if (flags.output === "text") io.out(`${written}\n`);
  }
  if (flags.output === "json") io.out(await reportOf(compiled));
  const isShown = flags.output === "text" && flags.oci === undefined;
  if (isShown || flags.out !== undefined) {
    const data = await formatFilter(resolved, flags.format, beyond);
    writeArtefact(io, flags.out, data);
  }
  const remark = describeBeyond(beyond, flags.format);
  if (remark !== undefined && !holdsRemarks(flags.format) && !flags.quiet) {
    io.err(messageLine(io, "note", remark, name));
  }
  if (flags.verbose) {
    io.err(messageLine(io, "note", summary(compiled), compiled.name));
  }
}

/** The report for machines; the filter is in it. */
async function reportOf({ name, resolved }: CompiledSource): Promise<string> {
  const { digestFor }: typeof import("../output/digest.ts") = await import(
    "../output/digest.ts" as string
  );
  const { reportJson }: typeof import("../output/json.ts") = await import(
    "../output/json.ts" as string
  );
  const { program, bytes, littleEndian, trees } = resolved;
  const digest = await digestFor({ program, littleEndian });
  return reportJson({
    source: name,
    instructions: program.length,
    digest: digest ?? null,
    trees: trees.map(({ names, tests, depth, proven, lowerBound }) => ({
      names,
      tests,
      depth,
      proven,
      lowerBound,
    })),
    littleEndian,
    base64: encodeBase64(bytes),
  });
}

function summary({ resolved }: CompiledSource): string {
  const { program, trees } = resolved;
  const proven = trees.filter((tree) => tree.proven).map((tree) =>
    tree.names.join("+")
  );
  const optimal = proven.length === 0
    ? ""
    : `, no better tree for ${proven.join(", ")}`;
  return `${program.length} instructions, proved equal to the profile${optimal}`;
}
