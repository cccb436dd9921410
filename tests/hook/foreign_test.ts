import { assertEquals, assertThrows } from "@std/assert";
import { encodeBase64 } from "../../bpf/base64.ts";
import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { parseText } from "../../bpf/text.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { judgeAnnotation, type JudgeOptions } from "../../hook/foreign.ts";
import type { Policy } from "../../profile/policy.ts";
import { type Arch, archByName } from "../../tables/arch.ts";
import { PATIENCE_S } from "../machine.ts";

/**
 * x86_64: `read` may run, `write` to 1 and 2; i386: `exit`. Everything else is
 * EPERM.
 */
const POLICY: Policy = {
  defaultValue: 0x0005_0001,
  badArchValue: 0,
  littleEndian: true,
  arches: [
    {
      auditArch: 0xc000_003e,
      names: ["x86_64"],
      rules: [
        rule(0, 0),
        rule(1, 1, [1n]),
        rule(1, 1, [2n]),
      ],
    },
    { auditArch: 0x4000_0003, names: ["x86"], rules: [rule(1, 1)] },
  ],
};

function rule(
  first: number,
  last: number,
  values: readonly bigint[] = [],
): Policy["arches"][number]["rules"][number] {
  return {
    first,
    last,
    value: 0x7fff_0000,
    source: "",
    conditions: values.map((value) => ({
      arg: 0,
      op: "eq",
      mask: 2n ** 64n - 1n,
      value,
    })),
  };
}

/** The filter of the policy, with other choices at some places. */
function text(
  { read = "allow", open = "deny", three = "deny", exit32 = "allow" } = {},
): string {
  return `ld [4]
jeq #0xc000003e, native
jeq #0x40000003, other
ret #0
native: ld [0]
jeq #0, ${read}
jeq #2, ${open}
jeq #1, write, deny
write: ld [20]
jeq #0, low, deny
low: ld [16]
jeq #1, allow
jeq #2, allow
jeq #3, ${three}, deny
other: ld [0]
jeq #1, ${exit32}, deny
deny: ret #0x50001
kill: ret #0
allow: ret #0x7fff0000
`;
}

const OWN = parseText(text());

function native(): Arch {
  const arch = archByName("x86_64");
  if (arch === undefined) throw new Error("Unreachable: no x86_64");
  return arch;
}

function judge(
  program: Program | string,
  own: Program | null = OWN,
): void {
  const value = typeof program === "string"
    ? program
    : encodeBase64(encode(program));
  const measure: JudgeOptions = {
    policy: POLICY,
    native: native(),
    deadline: startDeadline(1000 * PATIENCE_S),
    ...(own === null ? {} : { own }),
  };
  judgeAnnotation(value, measure);
}

/** The specific part of the message about a refused filter. */
function refusal(program: Program | string, own?: Program | null): string {
  const error = assertThrows(() => judge(program, own), RefusedError);
  assertEquals(error.code, "foreign-annotation");
  return error.message
    .replace("Cannot accept the annotation run.oci.seccomp_bpf_data: ", "")
    .replace(/: remove it$/, "");
}

Deno.test("judgeAnnotation() accepts a filter that is the section's", () => {
  judge(OWN);
  // In another order, with other instructions.
  judge(parseText(`ld [0]\n${text()}`));
});

Deno.test("judgeAnnotation() names a call that the filter wrongly allows", () => {
  const opens = "it allows calls that linux.seccomp denies: ";
  const cases: readonly (readonly [Parameters<typeof text>[0], RegExp])[] = [
    // The first of all calls, arguments 0.
    [
      { open: "allow" },
      /^"open" on x86_64 gets ALLOW, linux.seccomp says ERRNO\(EPERM\); remove it$/,
    ],
    // One that only an argument shows.
    [
      { three: "allow" },
      /^"write" on x86_64 with arguments 0x3 .* gets ALLOW, /,
    ],
    // Additional denials do not hide it.
    [
      { three: "allow", read: "deny" },
      /^"write" on x86_64 with arguments 0x3 .* gets ALLOW, /,
    ],
    [{ open: "allow", exit32: "kill" }, /^"open" on x86_64 gets ALLOW, /],
  ];
  for (const [change, expected] of cases) {
    const message = refusal(parseText(text(change)));
    const seen = message.slice(opens.length);
    assertEquals([message.slice(0, opens.length), expected.test(seen)], [
      opens,
      true,
    ], message);
  }
});

Deno.test("judgeAnnotation() refuses a different filter even if it allows nothing more", () => {
  for (
    const change of [{ read: "deny" }, { exit32: "deny" }, { exit32: "kill" }]
  ) {
    const message = refusal(parseText(text(change)));
    assertEquals(
      /^it differs from linux.seccomp, although no call that it allows beyond it was found: /
        .test(message),
      true,
      message,
    );
  }
});

Deno.test("judgeAnnotation() finds a wrongly allowed call in a filter of maximum size", () => {
  // With three instructions more the kernel would not take it.
  const program = [...parseText(text({ three: "allow" }))];
  const filler = Array.from(
    { length: 4096 - program.length },
    () => ({ op: "ret.k", jt: 0, jf: 0, k: 0 }) as const,
  );
  const message = refusal([...program, ...filler]);
  assertEquals(message.startsWith("it allows calls"), true, message);
});

Deno.test("judgeAnnotation() refuses data that is not a filter for this machine", () => {
  assertEquals(refusal("?!").length > 0, true);
  const fault = refusal([{ op: "ld.abs", jt: 0, jf: 0, k: 3 }]);
  assertEquals(
    fault.endsWith("is the last one and not a ret; remove it"),
    true,
    fault,
  );
});
