/**
 * The campaign of large profiles: a profile that libseccomp fits into the
 * kernel's limit is never refused for its size. Profiles are truncated to the
 * size at which libseccomp's filter is near the limit. `LD_LIBRARY_PATH` can
 * select another release of the library.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import {
  type LibseccompGuard,
  openLibseccompGuard,
} from "../../ffi/libseccomp_guard.ts";
import { effective } from "../../bpf/return_value.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { drawLarge, drawWide, type LargeProfile } from "../oracle/large.ts";
import { toFilterSpec } from "../oracle/libseccomp_adapter.ts";
import { produce } from "../oracle/production.ts";
import { BPF_MAXINSNS } from "../../tables/uapi.ts";

/** Outcome of a campaign. */
export interface LargeCounts {
  /** Profiles whose filters were compared. */
  compared: number;
  /** Of these, filters of libseccomp with more than 3,900 instructions. */
  near: number;
  /** Inputs on which both filters ran. */
  inputs: number;
  /** Largest of our filters. */
  longest: number;
  /** The library refused the rules, or took too long. */
  left: number;
  /** Profiles that were refused, or verdicts that differ; one text each. */
  readonly wrong: string[];
}

/** Options. */
export interface LargeOptions {
  readonly seed: number;
  /** Number of profiles to compare. */
  readonly count: number;
  /** Called after each comparison. */
  readonly onProfile?: (line: string) => void;
}

/** A filter of libseccomp is near the limit from this length on. */
const NEAR = 3900;
/** Limit of one request. */
const TIME_LIMIT = 20_000;
/** Inputs for each profile. */
const INPUTS = 1000;
/** Number of rules that is tried first. */
const FIRST_RULES = 200;
/** Filters that the library builds for one profile. */
const MOST_BUILDS = 6;

/**
 * Compares profiles near the limit.
 *
 * @returns The counts; `undefined` without libseccomp.
 */
export async function runLarge(
  { seed, count, onProfile }: LargeOptions,
): Promise<LargeCounts | undefined> {
  await using guard = openLibseccompGuard({ timeLimit: TIME_LIMIT });
  if (guard === undefined) return undefined;
  const counts: LargeCounts = {
    ...{ compared: 0, near: 0, inputs: 0, longest: 0, left: 0 },
    wrong: [],
  };
  for (let i = 0; counts.compared < count && i < 10 * count; i++) {
    const at = seed + i;
    // One in eight has many rules on few calls, which the library is slow with.
    const profile = i % 8 === 0 ? drawLarge(at) : drawWide(at);
    const line = await compareLarge(guard, profile, counts);
    if (line !== undefined) onProfile?.(`${at}: ${profile.shape}: ${line}`);
  }
  return counts;
}

/** Finds the most rules that libseccomp fits, and compares the filters. */
async function compareLarge(
  guard: LibseccompGuard,
  profile: LargeProfile,
  counts: LargeCounts,
): Promise<string | undefined> {
  const build = async (rules: number) => {
    const spec = toFilterSpec(profile.take(rules), { runtime: "crun" });
    const made = await guard.exportFilter(spec);
    return made.kind === "filter" ? made.bytes : undefined;
  };
  let fits = 0;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let rules = FIRST_RULES;
  for (let i = 0; i < MOST_BUILDS && rules > fits; i++) {
    const made = await build(rules);
    const length = (made?.length ?? 0) / 8;
    if (made !== undefined && length <= BPF_MAXINSNS) {
      fits = rules;
      bytes = made;
      if (length > NEAR) break;
    }
    // The length is about proportional to the number of rules.
    rules = made === undefined
      ? rules >> 1
      : Math.floor(rules * (NEAR + BPF_MAXINSNS) / 2 / length);
  }
  if (bytes === undefined || bytes.length / 8 < BPF_MAXINSNS / 2) {
    counts.left++;
    return undefined;
  }
  const theirs = decode(bytes);
  const made = produce(profile.take(fits), {
    native: "x86_64",
    semantics: "crun",
  });
  if (made.kind === "refused") {
    counts.left++;
    return undefined;
  }
  counts.compared++;
  if (theirs.length > NEAR) counts.near++;
  const sizes = `${fits} rules, libseccomp ${theirs.length}, ours ${
    made.program?.length ?? "refused"
  }`;
  if (made.program === undefined) {
    counts.wrong.push(`${profile.shape}: ${sizes}`);
    return sizes;
  }
  counts.longest = Math.max(counts.longest, made.program.length);
  const [mine, reference] = [prepare(made.program), prepare(theirs)];
  for (const data of witnesses([made.policy], { most: INPUTS })) {
    const words = toWords(data);
    counts.inputs++;
    if (effective(run(mine, words)) !== effective(run(reference, words))) {
      counts.wrong.push(`${profile.shape}: ${sizes}: differs on ${words}`);
      break;
    }
  }
  return sizes;
}
