/**
 * `digest`: a hash of the meaning of a filter. docs/digest.md defines it.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { nameComputing } from "../../pipeline/refusal.ts";
import { printable } from "../../tables/printable.ts";
import { digestOf } from "../../verify/digest.ts";
import { InputError, UnprovenError, UsageError } from "../error.ts";
import { EXIT, forEachInput } from "../exit.ts";
import { readFilterSource } from "../input/filter.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { reportJson } from "../output/json.ts";

/** Flags of `digest`. */
export interface DigestFlags extends SourceFlags, LimitFlags, OutputFlags {
  readonly bits: boolean;
  readonly check?: string;
}

/** A line of `digest`, as `--check` reads it. */
const LINE = /^(st1(?:-bits)?:[0-9a-f]{64}) {2}(.+)$/;

/** The command. */
export const command: CommandDefinition = defineCommand<
  DigestFlags,
  string[]
>({
  usage: "[OPTION...] [SOURCE...] | --check FILE",
  examples: ["digest default:docker pid:1234", "digest --check digests.txt"],
  parameters: {
    flags: {
      check: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "File of digests to check",
      },
      bits: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Compare all bits of return values, not just their effect",
      },
      ...OUTPUT_FLAG,
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT },
  },
  run: runDigest,
});

/** Prints the digest of every source, or checks a list of digests. */
export async function runDigest(
  io: Io,
  flags: DigestFlags,
  ...words: readonly string[]
): Promise<number> {
  if (flags.check !== undefined) {
    if (words.length > 0) {
      throw new UsageError(
        `Cannot use a source with --check ${flags.check}: the file names the sources`,
      );
    }
    return await checkList(io, flags, flags.check);
  }
  const sources = words.length === 0 ? ["default:docker"] : words;
  refuseTwoStdins(...sources);
  const target = await withOwnSemantics(io, flags, sources);
  const digests: { readonly source: string; readonly digest: string }[] = [];
  const { code } = await forEachInput(io, sources, async (word) => {
    const digest = await digestWord(io, word, target, flags.bits);
    digests.push({ source: word, digest });
    if (flags.output === "text") io.out(`${digest}  ${printable(word)}\n`);
  });
  if (flags.output === "json") io.out(reportJson({ digests }));
  return code;
}

async function digestWord(
  io: Io,
  word: string,
  flags: SourceFlags & LimitFlags,
  bits: boolean,
): Promise<string> {
  const { programs, littleEndian, name } = await readFilterSource(
    io,
    word,
    flags,
  );
  const digest = await digestOf({ programs, littleEndian }, {
    compare: bits ? "bits" : "effect",
    limits: limitsOf(flags),
  });
  if (digest.kind === "digest") return digest.text;
  const computing = nameComputing(programs);
  throw new UnprovenError(
    `Cannot compute the digest of ${
      printable(name)
    }: the limit of ${digest.allowed} ${digest.limit} was reached${
      computing === undefined ? "" : ` by ${computing}`
    }; raise it by --${digest.limit}`,
  );
}

async function checkList(
  io: Io,
  flags: DigestFlags,
  file: string,
): Promise<number> {
  const text = new TextDecoder().decode(await readInput(io, file));
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map((line, i) => {
    const [, expected, word] = LINE.exec(line) ?? [];
    if (expected !== undefined && word !== undefined) return { expected, word };
    throw new InputError(
      `Cannot read line ${
        i + 1
      }: not a digest, two blanks and a source; give what digest prints`,
      { place: inputName(file) },
    );
  });
  const words = entries.map(({ word }) => word);
  const target = await withOwnSemantics(io, flags, words);
  const results: { readonly source: string; readonly result: string }[] = [];
  let different = 0;
  let at = 0;
  const { code } = await forEachInput(io, words, async (word) => {
    const expected = entries[at++]?.expected ?? "";
    const bits = expected.startsWith("st1-bits:");
    const isEqual = await digestWord(io, word, target, bits) === expected;
    if (!isEqual) different++;
    const result = isEqual ? "OK" : "DIFFERENT";
    results.push({ source: word, result });
    if (flags.output === "text") io.out(`${printable(word)}: ${result}\n`);
  });
  if (flags.output === "json") io.out(reportJson({ results }));
  if (code !== EXIT.ok) return code;
  return different === 0 ? EXIT.ok : EXIT.no;
}
