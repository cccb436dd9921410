import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeBase64 } from "../../../../bpf/base64.ts";
import { encode } from "../../../../bpf/encode.ts";
import type { Instruction, Program } from "../../../../bpf/instruction.ts";
import { toCode } from "../../../../bpf/opcode.ts";
import { call, createFolder, type Outcome } from "../../harness.ts";

/** Checks the low half of an argument on x86_64; hand-made. */
const PROGRAM: Program = [
  { op: "ld.abs", jt: 0, jf: 0, k: 4 },
  { op: "jeq.k", jt: 0, jf: 4, k: 0xc000_003e },
  { op: "ld.abs", jt: 0, jf: 0, k: 0 },
  { op: "jeq.k", jt: 0, jf: 2, k: 41 },
  { op: "ld.abs", jt: 0, jf: 0, k: 16 },
  { op: "jeq.k", jt: 1, jf: 0, k: 40 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x0005_0001 },
];

/** `{code, jt, jf, k}` of an instruction. */
function fields({ op, jt, jf, k }: Instruction): readonly number[] {
  return [toCode(op), jt, jf, k];
}

const BYTES = encode(PROGRAM);
const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
const HEX: readonly string[] = [...BYTES].map(hex);
const ROWS: readonly (readonly number[])[] = PROGRAM.map(fields);

/** Lines of sixteen bytes. */
function lines(
  write: (bytes: readonly string[], offset: string) => string,
): string {
  const rows: string[] = [];
  for (let at = 0; at < HEX.length; at += 16) {
    rows.push(write(HEX.slice(at, at + 16), at.toString(16).padStart(8, "0")));
  }
  return rows.map((row) => `${row}\n`).join("");
}

const XXD = lines((bytes, offset) =>
  `${offset}: ${
    bytes.join("").replace(/(.{4})(?=.)/g, "$1 ")
  }  ................`
);
const HEXDUMP =
  lines((bytes, offset) =>
    `${offset}  ${bytes.slice(0, 8).join(" ")}  ${
      bytes.slice(8).join(" ")
    }  |................|`
  ) + "00000040\n";
const ESCAPES = ROWS.map((_, i) =>
  `"${HEX.slice(8 * i, 8 * i + 8).map((byte) => `\\x${byte}`).join("")}",\n`
).join("");
const DECIMAL = `${ROWS.length}\n${
  ROWS.map((row) => `${row.join(" ")}\n`).join("")
}`;
const C = `#include <linux/filter.h>
/* struct sock_filter unused[1] = { { 6, 0, 0, 0 } }; */
static const struct sock_filter filter[8] = {
${
  ROWS.map((row) =>
    `\t{ ${row.map((n) => `0x${n.toString(16)}`).join(", ")} },\n`
  ).join("")
}};
`;
const MACROS = `struct sock_filter filter[] = {
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
  BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, AUDIT_ARCH_X86_64, 0, 4),
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offsetof(struct seccomp_data, nr))),
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 2), // the call
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 40, 1, 0),
  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),
};`;
const GO = `package seccomp
var Filter = []unix.SockFilter{
${
  ROWS.map(([a, b, c, d]) => `\t{Code: ${a}, Jt: ${b}, Jf: ${c}, K: ${d}},\n`)
    .join("")
}}
`;
const RUST = `pub static FILTER: [sock_filter; 8] = [
${
  ROWS.map(([a, b, c, d]) =>
    `    sock_filter { code: ${a}, jt: ${b}, jf: ${c}, k: ${d} },\n`
  ).join("")
}];
`;
const LIST =
  "[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4), BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0xc000003e, 0, 0x4), BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0), BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0x29, 0, 0x2), BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x10), BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0x28, 0x1, 0), BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|0x1)]";
const STRACE = `7 openat(AT_FDCWD, "/*", O_RDONLY) = 3
7 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=8, filter=${LIST}}) = 0
7 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=1, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_KILL_THREAD)]}) = -1 EINVAL (Invalid argument)
`;

