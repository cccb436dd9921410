/**
 * Values that can replace each placeholder of options and arguments.
 *
 * @module
 */

/** A possible word at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly brief: string;
}

/** Input of a completer. */
export interface Context {
  /** Typed part of the value or argument. */
  readonly typed: string;
  /** Arguments before it, without the command. */
  readonly before: readonly string[];
  /** The value of `--arch`, if there is one. */
  readonly arch: string | undefined;
}

/** Values for a placeholder, and the completion that the shell adds. */
export interface Offers {
  readonly shell?: "none" | "files" | "folders";
  /** Typed part to keep, before a file or a folder. */
  readonly prefix?: string;
  readonly candidates?: readonly Candidate[];
}

type Completer = (context: Context) => Offers | Promise<Offers>;

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

/**
 * Offers what can replace a placeholder.
 *
 * @param placeholder The placeholder; an unknown one has no values.
 * @param context The words before, and the typed part.
 * @returns The values, and the completion that the shell adds.
 */
export async function choose(
  placeholder: string,
  context: Context,
): Promise<Offers> {
  return await COMPLETERS[placeholder]?.(context) ?? {};
}

/** Offers values without explanations. */
export function plain(values: readonly string[]): Offers {
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

function completeSource({ typed }: Context): Offers {
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
function listOf(typed: string, names: readonly string[]): Offers {
  const comma = typed.lastIndexOf(",") + 1;
  const before = typed.slice(0, comma);
  const given = before.split(",");
  return plain(
    names.filter((name) => !given.includes(name)).map((name) => before + name),
  );
}

async function completeArches({ typed }: Context): Promise<Offers> {
  const { ARCHES } = await import("../../tables/arch.ts");
  return listOf(typed, ARCHES.map(({ name }) => name));
}

async function completeCapabilities({ typed }: Context): Promise<Offers> {
  const { CAPABILITIES } = await import("../../profile/host.ts");
  const sets = typed.includes(",") ? [] : ["default", "none", "all"];
  return listOf(typed, [...sets, ...CAPABILITIES]);
}

/** `NAME` or `ARCH:NAME`. */
async function completeCall({ typed, arch }: Context): Promise<Offers> {
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
async function completeActionOrCall(context: Context): Promise<Offers> {
  const { ACTION_NAMES } = await import("../../bpf/return_value.ts");
  const { candidates = [] } = await completeName(context);
  return {
    candidates: [...plain(ACTION_NAMES).candidates ?? [], ...candidates],
  };
}

/** The names of all architectures, or of those that `--arch` names. */
async function completeName({ arch }: Context): Promise<Offers> {
  const { ARCHES } = await import("../../tables/arch.ts");
  const { archByAnyName } = await import("../../tables/arch_names.ts");
  const arches = arch?.split(",").map(archByAnyName) ?? ARCHES;
  const names = arches.flatMap((a) => [...a?.syscalls.keys() ?? []]);
  return plain([...new Set(names)].sort());
}
