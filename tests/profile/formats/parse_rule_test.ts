import { assertEquals } from "@std/assert";
import { parseProfile } from "../../../profile/formats/parse.ts";
import { checkTable, withArg, withRule } from "./parse_table.ts";

const U64 = "write an integer from 0 to 18446744073709551615";

Deno.test("parseProfile() refuses unknown actions with a suggestion", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["SCMP_ACT_ALOW", "SCMP_ACT_ALLOW"],
    ["scmp_act_allow", "SCMP_ACT_ALLOW"],
    [" SCMP_ACT_ALLOW ", "SCMP_ACT_ALLOW"],
    ["ALLOW", "SCMP_ACT_ALLOW"],
    ["errno", "SCMP_ACT_ERRNO"],
    ["SCMP_ACT_KILLPROCESS", "SCMP_ACT_KILL_PROCESS"],
    ["kill thread", "SCMP_ACT_KILL_THREAD"],
  ];
  checkTable(cases.map(([seen, meant]) => [
    `{"defaultAction":"${seen}"}`,
    [
      `1:18: error: defaultAction: Unknown action "${seen}": did you mean "${meant}"`,
    ],
  ]));
  checkTable([
    ['{"defaultAction":7}', [
      "1:18: error: defaultAction: Expected an action, found the number 7",
    ]],
    [`{"defaultAction":"x\\n${"y".repeat(99)}"}`, [
      `1:18: error: defaultAction: Unknown action "x\\n${"y".repeat(58)}…`,
    ]],
  ]);
});

Deno.test("parseProfile() takes the old name form for Docker's only", () => {
  const rule = '{"name":"read","action":"SCMP_ACT_ALLOW"}';
  const old = parseProfile(
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rule}]}`,
  );
  assertEquals(old.kind, "docker-legacy");
  assertEquals(old.section?.syscalls[0]?.names, ["read"]);
  checkTable([
    [withRule(',"name":"write"'), [
      '2:52: error: syscalls[0].name: Rule has both "name" and "names": move the name into the names',
    ]],
    [withRule(',"name":""'), []],
    [
      `{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rule}]}}}`,
      [
        `1:75: error: linux.seccomp.syscalls[0].name: Field "name" is of Docker's format; runtimes ignore it here…`,
      ],
    ],
  ]);
});

