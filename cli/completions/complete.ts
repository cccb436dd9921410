/**
 * The possible continuations of a command line: one engine for the completions
 * of all shells. The scripts in this folder call it through the hidden command
 * `__complete`; see {@linkcode formatCompletion} for its output.
 *
 * Commands, options and listed values come from the definitions of the
 * commands. For any other value or argument, its placeholder determines the
 * kind.
 *
 * @module
 */

import { createApp } from "../app.ts";
import {
  type CommandInfo,
  commandsOf,
  type FlagInfo,
  takesValue,
} from "../output/reflect.ts";
import { printable } from "../../tables/printable.ts";

/** Possible continuations. */
export interface Completion {
  /**
   * Completion that the shell adds: nothing, files, folders, or the completion
   * of the command after `--`.
   */
  readonly shell: "none" | "files" | "folders" | "command";
  /** Text before a file or a folder within the word, such as `--out=`. */
  readonly prefix: string;
  /** Whole words that begin with the typed text. */
  readonly candidates: readonly Candidate[];
}

/** A possible word at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly brief: string;
}

/** Input of a completer. */
interface Context {
  /** Typed part of the value or argument. */
  readonly typed: string;
  /** Arguments before it, without the command. */
  readonly before: readonly string[];
  /** The value of `--arch`, if there is one. */
  readonly arch: string | undefined;
}

/** Values for a placeholder, and the completion that the shell adds. */
interface Choice {
  readonly shell?: "none" | "files" | "folders";
  /** Typed part to keep, before a file or a folder. */
  readonly prefix?: string;
  readonly candidates?: readonly Candidate[];
}

type Completer = (context: Context) => Choice | Promise<Choice>;

/** Placeholders of values and arguments; a test checks that it is complete. */
const COMPLETERS: Readonly<Record<string, Completer>> = {
  FILE: () => ({ shell: "files" }),
  PATH: () => ({ shell: "files" }),
  DIR: () => ({ shell: "folders" }),
  BUNDLE: () => ({ shell: "folders" }),
  SOURCE: completeSource,
  A: completeSource,
  B: completeSource,
  BASE: completeSource,
  PROFILE: completeSource,
  "pid:N": ({ typed }) =>
    typed.startsWith("pid:")
      ? { candidates: confinedProcesses() }
      : { candidates: [{ value: "pid:", brief: "a live process" }] },
  "A,B": completeArches,
  CAPS: completeCapabilities,
  SYSCALL: completeCall,
  CALL: completeCall,
  "CALL[:COND]": completeCall,
  "ERR:CALL[:COND]": () => ({}),
  NAME: () => ({}),
  "NAME|NR": completeName,
  "ACTION|CALL": completeActionOrCall,
  "ID,ID": async ({ typed }) => {
    const { LINT_IDS } = await import("../../lint/catalog.ts");
    return listOf(typed, LINT_IDS);
  },
  MANAGER: async () => {
    const { TARGETS } = await import("../../install/changes/manifest.ts");
    return plain(TARGETS);
  },
  PRESET: async () => {
    const { PRESETS } = await import("../../profile/presets.ts");
    return {
      candidates: PRESETS.map(({ name, brief }) => ({ value: name, brief })),
    };
  },
  SHELL: () => plain(["bash", "zsh", "fish"]),
  ACTION: async () => {
    const { STORE_ACTIONS: ACTIONS } = await import("../commands/store.ts");
    return plain(ACTIONS);
  },
  // After an action of `store`.
  "KEY|PROFILE": ({ before, ...context }) =>
    before[0] === "prime" ? completeSource({ before, ...context }) : {},
  RUNTIME: () => plain(["crun", "runc"]),
  LOG: () => ({ ...plain(["syslog", "stderr"]), shell: "files" }),
  COMMAND: () => ({}),
  ARG: () => ({}),
  N: () => ({}),
  ADDR: () => ({}),
  SHARE: () => ({}),
  "NAME,NAME": () => plain(["default", "crun"]),
  NN: () => ({}),
  "ADDR:PORT": () => ({}),
  "X.Y": () => ({}),
  TIME: () => plain(["1h", "1d", "today", "yesterday"]),
};

