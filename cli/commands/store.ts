/**
 * `store`: the precompiled filters of this machine's containers.
 *
 * ```text
 * store ls                 list the entries, and the problems of doubtful files
 * store show KEY           show one filter; the first digits of its key suffice
 * store gc                 remove stale files
 * store prime PROFILE...   compile, prove and store before a container needs it
 * ```
 *
 * @module
 */

import { FROM_FLAG, OUTPUT_FLAG, word } from "../input/flags.ts";
import { BOOLEAN } from "../input/manager.ts";
import { type CommandDefinition, defineCommand, NAME } from "../command.ts";
import { reportJson } from "../output/json.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import { decodeFilter } from "../../bpf/filter.ts";
import type { Entry } from "../../hook/store/entry.ts";
import { certificateName } from "../../hook/store/list.ts";
import { MachineError, UsageError } from "../error.ts";
import { printable } from "../../tables/printable.ts";
import { quoteText } from "../../tables/printable.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Io } from "../io.ts";
import { digestFor } from "../output/digest.ts";
import { formatTable } from "../../host/table.ts";
import {
  currentEnvironments,
  HOOK_FLAGS,
  readStore,
  refusing,
  type StoreFlags,
} from "./store_open.ts";

/** Actions on a store. */
export const STORE_ACTIONS = ["ls", "show", "gc", "prime"] as const;

type Action = typeof STORE_ACTIONS[number];

/** Number of digits that distinguish keys for users. */
const SHORT_KEY = 16;

/** The command. */
export const command: CommandDefinition = defineCommand<
  StoreFlags,
  string[]
>({
  usage: "[OPTION...] ls | show KEY | gc | prime PROFILE...",
  examples: ["store ls -o json", "store prime --semantics runc default:docker"],
  parameters: {
    flags: {
      ...HOOK_FLAGS,
      caps: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "CAPS",
        brief: "prime: capabilities: default, none, all or CAP_X,CAP_Y",
      },
      kernel: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "X.Y",
        brief: "prime: kernel version (default: this host's)",
      },
      reference: {
        kind: "enum",
        values: ["host", "text"],
        optional: true,
        brief:
          "prime: prove filters equal to those of the host's libseccomp too, or only to the profile (default: host)",
      },
      certificate: {
        ...BOOLEAN,
        brief: "prime: also keep certificates that others can check",
      },
      live: {
        ...BOOLEAN,
        brief: "prime: include the profiles of running containers",
      },
      kubelet: {
        ...BOOLEAN,
        brief: "prime: include the profiles in /var/lib/kubelet/seccomp",
      },
      from: { ...FROM_FLAG.from, brief: "prime: format of the profiles" },
      ...OUTPUT_FLAG,
    },
    aliases: { q: "quiet", o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief: "ls, show KEY, gc, or prime PROFILE...",
        parse: (input: string): string => input,
        placeholder: "ACTION KEY|PROFILE",
      },
    },
  },
  run: runStore,
});

/** Runs an action on the store. */
export async function runStore(
  io: Io,
  flags: StoreFlags,
  ...[action, ...words]: readonly string[]
): Promise<number> {
  const known = STORE_ACTIONS.find((name) => name === action);
  if (known === undefined) {
    throw new UsageError(
      action === undefined
        ? `Missing argument: ACTION; use one of ${STORE_ACTIONS.join(", ")}`
        : `Cannot read ACTION ${quoteText(action)}: not one of ${
          STORE_ACTIONS.join(", ")
        }`,
    );
  }
  checkUse(known, flags, words);
  return await refusing(io, async () => {
    switch (known) {
      case "ls":
        return await listEntries(io, flags);
      case "show":
        return await showEntry(io, flags, words[0] ?? "");
      case "gc":
        return await removeStale(io, flags);
      case "prime": {
        const { primeStore } = await import("./store_prime.ts");
        return await primeStore(io, flags, words);
      }
    }
  });
}

function checkUse(
  action: Action,
  flags: StoreFlags,
  words: readonly string[],
): void {
  const wanted = action === "prime"
    ? words.length > 0 || flags.live || flags.kubelet ||
      "no profile; name one, such as default:docker, or pass --live or --kubelet"
    : action === "show"
    ? words.length === 1 ||
      `${words.length} keys; give one, see "${NAME} store ls"`
    : words.length === 0 ||
      `it takes no argument; omit ${quoteText(words[0] ?? "")}`;
  if (typeof wanted === "string") {
    throw new UsageError(`Cannot run store ${action}: ${wanted}`);
  }
  if ((flags.live || flags.kubelet) && action !== "prime") {
    throw new UsageError(
      `Cannot run store ${action} with --live or --kubelet: they apply to prime`,
    );
  }
  if (flags.certificate && action !== "prime") {
    throw new UsageError(
      `Cannot run store ${action} with --certificate: it applies to prime`,
    );
  }
  if (flags.output === "json" && (action === "gc" || action === "prime")) {
    throw new UsageError(
      `Cannot run store ${action}: it has no report; omit -o json`,
    );
  }
}

