/**
 * Reads the filters of `compile -f json`, and of the reports of `disasm`, `asm`
 * and `dump`.
 *
 * @module
 */

import { encodeBase64 } from "../../../bpf/base64.ts";
import { encodeFilter, type Filter } from "../../../bpf/filter.ts";
import type { Instruction } from "../../../bpf/instruction.ts";
import { toOp } from "../../../bpf/opcode.ts";
import { parseJson } from "../../../profile/json/read.ts";
import { findMember, type JsonValue } from "../../../profile/json/value.ts";
import { AssemblyError } from "../../../bpf/error.ts";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { diagnosticAt, lineStartsOf } from "../../../profile/text.ts";

/** Filters of one or more documents, in their order. */
export interface JsonFilters {
  readonly filters: readonly Filter[];
  /** True for each filter that logs its answers; absent if unknown. */
  readonly logs: readonly (boolean | undefined)[];
}

/**
 * Reads filters.
 *
 * @param text One document, or several, each beginning on a line of its own.
 * @throws {AssemblyError} at the first value that `compile`, `disasm`, `asm`
 * and `dump` would not write.
 */
export function readJsonFilters(text: string): JsonFilters {
  const filters: Filter[] = [];
  const logs: (boolean | undefined)[] = [];
  let before = 0;
  for (const document of text.split(/(?<=^\}\r?\n)(?=\{)/m)) {
    placedAfter(before, () => {
      const reader = new FilterReader(document);
      for (const filter of reader.read()) {
        filters.push(filter);
        logs.push(reader.logs);
      }
    });
    before += document.split("\n").length - 1;
  }
  return { filters, logs };
}

/** Adds the lines of earlier documents to the position of an error. */
function placedAfter(lines: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    const [found] = error instanceof ProfileError ? error.diagnostics : [];
    if (found !== undefined) {
      const { line = 1, column = 1, code, message } = found;
      throw new AssemblyError(code, message, { line: line + lines, column });
    }
    if (!(error instanceof AssemblyError)) throw error;
    const { reason, detail, line, column } = error;
    throw new AssemblyError(reason, detail, { line: line + lines, column });
  }
}

class FilterReader {
  readonly #root: JsonValue;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#root = parseJson(text).root;
    this.#starts = lineStartsOf(text);
  }

  get logs(): boolean | undefined {
    const flags = this.#member(this.#root, "flags");
    if (flags?.kind !== "array") return undefined;
    return [...flags.items].some((flag) =>
      flag.kind === "string" && flag.value === "SECCOMP_FILTER_FLAG_LOG"
    );
  }

  read(): readonly Filter[] {
    const version = this.#member(this.#root, "schemaVersion");
    if (version === undefined || this.#number(version, 0xffff) !== 1) {
      throw this.#fail("schemaVersion is not 1", version ?? this.#root);
    }
    const list = this.#member(this.#root, "filters");
    if (list === undefined) return [this.#filter(this.#root, this.#root)];
    if (list.kind !== "array" || list.items.length === 0) {
      throw this.#fail("filters is not a list of filters", list);
    }
    return [...list.items].map((item) => this.#filter(item, this.#root));
  }

  #filter(value: JsonValue, outer: JsonValue): Filter {
    const order = this.#member(value, "littleEndian") ??
      this.#member(outer, "littleEndian");
    if (order?.kind !== "boolean") {
      throw this.#fail("littleEndian is not true or false", order ?? value);
    }
    const rows = this.#member(value, "instructions");
    if (rows?.kind !== "array") {
      throw this.#fail("instructions is not a list", rows ?? value);
    }
    const program = [...rows.items].map((row) => this.#instruction(row));
    const length = this.#member(value, "length");
    if (
      length !== undefined && this.#number(length, 0xffff) !== program.length
    ) {
      throw this.#fail(
        `length does not match the ${program.length} instructions`,
        length,
      );
    }
    const filter = { program, littleEndian: order.value };
    const bytes = this.#member(value, "base64");
    if (
      bytes !== undefined &&
      (bytes.kind !== "string" ||
        bytes.value !== encodeBase64(encodeFilter(filter)))
    ) throw this.#fail("base64 and instructions differ", bytes);
    return filter;
  }

  #instruction(row: JsonValue): Instruction {
    const field = (key: string, most: number): number => {
      const value = this.#member(row, key);
      if (value === undefined) throw this.#fail(`${key} is missing`, row);
      return this.#number(value, most);
    };
    return {
      op: toOp(field("code", 0xffff)),
      jt: field("jt", 0xff),
      jf: field("jf", 0xff),
      k: field("k", 0xffff_ffff),
    };
  }

  #number(value: JsonValue, most: number): number {
    const number = value.kind === "number" ? Number(value.text) : NaN;
    if (Number.isInteger(number) && number >= 0 && number <= most) {
      return number;
    }
    throw this.#fail(`not an integer from 0 to ${most}`, value);
  }

  #member(value: JsonValue, key: string): JsonValue | undefined {
    return value.kind === "object" ? findMember(value, key) : undefined;
  }

  #fail(message: string, { start }: JsonValue): AssemblyError {
    return new AssemblyError(
      "json-filter",
      `Cannot read filter: ${message}`,
      diagnosticAt(this.#starts, start),
    );
  }
}
