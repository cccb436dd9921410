/**
 * Bad inputs of users, and the means by which an editor finds each of them. The
 * numbers are those of a list of 52 kinds. Those from 26 on are not here,
 * because no profile contains them: streams and whole configurations (26 to
 * 35), annotations (36 to 38), programs of BPF (39 to 43), command lines,
 * files, processes and signals (44 to 52).
 *
 * @module
 */

/** The finder of an input: the JSON parser of an editor, a schema, or nothing. */
export type Finder = "json" | "schema" | `nothing: ${string}`;

/** One bad input. */
export interface BadInput {
  /** Number in the list of 52. */
  readonly row: number;
  readonly what: string;
  readonly text: string;
  readonly schema: "docker" | "oci";
  readonly finder: Finder;
}

type Row = readonly [what: string, text: string, finder?: Finder];

function rule(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{${fields}}]}`;
}

function read(fields: string): string {
  return rule(`"names":["read"],"action":"SCMP_ACT_ALLOW",${fields}`);
}

/** A rule of an allow list that denies. */
function deny(names: string): string {
  return `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":${names},"action":"SCMP_ACT_ERRNO"}]}`;
}

function arg(index: string, value: string, more = ""): string {
  return read(
    `"args":[{"index":${index},"value":${value},"op":"SCMP_CMP_EQ"${more}}]`,
  );
}

function top(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO",${fields}}`;
}

function errno(action: string, number: string): string {
  return rule(
    `"names":["read"],"action":"SCMP_ACT_${action}","errnoRet":${number}`,
  );
}

function when(conditions: string): string {
  return read(`"includes":{${conditions}}`);
}

const ROUNDED = "nothing: validators round numbers to 53 bits";
const WARNED = "nothing: the reader accepts it with a warning";
const SPELLING = "nothing: a schema has values, not their spelling";
const VALID = "nothing: it is valid, and its meaning is exact";

