/**
 * Every filter has a certificate that all checkers accept, and no checker
 * accepts a fault that makes it false.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { compileProfile, DEFAULT_PROFILE } from "../../mod.ts";
import { decode, encode } from "../../bpf/encode.ts";
import { compile } from "../../compiler/compile.ts";
import {
  CertificateError,
  checkCertificate,
} from "../../verify/certificate/check.ts";
import { makeCertificate, Uncertified } from "../../verify/certificate/make.ts";
import { runCertificates } from "../fuzz/certificate_campaign.ts";
import { needs, sharedFile } from "../machine.ts";
import { generateAny } from "../oracle/generate.ts";
import { produce } from "../oracle/production.ts";
import {
  availableCheckers,
  coqChecker,
  inPython,
  inTypeScript,
} from "./checkers.ts";
import { type CertificateCase, readSides } from "./sides.ts";

const SEED = 20_261_130;

/** Docker's default for x86_64, x86 and x32, with its certificate. */
async function dockerCase(): Promise<CertificateCase> {
  const target = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
  const filter = compileProfile(DEFAULT_PROFILE, target);
  assert(filter.kind === "proved");
  const text = await makeCertificate(filter.program, filter.policy);
  return { text, programs: [filter.bytes] };
}

Deno.test("the certificate of Docker's default has at most 40 KB, 10 KB compressed", async () => {
  const docker = await dockerCase();
  const { text } = docker;
  assertEquals(await inTypeScript([docker]), [true]);
  const stream = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const compressed = await new Response(stream).bytes();
  assert(text.length <= 40_000, `${text.length} bytes`);
  assert(compressed.length <= 10_000, `${compressed.length} bytes compressed`);
});

Deno.test("a certificate is about its sides only", async () => {
  const docker = await dockerCase();
  const { text } = docker;
  const sides = readSides(docker);
  assert(sides !== undefined);
  const [bytes, policy] = sides;
  assert(bytes instanceof Uint8Array && "rules" in policy);
  const other = bytes.slice();
  other[4] = (other[4] ?? 0) ^ 1;
  const wrong = [
    [other, policy],
    [bytes.slice(0, -8), policy],
    [bytes, bytes],
    [policy, bytes],
    [bytes, { ...policy, other: 1 }],
    [bytes, { ...policy, rules: policy.rules.slice(1) }],
  ] as const;
  for (const pair of wrong) {
    const error = await assertRejects(
      () => checkCertificate(text, pair),
      CertificateError,
      "something else",
    );
    assert(error.line > 0);
  }
  const big = { littleEndian: false };
  await assertRejects(
    () => checkCertificate(text, [bytes, policy], big),
    CertificateError,
  );
});

Deno.test("makeCertificate() refuses what is false or not covered", async () => {
  const allow = [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }] as const;
  const deny = [{ op: "ret.k", jt: 0, jf: 0, k: 0x5_0001 }] as const;
  const sum = [
    { op: "ld.abs", jt: 0, jf: 0, k: 0 },
    { op: "add.k", jt: 0, jf: 0, k: 1 },
    { op: "jeq.k", jt: 0, jf: 1, k: 5 },
    { op: "ret.k", jt: 0, jf: 0, k: 0 },
    ...allow,
  ] as const;
  await assertRejects(() => makeCertificate(allow, deny), Uncertified, "claim");
  const within = { claim: "within" } as const;
  await assertRejects(() => makeCertificate(allow, deny, within), Uncertified);
  const text = await makeCertificate(deny, allow, within);
  assert(text.startsWith("seccomp-certificate 2 little within\n"));
  assert(text.endsWith("\nreturns 50001, returns 7fff0000\nend\n"));
  await assertRejects(() => makeCertificate(sum, sum), Uncertified, "add.k");
});

Deno.test("makeCertificate() splits an empty part at its holes", async () => {
  // Bits of another word that stay unknown made 1,000,000 lines of this one.
  const { seccomp, target } = generateAny(51_348);
  const produced = produce(seccomp, target, { program: false });
  assert(produced.kind !== "refused");
  const { policy } = produced;
  const { littleEndian } = policy;
  const { program } = compile(policy);
  const options = { littleEndian, mostLines: 5000 };
  const text = await makeCertificate(program, policy, options);
  const programs = [encode(program, { littleEndian })];
  assertEquals(await inTypeScript([{ text, programs }]), [true]);
});

