/**
 * Large policies: the time and the memory to prove and to compile them.
 *
 * @module
 */

import { compile } from "../../compiler/compile.ts";
import { SizeError } from "../../compiler/size.ts";
import { compileProfile } from "../../pipeline/compile_profile.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const ALL = 0xffff_ffff_ffff_ffffn;
/** A figure of the report. */
export type Row = readonly [figure: string, wanted: string, measured: string];

/** Large policies: calls, rules of each, and true if the rules are the same. */
const LARGE: Readonly<Record<string, readonly [number, number, boolean]>> = {
  "450 calls × the same 1,000 rules": [450, 1000, true],
  "450 calls × 1,000 rules of their own": [450, 1000, false],
  "100,000 rules on one call": [1, 100_000, true],
};
/**
 * Work on large policies, each in a separate process.
 *
 * @param program The program that calls `measureTask` for `--child TASK NAME`.
 */
export async function workRows(program: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const add = async (figure: string, ...task: string[]): Promise<void> => {
    const args = ["run", "-A", program, "--child", ...task];
    const { stdout, success, stderr } = await new Deno.Command(
      Deno.execPath(),
      { args },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const measured = new TextDecoder().decode(stdout).trim();
    rows.push([figure, "≤ 3 s, ≤ 400 MB", measured]);
  };
  for (const [name, [calls, count]] of Object.entries(LARGE)) {
    for (const task of ["prove", "compile"]) {
      await add(`${name}: ${task}`, task, name);
    }
    // A longer text is refused unread.
    if (calls * count > 100_000) continue;
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, profileOf(count));
    await add(`${name}: compile the profile`, "read", file);
    await Deno.remove(file);
  }
  return rows;
}

/** Does one task, and measures the process; Deno and the input are included. */
export function measureTask(task: string, name: string): string {
  const [calls, count, alike] = LARGE[name] ?? [0, 0, true];
  const policy = policyOf(rulesOf(calls, count, alike));
  const start = cpu();
  let result: string;
  if (task === "read") {
    const filter = compileProfile(Deno.readFileSync(name), {
      arch: "x86_64",
      kernel: { major: 6, minor: 1 },
    });
    result = filter.kind === "proved" ? "proved" : filter.cause.kind;
  } else if (task === "prove") {
    const rules = policy.arches[0]?.rules ?? [];
    result = proveEquivalent(policy, policyOf([...rules].reverse())).kind;
  } else result = lengthOf(policy);
  const status = Deno.readTextFileSync("/proc/self/status");
  const peak = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  return `${result}, ${seconds(start)}, ${peak.toFixed(0)} MB`;
}

/** A profile of equalities on one call. */
function profileOf(count: number): string {
  const rules = Array.from({ length: count }, (_, i) => {
    const arg = `{"index":1,"value":${21_504 + 7 * i},"op":"SCMP_CMP_EQ"}`;
    return `{"names":["ioctl"],"action":"SCMP_ACT_ALLOW","args":[${arg}]}`;
  });
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rules}]}`;
}

function lengthOf(policy: Policy): string {
  try {
    return `${compile(policy).program.length} instructions`;
  } catch (error) {
    if (!(error instanceof SizeError)) throw error;
    return "refused";
  }
}

/** Equalities on argument 1 of some calls. */
export function rulesOf(calls: number, count: number, alike: boolean): Rule[] {
  const rules: Rule[] = [];
  for (let i = 0; i < count; i++) {
    for (let nr = 0; nr < calls; nr++) {
      const value = BigInt((21_504 + 7 * i) * (alike ? 1 : nr + 1));
      const conditions = [{ arg: 1, op: "eq", mask: ALL, value }] as const;
      rules.push({
        first: nr,
        last: nr,
        conditions,
        value: 0x7fff_0000,
        source: "",
      });
    }
  }
  return rules;
}

export function policyOf(rules: readonly Rule[]): Policy {
  return {
    defaultValue: 0x0005_0001,
    badArchValue: 0,
    littleEndian: true,
    arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
  };
}

/** Processor time of this process in hundredths of a second. */
export function cpu(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]
    ?.split(" ");
  return Number(fields?.[11]) + Number(fields?.[12]);
}

export function seconds(since: number): string {
  return `${((cpu() - since) / 100).toFixed(1)} s`;
}