/** Reports whether the engine knows a placeholder. */
export function isKnownPlaceholder(placeholder: string): boolean {
  return placeholder.split(" ").every((name) =>
    Object.hasOwn(COMPLETERS, name)
  );
}

/** Options of the program itself, which every command takes. */
const GLOBAL: readonly FlagInfo[] = [
  flag("help", "Help", undefined),
  flag("color", "Colored text", ["auto", "always", "never"]),
];

const VERSION: FlagInfo = flag("version", "Version", undefined);

function flag(
  name: string,
  brief: string,
  values: readonly string[] | undefined,
): FlagInfo {
  return {
    ...{ name, external: name, brief, values },
    ...{ alias: undefined, placeholder: undefined, preset: undefined },
  };
}

/**
 * Completes a command line.
 *
 * @param words The words after the program's name up to the cursor; the last
 * one is the typed part of the word at the cursor, and may be empty.
 */
export async function complete(words: readonly string[]): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const [name = "", ...rest] = words;
  if (rest.length === 0) return await completeFirst(typed);
  if (name === "help") {
    return rest.length === 1 ? matching(typed, await commandNames()) : NOTHING;
  }
  const command = commandsOf(await createApp(name)).find((c) =>
    c.name === name
  );
  return command === undefined ? NOTHING : await completeWord(command, rest);
}

/**
 * Writes a completion for a script: the first line has the shell's own
 * completion and the prefix, each further line a candidate with its
 * explanation; fields are separated by tabs.
 */
export function formatCompletion(
  { shell, prefix, candidates }: Completion,
): string {
  const lines = [
    [shell, prefix],
    ...candidates.map(({ value, brief }) => [value, brief]),
  ];
  return lines.map((fields) => `${fields.map(printable).join("\t")}\n`).join(
    "",
  );
}

const NOTHING: Completion = { shell: "none", prefix: "", candidates: [] };

async function completeFirst(typed: string): Promise<Completion> {
  const options = [...GLOBAL, VERSION].map(optionOf);
  return matching(
    typed,
    typed.startsWith("-") ? options : await commandNames(),
  );
}

async function commandNames(): Promise<readonly Candidate[]> {
  return commandsOf(await createApp()).map(({ name, brief }) => ({
    value: name,
    brief,
  }));
}

/** Completes a word after the command's name. */
async function completeWord(
  command: CommandInfo,
  words: readonly string[],
): Promise<Completion> {
  const flags = [...command.flags, ...GLOBAL];
  const typed = words.at(-1) ?? "";
  const seen = scan(words.slice(0, -1), flags);
  const { before, literal, pending } = seen;
  const arch = seen.values.get("arch");
  const value = async (
    { values, placeholder = "" }: FlagInfo,
    prefix: string,
  ): Promise<Completion> => {
    const choice = values === undefined
      ? await choose(placeholder, {
        typed: typed.slice(prefix.length),
        ...{ before, arch },
      })
      : plain(values);
    return completion(typed, prefix, choice);
  };
  if (pending !== undefined) return await value(pending, "");
  if (!literal && typed.startsWith("-")) {
    const attached = attachedValue(typed, flags);
    if (attached !== undefined) {
      return await value(attached.flag, attached.prefix);
    }
    return matching(typed, flags.flatMap((f) => spellings(f, typed)));
  }
  const placeholder = placeholderAt(command, before.length);
  if (placeholder === "COMMAND" && literal) {
    return { ...NOTHING, shell: "command" };
  }
  const choice = await choose(placeholder, { typed, before, arch });
  return completion(typed, "", choice);
}

