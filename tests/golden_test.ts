/**
 * The generated code, as text to review: `deno task golden` regenerates it, and
 * the difference belongs in the review of the change. Behavior is tested
 * elsewhere; this test shows size, shape and order.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { format } from "../bpf/format.ts";
import { parseText } from "../bpf/text.ts";
import { compile } from "../compiler/compile.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../profile/host.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { resolve } from "../profile/semantics/resolve.ts";
import { selectFor } from "../profile/select.ts";
import { archByName, type ArchName } from "../tables/arch.ts";

const FOLDER = new URL("./golden/", import.meta.url);

/** A profile and its target. */
interface Case {
  readonly profile: string;
  readonly arches: readonly ArchName[];
  readonly semantics?: "runc";
}

/** A profile with these rules and a default of ERRNO. */
function profile(...rules: readonly string[]): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rules.join()}]}`;
}

/** A rule that allows calls, under conditions. */
function allow(names: string, ...args: readonly string[]): string {
  const list = names.split(" ").map((name) => `"${name}"`);
  return `{"names":[${list}],"action":"SCMP_ACT_ALLOW","args":[${args}]}`;
}

/** A condition on argument 0. */
function when(op: string, value: string, valueTwo = "0"): string {
  return `{"index":0,"op":"SCMP_CMP_${op}","value":${value},"valueTwo":${valueTwo}}`;
}

/** The calls of a small program. */
const BASE = allow("read write close execve exit_group brk mmap munmap");

const CASES: Readonly<Record<string, Case>> = {
  "docker-x86_64": { profile: DEFAULT_PROFILE, arches: ["x86_64"] },
  empty: { profile: profile(), arches: ["x86_64"] },
  base: { profile: profile(BASE), arches: ["x86_64"] },
  "base-three-abis": {
    profile: profile(BASE),
    arches: ["x86_64", "x86", "x32"],
  },
  "base-runc": {
    profile: profile(BASE),
    arches: ["x86_64"],
    semantics: "runc",
  },
  "base-s390x": { profile: profile(BASE), arches: ["s390x"] },
  socket: {
    profile: profile(
      BASE,
      allow("socket", when("LT", "38")),
      allow("socket", when("EQ", "39")),
      allow("socket", when("GT", "40")),
    ),
    arches: ["x86_64"],
  },
  masks: {
    profile: profile(
      BASE,
      allow("clone", when("MASKED_EQ", "2114060288")),
      allow("personality", when("EQ", "0")),
      allow("personality", when("EQ", "8")),
      allow("personality", when("EQ", "131072")),
      allow("personality", when("EQ", "131080")),
      allow("personality", when("EQ", "4294967295")),
      allow("kill", when("MASKED_EQ", "6", "2")),
    ),
    arches: ["x86_64"],
  },
};

/** The text of a case. */
function textOf({ profile, arches: names, semantics }: Case): string {
  const arches = names.flatMap((name) => archByName(name) ?? []);
  const [native] = arches;
  assert(native !== undefined && arches.length === names.length);
  const { seccomp } = selectFor(parseProfile(profile), {
    arch: native.name,
    kernel: { major: 6, minor: 1 },
    capabilities: DOCKER_DEFAULT_CAPABILITIES,
  });
  assert(seccomp !== undefined);
  const { policy } = resolve(seccomp, {
    arches,
    semantics: semantics ?? "crun",
  });
  const { program } = compile(policy);
  assertEquals(parseText(format(program)), program);
  return `; ${names.join(", ")}${
    semantics === undefined ? "" : `, ${semantics}`
  }: ${program.length} instructions\n${format(program).trimEnd()}\n`;
}

Deno.test("compile() emits the golden text", () => {
  const update = Deno.env.get("UPDATE_GOLDEN") === "1";
  for (const [name, one] of Object.entries(CASES)) {
    const file = new URL(`${name}.asm`, FOLDER);
    const text = textOf(one);
    if (update) Deno.writeTextFileSync(file, text);
    assertEquals(
      text,
      Deno.readTextFileSync(file),
      `${name} differs: if that is meant, run deno task golden and review the difference`,
    );
  }
});

Deno.test("golden/ contains only files that a case writes", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".asm")).sort();
  assertEquals(files, Object.keys(CASES).map((name) => `${name}.asm`).sort());
});