Deno.test("parseProfile() warns of a rule without names", () => {
  const rule = (names: string): string =>
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{${names}"action":"SCMP_ACT_ALLOW"}]}`;
  checkTable([
    [rule('"names":[],'), [
      "1:56: warning: syscalls[0].names: Rule names no system call, so it has no effect: add a name or remove the rule",
    ]],
    [rule(""), [
      '1:47: error: syscalls[0].names: Required field "names" is missing: list the names of the system calls',
    ]],
    [rule('"names":null,'), [
      '1:56: error: syscalls[0].names: Required field "names" is null…',
    ]],
    [rule('"names":"read",'), [
      '1:56: error: syscalls[0].names: Expected an array of names, found the string "read"',
    ]],
    [rule('"names":["a",1],'), [
      "1:61: error: syscalls[0].names[1]: Expected the name of a system call, found the number 1",
    ]],
  ]);
});

Deno.test("parseProfile() refuses invalid argument indices", () => {
  const arg = (index: string): string =>
    withArg(`{"value":1,"op":"SCMP_CMP_EQ"${index}}`);
  const path = "error: syscalls[0].args[0].index: Argument index";
  const range = "write an integer from 0 to 5";
  checkTable([
    [arg(',"index":6'), [`2:39: ${path} 6 is too large: ${range}`]],
    [arg(',"index":-1'), [`2:39: ${path} -1 is negative: ${range}`]],
    [arg(',"index":1.5'), [
      `2:39: ${path} 1.5 is not written as an integer: ${range}`,
    ]],
    [arg(',"index":"0"'), [
      `2:39: ${path} is the string "0", not a number: remove the quotes`,
    ]],
    [arg(""), [
      '2:1: error: syscalls[0].args[0].index: Required field "index" is missing: give the argument, 0 to 5',
    ]],
    [arg(',"index":5'), []],
  ]);
});

Deno.test("parseProfile() reads as many comparisons as there are", () => {
  for (const count of [6, 7, 13]) {
    const args = withArg(
      Array.from(
        { length: count },
        (_, i) => `{"index":${i % 6},"value":${i},"op":"SCMP_CMP_EQ"}`,
      ).join("\n,"),
    );
    checkTable([[args, []]]);
    const { section } = parseProfile(args);
    assertEquals(
      section?.syscalls[0]?.args.map(({ value }) => Number(value)),
      Array.from({ length: count }, (_, i) => i),
    );
  }
});

Deno.test("parseProfile() keeps 64-bit values exact", () => {
  for (
    const value of [
      0n,
      2n ** 53n + 1n,
      2n ** 63n,
      2n ** 64n - 1n,
      2114060288n,
    ]
  ) {
    const { section } = parseProfile(
      withArg(
        `{"index":0,"value":${value},"valueTwo":${value},"op":"SCMP_CMP_MASKED_EQ"}`,
      ),
    );
    assertEquals(section?.syscalls[0]?.args, [
      { index: 0, value, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" },
    ]);
  }
  const { section } = parseProfile(
    withArg('{"index":0,"value":7,"op":"SCMP_CMP_GT"}'),
  );
  assertEquals(section?.syscalls[0]?.args[0]?.valueTwo, 0n);
});

Deno.test("parseProfile() refuses values that are not written as a u64", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["18446744073709551616", `18446744073709551616 is too large: ${U64}`],
    [`1${"0".repeat(500)}`, `1${"0".repeat(39)} is too large: ${U64}`],
    ["-1", `-1 is negative: ${U64}`],
    ["-0", `-0 is negative: ${U64}`],
    ["1.5", `1.5 is not written as an integer: ${U64}`],
    ["1.0", `1.0 is not written as an integer: ${U64}`],
    ["1e3", `1e3 is not written as an integer: ${U64}`],
    ['"5"', 'is the string "5", not a number: remove the quotes'],
    ['"0x5"', `is the string "0x5", not a number: ${U64}`],
    ["true", `is true, not a number: ${U64}`],
    ["[1]", `is an array, not a number: ${U64}`],
  ];
  for (const field of ["value", "valueTwo"] as const) {
    const other = field === "value" ? "" : '"value":0,';
    checkTable(cases.map(([value, said]) => [
      withArg(`{"index":0,"op":"SCMP_CMP_EQ",${other}"${field}":${value}}`),
      [
        `2:${
          field === "value" ? 39 : 52
        }: error: syscalls[0].args[0].${field}: ${field} ${said}`,
      ],
    ]));
  }
  checkTable([
    [withArg('{"index":0,"op":"SCMP_CMP_EG","value":1}'), [
      '2:17: error: syscalls[0].args[0].op: Unknown operator "SCMP_CMP_EG": did you mean "SCMP_CMP_EQ"',
    ]],
    [withArg('{"index":0}'), [
      '2:1: error: syscalls[0].args[0].value: Required field "value" is missing…',
      '2:1: error: syscalls[0].args[0].op: Required field "op" is missing: use one of SCMP_CMP_NE, …',
    ]],
  ]);
});

Deno.test("parseProfile() checks errno data against the action", () => {
  const rule = (action: string, errno: string): string =>
    `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[\n{"names":["read"],"action":"SCMP_ACT_${action}","errnoRet":${errno}}]}`;
  const path = "error: syscalls[0].errnoRet: errnoRet";
  const range = "write an integer from 0 to 4095";
  checkTable([
    [rule("ERRNO", "4095"), []],
    [rule("ERRNO", "4096"), [`2:56: ${path} 4096 is too large: ${range}`]],
    [rule("ERRNO", "12345"), [`2:56: ${path} 12345 is too large: ${range}`]],
    [rule("ERRNO", "70000"), [`2:56: ${path} 70000 is too large: ${range}`]],
    [rule("ERRNO", "-1"), [`2:56: ${path} -1 is negative: ${range}`]],
    [rule("ERRNO", "0"), [
      "2:56: warning: syscalls[0].errnoRet: errnoRet 0 makes a call pretend to succeed without running…",
    ]],
    [rule("ERRNO", "null"), []],
    [rule("TRACE", "65535"), []],
    [rule("TRACE", "0"), []],
    [rule("TRACE", "65536"), [`2:56: ${path} 65536 is too large…`]],
    // resolve() decides whether a runtime accepts these.
    [rule("ALLOW", "1"), []],
    [rule("KILL", "4294967295"), []],
    [rule("KILL", "4294967296"), [
      `2:55: ${path} 4294967296 is too large…`,
    ]],
    [rule("LOG", "0"), []],
    ['{"defaultAction":"SCMP_ACT_ALLOW",\n"defaultErrnoRet":1}', []],
    ['{"defaultAction":"SCMP_ACT_ERRNO",\n"defaultErrnoRet":4096}', [
      "2:19: error: defaultErrnoRet: defaultErrnoRet 4096 is too large…",
    ]],
  ]);
  const { section } = parseProfile(rule("ERRNO", "38"));
  assertEquals(section?.syscalls[0]?.errnoRet, 38);
});
