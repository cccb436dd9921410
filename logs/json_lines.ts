/**
 * Logs that are JSON: journald's `-o json`, `json-pretty` and `json-seq`,
 * `dmesg -J`, and the objects of other collectors with a message in them.
 *
 * @module
 */

import type { LineContext } from "./line.ts";

/** Messages of one object, with accompanying facts. */
export interface JsonMessages {
  /** Lines of text. */
  readonly lines: readonly string[];
  /** Time, machine and audit id, as journald writes them. */
  readonly context: LineContext;
}

/**
 * Maximum number of levels to search for messages, and of texts in one object.
 */
const MAX_DEPTH = 4;
const MAX_TEXTS = 256;

/** Maximum number of characters in an object that spans several lines. */
const MAX_OBJECT = 1 << 20;

/**
 * Words that an object must contain to be worth parsing; byte arrays hide them.
 */
const WORDS =
  /1326|SECCOMP|seccomp|SIGSYS|blocked syscall|callbacks suppressed/;
const BYTES = /"(?:MESSAGE|msg)"\s*:\s*\[/;

/**
 * Reads an object.
 *
 * @param text Text of JSON.
 * @returns Its messages; `undefined` if the text is not an object.
 */
export function readJsonMessages(text: string): JsonMessages | undefined {
  if (!WORDS.test(text) && !BYTES.test(text)) {
    return { lines: [], context: {} };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const texts: string[] = [];
  // The other fields of journald contain text from processes, not messages.
  collect(Object.hasOwn(value, "MESSAGE") ? value["MESSAGE"] : value, texts, 0);
  return {
    lines: texts.flatMap((each) => each.split("\n")),
    context: contextOf(value),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Collects all texts; an array of bytes is a text that is not UTF-8. */
function collect(value: unknown, texts: string[], depth: number): void {
  if (texts.length >= MAX_TEXTS || depth > MAX_DEPTH) return;
  if (typeof value === "string") {
    texts.push(value);
  } else if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isByte)) {
      texts.push(new TextDecoder().decode(Uint8Array.from(value)));
    } else {
      for (const each of value) collect(each, texts, depth + 1);
    }
  } else if (isObject(value)) {
    for (const each of Object.values(value)) collect(each, texts, depth + 1);
  }
}

function isByte(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256;
}

/** The fields of journald; systemd.journal-fields(7). */
function contextOf(object: JsonObject): LineContext {
  const digits = (name: string): string | undefined => {
    const value = object[name];
    return typeof value === "string" && /^\d{1,20}$/.test(value)
      ? value
      : undefined;
  };
  const microseconds = digits("_SOURCE_REALTIME_TIMESTAMP") ??
    digits("__REALTIME_TIMESTAMP");
  const serial = digits("_AUDIT_ID");
  const time = microseconds === undefined
    ? undefined
    : Math.floor(Number(microseconds) / 1000);
  const host = object["_HOSTNAME"];
  return {
    ...(time === undefined ? {} : { time }),
    ...(time === undefined || serial === undefined ? {} : {
      id: `${Math.floor(time / 1000)}.${
        String(time % 1000).padStart(3, "0")
      }:${serial}`,
    }),
    ...(typeof host === "string" ? { host } : {}),
  };
}

/** Reassembles objects that span several lines. */
export class PrettyObjects {
  /** Texts of the open objects, outermost first. */
  #open: string[] = [];
  #length = 0;

  /** True between the first and the last line of an object. */
  get inside(): boolean {
    return this.#open.length > 0;
  }

  /**
   * Takes a line.
   *
   * @returns The text of the innermost object if it ends here.
   */
  push(line: string): string | undefined {
    const text = line.trim();
    let ended: string | undefined;
    if (/^\}/.test(text) && this.inside) {
      ended = `{${this.#open.pop()}}`;
      const top = this.#open.length - 1;
      // A nested object was removed; a comma may follow it.
      if (top >= 0 && /,\s*$/.test(text)) this.#open[top] += ",";
      this.#length -= ended.length;
    }
    if (/\{$/.test(text)) {
      const top = this.#open.length - 1;
      if (top >= 0 && !/^\}/.test(text)) {
        this.#open[top] += `${text.slice(0, -1)} null`;
      }
      this.#open.push("");
    } else if (!/^\}/.test(text) && this.inside) {
      this.#open[this.#open.length - 1] += `${text}\n`;
    }
    this.#length += text.length;
    // The text is not JSON after all, or the object is too long.
    if (this.#length > MAX_OBJECT || this.#open.length > 64) this.clear();
    return ended;
  }

  /** Forgets all open objects. */
  clear(): void {
    this.#open = [];
    this.#length = 0;
  }
}
