/**
 * Recognizes input for other tools that was given instead of a profile, so that
 * a message can name it. It is not parsed any further.
 *
 * | format                        | begins like                            |
 * | ----------------------------- | -------------------------------------- |
 * | YAML, a Kubernetes object     | `apiVersion: …`, `defaultAction: …`    |
 * | LXC policy                    | `2`, then `denylist` on a line         |
 * | minijail policy               | `read: 1`, `@include …`                |
 * | kafel policy                  | `POLICY name {`, `ALLOW {`             |
 * | Firecracker filter (JSON)     | `{"vmm": {"default_action": …`         |
 * | a path or a word of a manager | `/etc/profile.json`, `runtime/default` |
 *
 * Sources: man lxc.container.conf(5) and LXC's doc/examples; man minijail0(5);
 * kafel's README; Firecracker's docs/seccompiler.md.
 *
 * @module
 */

import { findMember, type JsonObject, type JsonValue } from "../json/value.ts";
import { quote } from "../text.ts";

/** Description of a document that is not a profile. */
export interface ForeignFormat {
  /** Stable identifier in kebab-case. */
  readonly code: string;
  /** Its description. */
  readonly message: string;
  /** Remedy. */
  readonly fix: string;
}

/**
 * Number of characters, after all comments, in which the format can be
 * recognized.
 */
