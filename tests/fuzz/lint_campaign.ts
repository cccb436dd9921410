/**
 * The campaign of `lint`: each finding is checked again in another way. A
 * second interpreter judges its calls. Its patch is applied to the text, after
 * which the finding must be gone. A fix that claims "equal" is proved equal,
 * and compared call by call.
 *
 * @module
 */

import { toWords } from "../../bpf/seccomp_data.ts";
import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { LINT_IDS, type LintId } from "../../lint/catalog.ts";
import type { LintFinding, LintReport } from "../../lint/finding.ts";
import { lintFilters, lintProfile } from "../../lint/lint.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { applyPatch, type PatchStep } from "../../profile/json/patch.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { sharedFile } from "../machine.ts";
import { effectOf } from "../oracle/bpf.ts";
import { generateAny, generateContract } from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret, type Target } from "../oracle/meaning.ts";
import { parseExact, toSection } from "../oracle/read_section.ts";
import { answerOf, realStacks } from "./optimize_campaign.ts";

/** Results of a campaign. */
export interface LintCounts {
  readonly sources: number;
  /** Number of findings by id. */
  readonly findings: ReadonlyMap<string, number>;
  /** Number of patches that were applied. */
  readonly patches: number;
  readonly wrong: readonly string[];
}

/** Counts that grow. */
class Counts {
  sources = 0;
  patches = 0;
  readonly findings = new Map<string, number>();
  readonly wrong: string[] = [];

  add({ id }: LintFinding): void {
    this.findings.set(id, (this.findings.get(id) ?? 0) + 1);
  }

  get result(): LintCounts {
    const { sources, findings, patches, wrong } = this;
    return { sources, findings, patches, wrong };
  }
}

const CONTEXTS = ["container", "sandbox", "ctf"] as const;

/** Lints random profiles. */
export function judgeLint(
  { seed, count }: { readonly seed: number; readonly count: number },
): LintCounts {
  const counts = new Counts();
  for (let i = 0; i < count; i++) {
    const { seccomp, target } = i % 2 === 0
      ? generateAny(seed + i)
      : generateContract(seed + i);
    const text = textOf(seccomp);
    const context = CONTEXTS[i % CONTEXTS.length] ?? "container";
    const place = `seed ${seed + i}`;
    const version = target.version?.join(".");
    const wanted: ProfileTarget = {
      arch: target.native,
      semantics: (version === undefined
        ? target.semantics
        : `${target.semantics}@${version}`) as Semantics, // its form
      unknown: "warn",
    };
    const lint: Subject["lint"] = (profile, only) =>
      lintProfile(profile, wanted, {
        context,
        runtimes: [target.semantics],
        ...only === undefined ? {} : { disabled: allBut(only) },
      });
    judgeText(counts, { place, text, kind: "oci", target, wanted, lint });
  }
  return counts.result;
}

/** A profile to judge. */
interface Subject {
  readonly place: string;
  readonly text: string;
  readonly kind?: ParsedProfile["kind"];
  readonly target: Target;
  readonly wanted: ProfileTarget;
  /** Lints a profile, for one id alone if it is given. */
  readonly lint: (profile: ParsedProfile, only?: LintId) => LintReport;
}

function allBut(only: LintId): ReadonlySet<LintId> {
  return new Set(LINT_IDS.filter((id) => id !== only));
}

