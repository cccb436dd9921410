import { assert, assertEquals } from "@std/assert";
import { encodeBase64 } from "../../../../bpf/base64.ts";
import { encode } from "../../../../bpf/encode.ts";
import type { Program } from "../../../../bpf/instruction.ts";
import { SOURCE_KINDS } from "../../../../cli/input/source_kinds.ts";
import { assembly, paintPart } from "../../../../cli/output/assembly.ts";
import { filtersReport } from "../../../../cli/output/filters_report.ts";
import { formatFilter } from "../../../../cli/output/formats.ts";
import {
  createRandom,
  type Random,
  randomProgram,
} from "../../../verify/programs.ts";
import { call, createFolder } from "../../harness.ts";

const SEED = 0x4057;
const FORMS = ["base64", "hex", "asm", "c", "go", "rust", "json"] as const;

/** Texts of one program in many forms. */
async function texts(random: Random): Promise<readonly string[]> {
  const inputs = [{ offset: 16, mask: 0xff }, { offset: 0, mask: 0xff }];
  const program: Program = randomProgram(random, inputs, 4 + random.below(12));
  const filter = { program, littleEndian: true };
  const stack = { programs: [program], littleEndian: true };
  const plain = await Promise.all(
    FORMS.map(async (form) => String(await formatFilter(filter, form))),
  );
  const bytes = [...encode(program)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0"));
  return [
    ...plain,
    assembly(stack, { style: "seccomp-tools", fields: true, numbers: true }),
    assembly(stack, { fields: true, paint: paintPart }),
    filtersReport("x", stack),
    hex.map((byte) => `\\x${byte}`).join(""),
    `00000000: ${hex.slice(0, 16).join(" ")}\n`,
    `seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=1, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}) = 0\n`,
    encodeBase64(encode(program)),
  ];
}

const STRANGE = [
  "\x00",
  "\x1b[3",
  "\u202e",
  "{",
  "}",
  "(",
  "/*",
  "*/",
  '"',
  "'",
  "\\",
  ":",
  "0x",
  "-",
  "99999999999",
  "if (",
  "goto ",
  "$A",
  "A = ",
  "#",
  ";",
  "\r",
  "\n",
  "...",
  "BPF_STMT(",
  "1\n",
  "\ufeff",
  "é😀",
];

/** Changes a text in a few places. */
function mutate(text: string, other: string, random: Random): string {
  let changed = text;
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(changed.length + 1);
    const end = Math.min(at + random.below(12), changed.length);
    const part = random.below(4) === 0
      ? other.slice(at, at + random.below(40))
      : random.below(3) === 0
      ? ""
      : random.pick(STRANGE);
    changed = changed.slice(0, at) + part + changed.slice(end);
  }
  return random.below(5) === 0
    ? changed.slice(0, random.below(changed.length + 1))
    : changed;
}

Deno.test("no source makes a reader fail: it is read, or refused with its place", async () => {
  const random = createRandom(SEED);
  let read = 0;
  for (let i = 0; i < 60; i++) {
    const all = await texts(random);
    for (const text of all) {
      const stdin = mutate(text, random.pick(all), random);
      const from = random.below(3) === 0
        ? ["--from", random.pick(SOURCE_KINDS)]
        : [];
      const { code, out, err } = await call(
        ["disasm", "-", "-q", "-o", "json", "--arch", "x86_64", ...from],
        { stdin },
      );
      const shown = `${SEED} ${i} ${from.join(" ")}\n${
        JSON.stringify(stdin)
      }\n${err}`;
      assert(code === 0 || code === 3 || code === 4, shown);
      if (code === 0) read++;
      else assertEquals([out, /error: /.test(err)], ["", true], shown);
    }
  }
  assert(read > 30, "some changes have no effect");
});

Deno.test("random bytes are refused, or read as bytes", async () => {
  const random = createRandom(SEED + 1);
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from(
      { length: 1 + random.below(80) },
      () => random.below(3) === 0 ? random.below(256) : 32 + random.below(95),
    );
    const kind = random.below(2) === 0
      ? []
      : ["--from", random.pick(SOURCE_KINDS)];
    const { code, err } = await call([
      "disasm",
      "-",
      "-q",
      "--arch",
      "x86_64",
      ...kind,
    ], {
      stdin: bytes,
    });
    assert(
      code === 0 || code === 3,
      `${SEED} ${i} ${kind} ${[...bytes]}\n${err}`,
    );
  }
});

Deno.test("a text without its end is refused, or no looser", async () => {
  await using folder = await createFolder();
  const random = createRandom(SEED + 2);
  let accepted = 0;
  for (let i = 0; i < 12; i++) {
    for (const text of await texts(random)) {
      const end = random.below(text.length);
      const whole = await folder.write("whole", text);
      const cut = await folder.write("cut", text.slice(0, end));
      const read = await call(["stats", cut, "-q", "--arch", "x86_64"]);
      if (read.code !== 0) continue;
      accepted++;
      const { code, out, err } = await call([
        ...["diff", "--subset-of", whole, cut, "-q", "--arch", "x86_64"],
      ]);
      assertEquals(code, 0, `${SEED} ${i} ${end}\n${text}\n${out}${err}`);
    }
  }
  assert(accepted > 0, "some texts only lose what is never reached");
});