/** Every form of the program, with the kind that forces it. */
const FORMS: readonly (readonly [form: string, kind: string, text: string])[] =
  [
    ["xxd", "xxd", XXD],
    ["xxd -p", "hex", `${HEX.join("")}\n`],
    ["hexdump -C", "xxd", HEXDUMP],
    ["od -t x1", "xxd", HEXDUMP.replaceAll(/ +\|.*\|/g, "")],
    [
      "xxd -i",
      "xxd",
      `unsigned char f[] = {\n  ${
        HEX.map((byte) => `0x${byte}`).join(", ")
      }\n};\nunsigned int f_len = 64;\n`,
    ],
    ["strings of C", "escapes", ESCAPES],
    [
      "strings of C, declared",
      "escapes",
      `char f[] =\n${ESCAPES.replaceAll(",", "")};\n`,
    ],
    [
      "bytes of Python",
      "escapes",
      `f = b'${HEX.map((b) => `\\x${b}`).join("").replaceAll("\\x20", " ")}'\n`,
    ],
    ["escapes without quotes", "escapes", HEX.map((b) => `\\x${b}`).join("")],
    ["tcpdump -ddd", "tcpdump", DECIMAL],
    ["C", "c", C],
    ["C with macros", "c", MACROS],
    [
      "tcpdump -dd",
      "c",
      ROWS.map((row) => `{ ${row.join(", ")} },\n`).join(""),
    ],
    ["Go", "go", GO],
    ["Rust", "rust", RUST],
    ["strace -v -f", "strace", STRACE],
    ["a list of strace", "c", LIST],
  ];

/** Instructions of a source, as `disasm -o json` reports them. */
function programOf(
  { code, out, err }: Outcome,
  what: string,
): readonly (readonly number[])[] {
  assertEquals([code, err], [0, ""], what);
  const { filters } = JSON.parse(out);
  assertEquals(filters.length, 1, what);
  return filters[0].instructions.map((
    { code, jt, jf, k }: Record<string, number>,
  ) => [code, jt, jf, k]);
}

Deno.test("sources are read in every form in which filters are written", async () => {
  for (const [form, kind, text] of FORMS) {
    for (const from of [[], ["--from", kind]]) {
      for (const stdin of [text, text.replaceAll("\n", "\r\n")]) {
        const args = ["disasm", "-", "-o", "json", ...from];
        assertEquals(programOf(await call(args, { stdin }), form), ROWS, form);
      }
    }
  }
});

Deno.test("output of compile, dump and disasm is a source", async () => {
  await using folder = await createFolder();
  const file = await folder.write("f.bpf", BYTES);
  const stack = await folder.write(
    "two",
    `${encodeBase64(BYTES)}\n${encodeBase64(BYTES)}\n`,
  );
  const text = await call(["disasm", stack, "-q"]);
  for (const format of ["asm", "base64", "hex", "c", "go", "rust", "json"]) {
    const written = await call(["asm", "-", "-q", "-f", format], {
      stdin: (await call(["disasm", file])).out,
    });
    const again = await call(["disasm", "-", "-o", "json"], {
      stdin: written.out,
    });
    assertEquals(programOf(again, format), ROWS, format);
    const both = await call(["asm", "-", "-q", "-f", format], {
      stdin: text.out,
    });
    const back = await call(["disasm", "-", "-q"], { stdin: both.out });
    assertEquals([back.out, back.err], [text.out, ""], format);
  }
  const report = await call(["disasm", stack, "-o", "json"]);
  const back = await call(["disasm", "-", "-q"], { stdin: report.out });
  assertEquals([back.out, back.err], [text.out, ""]);
});