function judgeText(counts: Counts, subject: Subject): void {
  const { place, text, target, lint } = subject;
  let parsed: ParsedProfile;
  try {
    parsed = parse(subject, text);
  } catch (error) {
    // The reader refuses an errno that libseccomp truncates.
    if (error instanceof ProfileError) return;
    throw error;
  }
  const wrong = (what: string, finding?: LintFinding): void => {
    const at = finding === undefined ? "" : ` ${finding.id} ${finding.path}:`;
    counts.wrong.push(`${place}:${at} ${what}`);
  };
  let report: LintReport;
  try {
    report = lint(parsed);
  } catch (error) {
    if (error instanceof ProfileError) return;
    throw error;
  }
  counts.sources++;
  const section = sectionOf(subject, parsed);
  const verdicts = section && interpret(section, hostOf(target));
  const isRefused = report.findings.some(({ proof }) =>
    proof === "the runtime refuses the profile"
  );
  for (const finding of report.findings) {
    counts.add(finding);
    const { witnesses, proof, line } = finding;
    if (line === undefined) wrong("no place", finding);
    if (witnesses.length === 0 && proof === undefined) {
      wrong("no evidence", finding);
    }
    if (isRefused) {
      // The second interpreter does not know the versions of every refusal.
      if (
        finding.id === "conflicting-rules" && typeof verdicts === "function"
      ) wrong("the second interpreter accepts it", finding);
      continue;
    }
    if (typeof verdicts === "function") {
      for (const { data, value } of witnesses) {
        const other = verdicts(data);
        if (effectOf(other) === effectOf(value)) continue;
        wrong(`${data.nr} gets ${other}, not ${value}`, finding);
      }
    }
    if (finding.fix !== undefined) {
      judgeFix(counts, subject, report, finding, wrong);
    }
  }
}

function parse({ kind }: Subject, text: string): ParsedProfile {
  return parseProfile(text, kind === undefined ? {} : { kind });
}

/** The section that the runtime gets, for the second interpreter. */
function sectionOf(
  { wanted, kind, text }: Subject,
  parsed: ParsedProfile,
): LinuxSeccomp | undefined {
  if (kind === "oci") return toSection(parseExact(text));
  try {
    return resolveParsed(parsed, wanted).seccomp;
  } catch {
    return undefined;
  }
}

function judgeFix(
  counts: Counts,
  subject: Subject,
  { findings }: LintReport,
  finding: LintFinding,
  wrong: (what: string, finding: LintFinding) => void,
): void {
  const { text, target, wanted, lint } = subject;
  const patch = finding.fix?.patch ?? [];
  const changed = applyPatch(text, patch);
  counts.patches++;
  const expected = applyToData(JSON.parse(text), patch);
  if (JSON.stringify(JSON.parse(changed)) !== JSON.stringify(expected)) {
    wrong(`the patch makes another text: ${changed}`, finding);
    return;
  }
  const parsed = parse(subject, changed);
  const count = (list: readonly LintFinding[]): number =>
    list.filter(({ fingerprint }) => fingerprint === finding.fingerprint)
      .length;
  if (count(lint(parsed, finding.id).findings) >= count(findings)) {
    wrong("it is still there after its fix", finding);
  }
  if (finding.fix?.effect !== "equal") return;
  const [before, after] = [parse(subject, text), parsed].map((profile) =>
    resolveParsed(profile, wanted)
  );
  if (before === undefined || after === undefined) return;
  const proof = proveEquivalent(before.policy, after.policy);
  if (proof.kind !== "equal") wrong(`not equal: ${proof.kind}`, finding);
  const [ours, theirs] = [before.seccomp, after.seccomp].map((section) =>
    interpret(section, hostOf(target))
  );
  if (typeof ours !== "function" || typeof theirs !== "function") return;
  for (const data of inputs(before.seccomp, target, { combinations: 4 })) {
    if (effectOf(ours(data)) === effectOf(theirs(data))) continue;
    wrong(`number ${data.nr} of ${data.arch} changes`, finding);
    return;
  }
}

/** A second implementation of patches, on data. */
function applyToData(root: unknown, patch: readonly PatchStep[]): unknown {
  // Numbers of patches are compared after they were read again.
  const plain = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_key, item) =>
        typeof item === "bigint" ? Number(item) : item),
    );
  for (const { op, path, value } of patch) {
    const steps = path.split("/").slice(1);
    const last = steps.pop() ?? "";
    // deno-lint-ignore no-explicit-any -- any JSON
    let at: any = root;
    for (const step of steps) at = at[step];
    if (Array.isArray(at)) {
      if (op === "remove") at.splice(Number(last), 1);
      else if (op === "replace") at[Number(last)] = plain(value);
      else at.splice(last === "-" ? at.length : Number(last), 0, plain(value));
    } else if (op === "remove") delete at[last];
    else at[last] = plain(value);
  }
  return root;
}

