import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { combine } from "../../pipeline/combine/combine.ts";
import type { PolicyEdit } from "../../pipeline/combine/edits.ts";
import type { CombineOperation } from "../../pipeline/combine/result.ts";
import { resolveBare } from "../../pipeline/combine/readings.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import { ARCHES } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { parseExact } from "../oracle/read_section.ts";
import { denialOf, renameAnswers } from "../fuzz/combine_proofs.ts";
import { CONTAINERS, needs } from "../machine.ts";
import type { Json } from "./config.ts";
import { loadLive } from "./live.ts";
import { BASE } from "./live_profiles.ts";

const test = needs(...CONTAINERS, "dump");

const TARGET = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
const EPERM = 0x0005_0001;

/** A section, with x86_64 alone. */
interface Section {
  readonly [key: string]: Json;
  readonly defaultAction: string;
  readonly syscalls: readonly { readonly [key: string]: Json }[];
}

function sectionOf(
  [defaultAction, defaultErrnoRet]: readonly [string, number?],
  syscalls: Section["syscalls"],
): Section {
  return {
    defaultAction: `SCMP_ACT_${defaultAction}`,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls,
  };
}

function entry(
  names: string | readonly string[],
  action: string,
  rest: { readonly [key: string]: Json } = {},
): Section["syscalls"][number] {
  const list = typeof names === "string" ? names.split(" ") : names;
  return { names: list, action: `SCMP_ACT_${action}`, ...rest };
}

function args(index: number, op: string, value: number, valueTwo = 0): Json {
  return [{ index, op: `SCMP_CMP_${op}`, value, valueTwo }];
}

/** A list of what may run, with conditions. */
const LIST = sectionOf(["ERRNO", 38], [
  entry(
    BASE.filter((name) => !["clone", "socket", "keyctl"].includes(name)),
    "ALLOW",
  ),
  entry("clone", "ALLOW", { args: args(0, "MASKED_EQ", 0x1000_0000) }),
  entry("socket", "ALLOW", { args: args(0, "LT", 38) }),
  entry("ptrace", "LOG", { args: args(0, "EQ", 0) }),
  entry("kexec_load", "KILL_PROCESS"),
]);
/** A list of what may not run. */
const DENIALS = sectionOf(["ALLOW"], [
  entry("mkdir mkdirat", "ERRNO", { errnoRet: 1 }),
  entry("socket", "ERRNO", { errnoRet: 1, args: args(0, "EQ", 16) }),
  entry("personality", "TRAP", { args: args(0, "NE", 0xffff_ffff) }),
  entry("kexec_load", "ERRNO"),
]);
/** A short list, to take away. */
const FEW = sectionOf(["ERRNO"], [
  entry("mkdir rmdir symlink", "ALLOW"),
  entry("socket", "ALLOW", { args: args(0, "GE", 2) }),
]);
/** The changes of a case below, as a profile. */
const CHANGED = sectionOf(["ALLOW"], [
  entry("socket", "ERRNO", { errnoRet: 1, args: args(0, "EQ", 38) }),
  entry("clone3", "ERRNO", { errnoRet: 38 }),
]);

/** Combinations of two profiles, or changes of one that mean the same. */
const CASES: readonly {
  readonly a: string;
  readonly b: string;
  readonly operation: CombineOperation;
  readonly edits?: readonly PolicyEdit[];
}[] = [
  { a: "list", b: "denials", operation: "intersect" },
  { a: "docker", b: "denials", operation: "intersect" },
  { a: "docker", b: "list", operation: "intersect" },
  { a: "docker", b: "list", operation: "union" },
  { a: "list", b: "few", operation: "union" },
  { a: "denials", b: "few", operation: "minus" },
  { a: "docker", b: "few", operation: "minus" },
  {
    a: "docker",
    b: "changed",
    operation: "intersect",
    edits: [
      { call: "clone3", answer: 0x0005_0026 },
      { call: "socket", condition: "domain == AF_ALG", answer: EPERM },
    ],
  },
];

