/**
 * The findings of docs/lint.md, each with its example, and cases without a
 * finding.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseFilters } from "../../bpf/text.ts";
import { LINT_IDS, type LintContext, type LintId } from "../../lint/catalog.ts";
import type { LintReport } from "../../lint/finding.ts";
import { lintFilters, lintProfile } from "../../lint/lint.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { applyPatch } from "../../profile/json/patch.ts";
import { archByName, ARCHES } from "../../tables/arch.ts";

const KERNEL = { major: 6, minor: 18 };

/** Lints an example; `words` are those of its first line. */
function lintExample(
  text: string,
  language: string,
  words: readonly string[],
  disabled: ReadonlySet<LintId> = new Set(),
): LintReport {
  const named = ARCHES.find(({ name }) => words.includes(name)) ??
    archByName("x86_64");
  if (named === undefined) throw new Error("no x86_64");
  if (language === "asm") {
    const context: LintContext = words.includes("ctf") ? "ctf" : "sandbox";
    return lintFilters(
      parseFilters(text),
      { native: named, arches: [named] },
      { context, disabled },
    );
  }
  const runtime = (["crun", "runc"] as const).find((r) => words.includes(r));
  return lintProfile(
    parseProfile(text),
    {
      arch: named.name,
      kernel: KERNEL,
      ...(runtime === undefined ? {} : { semantics: runtime }),
    },
    {
      context: "container",
      disabled,
      ...(runtime === undefined ? {} : { runtimes: [runtime] }),
    },
  );
}

/** The examples of the documentation. */
function examples(): readonly (readonly [
  id: string,
  language: string,
  words: readonly string[],
  text: string,
])[] {
  const doc = Deno.readTextFileSync(
    new URL("../../docs/lint.md", import.meta.url),
  );
  return doc.split(/^### /m).slice(1).map((section) => {
    const [id = ""] = section.split("\n");
    const [, language = "", words = "", text = ""] =
      /^```(json|asm)(.*)\n([\s\S]*?)^```$/m.exec(section) ?? [];
    return [id, language, words.trim().split(" "), text] as const;
  });
}

Deno.test("docs/lint.md explains every id, by an example that has it", () => {
  const found = examples();
  assertEquals<readonly string[]>(found.map(([id]) => id), LINT_IDS);
  for (const [id, language, words, text] of found) {
    assert(text !== "", `${id} has no example`);
    const { findings } = lintExample(text, language, words);
    const own = findings.filter((finding) => finding.id === id);
    assert(
      own.length > 0,
      `${id}: ${findings.map((finding) => finding.id).join(", ")}`,
    );
    for (const { witnesses, proof, fingerprint } of own) {
      assert(witnesses.length > 0 || proof !== undefined, id);
      assert(fingerprint.startsWith(`${id}: `), fingerprint);
    }
  }
});

Deno.test("a finding is the same if all others are disabled", () => {
  for (const [id, language, words, text] of examples()) {
    const others = new Set(LINT_IDS.filter((one) => one !== id));
    const whole = lintExample(text, language, words);
    const alone = lintExample(text, language, words, others);
    assertEquals(
      alone.findings,
      whole.findings.filter((finding) => finding.id === id),
    );
  }
});

Deno.test("fixes of the examples resolve their findings", () => {
  let fixes = 0;
  for (const [id, language, words, text] of examples()) {
    if (language !== "json") continue;
    const before = lintExample(text, language, words);
    for (const { fix, ...finding } of before.findings) {
      if (finding.id !== id || fix === undefined) continue;
      fixes++;
      const changed = applyPatch(text, fix.patch);
      const after = lintExample(changed, language, words);
      assert(
        after.findings.every(({ fingerprint }) =>
          fingerprint !== finding.fingerprint
        ),
        `${id} is still there: ${changed}`,
      );
    }
  }
  assert(fixes >= 14, `${fixes} fixes`);
});

/** Ids of findings about a profile, without notes. */
function idsOf(
  syscalls: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    ...more,
    syscalls,
  });
  const { findings } = lintExample(text, "json", ["crun"]);
  return findings.filter(({ severity }) => severity !== "note")
    .map(({ id }) => id);
}

const deny = (names: string[], args: unknown[] = []): unknown => ({
  names,
  action: "SCMP_ACT_ERRNO",
  args,
});
const eq = (index: number, value: number): unknown => ({
  index,
  value,
  op: "SCMP_CMP_EQ",
});

Deno.test("lint finds nothing in rules that have an effect", () => {
  const rows: readonly (readonly [string, readonly unknown[]])[] = [
    ["two calls", [deny(["acct"]), deny(["swapon"])]],
    ["two values", [deny(["mlockall"], [
      { index: 0, value: 0xffffffff, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ" },
    ])]],
    // A name that exists on other architectures only.
    ["another architecture", [deny(["acct", "s390_runtime_instr"])]],
    ["NULL", [deny(["nanosleep"], [eq(0, 0)])]],
  ];
  for (const [what, entries] of rows) assertEquals(idsOf(entries), [], what);
});

Deno.test("lint reports the later one of two equal rules, and keeps one", () => {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [deny(["acct"]), deny(["swapon"]), deny(["acct"])],
  });
  const { findings } = lintExample(text, "json", ["crun"]);
  const found = findings.filter(({ id }) => id === "duplicate-rule");
  assertEquals(found.map(({ path }) => path), ["syscalls[2]"]);
  const changed = applyPatch(text, found[0]?.fix?.patch ?? []);
  assertEquals(JSON.parse(changed).syscalls.length, 2);
});

