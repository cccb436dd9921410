/**
 * Builds a filter with the host's libseccomp, from standard input to standard
 * output, in a process of its own.
 *
 * Standard input: a `FilterSpec` as JSON, whose values are decimal texts. Standard
 * output: a `BuiltReference` as JSON, or nothing if the library refuses.
 *
 * @module
 */

import {
  type FilterRule,
  type FilterSpec,
  openLibseccomp,
} from "../ffi/libseccomp.ts";

/**
 * A specification in the form in which it is sent, because JSON has no 64-bit
 * integers.
 */
export interface SentSpec extends Omit<FilterSpec, "rules"> {
  readonly rules: readonly SentRule[];
  /** Names whose largest number is requested. */
  readonly names: readonly string[];
}

/** The result of the library for a specification. */
export interface BuiltReference {
  /** The filter in hexadecimal. */
  readonly filter: string;
  /**
   * The largest number that one of the names has on each architecture, in the
   * order of the specification; 0 if none has one.
   */
  readonly largest: readonly number[];
}

interface SentRule extends Omit<FilterRule, "args"> {
  readonly args: readonly {
    readonly arg: number;
    readonly op: FilterRule["args"][number]["op"];
    readonly a: string;
    readonly b: string;
  }[];
}

/** Reads a specification, and writes the filter that the library builds. */
export async function buildReference(): Promise<void> {
  // Sent by host_reference.ts.
  const spec = await new Response(Deno.stdin.readable).json() as SentSpec;
  const library = openLibseccomp();
  const result = library?.exportFilter({
    ...spec,
    rules: spec.rules.map((rule) => ({
      ...rule,
      args: rule.args.map((arg) => ({
        ...arg,
        a: BigInt(arg.a),
        b: BigInt(arg.b),
      })),
    })),
  });
  if (result?.kind !== "filter") return;
  const built: BuiltReference = {
    filter: result.bytes.toHex(),
    largest: spec.architectures.map((token) =>
      spec.names.reduce(
        (max, name) => Math.max(max, library?.resolveName(token, name) ?? 0),
        0,
      )
    ),
  };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(built)));
}
