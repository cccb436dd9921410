/**
 * Splits assembly text into filters, and filters into instructions.
 *
 * @module
 */

import { MAX_ENCODED_LENGTH } from "../encode.ts";
import type {
  DraftSection,
  Label,
  NamedOrder,
  ReadSections,
  TextPlace,
  Written,
} from "./draft.ts";
import {
  type AssemblyLanguage,
  blankComments,
  detectLanguage,
  isPseudocode,
  stripColors,
} from "./language.ts";
import {
  isHeader,
  isRule,
  isSkipped,
  nameArguments,
  readPrefix,
} from "./listing.ts";
import { readInstruction } from "./parse_instruction.ts";
import { readListed } from "./parse_listed.ts";
import { readStatement } from "./parse_statement.ts";
import type { AssemblyProblems } from "./problems.ts";
import { StatementCursor } from "./statement_cursor.ts";
import {
  readStatementTokens,
  type StatementToken,
} from "./statement_tokens.ts";
import { createCursor } from "./tokens.ts";

const TRUNCATED =
  "Cannot read listing: instructions are omitted here; give all of them";
/** A line that is a directive. */
const DIRECTIVE = /^\s*\.(big-endian|little-endian|filter)\s*$/i;

/**
 * Reads the filters of a text.
 *
 * @param text Assembly text in any of the languages.
 * @param problems Receives the errors.
 * @returns The filters, oldest first, at least one.
 */
export function readSections(
  text: string,
  problems: AssemblyProblems,
): ReadSections {
  const shown = stripColors(text);
  if (isPseudocode(shown)) {
    const place = { line: 1, column: 1 };
    problems.add(
      "pseudocode",
      "Cannot read pseudocode: it does not define the order of the instructions; write the filter in another style",
      place,
    );
    return { sections: [{ ...place, written: [], labels: new Map() }] };
  }
  return new SectionReader(detectLanguage(shown) ?? "bpf_asm", problems)
    .read(shown);
}

class SectionReader {
  readonly #language: AssemblyLanguage;
  readonly #problems: AssemblyProblems;
  readonly #sections: DraftSection[] = [];
  #order: NamedOrder | undefined;
  /** True after a fatal error. */
  #stopped = false;
  /** Tokens of statements that are not parsed yet. */
  #tokens: StatementToken[] = [];

  constructor(language: AssemblyLanguage, problems: AssemblyProblems) {
    this.#language = language;
    this.#problems = problems;
  }

  read(text: string): ReadSections {
    const named = this.#language === "bpf_asm" ? text : nameArguments(text);
    const lines = named.split("\n");
    const blanked = blankComments(named, this.#language).split("\n");
    let end: TextPlace = { line: 1, column: 1 };
    for (const [i, whole] of lines.entries()) {
      if (this.#stopped || this.#problems.full) break;
      const line = (blanked[i] ?? "").replaceAll("\r", " ");
      const place = { line: i + 1, column: Math.max(line.search(/\S/), 0) + 1 };
      end = { line: i + 1, column: line.length + 1 };
      if (isHeader(whole)) this.#title(place);
      else if (isRule(line)) continue;
      else if (isSkipped(whole)) {
        this.#problems.add("truncated", TRUNCATED, place);
      } else if (DIRECTIVE.test(line)) {
        this.#directive(line, place);
        end = place;
      } else this.#line(line, place);
    }
    this.#flush(end);
    this.#finish(end);
    const order = this.#order;
    return { sections: this.#sections, ...(order && { order }) };
  }

  /** The title of a listing begins another filter. */
  #title(place: TextPlace): void {
    this.#flush(place);
    if ((this.#sections.at(-1)?.written.length ?? 0) === 0) return;
    this.#finish(place);
    this.#begin(place);
  }

  #directive(line: string, place: TextPlace): void {
    this.#flush(place);
    const name = DIRECTIVE.exec(line)?.[1]?.toLowerCase() ?? "";
    if (name === "filter") {
      if (this.#sections.length > 0) this.#finish(place);
      this.#begin(place);
    } else if (this.#order !== undefined || this.#sections.length > 0) {
      this.#problems.add(
        "misplaced-directive",
        `Cannot place ".${name}": it may occur only once, before all instructions`,
        place,
      );
    } else {
      this.#order = { littleEndian: name === "little-endian", ...place };
    }
  }

  #line(line: string, place: TextPlace): void {
    if (line.trim() === "") return;
    if (this.#language !== "bpf_asm") {
      const breaks = this.#language === "ceccomp";
      const { line: at } = place;
      for (
        const token of readStatementTokens(line, at, this.#problems, breaks)
      ) {
        this.#tokens.push(token);
      }
      return;
    }
    this.#problems.attempt(() => this.#instructions(line, place));
  }

  /** Reads a line of bpf_asm. */
  #instructions(line: string, place: TextPlace): void {
    const { first, fields, end } = readPrefix(line, place);
    if (first !== undefined) this.#label(first);
    const rest = " ".repeat(end) + line.slice(end);
    const cursor = createCursor(rest, place.line);
    let count = 0;
    do {
      for (
        let label = cursor.takeLabel();
        label !== undefined;
        label = cursor.takeLabel()
      ) this.#label(label);
      if (cursor.atEnd()) break;
      if (fields !== undefined && count > 0) cursor.expectEnd();
      const { line, column } = cursor.peek();
      const draft = readInstruction(cursor);
      this.#add({
        line,
        column,
        draft,
        ...(fields && { fields }),
        ...(first && count === 0 && { first }),
      });
      count++;
    } while (!cursor.atEnd());
    if (fields !== undefined && count === 0) {
      this.#add({ ...place, fields, ...(first && { first }) });
    }
  }