/** Interpretation of the words before the cursor. */
interface Scan {
  /** Arguments that are not options. */
  readonly before: readonly string[];
  /** True if `--` precedes the cursor, so nothing after it is an option. */
  readonly literal: boolean;
  /** The option that waits for its value. */
  readonly pending: FlagInfo | undefined;
  /** Values of options by name. */
  readonly values: ReadonlyMap<string, string>;
}

function scan(words: readonly string[], flags: readonly FlagInfo[]): Scan {
  const before: string[] = [];
  const values = new Map<string, string>();
  let literal = false;
  let pending: FlagInfo | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      values.set(pending.name, word);
      pending = undefined;
    } else if (literal || !word.startsWith("-") || word === "-") {
      before.push(word);
    } else if (word === "--") literal = true;
    else {
      const attached = attachedValue(word, flags);
      const last = attached?.flag ?? lastFlag(word, flags);
      if (last === undefined) continue;
      if (attached !== undefined) {
        values.set(last.name, word.slice(attached.prefix.length));
      } else if (takesValue(last)) pending = last;
    }
  }
  return { before, literal, pending, values };
}

/** The option that a word ends in: `--format`, or `-f` of `-qf`. */
function lastFlag(
  word: string,
  flags: readonly FlagInfo[],
): FlagInfo | undefined {
  return word.startsWith("--")
    ? flags.find(({ external }) => `--${external}` === word)
    : flags.find(({ alias }) => alias !== undefined && word.endsWith(alias));
}

/** Finds the option whose value is in the same word: `--format=h`, `-qfh`. */
function attachedValue(
  word: string,
  flags: readonly FlagInfo[],
): { readonly flag: FlagInfo; readonly prefix: string } | undefined {
  const [, long] = /^--([^=]+)=/.exec(word) ?? [];
  if (long !== undefined) {
    const flag = flags.find(({ external }) => external === long);
    const found = flag !== undefined && takesValue(flag);
    return found ? { flag, prefix: `--${long}=` } : undefined;
  }
  if (word.startsWith("--")) return undefined;
  for (let i = 1; i < word.length - 1; i++) {
    const flag = flags.find(({ alias }) => alias === word[i]);
    if (flag === undefined) return undefined;
    if (!takesValue(flag)) continue;
    const end = word[i + 1] === "=" ? i + 2 : i + 1;
    return { flag, prefix: word.slice(0, end) };
  }
  return undefined;
}

/** The spellings of an option; if only a dash was typed, the short ones. */
function spellings(flag: FlagInfo, typed: string): readonly Candidate[] {
  const { alias, brief } = flag;
  const short = typed === "-" && alias !== undefined
    ? [{ value: `-${alias}`, brief }]
    : [];
  return [...short, optionOf(flag)];
}

function optionOf({ external, brief }: FlagInfo): Candidate {
  return { value: `--${external}`, brief };
}

/** The placeholder of an argument; empty beyond the last one. */
function placeholderAt(
  { words, repeats }: CommandInfo,
  index: number,
): string {
  const names = words.flatMap(({ placeholder }) => placeholder.split(" "));
  return names[index] ?? (repeats ? names.at(-1) ?? "" : "");
}

async function choose(placeholder: string, context: Context): Promise<Choice> {
  return await COMPLETERS[placeholder]?.(context) ?? {};
}

/**
 * Puts the prefix before each candidate, and removes those that do not match.
 */
function completion(
  typed: string,
  prefix: string,
  { candidates = [], shell = "none", prefix: kept = "" }: Choice,
): Completion {
  const whole = candidates.map(({ value, brief }) => ({
    value: prefix + value,
    brief,
  }));
  return { ...matching(typed, whole), shell, prefix: prefix + kept };
}

function matching(
  typed: string,
  candidates: readonly Candidate[],
): Completion {
  const fitting = candidates.filter(({ value }) => value.startsWith(typed));
  return { ...NOTHING, candidates: fitting };
}

function plain(values: readonly string[]): Choice {
  return { candidates: values.map((value) => ({ value, brief: "" })) };
}

