/**
 * Reads filters in all forms in which they are written: bytes, numbers, text.
 *
 * @module
 */

import {
  linkFilters,
  type ParsedFilters,
} from "../../../bpf/assembly/link_filters.ts";
import type { DraftSection } from "../../../bpf/assembly/draft.ts";
import { AssemblyProblems } from "../../../bpf/assembly/problems.ts";
import { decodeBase64 } from "../../../bpf/base64.ts";
import { check } from "../../../bpf/check.ts";
import { AssemblyError, ProgramError } from "../../../bpf/error.ts";
import { decodeFilter, type Filter } from "../../../bpf/filter.ts";
import { fromHex } from "../../../bpf/hex.ts";
import type { ParseFiltersOptions } from "../../../bpf/assembly/link_filters.ts";
import { hostArch } from "../../../host/machine.ts";
import { messageOf } from "../../../host/reason.ts";
import { InputError, ReportedError } from "../../error.ts";
import { messageLine } from "../../exit.ts";
import type { Io } from "../../io.ts";
import type { FilterForm } from "../source_kinds.ts";
import { archesOf } from "../target.ts";

/** Maximum number of errors in a text to print individually. */
const MOST_ERRORS = 100;

/**
 * Maximum number of bytes in a text; the longest listing of a filter has a
 * tenth of that.
 */
const MAX_TEXT_LENGTH = 4 * 2 ** 20;

/** Forms that may be part of a long log, or that mark their own end. */
const UNLIMITED: ReadonlySet<FilterForm> = new Set(["raw", "strace"]);

/** Options of reading a filter. */
export interface FilterFormOptions {
  /** Architectures of `--arch`, for what the filter does not show. */
  readonly arch?: readonly string[];
  /** Byte order of a text that does not name one. */
  readonly littleEndian?: boolean;
}

/** Filters, and what their form contains besides the instructions. */
export interface FormedFilters extends ParsedFilters {
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, if known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/**
 * Reads filters.
 *
 * @param io Stream for errors.
 * @param name Name of the source, for messages.
 * @param kind Their form.
 * @param bytes The source.
 * @param options Facts about their machine.
 * @throws {InputError} if they cannot be read.
 * @throws {ReportedError} after several errors were printed.
 */
export async function readFilters(
  io: Io,
  name: string,
  kind: FilterForm,
  bytes: Uint8Array,
  options: FilterFormOptions = {},
): Promise<FormedFilters> {
  try {
    return await readForm(kind, bytes, options);
  } catch (error) {
    if (error instanceof AssemblyError && error.all.length > 1) {
      tellErrors(io, name, error.all);
      throw new ReportedError("filter", { cause: error });
    }
    throw inputError(name, error);
  }
}

/** Prints the errors of a text, each with its position. */
function tellErrors(
  io: Io,
  name: string,
  errors: readonly AssemblyError[],
): void {
  for (const { detail, line, column } of errors.slice(0, MOST_ERRORS)) {
    io.err(messageLine(io, "error", detail, `${name}:${line}:${column}`));
  }
  const more = errors.length - MOST_ERRORS;
  if (more > 0) io.err(messageLine(io, "error", `${more} more errors`, name));
}

/**
 * Runs a function that may find a filter unreadable, and adds its position.
 *
 * @throws {InputError} with the position.
 */
export function readAt<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inputError(place, error);
  }
}

function inputError(place: string, error: unknown): InputError {
  if (!(error instanceof AssemblyError)) {
    return new InputError(messageOf(error), { place, cause: error });
  }
  const { line, column, detail } = error;
  return new InputError(detail, {
    place: `${place}:${line}:${column}`,
    cause: error,
  });
}

