/**
 * Compares a proved filter with the one that the host's libseccomp builds for
 * the same section: the filter that its container would have without this
 * program.
 *
 * The proof of a filter is relative to our own reading of the section. Here,
 * the library itself builds a filter in a child process with a time limit, from
 * the calls that the runtime (crun or runc, in its version) would make. runc's
 * ENOSYS stub is put in front of it, with the library's numbers for the names.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { formatReturnValue } from "../bpf/return_value.ts";
import { ask } from "../host/command.ts";
import { childWords } from "../host/child.ts";
import { packedProgram } from "../host/packed.ts";
import { createAnswer } from "../verify/describe/confirm.ts";
import { proveEquivalent } from "../verify/equivalence.ts";
import type { Environment } from "./environment.ts";
import { type ReadSection, readSection } from "./section.ts";
import { referenceSpec, withStub } from "./reference.ts";
import type { BuiltReference, SentSpec } from "./reference_build.ts";
// Imported so that `deno info` lists it and an installed copy contains it.
import type {} from "./reference_child.ts";
import type { Entry } from "./store/entry.ts";

/** Time limit of the library and of the proof, in milliseconds. */
const LIMIT_MS = 20_000;

const CHILD = "hook/reference_child.ts";

/** Reads a `BuiltReference`, and ignores anything that a library printed. */
const BUILT = /^\{"filter":"(?:[0-9a-f]{16})+","largest":\[[0-9,]*\]\}$/;

/** Result of a comparison. */
export type HostComparison =
  | { readonly kind: "equal" }
  | {
    /**
     * `different` also means not proved equal; `not-asked` means that there is
     * no library.
     */
    readonly kind: "different" | "not-asked";
    /** Observation, without a final period. */
    readonly detail: string;
  };

/** Options of a comparison. */
export interface ComparisonOptions {
  /** Time limit in milliseconds, for the library and for the proof; 20,000 by default. */
  readonly limitMs?: number;
  /** The section, if it was read before. */
  readonly read?: ReadSection;
}

/**
 * Compares an entry with the filter of the host's libseccomp.
 *
 * @param entry The entry.
 * @param environment Its environment.
 * @param options Time limit, and the section.
 * @returns The result.
 */
export async function compareWithHost(
  { bytes, section }: Pick<Entry, "bytes" | "section">,
  environment: Environment,
  { limitMs = LIMIT_MS, read }: ComparisonOptions = {},
): Promise<HostComparison> {
  const notAsked = (detail: string): HostComparison => ({
    kind: "not-asked",
    detail,
  });
  const { native: { littleEndian }, semantics, names } = environment;
  if (names.kind !== "host") {
    return notAsked("filters do not follow the host's libseccomp");
  }
  const reading = read === undefined
    ? readSection(section, environment)
    : { kind: "section" as const, section: read };
  if (reading.kind !== "section") return notAsked(reading.detail);
  const { seccomp, arches } = reading.section;
  const { rules, ...spec } = referenceSpec(seccomp, arches, { semantics });
  const built = await build({
    ...spec,
    names: [...new Set(seccomp.syscalls.flatMap(({ names }) => names))],
    rules: rules.map((rule) => ({
      ...rule,
      args: rule.args.map((arg) => ({ ...arg, a: `${arg.a}`, b: `${arg.b}` })),
    })),
  }, limitMs);
  if (built === undefined) {
    return notAsked("the host's libseccomp builds no filter of it");
  }
  const theirs = withStub(built.program, seccomp, arches, {
    semantics,
    largest: (arch) => built.largest[arches.indexOf(arch)] ?? 0,
  });
  const ours = decode(bytes, { littleEndian });
  const end = performance.now() + limitMs;
  const proof = proveEquivalent(ours, theirs, {
    littleEndian,
    interrupted: () => performance.now() > end,
  });
  if (proof.kind === "equal") return { kind: "equal" };
  if (proof.kind === "unproven") {
    return {
      kind: "different",
      detail:
        `not proved equal to the filter of the host's libseccomp (limit of ${proof.limit})`,
    };
  }
  const answer = (program: Program): string =>
    formatReturnValue(
      createAnswer(program, littleEndian)(proof.data).value,
      proof.data.arch,
    );
  return {
    kind: "different",
    detail: `number ${proof.data.nr} on architecture 0x${
      proof.data.arch.toString(16)
    } gets ${answer(ours)}, from the host's libseccomp ${answer(theirs)}`,
  };
}

async function wordsOfChild(): Promise<readonly string[]> {
  const isHookAlone = !import.meta.url.endsWith("/host_reference.ts") &&
    !Deno.build.standalone && await packedProgram(CHILD) === undefined;
  if (!isHookAlone) return await childWords(CHILD);
  // The hook as a single file.
  const deno = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock"];
  return [...deno, import.meta.url, "reference"];
}

async function build(
  spec: SentSpec,
  limitMs: number,
): Promise<
  { readonly program: Program; readonly largest: readonly number[] } | undefined
> {
  const { code, stdout } = await ask(await wordsOfChild(), {
    limitMs,
    input: new TextEncoder().encode(JSON.stringify(spec)),
  });
  if (code !== 0 || !BUILT.test(stdout)) return undefined;
  // Sent by reference_build.ts.
  const { filter, largest } = JSON.parse(stdout) as BuiltReference;
  return { program: decode(Uint8Array.fromHex(filter)), largest };
}