Deno.test("a rule of other capabilities is not a duplicate", () => {
  const profile = (includes: unknown): string =>
    JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      archMap: [{
        architecture: "SCMP_ARCH_X86_64",
        subArchitectures: ["SCMP_ARCH_X86"],
      }],
      syscalls: [
        {
          names: ["execve", "exit_group", "chroot"],
          action: "SCMP_ACT_ALLOW",
          includes,
        },
        {
          names: ["chroot"],
          action: "SCMP_ACT_ALLOW",
          includes: { caps: ["CAP_SYS_CHROOT"] },
        },
      ],
    });
  const ids = (text: string): readonly string[] =>
    lintExample(text, "json", ["crun"]).findings.map(({ id }) => id)
      .filter((id) => id.startsWith("duplicate"));
  // Both apply to the default capabilities, and only the first without one.
  assertEquals(ids(profile({})), ["duplicate-rule"]);
  assertEquals(ids(profile({ caps: ["CAP_SETUID"] })), []);
});

Deno.test("questions that a limit leaves undecided are listed", () => {
  const profile = parseProfile(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}',
  );
  const { findings, open } = lintProfile(profile, { arch: "x86_64" }, {
    context: "container",
    limits: { nodes: 64 },
  });
  assertEquals([findings.length, open.length], [0, 1]);
  assert(open[0]?.includes("nodes"), open[0]);
});

Deno.test("an alias differs from a denied value in the upper half only", () => {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      deny(["socket"], [eq(0, 38)]),
      deny(["socket"], [eq(0, 40), eq(1, 2)]),
    ],
  });
  const bypasses = (source: string): LintReport["findings"] =>
    lintExample(source, "json", ["crun"]).findings
      .filter(({ id }) => id === "high-half-bypass");
  const [finding] = bypasses(text);
  const [plain, alias] = finding?.witnesses ?? [];
  const [denied = 0n, allowed = 0n] = [plain, alias].map((one) =>
    one?.data.args[0] ?? 0n
  );
  assert(denied === 38n || denied === 40n, `${denied}`);
  assert(allowed > 0xffff_ffffn, `${allowed}`);
  assertEquals(allowed & 0xffff_ffffn, denied);
  assertEquals(plain?.data.args.slice(1), alias?.data.args.slice(1));
  assertEquals([plain?.value, alias?.value], [0x50001, 0x7fff0000]);
  // The fix is complete: it changes both rules.
  assertEquals(finding?.fix?.patch.length, 2);
  const rest = bypasses(applyPatch(text, finding?.fix?.patch ?? []));
  assertEquals(
    rest.map(({ fingerprint }) => fingerprint),
    ["high-half-bypass: socket type"],
  );
});

Deno.test("a mask is not offered as a fix if it would not be enough", () => {
  const rows: readonly (readonly [string, readonly unknown[]])[] = [
    ["below a value", [
      deny(["socket"], [{ index: 0, value: 5, op: "SCMP_CMP_LT" }]),
      deny(["socket"], [eq(0, 38)]),
    ]],
    ["allowed by the upper half", [
      {
        names: ["socket"],
        action: "SCMP_ACT_LOG",
        args: [eq(0, 0x1_0000_0026)],
      },
      deny(["socket"], [eq(0, 38)]),
    ]],
    ["two calls", [deny(["socket", "socketpair"], [eq(0, 38)])]],
  ];
  for (const [what, syscalls] of rows) {
    const text = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
    const found = lintExample(text, "json", ["crun"]).findings
      .filter(({ id }) => id === "high-half-bypass");
    assert(found.length > 0, what);
    assert(found.every(({ fix }) => fix === undefined), what);
  }
});

Deno.test("NOTIFY is a fault on write for runc, and a note on sendmsg and fcntl", () => {
  const found = (names: string[], runtime?: string): readonly string[] =>
    lintExample(
      JSON.stringify({
        defaultAction: "SCMP_ACT_ALLOW",
        listenerPath: "/run/agent.sock",
        syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
      }),
      "json",
      runtime === undefined ? [] : [runtime],
    ).findings.filter(({ id }) => id.includes("notify") || id.includes("refus"))
      .map(({ id, severity, proof, path, witnesses }) =>
        `${severity} ${id} ${path} ${witnesses.map(({ data }) => data.nr)} ${
          proof ?? ""
        }`.trimEnd()
      );
  assertEquals(found(["mount", "write"]), [
    "warning notify-before-listener syscalls[0] 1 runc refuses the profile",
  ]);
  assertEquals(found(["mount", "write"], "crun"), []);
  assertEquals(found(["write"], "runc"), [
    "error refused-by-runtime syscalls[0]  the runtime refuses the profile",
  ]);
  for (const runtime of [undefined, "crun", "runc"]) {
    assertEquals(found(["sendmsg", "fcntl"], runtime), [
      "note notify-before-listener syscalls[0] 46,72",
    ]);
  }
  assertEquals(found(["mount", "writev"]), []);
});

Deno.test("ways around a denial go from a call that is denied to one that runs", () => {
  let found = 0;
  for (const [id, language, words, text] of examples()) {
    if (!id.startsWith("reachable-by-")) continue;
    for (const one of lintExample(text, language, words).findings) {
      if (one.id !== id) continue;
      found++;
      const [first, last] = [one.witnesses[0], one.witnesses.at(-1)];
      assert(first?.value !== 0x7fff0000, `${id}: ${one.message}`);
      assertEquals(last?.value, 0x7fff0000, `${id}: ${one.message}`);
    }
  }
  assert(found >= 4, `${found}`);
});

Deno.test("lint finds nothing in a filter without gaps", () => {
  const { findings } = lintExample(
    "ld [4]\njne #0xc000003e, no\nld [0]\njeq #59, yes\njeq #231, yes\njeq #219, yes\nno: ret #0x80000000\nyes: ret #0x7fff0000",
    "asm",
    [],
  );
  assertEquals(findings.map(({ message }) => message), []);
});
