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
  ScmpOp,
} from "../../profile/oci.ts";
import { ARCHES, type ArchName } from "../../tables/arch.ts";
import type { Target } from "./meaning.ts";
import { createRandom, type Random } from "./random.ts";

/** A profile and the machine it is for. */
export interface Case {
  /** Draws the same case again. */
  readonly seed: number;
  /** The profile. */
  readonly seccomp: LinuxSeccomp;
  /** The machine and the runtime. */
  readonly target: Target;
}

/** What may be drawn. */
export interface GenerateOptions {
  /** Names that the library at hand does not know or numbers otherwise are not drawn. */
  usable?(name: string): boolean;
}

/** An action with its data. */
type Outcome = Pick<LinuxSyscall, "action" | "errnoRet">;

/** An entry of one name, in order of arrival. */
type Entry = Outcome & Pick<LinuxSyscall, "args">;

const OPS: readonly ScmpOp[] = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_MASKED_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
];

/** Names worth meeting: common, multiplexed, absent here or there, first and last. */
const NAMES: readonly string[] = [
  "read write open close mmap mmap2 clone personality fcntl fcntl64 ioctl",
  "socket bind connect accept accept4 send recv sendto shutdown socketcall",
  "setsockopt recvmmsg ipc semop semget semtimedop shmat msgctl arch_prctl",
  "modify_ldt vm86 breakpoint s390_runtime_instr riscv_flush_icache openat",
  "statx clone3 futex_waitv faccessat2 setuid32 chown exit_group kexec_load",
  "no_such_call",
].flatMap((line) => line.split(" "));

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
];