const MOST_LOOKED_AT = 1 << 16;
/** Comments of every format here: `#`, `;`, `//` and blocks. */
const LEADING_COMMENTS =
  /^(?:\s+|\ufeff|\/\*[^]*?\*\/|(?:\/\/|[#;])[^\n]*(?:\n|$))+/;

/** Mnemonics that distinguish a label of assembly text from a key. */
const MNEMONIC =
  "(?:ldx?[hib]?|stx?|j[a-z]+|ret|add|sub|mul|div|mod|neg|and|or|xor|lsh|rsh|tax|txa)\\b";
/** Keys at the top of a Kubernetes object or a profile. */
const YAML = new RegExp(
  `^(?:%YAML|---|["']?(?:apiVersion|kind|metadata|spec|items|defaultAction|defaultErrnoRet|syscalls|architectures|archMap|flags|listenerPath|baseProfileName)["']?:(?!\\s*${MNEMONIC})(?:\\s|$))`,
);
const LXC =
  /^(?:[12]\s*\r?\n\s*(?:whitelist|allowlist|blacklist|denylist)\b|lxc\.[\w.]+\s*=)/;
const MINIJAIL =
  /^(?:@(?:include|default|frequency|denylist)\b|(?:\{[^}\n]*\}|[a-z_][\w,\[\]= ]*?)\s*:\s*(?:1\s*(?:$|[;#|&])|(?:allow|kill(?:-process|-thread)?|trap|trace|log|user-notify|return)\b|!?\s*\(?\s*arg[0-5]\b))/;
const KAFEL =
  /^(?:POLICY\s+\w+\s*\{|USE\s+\w+\s*(?:,|DEFAULT\b)|DEFAULT\s+[A-Z]|(?:ALLOW|DENY|KILL(?:_PROCESS|_THREAD)?|LOG|TRAP|TRACE|ERRNO|USER_NOTIF)\s*(?:\(\s*\w+\s*\))?\s*\{)/;
/** One line that is a path; base64 contains no dot. */
const PATH =
  /^(?:[.~]{0,2}\/[^\n]*|[\w@+-][\w@.+\/-]*\.(?:json|ya?ml|bpf|conf|policy|seccomp))$/;
/** Words that stand for a profile in the settings of container managers. */
const WORD =
  /^(?:unconfined|default|runtime\/default|docker\/default|localhost\/\S+|RuntimeDefault|Unconfined)$/;

const LIST_CALLS = "list its calls in a Docker or OCI profile";

/**
 * Removes the comments at the beginning of a text.
 *
 * @param text The text.
 * @returns The text after blanks and comments, up to 64 Ki characters.
 */
export function afterComments(text: string): string {
  return text.slice(0, MOST_LOOKED_AT).replace(LEADING_COMMENTS, "");
}

/**
 * Recognizes a text that is not JSON.
 *
 * @example A policy of minijail
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { foreignText } from "./foreign.ts";
 *
 * assertEquals(foreignText("# base\nread: 1\n")?.code, "minijail-policy");
 * assertEquals(foreignText('{"defaultAction": "SCMP_ACT_ERRNO"}'), undefined);
 * ```
 *
 * @param text The text.
 * @returns Its description, or `undefined` if it may be JSON.
 */
export function foreignText(text: string): ForeignFormat | undefined {
  // Most texts are JSON objects, and no other format begins like one.
  if (/^\s*\{\s*"/.test(text)) return undefined;
  const head = afterComments(text);
  if (YAML.test(head)) {
    return {
      code: "yaml",
      message:
        "Cannot read a profile from YAML, such as a Kubernetes SeccompProfile",
      fix: "give the profile as JSON; in a SeccompProfile, it is the spec",
    };
  }
  if (LXC.test(head)) {
    return {
      code: "lxc-policy",
      message: "Cannot read a profile from an LXC policy",
      fix: LIST_CALLS,
    };
  }
  const [firstLine = ""] = head.split(/\r?\n/, 1);
  if (MINIJAIL.test(firstLine)) {
    return {
      code: "minijail-policy",
      message: "Cannot read a profile from a minijail policy",
      fix:
        `${LIST_CALLS}, or give the filter that minijail's compile_seccomp_policy makes from it`,
    };
  }
  if (KAFEL.test(head)) {
    return {
      code: "kafel-policy",
      message: "Cannot read a profile from a kafel policy",
      fix:
        `${LIST_CALLS}, or give the filter that kafel's dump_policy_bpf makes from it`,
    };
  }
  const line = head.trim();
  return line.includes("\n") ? undefined : foreignWord(line);
}

/**
 * Recognizes a value that is not an object with a profile's fields.
 *
 * @param value The root of a document.
 * @returns Its description, or `undefined` if it may be a profile.
 */
export function foreignValue(value: JsonValue): ForeignFormat | undefined {
  if (value.kind === "string") return foreignWord(value.value);
  return value.kind === "object" ? foreignObject(value) : undefined;
}

/** Recognizes a path, or a word of a container manager. */
function foreignWord(word: string): ForeignFormat | undefined {
  if (PATH.test(word)) {
    return {
      code: "path",
      message: `Cannot read a profile from the path ${quote(word)}`,
      fix: "give the file there",
    };
  }
  if (!WORD.test(word)) return undefined;
  return {
    code: "profile-word",
    message: `Cannot read a profile from the word ${quote(word)}`,
    fix: /^unconfined$/i.test(word)
      ? "an unconfined container has no filter"
      : "give the file that it stands for, or default:docker",
  };
}

function foreignObject(object: JsonObject): ForeignFormat | undefined {
  const has = (key: string): boolean => findMember(object, key) !== undefined;
  if (has("apiVersion") && has("kind")) {
    return {
      code: "kubernetes-object",
      message: "Cannot read a profile from a Kubernetes object",
      fix: "give the profile in its spec as a file by itself",
    };
  }
  if (has("localhostProfile") || has("seccompProfile")) {
    return {
      code: "path",
      message: "Cannot read a profile from a Kubernetes security context",
      fix: "give the file that localhostProfile names",
    };
  }
  if (has("seccomp-profile")) {
    return {
      code: "path",
      message: "Cannot read a profile from settings of dockerd",
      fix: 'give the file that "seccomp-profile" names',
    };
  }
  if (has("status") && has("bundle") && has("id")) {
    return {
      code: "container-state",
      message:
        "Cannot read a profile from a container's state, which is what hooks get after create",
      fix: "give config.json; changes to it have no effect from that stage on",
    };
  }
  const { members } = object;
  if (
    isFirecracker(object) ||
    (members.length > 0 && members.every((m) => isFirecracker(m.value)))
  ) {
    return {
      code: "firecracker-filter",
      message: "Cannot read a profile from a filter in Firecracker's format",
      fix: LIST_CALLS,
    };
  }
  return undefined;
}

/** Recognizes Firecracker's filter for one kind of thread. */
function isFirecracker(value: JsonValue): boolean {
  if (value.kind !== "object") return false;
  const has = (key: string): boolean => findMember(value, key) !== undefined;
  return has("filter") && (has("default_action") || has("mismatch_action"));
}