/** Writes a section as JSON, with blanks as people write them. */
function textOf({ syscalls, ...rest }: LinuxSeccomp): string {
  const entries = syscalls.map(({ path: _path, ...entry }) => entry);
  return JSON.stringify(
    { ...rest, syscalls: entries },
    (_key, value) =>
      typeof value === "bigint"
        // The type of JSON.rawJSON is newer than the compiler's library.
        ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(
          String(value),
        )
        : value,
    2,
  );
}

/** Real profiles that can be read, with the machines on which they are. */
const PROFILES: readonly (readonly [file: string, arch: ArchName])[] = [
  "docker-default.json",
  "docker-default-2023-10-before-iouring-block.json",
  "docker-default-old-format.json",
  "podman-default-debian12.json",
  "podman-4.3.1-precreate-stdin.config.json",
  "chrome-jessfraz.json",
  "playwright.json",
  "runc-test1-config.json",
].flatMap((file) =>
  (["x86_64", "aarch64", "s390x"] as const).map((arch) => [file, arch] as const)
);

/** Lints real profiles. */
export function judgeRealProfiles(): LintCounts {
  const counts = new Counts();
  for (const [file, arch] of PROFILES) {
    const text = Deno.readTextFileSync(sharedFile(`profiles/${file}`));
    const wanted: ProfileTarget = {
      arch,
      kernel: { major: 6, minor: 18 },
      semantics: "crun",
      unknown: "warn",
    };
    for (const context of CONTEXTS) {
      const lint: Subject["lint"] = (profile, only) =>
        lintProfile(profile, wanted, {
          context,
          ...only === undefined ? {} : { disabled: allBut(only) },
        });
      const place = `${file} on ${arch} as ${context}`;
      const target: Target = { native: arch, semantics: "crun" };
      judgeText(counts, { place, text, target, wanted, lint });
    }
  }
  return counts.result;
}

/** Lints filters of real programs. */
export function judgeRealFilters(): LintCounts {
  const counts = new Counts();
  const native = archByName("x86_64");
  const x86 = archByName("x86");
  if (native === undefined || x86 === undefined) throw new Error("no tables");
  for (const { name, programs } of realStacks()) {
    const report = lintFilters(
      { programs, littleEndian: true },
      { native, arches: [native, x86] },
      { context: "ctf" },
    );
    counts.sources++;
    const answer = answerOf(programs);
    for (const finding of report.findings) {
      counts.add(finding);
      const at = `${name}: ${finding.id} ${finding.instruction}`;
      if (finding.instruction === undefined) counts.wrong.push(`${at} nowhere`);
      if (finding.id === "dead-test") {
        if (!decidesNothing(programs, finding)) counts.wrong.push(at);
        continue;
      }
      if (finding.witnesses.length === 0 && finding.proof === undefined) {
        counts.wrong.push(`${at}: no evidence`);
      }
      for (const { data, value } of finding.witnesses) {
        const other = answer(toWords(data, true));
        if (effectOf(other) === effectOf(value)) continue;
        counts.wrong.push(`${at}: ${data.nr} gets ${other}, not ${value}`);
      }
    }
    if (report.open.length > 0) counts.wrong.push(`${name}: ${report.open}`);
  }
  return counts.result;
}

/** Replaces a test with the result that the finding states, and runs both. */
function decidesNothing(
  programs: readonly Program[],
  { filter = 0, instruction = 0, proof = "" }: LintFinding,
): boolean {
  const distance = Number(/over (\d+) instructions/.exec(proof)?.[1]);
  const program = programs[filter];
  const test = program?.[instruction];
  if (program === undefined || test === undefined) return false;
  const changed = program.with(instruction, {
    ...test,
    jt: distance,
    jf: distance,
  });
  if (encode(changed).length !== encode(program).length) return false;
  return proveEquivalent(program, changed).kind === "equal";
}
