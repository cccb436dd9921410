/**
 * The campaign of the entries that `explain` adds: for a denied call of a real
 * profile, the entry is added to the JSON as text, and `diff` reports what
 * became looser.
 *
 * @module
 */

import { decodeUtf8 } from "../../profile/text.ts";
import { entryText } from "../../cli/output/call/json.ts";
import {
  type AllowEntries,
  findAllowEntries,
} from "../../pipeline/allow_entry.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { archByName } from "../../tables/arch.ts";
import { decide } from "../../verify/decide.ts";
import { listDifferences } from "../../verify/differences.ts";
import { sharedFile } from "../machine.ts";
import { createRandom, type Random } from "../verify/programs.ts";

const ALLOW = 0x7fff_0000;
const X86_64 = 0xc000_003e;

/** Profiles of which calls are drawn. */
const PROFILES: readonly string[] = [
  "docker-default.json",
  "podman-default-debian12.json",
  "chrome-jessfraz.json",
  "playwright.json",
];

const TARGET: ProfileTarget = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
  unknown: "ignore",
};

/** Results of the campaign. */
export interface EntryCounts {
  /** Denied calls with an entry that is proved exact. */
  readonly exact: number;
  /** Those whose entry allows more, as the report says. */
  readonly wider: number;
  /** Those without an entry. */
  readonly none: number;
  readonly wrong: readonly string[];
}

/** Reads a profile: of the shared ones, or Docker's. */
function profileText(index: number): string {
  const name = PROFILES[index % PROFILES.length] ?? "";
  if (index === 0) return DEFAULT_PROFILE;
  return decodeUtf8(Deno.readFileSync(sharedFile(`profiles/${name}`)));
}

/** Asks for entries of denied calls and judges them. */
export function judgeEntries(
  { seed, count, profiles = PROFILES.length }: {
    readonly seed: number;
    readonly count: number;
    /** Number of profiles; 1 for Docker's only. */
    readonly profiles?: number;
  },
): EntryCounts {
  const random = createRandom(seed);
  const counts = { exact: 0, wider: 0, none: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = profileText(i % profiles);
    const profile = parseProfile(text);
    const resolved = resolveParsed(profile, TARGET);
    const { name, data, args } = deniedCall(
      random,
      (data) => decide(resolved.policy, data).value !== ALLOW,
    );
    const place = `seed ${seed}, case ${i}: ${name}(${data.args.join(", ")})`;
    const found = findAllowEntries(profile, resolved, TARGET, {
      name,
      args,
      data,
    });
    if (found.kind === "no-entries") {
      counts.none++;
      wrong.push(`${place}: ${found.reason}`);
      continue;
    }
    if (found.also.length > 0) {
      counts.wider++;
      continue;
    }
    counts.exact++;
    const changed = resolveParsed(
      parseProfile(withEntries(text, found)),
      TARGET,
    );
    const list = listDifferences(resolved.policy, changed.policy);
    if (list.kind !== "listed") {
      wrong.push(`${place}: ${list.kind}`);
      continue;
    }
    const numbers = new Set(
      resolved.arches.map((arch) =>
        `${arch.auditArch}:${arch.syscalls.get(name)}`
      ),
    );
    for (const { arch, nr, b, condition, witness } of list.differences) {
      const isCall = numbers.has(`${arch.first}:${nr.first}`) &&
        nr.first === nr.last;
      const isEqual = [...args].every(([index, value]) =>
        BigInt.asUintN(32, witness.data.args[index] ?? 0n) ===
          BigInt.asUintN(32, value) &&
        condition?.includes(`arg${index} `) === true
      );
      if (isCall && isEqual && b === ALLOW && hasOneBox(condition)) continue;
      wrong.push(`${place}: ${nr.first} on ${arch.first}, ${condition}`);
    }
  }
  return { ...counts, wrong };
}

/** True for values of arguments, in contrast to ranges and alternatives. */
function hasOneBox(condition: string | undefined): boolean {
  return condition !== undefined && !condition.includes(" or ") &&
    !condition.includes("!=") &&
    !/arg\d in /.test(condition);
}

/** Draws a call of x86_64 that is denied. */
function deniedCall(
  random: Random,
  isDenied: (data: Call["data"]) => boolean,
): Call {
  const names = [...archByName("x86_64")?.syscalls ?? []];
  for (;;) {
    const [name, nr] = random.pick(names);
    const given = random.below(4);
    const args = new Map<number, bigint>();
    for (let arg = 0; arg < given; arg++) {
      args.set(
        arg,
        BigInt(random.pick([0, 1, 16, 40, 0x1000_0000, 0xffff_fffe])),
      );
    }
    const data = {
      arch: X86_64,
      nr,
      instructionPointer: 0n,
      args: [0, 1, 2, 3, 4, 5].map((arg) => args.get(arg) ?? 0n),
    };
    if (isDenied(data)) return { name, args, data };
  }
}

/** A denied call. */
interface Call {
  readonly name: string;
  readonly args: ReadonlyMap<number, bigint>;
  readonly data: {
    readonly arch: number;
    readonly nr: number;
    readonly instructionPointer: bigint;
    readonly args: readonly bigint[];
  };
}

/** Changes the text of a profile as the report says. */
function withEntries(text: string, entries: AllowEntries): string {
  const { add, first, removeFrom } = entries;
  const written = add.map(entryText).join(",");
  // Numbers of the profiles are below 2^53, so that `JSON` keeps them.
  const document = JSON.parse(text);
  for (const path of removeFrom) {
    const index = Number(/\d+/.exec(path)?.[0]);
    const entry = document.syscalls[index];
    // Docker 1.10 wrote one name for each entry.
    entry.names = (entry.names ?? [entry.name]).filter((name: string) =>
      name !== add[0]?.names[0]
    );
  }
  document.syscalls = document.syscalls.filter((
    entry: { readonly names?: readonly string[] },
  ) => entry.names?.length !== 0);
  const empty = JSON.stringify({ ...document, syscalls: [] });
  const others = JSON.stringify(document.syscalls).slice(1, -1);
  const all = first ? [written, others] : [others, written];
  return empty.replace('"syscalls":[]', `"syscalls":[${all.join(",")}]`);
}
