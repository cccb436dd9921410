/**
 * Random profiles in two families.
 *
 * Family A has the shapes in which libseccomp's own filter is a reference, drawn
 * so that versions with published advisories answer right too; family B has all
 * shapes. A profile is drawn from its seed alone.
 *
 * @module
 */

import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
} from "../../profile/formats/oci.ts";
import { ARCHES, type ArchName } from "../../tables/arch.ts";
import type { Version } from "./host.ts";
import type { Target } from "./meaning.ts";
import { createRandom, type Random } from "./random.ts";
import {
  bounds,
  drawArg,
  drawValues,
  equalities,
  mixed,
  narrow,
  OPS,
  type Outcome,
  single,
  tails,
  unconditional,
} from "./shapes.ts";

/** A profile and its machine. */
export interface Case {
  /** Seed that draws the same case again. */
  readonly seed: number;
  /** The profile. */
  readonly seccomp: LinuxSeccomp;
  /** The machine and the runtime. */
  readonly target: Target;
}

/** Options of drawing. */
export interface GenerateOptions {
  /**
   * Names that are unknown to the given library or have another number there
   * are not drawn.
   */
  usable?(name: string): boolean;
}

const UNKNOWN = "no_such_call";

/**
 * Interesting names: common, multiplexed, absent here or there, first and last.
 */
const NAMES: readonly string[] = [
  "read write open close mmap mmap2 clone personality fcntl fcntl64 ioctl",
  "socket bind connect accept accept4 send recv sendto shutdown socketcall",
  "setsockopt recvmmsg ipc semop semget semtimedop shmat msgctl arch_prctl",
  "setgid32 getuid32 stat64 modify_ldt vm86 breakpoint s390_runtime_instr riscv_flush_icache openat",
  "statx clone3 futex_waitv faccessat2 setuid32 chown exit_group kexec_load",
  UNKNOWN,
].flatMap((line) => line.split(" "));

/** Actions that have equal first parts may be one. */
const SHORTEST = "SCMP_ACT_KILL".length;

/** Machines of family B. */
const NATIVES: readonly ArchName[] = [
  "x86_64",
  "x86_64",
  "x86_64",
  "x86",
  "aarch64",
  "arm",
  "s390x",
  "ppc64le",
  "mips64el",
  "mipsel",
  "riscv64",
  "loongarch64",
  "ppc64",
  "mips64",
  "mips",
];

/** Versions on both sides of each change that decides a filter. */
const VERSIONS: Readonly<Record<Target["semantics"], readonly Version[]>> = {
  crun: [[0, 18, 0], [0, 19, 0], [1, 8, 1], [1, 29, 1], [1, 30, 0], [9, 0, 0]],
  runc: [[1, 1, 3], [1, 1, 14], [1, 1, 15], [1, 3, 6], [9, 0, 0]],
};

/** Cases for which libseccomp 2.5.4 on x86_64 is a reference. */
const LITTLE_ENDIAN: readonly ArchName[] = [
  "x86",
  "x86",
  "x32",
  "x32",
  "aarch64",
  "arm",
  "riscv64",
  "ppc64le",
  "mipsel",
  "mips64el",
  "mipsel64n32",
];

/**
 * Draws a profile of family A for x86_64.
 *
 * @param seed A u32.
 * @param options Options.
 * @returns The case.
 */
export function generateContract(
  seed: number,
  options: GenerateOptions = {},
): Case {
  const random = createRandom(seed);
  const arches: ArchName[] = ["x86_64"];
  while (arches.length < 3 && random.chance(0.6)) {
    const arch = random.pick(LITTLE_ENDIAN);
    if (!arches.includes(arch)) arches.push(arch);
  }
  if (random.chance(0.2)) arches.shift();
  const multiplexes = ARCHES.filter(({ name }) => arches.includes(name))
    .some(({ multiplexed }) => multiplexed.length > 0);
  const outcomes = drawOutcomes(random);
  const fallback = random.pick(outcomes);
  // The runtimes skip rules of the default action: bounds count on theirs.
  const distinct = outcomes.filter(({ action }) =>
    action.slice(0, SHORTEST) !== fallback.action.slice(0, SHORTEST)
  );
  const entries: LinuxSyscall[] = [];
  for (const name of drawNames(random, options)) {
    const shape = multiplexes && isMultiplexed(name)
      ? random.pick([unconditional, equalities, tails])
      : isNarrow(name)
      ? random.pick([narrow, narrow, equalities, tails])
      : random.pick([
        unconditional,
        single,
        equalities,
        equalities,
        tails,
        ...(distinct.length > 0 ? [bounds, bounds, mixed] : []),
      ]);
    const own = shape === bounds || shape === mixed ? distinct : outcomes;
    for (const entry of shape(random, own)) {
      entries.push({ names: [name], ...entry, path: "" });
      if (random.chance(0.1)) {
        entries.push({ names: [name], ...entry, path: "" });
      }
    }
  }
  // As in every real profile, some call is decided on its number alone.
  entries.push(
    ...(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"] as const).map((action) => ({
      names: ["gettid"],
      action,
      args: [],
      path: "",
    })),
  );
  return toCase(seed, random, { native: "x86_64", arches, entries, fallback });
}

