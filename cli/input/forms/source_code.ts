/**
 * Reads filters in source code: lists of `struct sock_filter` in C, Go and
 * Rust, and the macros of linux/filter.h.
 *
 * ```c
 * struct sock_filter filter[] = {
 *   { 0x20, 0, 0, 0x00000004 },
 *   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
 *   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
 * };
 * ```
 *
 * @module
 */

import type {
  Draft,
  DraftSection,
  NamedCall,
  Written,
} from "../../../bpf/assembly/draft.ts";
import type { AssemblyProblems } from "../../../bpf/assembly/problems.ts";
import { toOp } from "../../../bpf/opcode.ts";
import { didYouMean } from "../../../tables/suggest.ts";
import { lineStartsOf } from "../../../profile/text.ts";
import { CODE_NAMES } from "./code_names.ts";
import { blankCode, CodeCursor, nameOf } from "./code_tokens.ts";

/** Beginning of a list: the declaration, and its announced length. */
const LIST =
  /\bsock_filter\b(?:[^;={}()]{0,200}\[\s*(?<c>[0-9]*)\s*\]|\s*;\s*(?<rust>[0-9]+)\s*\])\s*=\s*(?:&?\s*)[{[]|\bSockFilter\s*\{|\bsock_filter\b[^;={}()]{0,200}=\s*(?:&\s*)?(?:vec!\s*)?[{[]/g;

const CLOSERS: Readonly<Record<string, string>> = { "{": "}", "[": "]" };
const U8 = 0xff;
const U16 = 0xffff;
/** Elements of a list, and fields of one. */
const FIELDS = ["code", "jt", "jf", "k"] as const;

/** Remark of `compile -f c` and the like. */
const BIG_ENDIAN = /instructions for a big-endian machine, by seccomp-tree/;

/** The byte order that a remark of this program names. */
export function orderInRemark(text: string): false | undefined {
  return BIG_ENDIAN.test(text) ? false : undefined;
}

/**
 * Reads the filters of a text.
 *
 * @param text Source code with one list or several, or only the elements of a
 * list.
 * @param problems Receives the errors.
 * @returns The filters, in the order of the text.
 */
export function readSourceCode(
  text: string,
  problems: AssemblyProblems,
): readonly DraftSection[] {
  const code = blankCode(text);
  const lists = [...code.matchAll(LIST)];
  if (lists.length === 0) return [readBare(code, problems)];
  const starts = lineStartsOf(code);
  return lists.map((list) => {
    const { c, rust } = list.groups ?? {};
    const length = Number(c || rust || NaN);
    const end = list.index + list[0].length;
    const cursor = new CodeCursor(code, end, starts);
    const closer = CLOSERS[code.charAt(end - 1)] ?? "}";
    return readList(cursor, closer, length, problems);
  });
}

/** The elements of a list without a declaration. */
function readBare(code: string, problems: AssemblyProblems): DraftSection {
  const inner = /^\s*[{[]\s*(?=[{[B(])/.exec(code)?.[0];
  const start = inner?.length ?? 0;
  const closer = inner === undefined
    ? ""
    : CLOSERS[inner.trim().charAt(0)] ?? "";
  const cursor = new CodeCursor(code, start);
  const section = readList(cursor, closer, NaN, problems);
  cursor.accept(";");
  if (!problems.any && cursor.peek().kind !== "end") {
    problems.attempt(() => {
      throw cursor.unexpected("the end of the text");
    });
  }
  return section;
}

/**
 * Reads the elements of a list.
 *
 * @param cursor Position after the opening bracket.
 * @param closer The closing bracket; empty for the end of the text.
 * @param length Announced number of elements; NaN if there is no such number.
 * @param problems Receives the errors.
 */
export function readList(
  cursor: CodeCursor,
  closer: string,
  length: number,
  problems: AssemblyProblems,
): DraftSection {
  const start = cursor.placeOf(cursor.peek());
  const section: DraftSection = { ...start, written: [], labels: new Map() };
  const { written } = section;
  problems.attempt(() => {
    while (
      closer === "" ? cursor.peek().kind !== "end" : !cursor.accept(closer)
    ) {
      if (closer === "" && cursor.peek().text === ";") return;
      written.push(readElement(cursor));
      if (!cursor.accept(",") && cursor.peek().text !== closer) {
        if (closer === "") return;
        throw cursor.unexpected(`"," or "${closer}"`);
      }
    }
    if (!Number.isNaN(length) && length !== written.length) {
      problems.add(
        "wrong-length",
        `Cannot read list: ${length} instructions are announced, and ${written.length} are given`,
        start,
      );
    }
  });
  if (written.length === 0 && !problems.any) {
    problems.add(
      "empty-program",
      "Cannot read program: no instructions",
      start,
    );
  }
  return section;
}

function readElement(cursor: CodeCursor): Written {
  const token = cursor.peek();
  const place = cursor.placeOf(token);
  const name = nameOf(token);
  if (token.kind === "word" && (name === "BPF_STMT" || name === "BPF_JUMP")) {
    cursor.take();
    cursor.expect("(");
    const code = cursor.takeNumber(U16);
    cursor.expect(",");
    const k = cursor.takeValue();
    let [jt, jf] = [0, 0];
    if (name === "BPF_JUMP") {
      cursor.expect(",");
      jt = cursor.takeNumber(U8);
      cursor.expect(",");
      jf = cursor.takeNumber(U8);
    }
    cursor.expect(")");
    return { ...place, draft: draftOf(code, jt, jf, k) };
  }
  if (/^(?:sock_filter|SockFilter)$/.test(name)) cursor.take();
  else if (token.kind === "word") {
    const near = didYouMean(name, ["BPF_STMT", "BPF_JUMP", ...CODE_NAMES]);
    throw cursor.unexpected(
      `an instruction, as { code, jt, jf, k }, BPF_STMT(…) or BPF_JUMP(…)${
        near === undefined ? "" : `; did you mean ${near}`
      }`,
    );
  }
  if (!cursor.accept("{")) {
    throw cursor.unexpected("an instruction, as { code, jt, jf, k }");
  }
  return { ...place, draft: readFields(cursor) };
}

/** `code, jt, jf, k }`, or `.code = …`, or `code: …` */
function readFields(cursor: CodeCursor): Draft {
  const values = new Map<string, number | NamedCall>();
  for (let i = 0; !cursor.accept("}"); i++) {
    const dotted = cursor.accept(".");
    const named = cursor.peek().text.toLowerCase();
    const isNamed = (FIELDS as readonly string[]).includes(named);
    if (dotted && !isNamed) throw cursor.unexpected("code, jt, jf or k");
    const key = isNamed ? named : FIELDS[i];
    if (key === undefined || values.has(key)) {
      throw cursor.unexpected('"}": an instruction has code, jt, jf and k');
    }
    if (isNamed) {
      cursor.take();
      cursor.expect(dotted ? "=" : ":");
    }
    values.set(
      key,
      key === "k"
        ? cursor.takeValue()
        : cursor.takeNumber(key === "code" ? U16 : U8),
    );
    if (!cursor.accept(",") && cursor.peek().text !== "}") {
      throw cursor.unexpected('"," or "}"');
    }
  }
  const number = (key: string): number => {
    const value = values.get(key) ?? 0;
    return typeof value === "number" ? value : 0;
  };
  if (!values.has("code")) throw cursor.unexpected("the code before this");
  return draftOf(
    number("code"),
    number("jt"),
    number("jf"),
    values.get("k") ?? 0,
  );
}

function draftOf(
  code: number,
  jt: number,
  jf: number,
  k: number | NamedCall,
): Draft {
  return { op: toOp(code), jt, jf, k };
}