async function readForm(
  kind: FilterForm,
  bytes: Uint8Array,
  options: FilterFormOptions,
): Promise<FormedFilters> {
  const text = (): string => new TextDecoder().decode(bytes);
  if (bytes.length > MAX_TEXT_LENGTH && !UNLIMITED.has(kind)) {
    throw new InputError(
      `Cannot read the filter: more than ${MAX_TEXT_LENGTH} bytes of text; give only the filter`,
    );
  }
  switch (kind) {
    case "raw":
      return oneFilter(bytes, options);
    case "base64":
      return given(readLines(text(), decodeBase64, options));
    case "hex":
      return given(readLines(text(), fromHex, options));
    case "asm": {
      const { parseFilters }: typeof import("../../../bpf/text.ts") =
        await import("../../../bpf/text.ts" as string);
      return parseFilters(text(), textOptions(options));
    }
    case "json": {
      const { readJsonFilters }: typeof import("./json_filter.ts") =
        await import("./json_filter.ts" as string);
      const { filters, logs } = readJsonFilters(text());
      return { ...given(filters), logs };
    }
    case "xxd": {
      const { readDump }: typeof import("./dump.ts") = await import(
        "./dump.ts" as string
      );
      return oneFilter(readDump(text()), options);
    }
    case "escapes": {
      const { readEscapes }: typeof import("./escapes.ts") = await import(
        "./escapes.ts" as string
      );
      return oneFilter(readEscapes(text()), options);
    }
    case "tcpdump": {
      const { readDecimalRows }: typeof import("./tcpdump.ts") = await import(
        "./tcpdump.ts" as string
      );
      return linked(text(), readDecimalRows, options);
    }
    case "strace": {
      const { readStrace }: typeof import("./strace.ts") = await import(
        "./strace.ts" as string
      );
      return linked(text(), readStrace, options);
    }
    case "c":
    case "go":
    case "rust": {
      const code: typeof import("./source_code.ts") = await import(
        "./source_code.ts" as string
      );
      const littleEndian = code.orderInRemark(text()) ?? options.littleEndian;
      return linked(text(), code.readSourceCode, {
        ...options,
        ...(littleEndian !== undefined && { littleEndian }),
      });
    }
  }
}

/** Reads a text whose numbers are instructions. */
function linked(
  text: string,
  read: (text: string, problems: AssemblyProblems) => readonly DraftSection[],
  options: FilterFormOptions,
): ParsedFilters {
  const problems = new AssemblyProblems();
  const sections = read(text, problems);
  return linkFilters({ sections }, textOptions(options), problems);
}

function textOptions(
  { arch, littleEndian }: FilterFormOptions,
): ParseFiltersOptions {
  const named = arch === undefined ? [] : archesOf(arch);
  const order = littleEndian ?? named[0]?.littleEndian;
  const host = hostArch();
  return {
    arches: named.map(({ name }) => name),
    ...(order !== undefined && { littleEndian: order }),
    ...(host !== undefined && { assumedArch: host.name }),
  };
}

/**
 * Decodes the bytes of one filter, in either byte order.
 *
 * @param bytes The bytes.
 * @param options The architecture, which decides if the bytes do not.
 * @throws {ProgramError} if the bytes are not a filter.
 * @throws {InputError} if nothing decides the byte order.
 */
export function oneFilter(
  bytes: Uint8Array,
  options: FilterFormOptions,
): ParsedFilters {
  return given([decodeRaw(bytes, options)]);
}

/** The filters of one machine, whose bytes show its byte order. */
function given(filters: readonly Filter[]): ParsedFilters {
  const [first] = filters;
  if (filters.some((f) => f.littleEndian !== first?.littleEndian)) {
    throw new InputError(
      "Cannot read the filters: some are little-endian and some big-endian; give those of one process",
    );
  }
  return {
    programs: filters.map(({ program }) => program),
    littleEndian: first?.littleEndian ?? true,
    order: "given",
  };
}

/**
 * Reads lines of text: either each line is a filter, as `dump` writes them, or
 * all lines together are one, as base64(1) and xxd(1) wrap it.
 */
function readLines(
  text: string,
  read: (text: string) => Uint8Array,
  options: FilterFormOptions,
): readonly Filter[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length > 1) {
    const whole: Filter[] = [];
    for (const line of lines) {
      const filter = readWhole(line.trim(), read);
      if (filter === undefined) break;
      whole.push(filter);
    }
    if (whole.length === lines.length) return whole;
  }
  // Hex may have blanks between its digits; the reader refuses anything else.
  const joined = text.replace(read === fromHex ? /\s/g : /\r?\n/g, "");
  return [decodeRaw(read(joined), options)];
}

/** Decodes a line that is a filter the kernel accepts. */
function readWhole(
  line: string,
  read: (text: string) => Uint8Array,
): Filter | undefined {
  try {
    const filter = decodeFilter(read(line));
    return check(filter.program) === undefined ? filter : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ProgramError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Decodes a filter of either byte order; the architecture decides if the bytes
 * do not.
 */
function decodeRaw(bytes: Uint8Array, { arch }: FilterFormOptions): Filter {
  try {
    return decodeFilter(bytes);
  } catch (error) {
    if (
      !(error instanceof ProgramError) ||
      error.reason !== "ambiguous-byte-order"
    ) throw error;
    const [named] = arch === undefined ? [] : archesOf(arch);
    if (named !== undefined) {
      return decodeFilter(bytes, { littleEndian: named.littleEndian });
    }
    throw new InputError(
      "Cannot determine the byte order: the bytes are not a valid filter in either order; pass --arch",
      { cause: error },
    );
  }
}