/** Where libseccomp 2.5.4 on x86_64 can be asked. */
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
 * @param options What may be drawn.
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
  const entries: LinuxSyscall[] = [];
  for (const name of drawNames(random, options)) {
    const shape = multiplexes && isMultiplexed(name)
      ? random.pick([unconditional, equalities])
      : random.pick([
        unconditional,
        single,
        equalities,
        equalities,
        bounds,
        bounds,
        mixed,
      ]);
    for (const entry of shape(random, outcomes)) {
      // Rules of different calls may come in any order.
      entries.splice(random.int(2) * entries.length, 0, {
        names: [name],
        ...entry,
        path: "",
      });
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
  return toCase(seed, random, { native: "x86_64", arches, entries, outcomes });
}

/**
 * Draws a profile of family B.
 *
 * @param seed A u32.
 * @param options What may be drawn.
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
    while (args.length < 6 && random.chance(args.length === 0 ? 0.8 : 0.4)) {
      args.push(drawArg(random, random.pick(OPS), random.int(few), values));
    }
    entries.push({
      names: own,
      ...random.pick(outcomes),
      ...(random.chance(0.003) ? { errnoRet: 4095 } : {}),
      args,
      path: "",
    });
  }
  return toCase(seed, random, { native, arches, entries, outcomes });
}

function toCase(
  seed: number,
  random: Random,
  parts: {
    readonly native: ArchName;
    readonly arches: readonly ArchName[];
    readonly entries: readonly LinuxSyscall[];
    readonly outcomes: readonly Outcome[];
  },
): Case {
  const { action, errnoRet } = random.pick(parts.outcomes);
  const scmp = new Map(ARCHES.map(({ name, scmp }) => [name, scmp]));
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
      semantics: random.pick(["crun", "crun", "runc"]),
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

/** A few values that are close to one another in a way that matters. */
function drawValues(random: Random): bigint[] {
  const highs = [0n, 0n, BigInt(random.pick([1, 2, 0x7fff_ffff, 0xffff_ffff]))];
  const low = BigInt(random.pick([0, 1, 5, 0x7fff_fffe, 0xffff_fffd]));
  const values: bigint[] = [];
  const count = 2 + random.int(5);
  for (let i = 0; i < count; i++) {
    const lo = random.chance(0.9)
      ? low + BigInt(random.int(3))
      : BigInt(random.u32());
    values.push(random.pick(highs) << 32n | lo);
  }
  return values;
}

function drawArg(
  random: Random,
  op: ScmpOp,
  index: number,
  values: readonly bigint[],
): LinuxSeccompArg {
  const value = random.pick(values);
  if (op !== "SCMP_CMP_MASKED_EQ") {
    const valueTwo = random.chance(0.1) ? 7n : 0n; // ignored
    return { index, op, value, valueTwo };
  }
  const mask = random.pick([
    1n,
    3n,
    0xffff_ffffn,
    0xffff_ffff_ffff_ffffn,
    0xffff_ffff_0000_0000n,
    0x1_0000_0001n,
    0n,
    BigInt(random.u32()) << BigInt(random.int(33)),
  ]);
  return { index, op, value: mask, valueTwo: value };
}

type Shape = (random: Random, outcomes: readonly Outcome[]) => Entry[];

const unconditional: Shape = (random, outcomes) => {
  const rules = random.chance(0.3) ? equalities(random, outcomes) : [];
  rules.splice(random.int(rules.length + 1), 0, {
    ...random.pick(outcomes),
    args: [],
  });
  return rules;
};

const single: Shape = (random, outcomes) => {
  const values = drawValues(random);
  const indices = [0, 1, 2, 3, 4, 5].filter(() => random.chance(0.4));
  const args = indices.map((index) =>
    drawArg(random, random.pick(OPS), index, values)
  );
  return [{ ...random.pick(outcomes), args }];
};

const equalities: Shape = (random, outcomes) => {
  const values = drawValues(random);
  const rules: Entry[] = [];
  const count = 1 + random.int(5);
  for (let i = 0; i < count; i++) {
    rules.push({
      ...random.pick(outcomes),
      args: equalArgs(random, values, random.chance(0.2) ? 5 : 2),
    });
  }
  return rules;
};

/** Up to `most` comparisons, at least one, in any order. */
function equalArgs(
  random: Random,
  values: readonly bigint[],
  most: number,
): LinuxSeccompArg[] {
  const args: LinuxSeccompArg[] = [];
  do {
    const index = random.int(most === 2 ? 3 : 6);
    if (args.some((arg) => arg.index === index)) continue;
    const op = random.pick<ScmpOp>([
      "SCMP_CMP_EQ",
      "SCMP_CMP_EQ",
      "SCMP_CMP_MASKED_EQ",
    ]);
    args.push(drawArg(random, op, index, values));
  } while (args.length === 0 || (args.length < most && random.chance(0.6)));
  return args;
}

/** One comparison in each rule; several bounds have one outcome each way. */
const bounds: Shape = (random, outcomes) => {
  const high = BigInt(random.pick([0, 0, 1, 0xffff_ffff])) << 32n;
  const values = drawValues(random).map((v) => high | v & 0xffff_ffffn);
  // Bounds that share a high word above 0 agree in their outcome: older
  // libraries keep the first one there (GHSA-4q85-33p6-j5g6).
  const agreed = new Map<ScmpOp, Outcome>();
  const rules: Entry[] = [];
  const count = 1 + random.int(5);
  for (let i = 0; i < count; i++) {
    const op = random.pick(OPS);
    const isEqual = op === "SCMP_CMP_EQ" || op === "SCMP_CMP_MASKED_EQ";
    const kind = op === "SCMP_CMP_NE" ? op : "SCMP_CMP_LT";
    const isFree = isEqual || (op !== "SCMP_CMP_NE" && high === 0n &&
      op.startsWith("SCMP_CMP_L"));
    const outcome = isFree
      ? random.pick(outcomes)
      : agreed.get(kind) ?? random.pick(outcomes);
    if (!isFree) agreed.set(kind, outcome);
    rules.push({
      ...outcome,
      args: [drawArg(random, op, random.int(2), values)],
    });
  }
  return rules;
};

/** Rules of several equalities beside single comparisons of other outcomes. */
const mixed: Shape = (random, outcomes) => {
  const values = drawValues(random).map((v) => v & 0xffff_ffffn);
  const [first, ...others] = outcomes;
  if (first === undefined) return [];
  const rules: Entry[] = [];
  const count = 2 + random.int(4);
  for (let i = 0; i < count; i++) {
    if (random.chance(0.5)) {
      rules.push({ ...first, args: equalArgs(random, values, 3) });
      continue;
    }
    const op = random.pick(OPS.filter((op) => op !== "SCMP_CMP_NE"));
    rules.push({
      ...random.pick(others),
      args: [drawArg(random, op, random.int(3), values)],
    });
  }
  return rules;
};