needs("python3")(
  "Python accepts what TypeScript accepts, and rejects the same faults",
  async () => {
    const counts = await runCertificates(
      { seed: SEED, filters: 100, faults: 600 },
      new Map([["TypeScript", inTypeScript], ["Python", inPython]]),
    );
    assertEquals(counts.wrong, []);
    assert(counts.rejected > 400 && counts.stillTrue > 5);
  },
);

needs("coq")(
  "the checker that is proved in Coq agrees, and rests on no axiom",
  async () => {
    const { run, printed } = await coqChecker();
    assertEquals(printed.trim(), "Closed under the global context");
    const docker = await dockerCase();
    const broken = docker.text.replace("\nreturns 7fff", "\nreturns 7ffe");
    assertEquals(await run([docker, { ...docker, text: broken }]), [
      true,
      false,
    ]);
    const counts = await runCertificates(
      { seed: SEED + 1, filters: 200, faults: 300 },
      new Map([["TypeScript", inTypeScript], ["Coq", run]]),
    );
    assertEquals(counts.wrong, []);
  },
);

needs("shared")(
  "every real profile has a certificate that all checkers accept",
  async () => {
    const cases: CertificateCase[] = [];
    const names: string[] = [];
    for await (const { name } of Deno.readDir(sharedFile("profiles"))) {
      if (!name.endsWith(".json") || name === "index.json") continue;
      const text = await Deno.readTextFile(sharedFile(`profiles/${name}`));
      for (const arch of ["x86_64", "aarch64", "s390x"] as const) {
        const kernel = { major: 6, minor: 1 };
        let filter;
        try {
          filter = compileProfile(text, { arch, kernel });
        } catch {
          // Not a profile, or not for this architecture.
          continue;
        }
        if (filter.kind !== "proved") continue;
        const { bytes, policy, littleEndian } = filter;
        const program = decode(bytes, { littleEndian });
        names.push(`${name} on ${arch}`);
        cases.push({
          text: await makeCertificate(program, policy, { littleEndian }),
          programs: [bytes],
        });
      }
    }
    assert(cases.length >= 10, names.join(", "));
    for (const [checker, run] of await availableCheckers()) {
      for (const [i, accepted] of (await run(cases)).entries()) {
        assert(accepted, `${checker} rejects the certificate of ${names[i]}`);
      }
    }
  },
);

Deno.test("the checkers in TypeScript and Python have at most 250 lines of code", async () => {
  const count = async (
    comment: RegExp,
    ...names: readonly string[]
  ): Promise<number> => {
    let lines = 0;
    for (const name of names) {
      const url = new URL(`../../${name}`, import.meta.url);
      const code = (await Deno.readTextFile(url)).replaceAll(comment, "");
      lines += code.split("\n").filter((line) => line.trim() !== "").length;
    }
    return lines;
  };
  const files = ["word", "text", "check"].map((name) =>
    `verify/certificate/${name}.ts`
  );
  const comment = /\/\*.*?\*\/|^\s*\/\/.*$/gms;
  assert(await count(comment, ...files) <= 250);
  assert(await count(/^\s*#.*$/gm, "checkers/certificate.py") <= 250);
});

Deno.test("the checker shares nothing with the prover or the maker of certificates", async () => {
  const allowed: Readonly<Record<string, readonly string[]>> = {
    "word.ts": [],
    "rules.ts": ["../../profile/policy.ts", "./text.ts"],
    "text.ts": ["../../profile/policy.ts"],
    "check.ts": [
      ...["../../profile/policy.ts", "./text.ts", "./word.ts"],
    ],
  };
  for (const [name, expected] of Object.entries(allowed)) {
    const url = new URL(`../../verify/certificate/${name}`, import.meta.url);
    const text = (await Deno.readTextFile(url))
      .replaceAll(/^ \*.*$/gm, "");
    const imports = [...text.matchAll(/^(import[^;]*) from "(.*)";/gm)];
    assertEquals(imports.map(([, , from = ""]) => from), [...expected]);
    // Of the rest of the program, types only.
    for (const [, what = "", from = ""] of imports) {
      assert(from.startsWith("./") || what.startsWith("import type"), from);
    }
  }
});
