/**
 * What we make of profiles, proved equal to libseccomp's filters, linear and as a tree, with runc's
 * stub and without: for the embedded default and for the profiles in ../shared.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { hostNames } from "../../ffi/host_names.ts";
import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES, type Host } from "../../profile/host.ts";
import { parseProfile } from "../../profile/parse.ts";
import { selectFor } from "../../profile/select.ts";
import { proveEquivalent, type Subject } from "../../verify/equivalence.ts";
import {
  joinFilter,
  runcStub,
  toFilterSpec,
} from "../oracle/libseccomp_adapter.ts";
import { produce } from "../oracle/production.ts";

const HOST: Host = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
  capabilities: DOCKER_DEFAULT_CAPABILITIES,
};
const X86_64 = 0xc000_003e;
const SHARED = new URL("../../../shared/data/profiles/", import.meta.url);
/** In formats that are not read, and the list itself. */
const OTHER_FORMATS = ["firecracker-x86_64.json", "index.json"];

/** Texts of profiles by name. */
function profiles(): readonly (readonly [name: string, text: string])[] {
  const embedded = ["the embedded default", DEFAULT_PROFILE] as const;
  try {
    const names = [...Deno.readDirSync(SHARED)].map(({ name }) => name)
      .filter((name) => name.endsWith(".json") && !OTHER_FORMATS.includes(name))
      .sort();
    return [
      embedded,
      ...names.map((name) =>
        [name, Deno.readTextFileSync(new URL(name, SHARED))] as const
      ),
    ];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    say("shared/data/profiles is absent");
    return [embedded];
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- says what could not be compared
  console.log(line);
}

Deno.test("prove: our filters are equal to libseccomp's, linear and tree, stub and all", async (t) => {
  const library = openLibseccomp();
  if (library?.nativeArch !== X86_64) {
    say("no libseccomp for x86_64 here");
    return;
  }
  for (const [name, text] of profiles()) {
    await t.step(name, () => {
      const { seccomp } = selectFor(parseProfile(text), HOST);
      assert(seccomp !== undefined);
      for (const semantics of ["crun", "runc"] as const) {
        const produced = produce(
          seccomp,
          { native: "x86_64", semantics },
          // One program is enough: others are proved equal to their policies elsewhere.
          { ...hostNames(library), program: text === DEFAULT_PROFILE },
        );
        assert(produced.kind === "compiled");
        const { policy, program } = produced;
        const ours: readonly Subject[] = [
          { kind: "policy", policy },
          ...(program === undefined
            ? []
            : [{ kind: "program", program } as const]),
        ];
        const stub = semantics === "runc"
          ? runcStub(seccomp, library)
          : new Uint8Array();
        for (const tree of [false, true]) {
          const title = `${semantics}, ${tree ? "tree" : "linear"}`;
          const built = library.exportFilter(
            toFilterSpec(seccomp, { runtime: semantics, tree }),
          );
          assert(built.kind === "filter", `${title}: ${built.kind}`);
          const theirs = {
            kind: "program",
            program: decode(joinFilter(stub, built.bytes)),
          } as const;
          for (const side of ours) {
            const { kind } = proveEquivalent(side, theirs);
            assertEquals(kind, "equal", `${title}, our ${side.kind}`);
          }
        }
      }
    });
  }
});

Deno.test("prove: libseccomp's filter with one verdict changed is refuted on a call of that verdict", () => {
  const library = openLibseccomp();
  if (library?.nativeArch !== X86_64) {
    say("no libseccomp for x86_64 here");
    return;
  }
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), HOST);
  assert(seccomp !== undefined);
  const built = library.exportFilter(
    toFilterSpec(seccomp, { runtime: "crun" }),
  );
  assert(built.kind === "filter");
  const program = decode(built.bytes);
  const ALLOW = 0x7fff_0000;
  const LOG = 0x7ffc_0000;
  const changed = program.map((instruction) =>
    instruction.op === "ret.k" && instruction.k === ALLOW
      ? { ...instruction, k: LOG }
      : instruction
  );
  const verdict = proveEquivalent(
    { kind: "program", program },
    { kind: "program", program: changed },
  );
  assert(verdict.kind === "different");
  assertEquals([verdict.a.value, verdict.b.value], [ALLOW, LOG]);
});