for (const runtime of ["crun", "runc"] as const) {
  test(`combine() writes profiles that mean the combination under ${runtime}`, async () => {
    const docker = resolveParsed(parseProfile(DEFAULT_PROFILE), TARGET).seccomp;
    const texts = new Map([
      ...Object.entries({
        list: LIST,
        denials: DENIALS,
        few: FEW,
        changed: CHANGED,
      })
        .map(([name, section]) => [name, JSON.stringify(section)] as const),
      [
        "docker",
        writeSection({ ...docker, architectures: ["SCMP_ARCH_X86_64"] }),
      ] as const,
    ]);
    const programs = new Map<string, Program>();
    const liveOf = async (text: string): Promise<Program> => {
      const known = programs.get(text);
      if (known !== undefined) return known;
      const live = await loadLive(
        runtime,
        parseExact(text) as Parameters<typeof loadLive>[1],
      );
      assert(live.kind === "program", Deno.inspect(live));
      programs.set(text, live.program);
      return live.program;
    };
    for (const { a, b, operation, edits } of CASES) {
      const [first = "", second = ""] = [a, b].map((name) => texts.get(name));
      const inputs = [first, second].map((text) => ({
        profile: parseProfile(text, { kind: "oci" }),
      }));
      const result = edits === undefined
        ? combine(inputs, TARGET, { operation })
        : combine(inputs.slice(0, 1), TARGET, { edits });
      assert(
        result.kind === "profile",
        `${a}, ${b}, ${operation}: ${
          result.kind === "unsaid" ? `${result.part}, ${result.reason}` : ""
        }`,
      );
      // A list of few calls does not start a container: it is not attached.
      const both = [first, second, result.text];
      const live: Program[] = [];
      for (const text of both) {
        live.push(
          text === texts.get("few") ? programOf(text) : await liveOf(text),
        );
      }
      const [x = [], y = [], z = []] = live;
      const { policy } = resolveParsed(
        parseProfile(first, { kind: "oci" }),
        TARGET,
      );
      // Above the numbers that a profile names, runc itself adds ENOSYS.
      const most = runtime === "runc"
        ? Math.min(...both.map(largestNumber))
        : 0xffff_fffe;
      const renamed = renameAnswers(
        [upTo(x, most), upTo(y, most), upTo(z, most)],
        {
          operation,
          denial: denialOf(policy.defaultValue),
          littleEndian: true,
        },
      );
      assert(renamed !== undefined);
      assertEquals(
        proveEquivalent(renamed.result, renamed.stack).kind,
        "equal",
        `${a}, ${b}, ${operation} under ${runtime}`,
      );
    }
  });
}

/** The program of a profile that no container starts under. */
function programOf(text: string): Program {
  const filter = compilePolicy(
    resolveBare(parseProfile(text, { kind: "oci" }), TARGET).policy,
  );
  assert(filter.kind === "proved");
  return filter.program;
}

/** The largest number of x86_64 that a profile names. */
function largestNumber(text: string): number {
  const syscalls = ARCHES.find(({ name }) => name === "x86_64")?.syscalls;
  const { section } = parseProfile(text, { kind: "oci" });
  const numbers = section?.syscalls.flatMap(({ names }) =>
    names.map((name) => syscalls?.get(name) ?? 0)
  );
  return Math.max(0, ...numbers ?? []);
}

/** A program that is asked about some numbers only. */
function upTo(program: Program, most: number): Program {
  return [
    { op: "ld.abs", jt: 0, jf: 0, k: 0 },
    { op: "jgt.k", jt: 0, jf: 1, k: most },
    { op: "ret.k", jt: 0, jf: 0, k: 0 },
    { op: "ld.imm", jt: 0, jf: 0, k: 0 },
    ...program,
  ];
}
