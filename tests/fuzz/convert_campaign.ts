/**
 * The campaign of conversions: random profiles are written in every format, and
 * the result is judged by the second interpreter of profiles, which shares no
 * code with `profile/` and `pipeline/`: where the answers differ, a loss has to
 * say so, with the right effect and a call that shows it.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { convert } from "../../pipeline/convert/convert.ts";
import {
  CONVERT_FORMATS,
  type Converted,
  type ConvertFormat,
  type Loss,
} from "../../pipeline/convert/result.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { decide } from "../../verify/decide.ts";
import { effectOf } from "../oracle/bpf.ts";
import {
  type Case,
  generateAny,
  generateContract,
} from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret, type Verdicts } from "../oracle/meaning.ts";

/** Results of the campaign. */
export interface ConvertCounts {
  /** Results without a loss, by format. */
  readonly equal: Readonly<Partial<Record<ConvertFormat, number>>>;
  /** Results with losses, by format. */
  readonly lossy: Readonly<Partial<Record<ConvertFormat, number>>>;
  /** Profiles that the runtime refuses. */
  readonly refused: number;
  /** Answers of the second interpreter that were compared. */
  readonly verdicts: number;
  /** Losses whose call was tried. */
  readonly witnesses: number;
  /** Losses that permit more than the source. */
  readonly looser: number;
  readonly wrong: readonly string[];
}

/** Converts random profiles and judges the results. */
export function judgeConversions(
  { seed, count, formats = CONVERT_FORMATS }: {
    readonly seed: number;
    readonly count: number;
    readonly formats?: readonly ConvertFormat[];
  },
): ConvertCounts {
  const equal: Partial<Record<ConvertFormat, number>> = {};
  const lossy: Partial<Record<ConvertFormat, number>> = {};
  const sums = { refused: 0, verdicts: 0, witnesses: 0, looser: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < count && wrong.length < 5; i++) {
    const own = (seed + i) >>> 0;
    const drawn = i % 3 === 0 ? generateAny(own) : generateContract(own);
    for (const format of formats) {
      const tell = (text: string): void => {
        wrong.push(`seed ${own}, ${format}: ${text}`);
      };
      const result = resultOf(drawn, format, tell);
      if (result === undefined) {
        sums.refused++;
        continue;
      }
      const judge = new Judge(drawn, result, tell);
      judge.all();
      sums.verdicts += judge.verdicts;
      sums.witnesses += judge.witnesses;
      sums.looser += judge.looser;
      const counts = result.losses.length === 0 ? equal : lossy;
      counts[format] = (counts[format] ?? 0) + 1;
    }
  }
  return { equal, lossy, ...sums, wrong };
}

function resultOf(
  { seccomp, target }: Case,
  format: ConvertFormat,
  tell: (text: string) => void,
): Converted | undefined {
  try {
    const profile = parseProfile(writeSection(seccomp), { kind: "oci" });
    const result = convert(
      { profile },
      { arch: target.native, semantics: "crun", unknown: "warn" },
      { format },
    );
    if (result.kind === "converted") return result;
    const isRefused = result.kind === "unconvertible" &&
      format === "firecracker" && !/^(?:x86_64|aarch64)$/.test(target.native);
    if (!isRefused) {
      tell(result.kind === "unconvertible" ? result.reason : result.limit);
    }
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
  }
  return undefined;
}

/** Judges one result. */
class Judge {
  verdicts = 0;
  witnesses = 0;
  looser = 0;
  readonly #case: Case;
  readonly #result: Converted;
  readonly #tell: (text: string) => void;
  readonly #source: Verdicts | undefined;

  constructor(
    drawn: Case,
    result: Converted,
    tell: (text: string) => void,
  ) {
    this.#case = drawn;
    this.#result = result;
    this.#tell = tell;
    const source = interpret(
      drawn.seccomp,
      hostOf({ native: drawn.target.native, semantics: "crun" }),
    );
    this.#source = typeof source === "function" ? source : undefined;
  }

  all(): void {
    const { seccomp, target, seed } = this.#case;
    if (this.#source === undefined) {
      this.#tell("the second interpreter refuses the profile");
      return;
    }
    for (const data of inputs(seccomp, target, { seed, combinations: 8 })) {
      this.verdicts++;
      this.#one(data);
    }
    const { losses, elsewhere } = this.#result;
    for (const loss of losses) {
      this.#witness(loss);
      if (loss.effect === "looser") this.looser++;
    }
    for (const loss of elsewhere) this.#witness(loss);
  }

  #answers(data: SeccompData): readonly [number, number] {
    const wanted = effectOf(this.#source?.(data) ?? 0);
    const got = effectOf(decide(this.#result.policy, data).value);
    return [wanted, got];
  }

  /** Two answers that differ have to be in a loss. */
  #one(data: SeccompData): void {
    const [wanted, got] = this.#answers(data);
    if (wanted === got) return;
    const { losses, elsewhere } = this.#result;
    const covering = [...losses, ...elsewhere]
      .filter((loss) => this.#covers(loss, data));
    const isSaid = covering.some((loss) =>
      rank(got) <= rank(wanted) || loss.effect === "looser"
    );
    if (isSaid) return;
    this.#tell(
      `not listed: ${data.arch.toString(16)} ${data.nr} ${data.args}: ${
        wanted.toString(16)
      } becomes ${got.toString(16)}`,
    );
  }

  #covers(
    { part, calls, arches }: Loss,
    { arch: audit, nr }: SeccompData,
  ): boolean {
    const isBeyond = nr >= 0x8000_0000;
    const own = ARCHES.find((arch) =>
      arch.auditArch === audit && hasNumber(arch, nr)
    );
    const isListed = own !== undefined && !isBeyond &&
      this.#result.arches.includes(own);
    if (!isListed) return /^(?:architectures|inputs) that/.test(part);
    const names = [...own.syscalls].flatMap(([name, number]) =>
      number === nr ? [name] : []
    );
    if (!arches.includes(own.name)) return false;
    return names.length === 0
      ? part.startsWith("numbers without a call")
      : names.some((name) => calls.includes(name));
  }

  #witness({ part, witness, effect }: Loss): void {
    if (witness === undefined) return;
    this.witnesses++;
    const [wanted, got] = this.#answers(witness.data);
    const isTrue = wanted === witness.wanted && got === witness.got &&
      wanted !== got;
    const order = Math.sign(rank(got) - rank(wanted));
    const isRight = order === { looser: 1, stricter: -1, other: 0 }[effect];
    if (!isTrue || !isRight) {
      this.#tell(
        `${part}: ${effect}, but ${wanted.toString(16)} becomes ${
          got.toString(16)
        }`,
      );
    }
  }
}

function hasNumber({ name, auditArch, syscallBit }: Arch, nr: number): boolean {
  const isShared = ARCHES.some((other) =>
    other.auditArch === auditArch && other.name !== name
  );
  return !isShared || (nr & 0x4000_0000) === syscallBit;
}

/** Denials, then asking, then logging, then permission. */
function rank(value: number): number {
  const actions = [0x7fc0_0000, 0x7ff0_0000, 0x7ffc_0000, 0x7fff_0000];
  return actions.indexOf((value & 0xffff_0000) >>> 0) + 1;
}
