/**
 * `check`: checks that a certificate is valid and matches the given sources.
 * docs/certificate.md defines certificates.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { encode } from "../../bpf/encode.ts";
import { printable } from "../../tables/printable.ts";
import {
  CertificateError,
  checkCertificate,
} from "../../verify/certificate/check.ts";
import { listRules } from "../../verify/certificate/rules.ts";
import type { ClaimSide } from "../../verify/certificate/text.ts";
import {
  byteOrderOf,
  policyOf,
  programsOf,
} from "../../verify/core/subject.ts";
import { InputError, UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import {
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { reportJson } from "../output/json.ts";
import { loadSubjects, type NamedSubject, titleOf } from "../input/sides.ts";

/** Flags of `check`. */
export interface CheckFlags extends SourceFlags, OutputFlags {}

/** The command. */
export const command: CommandDefinition = defineCommand<
  CheckFlags,
  [certificate: string, a?: string, b?: string]
>({
  usage: "[OPTION...] CERTIFICATE A B | oci:DIR",
  examples: [
    "check filter.cert filter.bpf profile.json",
    "check --arch x86_64,x86,x32 oci:layout",
  ],
  parameters: {
    flags: { ...OUTPUT_FLAG, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        {
          ...SOURCE_ARGUMENT,
          brief:
            "Certificate from --certificate, or a layout from compile --oci",
          placeholder: "FILE",
        },
        {
          ...SOURCE_ARGUMENT,
          brief: "First side of the claim",
          placeholder: "A",
          optional: true,
        },
        {
          ...SOURCE_ARGUMENT,
          brief: "Second side of the claim",
          placeholder: "B",
          optional: true,
        },
      ],
    },
  },
  run: runCheck,
});

const FIRST_WORDS = "seccomp-certificate 2 ";

/** Checks a certificate for two sources. */
export async function runCheck(
  io: Io,
  flags: CheckFlags,
  file: string,
  a?: string,
  b?: string,
): Promise<number> {
  const { text, words, options } = a === undefined || b === undefined
    ? await fromLayout(file, a)
    : await fromFiles(io, file, [a, b]);
  if (!text.startsWith(FIRST_WORDS)) {
    throw new InputError(
      'It is not a certificate: it does not start with "seccomp-certificate 2"; give what --certificate writes',
      { place: inputName(file) },
    );
  }
  const sides = await loadSubjects(io, flags, words);
  const result = await judge(text, sides);
  const { claim, reason, line } = result;
  if (flags.output === "json") {
    io.out(reportJson({
      certificate: inputName(file),
      a: titleOf(sides[0]),
      b: titleOf(sides[1]),
      accepted: reason === undefined,
      claim: claim ?? null,
      ...(reason === undefined ? {} : { line: line ?? null, reason }),
    }));
  } else if (reason === undefined) {
    const [x, y] = sides.map((side) => printable(titleOf(side)));
    io.out(
      claim === "equal"
        ? `accepted: ${x} and ${y} are equal for every input\n`
        : `accepted: ${x} permits nothing that ${y} denies\n`,
    );
  } else {
    const place = line === undefined ? "" : `line ${line}: `;
    const hint = options === undefined
      ? ""
      : `; the filter was compiled with ${options || "no options"}`;
    io.out(`rejected: ${place}${reason}${printable(hint)}\n`);
  }
  return reason === undefined ? EXIT.ok : EXIT.no;
}

/** A certificate, and the source words of its sides. */
interface GivenCertificate {
  readonly text: string;
  readonly words: readonly [a: string, b: string];
  /** The options with which a filter in a layout was compiled. */
  readonly options?: string;
}

async function fromFiles(
  io: Io,
  file: string,
  words: readonly [a: string, b: string],
): Promise<GivenCertificate> {
  refuseTwoStdins(file, ...words);
  return { text: new TextDecoder().decode(await readInput(io, file)), words };
}

/** Reads the certificate and both sides from a layout. */
async function fromLayout(
  word: string,
  a: string | undefined,
): Promise<GivenCertificate> {
  if (!word.startsWith("oci:") || a !== undefined) {
    throw new UsageError(
      `Missing argument: ${
        a === undefined ? "A" : "B"
      }; give a certificate and both of its sides, or only oci:DIR`,
    );
  }
  const { OciLayout, splitOciWord }: typeof import("../input/sources/oci.ts") =
    await import("../input/sources/oci.ts" as string);
  const { directory, digest } = splitOciWord(word);
  const layout = new OciLayout(directory);
  const { certificate, descriptor, profile, options } = await layout.filter(
    await layout.find(digest),
  );
  return {
    text: certificate,
    words: [
      `oci:${directory}@${descriptor.digest}`,
      `oci:${directory}@${profile.digest}`,
    ],
    options,
  };
}

/** The claim of a certificate, or the reason why it is not accepted. */
interface Judgment {
  readonly claim?: "equal" | "within";
  readonly reason?: string;
  readonly line?: number;
}

async function judge(
  text: string,
  [a, b]: readonly [NamedSubject, NamedSubject],
): Promise<Judgment> {
  const littleEndian = byteOrderOf([a.subject, b.subject]);
  const sides = [sideOf(a, littleEndian), sideOf(b, littleEndian)] as const;
  try {
    return { claim: await checkCertificate(text, sides, { littleEndian }) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { reason: printable(error.message), line: error.line };
  }
}

function sideOf(
  { word, subject }: NamedSubject,
  littleEndian: boolean,
): ClaimSide {
  const policy = policyOf(subject);
  if (policy !== undefined) return listRules(policy);
  const [program, ...more] = programsOf(subject);
  if (program !== undefined && more.length === 0) {
    return encode(program, { littleEndian });
  }
  throw new InputError(
    `It has ${
      more.length + 1
    } filters, and certificates do not cover stacks; give one filter`,
    { place: word },
  );
}