async function listEntries(io: Io, flags: StoreFlags): Promise<number> {
  const { directory, items } = await readStore(io, flags);
  const current = await currentEnvironments(flags);
  const entries = items.flatMap(({ entry }) =>
    entry === undefined ? [] : [aboutEntry(entry, current)]
  );
  const problems = items.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ name, problem }]
  );
  const killed = items.flatMap(({ name, killed }) =>
    killed === undefined ? [] : [{ name, killed }]
  );
  if (flags.output === "json") {
    io.out(reportJson({ store: directory, entries, killed, problems }));
    return EXIT.ok;
  }
  io.out(formatTable([
    ["key", "state", "instructions", "about"],
    ...entries.map((e) => [
      e.key.slice(0, SHORT_KEY),
      e.current ? e.left === undefined ? "current" : "left" : "stale",
      e.left === undefined ? String(e.instructions) : "-",
      e.left ?? e.about.replace(/ sha256:.*/, ""),
    ]),
    ...killed.map(({ name, killed }) => [name, "left", "-", killed]),
    ...problems.map(({ name, problem }) => [
      name,
      "doubtful",
      "-",
      problem,
    ]),
  ], { left: [0, 1, 3] }));
  return EXIT.ok;
}

/** The path of the certificate of an entry, if `store prime` kept one. */
function certificateOf(directory: string, { key }: Entry): string | undefined {
  const path = `${directory}/${certificateName(key)}`;
  try {
    return Deno.lstatSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

async function showEntry(
  io: Io,
  flags: StoreFlags,
  key: string,
): Promise<number> {
  if (!/^[0-9a-f][0-9a-f.]{3,63}$/.test(key)) {
    throw new UsageError(
      `Cannot show ${
        JSON.stringify(key)
      }: not the beginning of a key; give 4 or more digits, see "${NAME} store ls"`,
    );
  }
  const { directory, items } = await readStore(io, flags);
  const found = items.filter(({ name, entry }) =>
    (entry?.key ?? name).startsWith(key)
  );
  const [item, second] = found;
  if (second !== undefined) {
    throw new UsageError(
      `Ambiguous key "${key}": matches ${found.length} entries; give more digits`,
    );
  }
  if (item === undefined) {
    io.err(
      messageLine(
        io,
        "error",
        `Cannot find a stored filter with key "${key}"; see "${NAME} store ls"`,
      ),
    );
    return EXIT.no;
  }
  const { name, entry, problem = "it is not an entry" } = item;
  if (entry === undefined) {
    throw new MachineError(
      `Cannot show "${directory}/${name}": ${problem}; find out who changed it, then run "${NAME} store gc"`,
    );
  }
  const about = aboutEntry(entry, await currentEnvironments(flags));
  if (entry.left !== undefined) {
    io.out(
      flags.output === "json"
        ? reportJson({ ...about, section: entry.section })
        : `key          ${entry.key}\nabout        ${
          printable(entry.about)
        }\nleft         ${printable(entry.left)}\n`,
    );
    return EXIT.ok;
  }
  const decoded = decodeFilter(entry.bytes);
  const digest = await digestFor(decoded);
  const certificate = certificateOf(directory, entry);
  if (flags.output === "json") {
    const filter = encodeBase64(entry.bytes);
    const { section } = entry;
    io.out(
      reportJson({
        ...about,
        digest: digest ?? null,
        certificate: certificate ?? null,
        filter,
        section,
      }),
    );
    return EXIT.ok;
  }
  const { formatFilter } = await import("../output/formats.ts");
  const text = await formatFilter(decoded, "asm");
  io.out(
    `key           ${entry.key}
environment   ${entry.environment} (${about.current ? "current" : "stale"})
about         ${printable(entry.about)}
instructions  ${about.instructions}
digest        ${digest ?? "–"}
certificate   ${certificate ?? "–"}
section       ${about.sectionLength} bytes

`,
  );
  io.out(text);
  return EXIT.ok;
}

async function removeStale(io: Io, flags: StoreFlags): Promise<number> {
  const { store } = await readStore(io, flags);
  const keep = await currentEnvironments(flags);
  const removed = await store?.gc(keep) ?? [];
  io.out(
    removed.length === 0
      ? "Nothing to remove\n"
      : removed.map((name) => `removed ${printable(name)}\n`).join(""),
  );
  return EXIT.ok;
}

/** Reported data of an entry. */
interface AboutEntry {
  readonly key: string;
  readonly environment: string;
  /** True if this machine would use it now. */
  readonly current: boolean;
  readonly about: string;
  /**
   * The reason why the section is left to its runtime; absent if it has a
   * filter.
   */
  readonly left?: string;
  readonly instructions: number;
  /** Bytes. */
  readonly sectionLength: number;
}

function aboutEntry(
  { key, environment, about, left, bytes, section }: Entry,
  current: ReadonlySet<string>,
): AboutEntry {
  return {
    key,
    environment,
    current: current.has(environment),
    about,
    ...(left === undefined ? {} : { left }),
    instructions: bytes.length / 8,
    sectionLength: new TextEncoder().encode(section).length,
  };
}
