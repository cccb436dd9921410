import { assert, assertEquals, assertMatch } from "@std/assert";
import sarif from "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json" with {
  type: "json",
};
import { Ajv } from "ajv";
import { call, createFolder, FIXED } from "../harness.ts";

/** A profile of a few faults, as people write them. */
const FAULTY = `{
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": [ "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" ],
  "syscalls": [
    { "names": [ "acct", "swapon", "acct" ], "action": "SCMP_ACT_ERRNO",
      "comment": "1.0 remains 1.0" },
    {
      "names": [ "swapon" ],
      "action": "SCMP_ACT_ERRNO"
    },
    { "names": [ "mlockall" ], "action": "SCMP_ACT_ERRNO",
      "args": [ { "index": 0, "value": 4, "op": "SCMP_CMP_EQ" } ] }
  ]
}
`;

/** The same, with the fixes that are proved equal. */
const FIXED_TEXT = `{
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": [ "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" ],
  "syscalls": [
    { "names": [ "acct", "swapon" ], "action": "SCMP_ACT_ERRNO",
      "comment": "1.0 remains 1.0" },
    { "names": [ "mlockall" ], "action": "SCMP_ACT_ERRNO",
      "args": [ { "index": 0, "value": 4, "op": "SCMP_CMP_EQ" } ] }
  ]
}
`;

/** The parts of SARIF that are read. */
interface Sarif {
  readonly runs: readonly [{
    readonly results: readonly {
      readonly fixes?: readonly [{
        readonly description: { readonly text: string };
        readonly artifactChanges: readonly [{
          readonly replacements: readonly [{
            readonly deletedRegion: {
              readonly charOffset: number;
              readonly charLength: number;
            };
            readonly insertedContent: { readonly text: string };
          }];
        }];
      }];
    }[];
  }];
}

/** A finding in a report for machines. */
interface Found {
  readonly id: string;
  readonly severity: string;
  readonly place: string;
  readonly witnesses: readonly {
    readonly verdict: string;
    readonly simulate: string;
  }[];
  readonly fix?: { readonly patch: readonly unknown[] };
}

Deno.test("lint prints places, evidence and fixes, and exits with 1", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const { code, out, err } = await call(["lint", ...FIXED, file]);
  assertEquals([code, err], [1, ""]);
  assertMatch(
    out,
    /p\.json:5:36: warning: syscalls\[0\]\.names\[2\]: .* \[duplicate-name\]\n {2}proof: without acct here, the profile is proved equal\n {2}fix: remove acct from this rule \(--fix\); equal\n/,
  );
  assertMatch(
    out,
    /p\.json:7:5: warning: syscalls\[1\]: .* \[duplicate-rule\]\n/,
  );
  assertMatch(
    out,
    /p\.json:11:5: warning: syscalls\[2\]: .* \[high-half-bypass\]\n/,
  );
  assertMatch(out, /\n3 warnings\n$/);
});

Deno.test("each witness of lint is what simulate answers", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const { out } = await call(["lint", ...FIXED, file, "-o", "json"]);
  const report = JSON.parse(out);
  assertEquals([report.schemaVersion, report.state], [1, "findings"]);
  let witnesses = 0;
  for (const finding of report.findings as readonly Found[]) {
    for (const { verdict, simulate } of finding.witnesses) {
      witnesses++;
      const [, ...words] = simulate.replaceAll("'", "").split(" ");
      const answer = await call([...words, "-o", "json", "-q"]);
      assertEquals(JSON.parse(answer.out).verdict, verdict, simulate);
    }
  }
  assertEquals(witnesses, 2);
});

Deno.test("lint --fix applies only changes that are proved equal", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const before = await folder.write("before.json", FAULTY);
  const { code, out } = await call(["lint", ...FIXED, file, "--fix"]);
  assertEquals(code, 1, out);
  assertMatch(out, /^fixed syscalls\[\d\]/);
  assertEquals(await Deno.readTextFile(file), FIXED_TEXT);
  const proof = await call(["prove", ...FIXED, before, file]);
  assertEquals(proof.code, 0, proof.out);
  const all = await call(["lint", ...FIXED, file, "--fix-all"]);
  assertEquals(all.code, 0, all.out);
  assertMatch(await Deno.readTextFile(file), /"SCMP_CMP_MASKED_EQ"/);
  const tighter = await call(["diff", ...FIXED, "--subset-of", before, file]);
  assertEquals(tighter.code, 0, tighter.out);
});

Deno.test("lint reports what the baseline does not have", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const { out } = await call(["lint", ...FIXED, file, "-o", "json"]);
  const baseline = await folder.write("known.json", out);
  const flags = ["lint", ...FIXED, file, "--baseline", baseline];
  const same = await call(flags);
  assertEquals(same.code, 0, same.out);
  assertMatch(same.out, /^no findings \(3 in the baseline\)\n$/);
  // Lines move, and a new fault is found.
  await folder.write(
    "p.json",
    FAULTY.replace(
      '"syscalls": [',
      '"syscalls": [\n    { "names": [ "ptrce" ], "action": "SCMP_ACT_ERRNO" },',
    ),
  );
  const more = await call(flags);
  assertEquals(more.code, 1);
  assertMatch(more.out, /\[unknown-name\]/);
  assertMatch(more.out, /\n1 warning \(3 in the baseline\)\n$/);
  const bad = await call(["lint", file, "--baseline", file]);
  assertEquals(bad.code, 3);
});