/** Inputs by row. */
const DOCKER: Readonly<Record<number, readonly Row[]>> = {
  1: [
    ["empty file", "", "json"],
    ["blanks", " \n", "json"],
    ["null", "null"],
    ["array", "[]"],
    ["string", '"x"'],
    ["number", "42"],
  ],
  2: [["empty object", "{}"], ["no default", '{"syscalls":[]}']],
  3: [[
    "a key twice",
    top('"defaultAction":"SCMP_ACT_ALLOW"'),
    "nothing: a schema has members, not their repetition; editors warn by themselves",
  ]],
  4: [
    ["trailing comma", '{"defaultAction":"SCMP_ACT_ERRNO",}', "json"],
    ["comment", '// x\n{"defaultAction":"SCMP_ACT_ERRNO"}', "json"],
    ["garbage at the end", '{"defaultAction":"SCMP_ACT_ERRNO"}}', "json"],
    ["NUL", '{"defaultAction":"SCMP_ACT_ERRNO\0"}', "json"],
    [
      "lone surrogate",
      top('"listenerPath":"\\ud800"'),
      "nothing: a schema cannot name half a character in every validator",
    ],
  ],
  5: [
    ["deep nesting", `${"[".repeat(2000)}${"]".repeat(2000)}`],
    [
      "many names",
      read(`"comment":"${"x".repeat(1000)}"`),
      "nothing: size is not a fault, and the reader has limits of its own",
    ],
  ],
  6: [
    ["__proto__ as a call", deny('["__proto__"]')],
    ["constructor as a call", deny('["constructor"]')],
    ["toString as a default", '{"defaultAction":"toString"}'],
    ["__proto__ as a key", top('"__proto__":{}'), WARNED],
  ],
  7: [
    ["misspelled action", '{"defaultAction":"SCMP_ACT_ALOW"}'],
    ["lower case", '{"defaultAction":"scmp_act_allow"}'],
    ["blanks", '{"defaultAction":"SCMP_ACT_ALLOW "}'],
    ["action of a rule", rule('"names":["read"],"action":"allow"')],
    ["operator", arg("0", "1", "").replace("SCMP_CMP_EQ", "==")],
  ],
  8: [
    ["misspelled call", deny('["mkdri"]')],
    ["upper case", deny('["MKDIR"]')],
    ["padded", deny('["mkdir "]')],
    ["empty", deny('[""]')],
    ["a number in quotes", deny('["83"]')],
    ["a number", deny("[83]")],
    [
      "misspelled in a rule that allows",
      rule('"names":["mkdri"],"action":"SCMP_ACT_ALLOW"'),
      WARNED,
    ],
  ],
  9: [["a call of another architecture", deny('["getpagesize"]'), WARNED]],
  10: [
    ["name and names", read('"name":"write"')],
    ["neither", rule('"action":"SCMP_ACT_ALLOW"')],
  ],
  11: [["no names", rule('"names":[],"action":"SCMP_ACT_ALLOW"'), WARNED]],
  12: [
    ["index 6", arg("6", "1")],
    ["index −1", arg("-1", "1")],
    ["index 1.5", arg("1.5", "1")],
    ["index in quotes", arg('"0"', "1")],
    ["no index", read('"args":[{"value":1,"op":"SCMP_CMP_EQ"}]')],
  ],
  13: [[
    "an index twice",
    read(
      '"args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]',
    ),
    WARNED,
  ]],
  14: [["2^64−1", arg("0", "18446744073709551615"), VALID]],
  15: [
    ["2^65", arg("0", "36893488147419103232")],
    ["2^64", arg("0", "18446744073709551616"), ROUNDED],
    ["−1", arg("0", "-1")],
    ["1.5", arg("0", "1.5")],
    ["1e3", arg("0", "1e3"), SPELLING],
    ["in quotes", arg("0", '"5"')],
    ["true", arg("0", "true")],
  ],
  16: [
    [
      "bits outside of the mask",
      arg("0", "1", ',"valueTwo":2').replace("CMP_EQ", "CMP_MASKED_EQ"),
      WARNED,
    ],
    ["valueTwo is text", arg("0", "1", ',"valueTwo":"2"')],
  ],
  17: [
    ["4096", errno("ERRNO", "4096")],
    ["12345", errno("ERRNO", "12345")],
    ["70000 of TRACE", errno("TRACE", "70000")],
    ["−1", errno("ERRNO", "-1")],
    ["text", errno("ERRNO", '"EPERM"')],
    ["a default of 4096", top('"defaultErrnoRet":4096')],
    ["unknown errno", top('"defaultErrno":"EPREM"')],
    ["0", errno("ERRNO", "0"), WARNED],
    ["of ALLOW", errno("ALLOW", "1"), WARNED],
  ],
  18: [[
    "two actions for one call",
    '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_LOG"}]}',
    VALID,
  ]],
  19: [
    ["unknown", top('"architectures":["SCMP_ARCH_VAX"]')],
    ["no prefix", top('"architectures":["x86_64"]')],
    ["text", top('"architectures":"SCMP_ARCH_X86_64"')],
    [
      "two lists",
      top(
        '"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]',
      ),
    ],
    ["none", top('"architectures":[]'), WARNED],
  ],
  21: [
    ["no kernel", when('"minKernel":"abc"')],
    ["one number", when('"minKernel":"5"')],
    ["a release", when('"minKernel":"6.1.0-rc1"')],
    ["no CAP_", when('"caps":["SYS_ADMIN"]')],
    ["unknown capability", when('"caps":["CAP_SYS_ADMN"]')],
    ["unknown condition", when('"kernel":"5.1"')],
    ["OCI's architecture", when('"arches":["SCMP_ARCH_X86_64"]')],
  ],
  22: [
    ["unknown flag", top('"flags":["SECCOMP_FILTER_FLAG_LOGS"]')],
    ["NEW_LISTENER", top('"flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]')],
    ["TSYNC_ESRCH", top('"flags":["SECCOMP_FILTER_FLAG_TSYNC_ESRCH"]')],
  ],
  23: [
    ["metadata without a listener", top('"listenerMetadata":"x"')],
    ["a path that is a number", top('"listenerPath":5')],
    [
      "NOTIFY without a listener",
      rule('"names":["read"],"action":"SCMP_ACT_NOTIFY"'),
      WARNED,
    ],
  ],
  24: [[
    "more than 4096 instructions",
    arg("0", "1"),
    "nothing: only a compiler knows",
  ]],
  25: [["nothing is allowed", top('"syscalls":[]'), WARNED]],
};

const OCI: Readonly<Record<number, readonly Row[]>> = {
  10: [["the old name", rule('"name":"read","action":"SCMP_ACT_ALLOW"')]],
  20: [
    ["includes", when('"caps":["CAP_SYS_ADMIN"]')],
    ["excludes", read('"excludes":{"arches":["amd64"]}')],
    ["archMap", top('"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]')],
    ["Podman's defaultErrno", top('"defaultErrno":"ENOSYS"')],
  ],
};

/** All of them. */
export const BAD_INPUTS: readonly BadInput[] = ([
  ["docker", DOCKER],
  ["oci", OCI],
] as const).flatMap(([schema, rows]) =>
  Object.entries(rows).flatMap(([row, inputs]) =>
    inputs.map(([what, text, finder = "schema"]): BadInput => ({
      row: Number(row),
      what,
      text,
      schema,
      finder,
    }))
  )
);
