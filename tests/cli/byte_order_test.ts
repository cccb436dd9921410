import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { encodeFilter } from "../../bpf/filter.ts";
import type { Program } from "../../bpf/instruction.ts";
import { toCode } from "../../bpf/opcode.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { formatSection } from "../../hook/format_section.ts";
import type { ArchName } from "../../tables/arch.ts";
import { nativeArch } from "../../cli/input/target.ts";
import { generateAny } from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret } from "../oracle/meaning.ts";
import { createRandom, plain, randomProgram } from "../verify/programs.ts";
import { call, createFolder, type Folder } from "./harness.ts";

const SEED = 0x0b20;

/** A profile whose conditions look at both halves of an argument. */
function profileFor(scmp: string): string {
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: [scmp],
    syscalls: [{
      names: ["clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 1, value: 7, op: "SCMP_CMP_EQ" }],
    }],
  });
}

/** Reads code, jt, jf and k of each instruction from a form, without the program's own readers. */
function fieldsIn(
  form: string,
  { out, bytes }: { readonly out: string; readonly bytes: Uint8Array },
  littleEndian: boolean,
): readonly (readonly number[])[] {
  const fromBytes = (data: Uint8Array): readonly (readonly number[])[] => {
    const view = new DataView(data.slice().buffer);
    return Array.from({ length: data.length / 8 }, (_, i) => [
      view.getUint16(8 * i, littleEndian),
      view.getUint8(8 * i + 2),
      view.getUint8(8 * i + 3),
      view.getUint32(8 * i + 4, littleEndian),
    ]);
  };
  switch (form) {
    case "raw":
      return fromBytes(bytes);
    case "hex":
      return fromBytes(Uint8Array.fromHex(out.trim()));
    case "base64":
      return fromBytes(Uint8Array.fromBase64(out.trim()));
    case "annotation":
      return fromBytes(
        Uint8Array.fromBase64(JSON.parse(out)["run.oci.seccomp_bpf_data"]),
      );
    case "json": {
      const { base64, instructions, littleEndian: order } = JSON.parse(out);
      assertEquals(order, littleEndian);
      const rows = instructions.map(
        (i: Record<string, number>) => [i.code, i.jt, i.jf, i.k],
      );
      assertEquals(fromBytes(Uint8Array.fromBase64(base64)), rows);
      return rows;
    }
    default:
      assertEquals(out.includes("for a big-endian machine"), !littleEndian);
      return out.split("\n").flatMap((line) => {
        const numbers = line.match(/\b(?:0x[0-9a-f]+|[0-9]+)\b/g) ?? [];
        const isRow = /^\s+(?:sock_filter )?\{/.test(line);
        return isRow ? [numbers.map(Number)] : [];
      });
  }
}

Deno.test("random filters of either byte order are the same in every form", async () => {
  const random = createRandom(SEED + 1);
  const words = [0, 4, 8, 16, 20, 60].map((offset) => ({
    offset,
    mask: 0xffff_ffff,
  }));
  for (let i = 0; i < 40; i++) {
    const littleEndian = i % 2 === 0;
    const program = randomProgram(random, words, 4 + random.below(40));
    const expected = program.map((
      { op, jt, jf, k },
    ) => [toCode(op), jt, jf, k]);
    const stdin = encodeFilter({ program, littleEndian });
    const text = await call(["disasm", "-q", "-"], { stdin });
    for (
      const form of [
        ...["raw", "hex", "base64", "annotation", "json", "c", "go", "rust"],
      ]
    ) {
      const written = await call(["asm", "-q", "-", "-f", form], {
        stdin: text.out,
      });
      assertEquals(written.code, 0, written.err);
      const fields = fieldsIn(form, written, littleEndian);
      assertEquals(fields, expected, `${form} ${i}`);
    }
  }
});

/** Formats of one filter that are also sources, as the text of a file. */
async function formsOf(
  folder: Folder,
  profile: string,
  flags: readonly string[],
): Promise<readonly string[]> {
  return await Promise.all(
    ["raw", "base64", "hex", "asm", "annotation"].map(async (form) => {
      const file = join(folder.path, `filter.${form}`);
      const { code, err } = await call(
        ["compile", "-q", ...flags, profile, "-f", form, "-O", file],
      );
      assertEquals(code, 0, err);
      return file;
    }),
  );
}

Deno.test("filters of either byte order are the same in every form", async () => {
  await using folder = await createFolder();
  for (
    const [arch, scmp] of [
      ["s390x", "S390X"],
      ["ppc64", "PPC64"],
      ["mips64", "MIPS64"],
      ["aarch64", "AARCH64"],
    ]
  ) {
    const littleEndian = arch === "aarch64";
    const profile = await folder.write(
      "p.json",
      profileFor(`SCMP_ARCH_${scmp}`),
    );
    const flags = ["--arch", arch ?? ""];
    for (const file of await formsOf(folder, profile, flags)) {
      const from = file.endsWith("annotation") ? ["--from", "annotation"] : [];
      for (
        const [value, verdict] of [["7", "ALLOW"], [
          "0x700000000",
          "ERRNO(EPERM)",
        ]]
      ) {
        // No --arch: the filter itself shows its machine.
        const { code, out, err } = await call(
          ["simulate", ...from, file, "clone", "0", value ?? ""],
        );
        assertEquals([code, err], [0, ""], file);
        assertEquals(out.split("\n")[0], verdict, `${file} ${value}`);
        assert(out.includes(` on ${arch}\n`), out);
      }
      const proof = await call(["prove", "-q", ...flags, profile, profile]);
      assertEquals(proof.code, 0, proof.err);
      const same = await call(["prove", "-q", ...from, file, file]);
      assertEquals([same.code, same.err], [0, ""], file);
      const text = await call(["disasm", ...from, file]);
      assertEquals(/^ +\.big-endian\n/.test(text.out), !littleEndian, file);
      const [low = "", high = ""] = littleEndian
        ? ["\\[24\\]", "\\[28\\]"]
        : ["\\[28\\]", "\\[24\\]"];
      assertMatch(text.out, new RegExp(`ld ${low} +; args\\[1\\], low half\n`));
      assertMatch(
        text.out,
        new RegExp(`ld ${high} +; args\\[1\\], high half\n`),
      );
      const bytes = await call(["asm", "-", "-f", "raw"], { stdin: text.out });
      const raw = await Deno.readFile(join(folder.path, "filter.raw"));
      assertEquals([bytes.err, [...bytes.bytes]], ["", [...raw]], file);
    }
  }
});

Deno.test("disasm and asm are each other's inverse on random filters and stacks", async () => {
  const random = createRandom(SEED);
  const words = [0, 4, 8, 16, 20, 60].map((offset) => ({
    offset,
    mask: 0xffff_ffff,
  }));
  const arches = [0xc000_003e, 0x8000_0016, 0x8000_0008, 0x4000_0028];
  const program = (): Program => {
    const body = randomProgram(random, words, 4 + random.below(20));
    return random.below(3) === 0 ? body : [
      plain("ld.abs", 4),
      { op: "jeq.k", jt: 0, jf: 0, k: random.pick(arches) } as const,
      ...body,
    ];
  };
  for (let i = 0; i < 60; i++) {
    const littleEndian = i % 2 === 0;
    const filters = Array.from({ length: 1 + random.below(3) }, program)
      .map((program) => encodeFilter({ program, littleEndian }));
    const hex = filters.map((bytes) => `${bytes.toHex()}\n`).join("");
    const base64 = filters.map((bytes) => `${bytes.toBase64()}\n`).join("");
    const texts = await Promise.all([
      call(["disasm", "-q", "-"], { stdin: hex }),
      call(["disasm", "-q", "-"], { stdin: base64 }),
    ]);
    const [text] = texts;
    assertEquals(texts.map(({ code }) => code), [0, 0], text.err);
    assertEquals(texts[1].out, text.out);
    for (const [form, expected] of [["hex", hex], ["base64", base64]]) {
      const again = await call(["asm", "-", "-f", form ?? ""], {
        stdin: text.out,
      });
      assertEquals([again.code, again.out], [0, expected], text.out);
    }
  }
});

Deno.test("base64 and hex lines that are not filters by themselves form one filter", async () => {
  const { bytes } = await call(
    ["compile", "-q", "--arch", "x86_64,x86,x32", "-f", "raw"],
  );
  const expected = (await call(["disasm", "-"], { stdin: bytes })).out;
  for (
    const [text, widths] of [
      [bytes.toBase64(), [16, 32, 64, 76, 96, 320]],
      [bytes.toHex(), [16, 60, 64, 128, 1024]],
    ] as const
  ) {
    for (const width of widths) {
      const lines = text.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
      const { code, out, err } = await call(["disasm", "-"], { stdin: lines });
      assertEquals([code, err], [0, ""], `${width}`);
      assertEquals(out, expected, `${width}`);
    }
  }
});

Deno.test("simulate answers on filters of either byte order as the oracle does", async () => {
  await using folder = await createFolder();
  const done = new Map<string, number>();
  const natives: readonly ArchName[] = [
    ...[
      "s390x",
      "s390",
      "ppc64",
      "ppc",
      "mips64",
      "mips",
      "mips64n32",
    ] as const,
    ...["aarch64", "x86", "ppc64le", "mips64el"] as const,
  ];
  for (
    let seed = SEED;
    done.size < natives.length || Math.min(...done.values()) < 6;
    seed++
  ) {
    const { seccomp, target: { semantics } } = generateAny(seed);
    const native = natives[seed % natives.length] ?? "s390x";
    if ((done.get(native) ?? 0) >= 6) continue;
    const oracle = interpret(seccomp, hostOf({ native, semantics }));
    if (typeof oracle !== "function") continue;
    const profile = await folder.write("p.json", formatSection(seccomp));
    const flags = [
      "--arch",
      native,
      "--unknown",
      "warn",
      "--semantics",
      semantics,
    ];
    const file = join(folder.path, "f.bpf");
    const made = await call(
      ["compile", "-q", ...flags, profile, "-f", "raw", "-O", file],
    );
    // Only the native architecture is asked for; the oracle has all that are listed.
    if (made.code !== 0) continue;
    const calls = inputs(seccomp, { native, semantics }, { seed })
      .filter(({ arch }) =>
        arch === hostOf({ native, semantics }).native.auditArch
      )
      .slice(0, 2000);
    const lines = calls.map((data) => JSON.stringify(lineOf(data))).join("\n");
    const answers = await call(
      ["simulate", "-q", file, "--vectors", "-"],
      { stdin: lines },
    );
    assertEquals(answers.code, 0, answers.err);
    for (const [i, line] of answers.out.trimEnd().split("\n").entries()) {
      const data = calls[i];
      assert(data !== undefined);
      const shown = `seed ${seed}, ${native}: ${lines.split("\n")[i]}`;
      assertEquals(JSON.parse(line).value, oracle(data), shown);
    }
    done.set(native, (done.get(native) ?? 0) + 1);
  }
});

function lineOf({ nr, arch, args }: SeccompData): Record<string, unknown> {
  return {
    arch: `0x${arch.toString(16)}`,
    nr,
    args: args.map((arg) => `0x${arg.toString(16)}`),
  };
}

Deno.test("prove and diff have witnesses in the byte order of the filters", async () => {
  await using folder = await createFolder();
  const [a, b] = await Promise.all([7, 8].map(async (value) => {
    const profile = await folder.write(
      `${value}.json`,
      profileFor("SCMP_ARCH_S390X").replace('"value":7', `"value":${value}`),
    );
    const file = join(folder.path, `${value}.bpf`);
    const { code, err } = await call(
      ["compile", "-q", "--arch", "s390x", profile, "-f", "raw", "-O", file],
    );
    assertEquals(code, 0, err);
    return file;
  }));
  assert(a !== undefined && b !== undefined);
  const proof = await call(["prove", a, b, "-o", "json"]);
  assertEquals(proof.code, 1, proof.err);
  const { witness } = JSON.parse(proof.out);
  assertEquals([witness.arch, witness.args[1]], ["s390x", "0x7"]);
  const diff = await call(["diff", a, b]);
  // On s390x the flags are the second argument; 7 and 8 are signals in them.
  assertMatch(diff.out, /\n {2}where flags == SIGBUS\n/);
  assertMatch(diff.out, /\n {2}where flags == SIGFPE\n/);
  const bytes = await Deno.readFile(a);
  assertEquals([bytes[0], bytes[1]], [0, 0x20], "a code as s390x has it");
});

Deno.test("--arch decides only if a filter does not show its architecture", async () => {
  await using folder = await createFolder();
  const open = await folder.write(
    "open.s",
    "ld [16]\njeq #1, yes\nret #0\nyes: ret #0x7fff0000\n",
  );
  const one = ["simulate", open, "read", "1"];
  const assumed = await call(one);
  assertEquals(assumed.out.split("\n")[0], "ALLOW");
  assertMatch(
    assumed.err,
    /^\S+: note: for \w+, little-endian, because the filter compares arch with no known architecture; pass --arch for another\n$/,
  );
  for (const args of [["disasm", open], ["prove", open, open]]) {
    const { code, err } = await call(args);
    assertEquals(code, 0, err);
    assertMatch(
      err,
      /note: for a little-endian machine, because the filter does not/,
    );
  }
  const bytes = await call(["asm", open]);
  assertMatch(bytes.err, /note: for a little-endian .*pass --big-endian/);
  assertEquals((await call(["asm", open, "-q"])).err, "");
  assertEquals((await call(["asm", open, "--big-endian"])).err, "");
  const big = await call([...one, "--arch", "s390x"]);
  assertEquals([big.out.split("\n")[0], big.err], ["KILL_THREAD", ""]);
  const high = await call(
    ["simulate", open, "read", "0x100000000", "--arch", "s390x"],
  );
  assertEquals(high.out.split("\n")[0], "ALLOW");
  // The other side shows it.
  const s390x = await folder.write(
    "s390x.s",
    "ld [4]\njeq #0x80000016, ok\nret #0\nok: ret #0x7fff0000\n",
  );
  const proof = await call(["prove", open, s390x, "-o", "json"]);
  assertEquals([proof.code, proof.err], [1, ""]);
  // An architecture of the other byte order cannot be that of the machine.
  const odd = await folder.write(
    "odd.s",
    `.little-endian\n${await Deno.readTextFile(s390x)}`,
  );
  const here = await call(["simulate", odd, "read"]);
  assert(here.out.includes(` on ${nativeArch().name}`), here.out);
  assertMatch(
    here.err,
    /because the filter compares arch with no known architecture/,
  );
  // Bytes and directives cannot be overridden.
  const text = await folder.write("big.s", ".big-endian\nret #0\n");
  const raw = join(folder.path, "big.bpf");
  assertEquals((await call(["asm", text, "-f", "raw", "-O", raw])).code, 0);
  for (const file of [text, raw]) {
    const { code, out, err } = await call(["disasm", file, "--arch", "x86_64"]);
    assertEquals([code, out], [2, ""], file);
    assertMatch(
      err,
      /Cannot use --arch x86_64 with .*: the filter is big-endian/,
    );
  }
  const little = await folder.write("little.s", ".little-endian\nret #0\n");
  assertEquals((await call(["asm", little, "--big-endian"])).code, 2);
  const mixed = await call(["prove", text, little]);
  assertEquals([mixed.code, mixed.out], [2, ""]);
  assertMatch(mixed.err, /different byte order/);
});

Deno.test("bytes that show no byte order are an error that names --arch", async () => {
  const stdin = new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4]);
  const { code, out, err } = await call(["disasm", "-", "--from", "raw"], {
    stdin,
  });
  assertEquals([code, out], [3, ""]);
  assertMatch(
    err,
    /^<stdin>: error: Cannot determine the byte order: .*--arch\n$/,
  );
  const given = await call(
    ["disasm", "-q", "-", "--from", "raw", "--arch", "s390x"],
    { stdin },
  );
  assertMatch(given.out, /ld #0x1020304\n/);
});

Deno.test("this machine runs no filter of the other byte order", async () => {
  await using folder = await createFolder();
  const big = await folder.write("big.s", ".big-endian\nret #0x7fff0000\n");
  const run = await call(["run", big, "--", "true"]);
  assertEquals(run.code, 3);
  assertMatch(run.err, /filter for big-endian machines/);
  const verify = await call(
    ["verify", "pid:1", "--against", "default:docker", "-q", "--arch", "s390x"],
  );
  assertEquals(verify.code, 2, verify.err);
});