Deno.test("lint chooses by level, id and context", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const ids = "duplicate-name,duplicate-rule,high-half-bypass";
  const none = await call(["lint", ...FIXED, file, "--disable", ids]);
  assertEquals([none.code, none.out], [0, "no findings\n"]);
  const errors = await call(["lint", ...FIXED, file, "--level", "error"]);
  assertEquals(errors.code, 0);
  assertMatch(errors.out, /^no findings \(3 below the level\)\n$/);
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const ctf = await call(["lint", ...FIXED, filter, "--context", "ctf"]);
  assertEquals(ctf.code, 1);
  assertMatch(
    ctf.out,
    /f\.s:1:1: error: instruction 0: .* \[file-read-chain\]/,
  );
  const unknown = await call(["lint", file, "--disable", "duplicate-nam"]);
  assertEquals(unknown.code, 2);
  assertMatch(unknown.err, /did you mean duplicate-name/);
  const refused = await call(["lint", filter, "--fix"]);
  assertEquals(refused.code, 2);
});

Deno.test("lint exits with 4 if not everything was decided", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const small = await call(["lint", ...FIXED, file, "--nodes", "64"]);
  assertEquals(small.code, 4);
  assertMatch(small.out, /not decided: anything: the limit of nodes/);
  const clash = await folder.write(
    "clash.json",
    FAULTY.replace('[ "mlockall" ]', '[ "acct" ]').replace(
      /"SCMP_ACT_ERRNO",\n {6}"args"/,
      '"SCMP_ACT_TRAP",\n      "args"',
    ).replace('"acct", "swapon", "acct"', '"swapoff"').replace(
      '"names": [ "swapon" ],',
      '"names": [ "acct" ], "args": [ { "index": 0, "value": 4, "op": "SCMP_CMP_EQ" } ],',
    ),
  );
  const refused = await call(["lint", ...FIXED, clash]);
  assertEquals(refused.code, 4);
  assertMatch(refused.out, /\[conflicting-rules\]/);
});

Deno.test("lint -o sarif is valid, and its replacements are the fixes", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const { code, out } = await call(["lint", ...FIXED, file, "-o", "sarif"]);
  assertEquals(code, 1);
  const report: Sarif = JSON.parse(out);
  const ajv = new Ajv({
    strict: false,
    validateFormats: false,
    // The flag that Ajv sets makes one of its patterns invalid.
    unicodeRegExp: false,
  });
  // Of draft 4, it has nothing that later drafts read differently.
  const { $schema: _draft, id: _id, ...schema } = sarif;
  const isValid = (value: unknown): boolean => ajv.validate(schema, value);
  assert(isValid(report), JSON.stringify(ajv.errors));
  const [run] = report.runs;
  assertEquals(run.results.length, 3);
  let text = FAULTY;
  for (const result of run.results.toReversed()) {
    const [fix] = result.fixes ?? [];
    if (fix?.description.text.includes("stays equal") !== true) continue;
    const [{ replacements: [one] }] = fix.artifactChanges;
    const { charOffset, charLength } = one.deletedRegion;
    text = text.slice(0, charOffset) + one.insertedContent.text +
      text.slice(charOffset + charLength);
  }
  assertEquals(text, FIXED_TEXT);
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const bare = await call(["lint", ...FIXED, filter, "-o", "sarif"]);
  assert(isValid(JSON.parse(bare.out)), JSON.stringify(ajv.errors));
});

Deno.test("lint -o github writes one command per finding", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", FAULTY);
  const { out } = await call(["lint", ...FIXED, file, "-o", "github"]);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, 3);
  assertMatch(
    lines[0] ?? "",
    /^::warning file=.*p\.json,line=5,col=36,title=duplicate-name::Rule changes nothing for acct.*%0A {2}proof: /,
  );
});

Deno.test("lint reports an errno that the reader refuses, with its place", async () => {
  await using folder = await createFolder();
  const text = (errno: string, more = ""): string =>
    `{ "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    { "names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": ${errno} }
  ]${more} }`;
  const source = await folder.write("large.json", text("5000"));
  const made = await call(["lint", ...FIXED, source]);
  assertEquals(made.code, 4, made.err);
  assertMatch(
    made.out,
    /large\.json:3:66: error: .*errnoRet 5000 is too large.*\[errno-out-of-range\]/,
  );
  const json = await call(["lint", ...FIXED, "-o", "json", source]);
  const [found] = JSON.parse(json.out).findings as Found[];
  assertEquals(found?.id, "errno-out-of-range");
  const known = await folder.write("known.json", json.out);
  for (
    const words of [
      ["--disable", "errno-out-of-range"],
      ["--baseline", known],
    ]
  ) {
    const { out } = await call(["lint", ...FIXED, ...words, source]);
    assert(!out.includes("[errno-out-of-range]"), out);
  }
  const report = await call(["lint", ...FIXED, "-o", "sarif", source]);
  const [run] = JSON.parse(report.out).runs;
  assertEquals(
    [
      run.results[0].ruleId,
      run.results[0].locations[0].physicalLocation.region.startLine,
    ],
    ["errno-out-of-range", 3],
  );
  // The same in a config.json; other errors beside it, and other errnos, are
  // errors of the input.
  const config = await folder.write(
    "config.json",
    `{ "ociVersion": "1.0.2", "linux": { "seccomp": ${text("4096")} } }`,
  );
  const section = await call(["lint", ...FIXED, config]);
  assertEquals(section.code, 4, section.err);
  assertMatch(section.out, /config\.json:3:.*\[errno-out-of-range\]/);
  for (
    const [name, bad] of [
      ["negative.json", text("-1")],
      ["both.json", text("5000", ', "architectures": ["SCMP_ARCH_WRONG"]')],
    ] as const
  ) {
    const { code, out } = await call([
      "lint",
      ...FIXED,
      await folder.write(name, bad),
    ]);
    assertEquals([code, out], [3, ""], name);
  }
});
