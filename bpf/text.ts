/**
 * Reads programs from assembly text in three languages, which it tells apart by
 * the first line that shows one:
 *
 * ```text
 *         ld [4]                     A = arch                  $A = $arch
 *         jne #0xc000003e, bad       if (A != ARCH_X86_64)     if ($A != x86_64) goto bad
 *         ret #0x7fff0000              goto bad                return ALLOW
 * bad:    ret #0                     return ALLOW              bad: return KILL
 *                                    bad: return KILL
 * ```
 *
 * The first is that of the kernel's `bpf_asm`
 * (Documentation/networking/filter.rst), which `format.ts` writes; the others
 * are those of seccomp-tools and Ceccomp. Listings of their disassemblers, with
 * index and fields before each instruction, are read as well, with or without
 * color: see `assembly/listing.ts`.
 *
 * If `bpf_asm` has no words for something, it is written in a form that can be
 * read back: a target outside the program as its distance in instructions (`jeq
 * #0x1, 9, 0`), and an instruction whose unused fields are not 0, or whose code
 * has no name, as `.raw code, jt, jf, k`.
 *
 * Two more things are directives, on lines of their own. `.big-endian` or
 * `.little-endian` comes first and names the byte order of the machine; without
 * it, the order is inferred from the architectures that the text names.
 * `.filter` begins a filter if a thread has several; each filter has its own
 * labels.
 *
 * ```text
 *         .big-endian
 *         .filter               ; 0 of 2, oldest first
 *         ret #0x7fff0000
 *         .filter               ; 1 of 2
 *         ret #0x00050001
 * ```
 *
 * The reader accepts everything that `bpf_asm` accepts. Labels come before an
 * instruction or on lines of their own. Comments are `; …`, those of C, and
 * lines that begin with `#`; in the other languages, `# …`, `// …` and those of
 * C. Mnemonics, registers and keywords may be in either case; labels are
 * case-sensitive.
 *
 * @module
 */

import {
  linkFilters,
  type ParsedFilters,
  type ParseFiltersOptions,
} from "./assembly/link_filters.ts";
import { AssemblyProblems } from "./assembly/problems.ts";
import { readSections } from "./assembly/sections.ts";
import type { Program } from "./instruction.ts";

/**
 * Reads a program from assembly text.
 *
 * @throws {AssemblyError} with line and column of each error: an unknown word,
 * a number that does not fit, a label that is missing, duplicate, before the
 * jump or too far away, or no instruction at all. Several filters or a byte
 * order are errors as well, because a program cannot express them; see
 * `parseFilters`.
 *
 * @example Labels and pseudo-instructions
 * ```ts
 * import { parseText } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = parseText(`
 *         ld [0]
 *         jne #39, deny
 *         ret #0x7fff0000
 *   deny: ret #0x50001
 * `);
 * assertEquals(program[1], { op: "jeq.k", jt: 0, jf: 1, k: 39 });
 * ```
 *
 * @param text Assembly text.
 * @returns The instructions. Use `check` to find out whether the kernel accepts
 * them.
 */
export function parseText(text: string): Program {
  const problems = new AssemblyProblems();
  const read = readSections(text, problems);
  const [, second] = read.sections;
  const place = read.order ?? second;
  if (place !== undefined) {
    problems.add(
      "unexpected-token",
      `Cannot read a single program: ${
        read.order === undefined
          ? "another one follows"
          : "a byte order is given"
      }: use parseFilters`,
      place,
    );
  }
  return linkFilters(read, {}, problems).programs[0] ?? [];
}

/**
 * Reads filters from assembly text.
 *
 * @throws {AssemblyError} with line and column, under the conditions of
 * `parseText`, and at a misplaced directive.
 *
 * @example Two filters of a big-endian machine
 * ```ts
 * import { parseFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const { programs, littleEndian } = parseFilters(`
 *   .big-endian
 *   .filter
 *   ret #0x7fff0000
 *   .filter
 *   ret #0x50001
 * `);
 * assertEquals([programs.length, littleEndian], [2, false]);
 * ```
 *
 * @param text Assembly text.
 * @returns The filters, oldest first, and their byte order.
 * @category Filters
 */
export function parseFilters(
  text: string,
  options: ParseFiltersOptions = {},
): ParsedFilters {
  const problems = new AssemblyProblems();
  return linkFilters(readSections(text, problems), options, problems);
}
