/**
 * Detects the format of a source from its bytes.
 *
 * @module
 */

import {
  afterComments,
  foreignText,
} from "../../../profile/formats/foreign.ts";
import { InputError } from "../../error.ts";
import { recognizeForm } from "../forms/recognize.ts";
import type { SourceKind } from "../source_kinds.ts";

/**
 * Maximum number of bytes to examine: no profile needs more to be recognized.
 */
const MOST_LOOKED_AT = 1 << 16;

/** An object of the Security Profiles Operator, in block style. */
const SECCOMP_PROFILE = /^["']?kind["']?:\s*["']?SeccompProfile\b/m;

/** A setting of a systemd unit that makes a filter. */
const SYSTEMD =
  /^[ \t]*SystemCall(?:Filter|Log|Architectures|ErrorNumber)[ \t]*=/m;
/** A line of a minijail policy, or an empty one. */
const MINIJAIL_LINE =
  /^\s*(?:#.*|@(?:include|frequency|default|denylist)\b.*|(?:\{[^}]*\}|[a-z_][\w@-]*(?:\[[^\]]*\])?)\s*:\s*(?:1|allow|kill(?:-process|-thread)?|trap|trace|log|user-notify|return\s+(?:E[A-Z0-9]+|[0-9]\w*)|\{.*\}|\(?\s*arg[0-5]\b.*)\s*(?:#.*)?)?$/;
/** A field of Firecracker's filters, and one that only profiles have. */
const FIRECRACKER = /"(?:default|mismatch)_action"\s*:/;
const PROFILE = /"defaultAction"\s*:/;

/** `\x7fELF`. */
const ELF = [0x7f, 0x45, 0x4c, 0x46] as const;
const BRACE = 0x7b;
/** Number of characters in one instruction; shorter text is not a filter. */
const LEAST_BASE64 = 12;

/**
 * Detects the format; anything doubtful is treated as a profile, whose errors
 * are the clearest.
 *
 * @param name Name of the source, for messages.
 * @param bytes The source, not empty.
 * @throws {InputError} if it is an ELF file.
 */
export function guessKind(name: string, bytes: Uint8Array): SourceKind {
  if (ELF.every((byte, i) => bytes[i] === byte)) {
    throw new InputError(
      "Cannot read an ELF file: it contains eBPF or machine code; give classic BPF, an array of struct sock_filter",
      { place: name },
    );
  }
  if (isUtf16(bytes)) return "profile";
  const head = bytes.subarray(0, MOST_LOOKED_AT);
  const whole = new TextDecoder().decode(head);
  // Before forms of filters, which also have words such as return.
  if (!head.includes(0) && isMinijail(whole)) return "minijail";
  const form = head.includes(0) ? undefined : recognizeForm(whole);
  if (form !== undefined) return form;
  const text = afterComments(whole);
  if (SYSTEMD.test(whole) && !/^[{"]/.test(text)) return "systemd";
  if (
    text.startsWith("{") && FIRECRACKER.test(whole) && !PROFILE.test(whole)
  ) return "firecracker";
  if (/^[{["]/.test(text)) return "profile";
  // Text contains no NUL; every filter does, in the high bytes of its codes.
  if (head.includes(0)) return "raw";
  // The reader of profiles recognizes the input of other tools.
  const foreign = foreignText(text);
  if (foreign?.code === "yaml" && SECCOMP_PROFILE.test(text)) return "yaml";
  if (foreign?.code === "lxc-policy" && /^2\s/.test(text)) return "lxc";
  if (foreign !== undefined) return "profile";
  const solid = text.replace(/\s/g, "");
  if (/^[0-9a-f]+$/i.test(solid) && solid.length % 16 === 0) return "hex";
  const lines = text.trim().split(/\r?\n/);
  if (
    solid.length >= LEAST_BASE64 &&
    lines.every((line) => /^[A-Za-z0-9+/]+={0,2}$/.test(line))
  ) return "base64";
  return /^(?:[.\w]+:|\.?[a-z]+\b)/i.test(text) &&
      !/^(?:null|true|false)\b|^\d+\s*$/.test(text)
    ? "asm"
    : "profile";
}

/** All lines are those of a policy, and one is not empty. */
function isMinijail(text: string): boolean {
  const lines = text.replace(/\\\r?\n/g, " ").split(/\r?\n/);
  // The last line may be cut.
  const whole = text.length < MOST_LOOKED_AT ? lines : lines.slice(0, -1);
  return whole.every((line) => MINIJAIL_LINE.test(line)) &&
    whole.some((line) => /^\s*[^\s#]/.test(line));
}

/** With a byte order mark, or with a brace of two bytes. */
function isUtf16([first, second]: Uint8Array): boolean {
  return first === 0xff && second === 0xfe ||
    first === 0xfe && second === 0xff ||
    first === BRACE && second === 0 || first === 0 && second === BRACE;
}