Deno.test("a truncated or edited form is refused, with its place", async () => {
  const cut = (text: string, line: number): string =>
    text.split("\n").toSpliced(line, 1).join("\n");
  const cases: readonly (readonly [string, RegExp])[] = [
    [cut(XXD, 1), /:2:1: error: .*offset 00000020 after 16 bytes/],
    [cut(HEXDUMP, 3), /:4:1: error: .*offset 00000040 after 48 bytes/],
    [XXD.replace("2000", "20zz"), /:1:1: error: .*"20zz"/],
    ["0000000 0020 0000 0004 0000\n", /whose order is unknown/],
    ["*\n00000010\n", /error/],
    [cut(DECIMAL, 3), /:1:1: error|announced/],
    [`${DECIMAL.trimEnd()} 5\n`, /error/],
    [ESCAPES.trimEnd().slice(0, -2), /does not end/],
    [ESCAPES.replace("\\x20", "\\x2"), /multiple of 8|is not a byte/],
    [cut(C, 4), /:4:\d+: error: .*8 instructions are announced, and 7/],
    [C.replace(/};\n$/, ""), /the text ends/],
    [
      C.replace("0x15, 0x0", "0x15, 0x100"),
      /:5:\d+: error: .*256 is more than 255/,
    ],
    [
      MACROS.replace("__NR_socket", "__NR_sockte"),
      /:5:\d+: error: .*did you mean socket/,
    ],
    [MACROS.replace("BPF_STMT", "ALLOW"), /:2:3: error/],
    [MACROS.replace("BPF_JEQ", "BPF_JEX"), /:3:\d+: error/],
    [cut(RUST, 2), /8 instructions are announced, and 7/],
    [STRACE.replace("len=8", "len=9"), /9 instructions are announced, and 8/],
    [
      STRACE.replace(/, BPF_STMT[^,]*, 0x10\).*\]\}\) = 0/, ", ...]}) = 0"),
      /strace with -v/,
    ],
    [
      STRACE.replace(LIST, "0x7ffd12345678"),
      /address 0x7ffd12345678 .*strace with -v/,
    ],
    [
      STRACE.replace("= 0\n", "= -1 EACCES (Permission denied)\n"),
      /the call failed/,
    ],
    [STRACE + STRACE.replaceAll(/^7/gm, "8"), /several processes: 7, 8/],
  ];
  for (const [stdin, message] of cases) {
    const { code, out, err } = await call(["stats", "-"], { stdin });
    assertEquals([code, out], [3, ""], `${stdin}\n${err}`);
    assertMatch(err, message, stdin);
    assertMatch(err, /^<stdin>(?::\d+:\d+)?: error: /, stdin);
  }
});

Deno.test("a JSON filter whose parts differ is refused", async () => {
  const json = (await call(["asm", "-", "-q", "-f", "json"], {
    stdin: "ld [0]\njeq #1, 0, 1\nret #0\nret #0x7fff0000\n",
  })).out;
  const cases: readonly (readonly [string | RegExp, string, RegExp])[] = [
    ['"length": 4', '"length": 5', /:3:13: error: .*length/],
    ['"k": 1', '"k": 2', /base64 and instructions differ/],
    ['"jf": 1', '"jf": 256', /not an integer from 0 to 255/],
    ['"schemaVersion": 1', '"schemaVersion": 2', /schemaVersion/],
    [/"littleEndian".*/, "", /littleEndian/],
    [/\}\s*\]\s*\}\s*$/, "", /error/],
  ];
  for (const [from, to, message] of cases) {
    const stdin = json.replace(from, to);
    assert(stdin !== json);
    const { code, err } = await call(["stats", "-"], { stdin });
    assertEquals(code, 3, err);
    assertMatch(err, message);
  }
});

Deno.test("a dump can abbreviate repeated lines", async () => {
  const dump =
    `00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000030  06 00 00 00 00 00 00 00                           |........|
00000038
`;
  const { code, out } = await call(["disasm", "-", "-o", "json", "-q"], {
    stdin: dump,
  });
  assertEquals(code, 0);
  assertEquals(JSON.parse(out).filters[0].length, 7);
  const endless = dump.replace("00000030", "fffffff0");
  const refused = await call(["disasm", "-"], { stdin: endless });
  assertEquals(refused.code, 3);
});