/** Sources that are not files. */
const SOURCES: readonly Candidate[] = [
  { value: "default:docker", brief: "the embedded profile" },
  { value: "default:podman", brief: "Podman's default on this machine" },
  {
    value: "default:containerd",
    brief: "containerd's default on this machine",
  },
  { value: "default:crio", brief: "CRI-O's default on this machine" },
  { value: "pid:", brief: "the filters of a live process" },
  { value: "bundle:", brief: "config.json of a bundle" },
  { value: "oci:", brief: "a profile in an OCI image layout" },
];

function completeSource({ typed }: Context): Choice {
  if (typed.startsWith("pid:")) return { candidates: confinedProcesses() };
  const prefix = ["bundle:", "oci:"].find((one) => typed.startsWith(one));
  return prefix === undefined
    ? { shell: "files", candidates: SOURCES }
    : { shell: "folders", prefix };
}

/** Processes that have filters, by their numbers. */
function confinedProcesses(): readonly Candidate[] {
  const processes: Candidate[] = [];
  try {
    for (const { name: pid } of Deno.readDirSync("/proc")) {
      if (!/^[0-9]+$/.test(pid)) continue;
      const name = confinedName(pid);
      if (name !== undefined) {
        processes.push({ value: `pid:${pid}`, brief: name });
      }
    }
  } catch {
    // Without /proc, nothing can be suggested.
  }
  return processes;
}

/** The name of a process that has filters. */
function confinedName(pid: string): string | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /^Seccomp:\s*2$/m.test(status)
      ? /^Name:\s*(.*)$/m.exec(status)?.[1] ?? ""
      : undefined;
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Completes the last item of a comma-separated list. */
function listOf(typed: string, names: readonly string[]): Choice {
  const comma = typed.lastIndexOf(",") + 1;
  const before = typed.slice(0, comma);
  const given = before.split(",");
  return plain(
    names.filter((name) => !given.includes(name)).map((name) => before + name),
  );
}

async function completeArches({ typed }: Context): Promise<Choice> {
  const { ARCHES } = await import("../../tables/arch.ts");
  return listOf(typed, ARCHES.map(({ name }) => name));
}

async function completeCapabilities({ typed }: Context): Promise<Choice> {
  const { CAPABILITIES } = await import("../../profile/host.ts");
  const sets = typed.includes(",") ? [] : ["default", "none", "all"];
  return listOf(typed, [...sets, ...CAPABILITIES]);
}

/** `NAME` or `ARCH:NAME`. */
async function completeCall({ typed, arch }: Context): Promise<Choice> {
  const { ARCHES } = await import("../../tables/arch.ts");
  const { archByAnyName } = await import("../../tables/arch_names.ts");
  const colon = typed.indexOf(":") + 1;
  const named = colon > 0
    ? typed.slice(0, colon - 1)
    : arch?.split(",")[0] ?? Deno.build.arch;
  const names = [...archByAnyName(named)?.syscalls.keys() ?? []];
  const calls = names.map((name) => typed.slice(0, colon) + name);
  const arches = colon > 0 ? [] : ARCHES.map(({ name }) => `${name}:`);
  return plain([...calls, ...arches]);
}

/** Actions as `explain` writes them, and the calls of an architecture. */
async function completeActionOrCall(context: Context): Promise<Choice> {
  const { ACTION_NAMES } = await import("../../bpf/return_value.ts");
  const { candidates = [] } = await completeName(context);
  return {
    candidates: [...plain(ACTION_NAMES).candidates ?? [], ...candidates],
  };
}

/** The names of all architectures, or of those that `--arch` names. */
async function completeName({ arch }: Context): Promise<Choice> {
  const { ARCHES } = await import("../../tables/arch.ts");
  const { archByAnyName } = await import("../../tables/arch_names.ts");
  const arches = arch?.split(",").map(archByAnyName) ?? ARCHES;
  const names = arches.flatMap((a) => [...a?.syscalls.keys() ?? []]);
  return plain([...new Set(names)].sort());
}
