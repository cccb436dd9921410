/**
 * Recognizes the forms of filters that are distinct from every profile.
 *
 * @module
 */

import { detectLanguage, stripColors } from "../../../bpf/assembly/language.ts";

/** A form that is recognized here. */
export type RecognizedForm =
  | "json"
  | "strace"
  | "escapes"
  | "c"
  | "tcpdump"
  | "xxd"
  | "asm";

/** A line of strace, with or without pid and time. */
const STRACE_LINE =
  /^(?:\[pid\s+[0-9]+\]\s+|[0-9]+\s+)?(?:[0-9:.]+\s+)?\w+\(.*\)\s+=\s/;
/** A quoted string, possibly as the value of an assignment. */
const ESCAPES = /^(?:[\w\s*[\]=:.]*["'][ -~]*?)?\\x[0-9a-f]{2}/i;
/** The first line of a dump; seven digits are hexdump's own. */
const DUMP = /^(?:0{6,16}(?::\s|\s+[0-9a-f]{2}(?:\s|$))|0{7}\s)/i;
/** A list of bytes, as `xxd -i` writes it. */
const BYTES = /^(?:[^{}="']*=\s*[^{}="']*\{\s*)?(?:0x[0-9a-f]{2}\s*,\s*){7}/i;
/** Maximum number of lines to read to recognize a form. */
const MOST_LINES = 200;

/**
 * Recognizes a form.
 *
 * @param text The beginning of the source.
 * @returns The form; `undefined` if it may be a profile, or hex, base64 or the
 * language of bpf_asm.
 */
export function recognizeForm(text: string): RecognizedForm | undefined {
  const shown = stripColors(text).trim();
  if (
    /^\{\s*"schemaVersion"\s*:/.test(shown) &&
    /"(?:base64|filters)"\s*:/.test(shown)
  ) return "json";
  if (
    STRACE_LINE.test(shown) ||
    /\b(?:seccomp|prctl)\([^\n]{0,300}\bfilter\s*=/.test(shown)
  ) return "strace";
  if (ESCAPES.test(shown)) return "escapes";
  if (isSourceCode(shown)) return "c";
  if (isDecimalRows(shown)) return "tcpdump";
  if (DUMP.test(shown) || BYTES.test(shown)) return "xxd";
  const language = detectLanguage(shown);
  return language === undefined || language === "bpf_asm" ? undefined : "asm";
}

/** Reports whether a text has a list of instructions, or is one. */
function isSourceCode(text: string): boolean {
  const code = text.replace(/^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/, "");
  return /\bsock_filter\b|\bSockFilter\b/.test(text) ||
    /^[\s{[(]*(?:BPF_STMT|BPF_JUMP)\s*\(/.test(code) ||
    /^\[?\s*\{\s*(?:0x[0-9a-f]+|[0-9]+|BPF_\w+[^,}]*)\s*,/i.test(code);
}

/** Reports whether lines are a count and as many rows of four numbers. */
function isDecimalRows(text: string): boolean {
  let left = 0;
  for (const line of text.split("\n").slice(0, MOST_LINES)) {
    if (left === 0) {
      left = Number(/^\s*([1-9][0-9]{0,5})\s*$/.exec(line)?.[1] ?? 0);
      if (left === 0) return false;
    } else if (/^\s*(?:(?:0|[1-9][0-9]*)\s*){4}$/.test(line)) left--;
    else return false;
  }
  return true;
}