  /** Reads the statements so far. */
  #flush(end: TextPlace): void {
    const tokens = this.#tokens;
    if (tokens.length === 0) return;
    this.#tokens = [];
    const cursor = new StatementCursor(tokens, end);
    while (
      cursor.peek().kind !== "end" && !this.#stopped && !this.#problems.full
    ) {
      const before = cursor.peek();
      this.#problems.attempt(() => this.#statement(cursor));
      if (cursor.peek() === before) cursor.take();
    }
  }

  #statement(cursor: StatementCursor): void {
    const first = this.#labels(cursor);
    const start = cursor.peek();
    const { line, column, fields } = start;
    const written = { line, column, ...(first && { first }) };
    if (start.kind === "end") return;
    if (start.kind === "break") {
      cursor.take();
      return;
    }
    if (fields === undefined) {
      try {
        const draft = readStatement(cursor, this.#statements);
        if (this.#language === "ceccomp" && cursor.peek().kind !== "break") {
          throw cursor.unexpected("the end of the line");
        }
        this.#add({ ...written, draft });
      } catch (error) {
        // The next statement begins on a later line.
        cursor.recover(start);
        throw error;
      }
      return;
    }
    cursor.take();
    this.#labels(cursor);
    const listed = readListed(cursor, fields, this.#statements, this.#problems);
    this.#add({ ...written, ...listed });
  }

  /** Consumes labels; returns the one at the start of its line. */
  #labels(cursor: StatementCursor): Label | undefined {
    let first: Label | undefined;
    while (cursor.peek().kind === "label") {
      const { text, line, column, first: isFirst } = cursor.take();
      const label: Label = { kind: "word", text, line, column };
      if (isFirst) first = label;
      this.#label(label);
    }
    return first;
  }

  get #statements(): "seccomp-tools" | "ceccomp" {
    return this.#language === "ceccomp" ? "ceccomp" : "seccomp-tools";
  }

  #begin(place: TextPlace): DraftSection {
    const section: DraftSection = { ...place, written: [], labels: new Map() };
    this.#sections.push(section);
    return section;
  }

  #label(label: Label): void {
    const section = this.#sections.at(-1) ?? this.#begin(label);
    const { labels, written } = section;
    section.pending = label;
    if (label.text === "next" && this.#language === "seccomp-tools") {
      this.#problems.add(
        "duplicate-label",
        'Cannot place label "next": it means the next instruction; use another name',
        label,
      );
    } else if (labels.has(label.text)) {
      this.#problems.add(
        "duplicate-label",
        `Cannot place label "${label.text}": an earlier instruction has it; use another name`,
        label,
      );
    } else {
      labels.set(label.text, written.length);
    }
  }

  #add(written: Written): void {
    const section = this.#sections.at(-1) ?? this.#begin(written);
    section.pending = undefined;
    section.written.push(written);
    if (section.written.length <= MAX_ENCODED_LENGTH) return;
    this.#stopped = true;
    this.#problems.add(
      "program-too-long",
      `Cannot read program: more than ${MAX_ENCODED_LENGTH} instructions`,
      written,
    );
  }

  /** Refuses a filter that is empty or ends in a label. */
  #finish(place: TextPlace): void {
    const { pending, written } = this.#sections.at(-1) ?? this.#begin(place);
    if (pending !== undefined) {
      this.#problems.add(
        "dangling-label",
        `Cannot place label "${pending.text}": no instruction follows`,
        pending,
      );
    } else if (written.length === 0 && !this.#problems.any) {
      this.#problems.add(
        "empty-program",
        "Cannot read program: no instructions",
        place,
      );
    }
  }
}
