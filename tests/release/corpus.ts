/**
 * Profiles and targets whose filters must be the same in every engine.
 *
 * @module
 */

import type { CompiledProfile, ProfileTarget } from "../../mod.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import { presetProfile, PRESETS } from "../../profile/presets.ts";
import { generateAny } from "../oracle/generate.ts";

/** Number of profiles. */
const PROFILES = 30;

/** Profiles and targets. */
export interface Corpus {
  /** JSON. */
  readonly profiles: readonly string[];
  readonly targets: readonly ProfileTarget[];
}

/**
 * Docker's default, every preset, and random profiles, which are for the
 * architecture that a target names.
 */
export const CORPUS: Corpus = {
  profiles: [
    DEFAULT_PROFILE,
    ...PRESETS.map(({ name }) => presetProfile(name) ?? ""),
    ...Array.from(
      { length: PROFILES - 1 - PRESETS.length },
      (_, seed) =>
        writeSection({ ...generateAny(seed).seccomp, architectures: [] }),
    ),
  ],
  targets: [
    { arch: "x86_64", kernel: { major: 6, minor: 1 } },
    { arch: "x86_64", kernel: { major: 4, minor: 4 }, semantics: "runc" },
    { arch: "x86", kernel: { major: 6, minor: 1 } },
    { arch: "aarch64", kernel: { major: 6, minor: 1 } },
    { arch: "s390x", kernel: { major: 5, minor: 10 } },
    { arch: "mips64", kernel: { major: 6, minor: 1 } },
  ],
};

/** The part of the library that is used. */
interface Library {
  compileProfile(source: string, target: ProfileTarget): CompiledProfile;
}

/**
 * Compiles everything. Its text runs in other engines, so it uses nothing from
 * outside.
 *
 * @param library The library in that engine.
 * @param corpus Profiles and targets.
 * @returns One line for each filter: its bytes in hex, or the reason why it has none.
 */
export function compileCorpus(
  { compileProfile }: Library,
  { profiles, targets }: Corpus,
): readonly string[] {
  const hex = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return profiles.flatMap((profile) =>
    targets.map((target) => {
      try {
        const filter = compileProfile(profile, target);
        return filter.kind === "proved" ? hex(filter.bytes) : filter.message;
      } catch (error) {
        return String(error);
      }
    })
  );
}