/**
 * Draws a profile of family B.
 *
 * @param seed A u32.
 * @param options Options.
 * @returns The case.
 */
export function generateAny(seed: number, options: GenerateOptions = {}): Case {
  const random = createRandom(seed);
  const native = random.pick(NATIVES);
  const host = ARCHES.find(({ name }) => name === native);
  const isForeign = random.chance(0.03);
  const candidates = ARCHES.filter(({ littleEndian }) =>
    isForeign || littleEndian === host?.littleEndian
  ).map(({ name }) => name);
  const arches: ArchName[] = random.chance(0.7) ? [native] : [];
  if (native === "x86_64" && random.chance(0.5)) arches.push("x86");
  if (native === "x86_64" && random.chance(0.5)) arches.push("x32");
  while (random.chance(0.3)) arches.push(random.pick(candidates));
  const outcomes = drawOutcomes(random);
  const names = drawNames(random, options);
  const values = drawValues(random);
  const entries: LinuxSyscall[] = [];
  const count = 1 + random.int(random.chance(0.2) ? 14 : 5);
  for (let i = 0; i < count; i++) {
    const own = [random.pick(names)];
    while (random.chance(0.3)) own.push(random.pick(names));
    const args: LinuxSeccompArg[] = [];
    const few = random.chance(0.8) ? 2 : 6;
    const most = random.chance(0.1) ? 7 + random.int(7) : 6;
    while (
      args.length < most &&
      random.chance(args.length === 0 ? 0.8 : most > 6 ? 0.95 : 0.4)
    ) {
      args.push(drawArg(random, random.pick(OPS), random.int(few), values));
    }
    entries.push({
      names: own,
      ...random.pick(outcomes),
      ...(random.chance(0.003) && !own.includes(UNKNOWN)
        ? { errnoRet: 4095 }
        : {}),
      args,
      path: "",
    });
  }
  return toCase(seed, random, {
    native,
    arches,
    entries,
    fallback: random.pick(outcomes),
    versions: random.chance(0.5) ? VERSIONS : undefined,
  });
}

function toCase(
  seed: number,
  random: Random,
  parts: {
    readonly native: ArchName;
    readonly arches: readonly ArchName[];
    readonly entries: readonly LinuxSyscall[];
    readonly fallback: Outcome;
    readonly versions?: typeof VERSIONS | undefined;
  },
): Case {
  const { action, errnoRet } = parts.fallback;
  const scmp = new Map(ARCHES.map(({ name, scmp }) => [name, scmp]));
  const semantics = random.pick<Target["semantics"]>(["crun", "crun", "runc"]);
  const version = parts.versions && random.pick(parts.versions[semantics]);
  return {
    seed,
    seccomp: {
      defaultAction: action,
      ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
      architectures: parts.arches.map((name) => scmp.get(name) ?? name),
      syscalls: parts.entries.map((entry, i) => ({
        ...entry,
        path: `syscalls[${i}]`,
      })),
    },
    target: {
      native: parts.native,
      semantics,
      ...(version === undefined ? {} : { version }),
    },
  };
}

function drawOutcomes(random: Random): Outcome[] {
  const outcomes: Outcome[] = [];
  const count = 2 + random.int(4);
  while (outcomes.length < count) {
    const action = random.pick<ScmpAction>([
      "SCMP_ACT_ALLOW",
      "SCMP_ACT_ALLOW",
      "SCMP_ACT_ERRNO",
      "SCMP_ACT_ERRNO",
      "SCMP_ACT_ERRNO",
      "SCMP_ACT_TRACE",
      "SCMP_ACT_LOG",
      "SCMP_ACT_TRAP",
      "SCMP_ACT_KILL",
      "SCMP_ACT_KILL_THREAD",
      "SCMP_ACT_KILL_PROCESS",
      "SCMP_ACT_NOTIFY",
    ]);
    const takesData = action === "SCMP_ACT_ERRNO" ||
      action === "SCMP_ACT_TRACE";
    outcomes.push(
      takesData && random.chance(0.7)
        ? { action, errnoRet: random.pick([0, 1, 2, 13, 38, 4094, 65537]) }
        : { action },
    );
  }
  return outcomes;
}

function drawNames(random: Random, { usable }: GenerateOptions): string[] {
  const pool = usable === undefined ? NAMES : NAMES.filter(usable);
  const names = new Set<string>();
  const count = 1 + random.int(4);
  while (names.size < count) {
    if (random.chance(0.8)) {
      names.add(random.pick(pool));
      continue;
    }
    const name = random.pick([...random.pick(ARCHES).syscalls.keys()]);
    if (usable?.(name) ?? true) names.add(name);
  }
  return [...names];
}

function isMultiplexed(name: string): boolean {
  return name === "socketcall" || name === "ipc" ||
    ARCHES.some(({ multiplexed }) =>
      multiplexed.some((call) => call.name === name)
    );
}

/** Reports whether no 64-bit architecture has the call. */
function isNarrow(name: string): boolean {
  return !ARCHES.some(({ bits, syscalls }) =>
    bits === 64 && syscalls.has(name)
  );
}
