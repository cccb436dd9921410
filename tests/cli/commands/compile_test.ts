import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { decodeBase64 } from "../../../bpf/base64.ts";
import { decode } from "../../../bpf/encode.ts";
import { prepare, runSteps } from "../../../bpf/run.ts";
import { toWords } from "../../../bpf/seccomp_data.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

/** Executed instructions for a number of x86_64 with zero arguments. */
function stepsOf(base64: string): (nr: number) => number {
  const program = prepare(decode(decodeBase64(base64.trim())));
  return (nr) =>
    runSteps(
      program,
      toWords(
        { nr, arch: 0xc000_003e, instructionPointer: 0n, args: [] },
        true,
      ),
    ).steps;
}

Deno.test("compile writes the same filter in every form", async () => {
  const compiled = async (form: string): Promise<string> => {
    const { code, out, err } = await call(
      ["compile", ...FIXED, "-f", form, "-"],
      { stdin: SMALL_PROFILE },
    );
    assertEquals([code, err], [0, ""], form);
    return out;
  };
  const raw = await call(["compile", ...FIXED, "-f", "raw", "-"], {
    stdin: SMALL_PROFILE,
  });
  const { bytes } = raw;
  const base64 = bytes.toBase64();
  assertEquals(await compiled("base64"), `${base64}\n`);
  assertEquals(await compiled("hex"), `${bytes.toHex()}\n`);
  assertEquals(JSON.parse(await compiled("annotation")), {
    "run.oci.seccomp_bpf_data": base64,
  });
  const view = new DataView(bytes.buffer);
  const fields = Array.from({ length: bytes.length / 8 }, (_, i) => [
    view.getUint16(8 * i, true),
    view.getUint8(8 * i + 2),
    view.getUint8(8 * i + 3),
    view.getUint32(8 * i + 4, true),
  ]);
  assert(fields.length >= 8, "the profile needs some instructions");
  const json = JSON.parse(await compiled("json"));
  assertEquals(json.schemaVersion, 1);
  assertEquals(json.length, fields.length);
  assertEquals(json.base64, base64);
  assertEquals(
    json.instructions,
    fields.map(([code, jt, jf, k]) => ({ code, jt, jf, k })),
  );
  for (const form of ["c", "go", "rust"]) {
    const text = await compiled(form);
    const rows = text.split("\n").flatMap((line) => {
      const numbers = line.match(/\b(?:0x[0-9a-f]+|[0-9]+)\b/g) ?? [];
      return /^\s+(?:sock_filter )?\{/.test(line) ? [numbers.map(Number)] : [];
    });
    assertEquals(rows, fields, form);
  }
  assertMatch(
    await compiled("c"),
    /static const struct sock_filter filter\[\d+\] = \{/,
  );
  assertMatch(await compiled("go"), /var Filter = \[\]unix\.SockFilter\{/);
  assertMatch(
    await compiled("rust"),
    /pub static FILTER: \[sock_filter; \d+\] = \[/,
  );
  const asm = await call(["asm", "-", "-f", "raw"], {
    stdin: await compiled("asm"),
  });
  assertEquals([...asm.bytes], [...bytes]);
});

Deno.test("compile gives the same bytes each time, whatever the order of the flags", async () => {
  const a = await call(["compile", ...FIXED, "-f", "raw"]);
  const b = await call(["compile", "-f", "raw", "default:docker", ...FIXED]);
  assertEquals(a.code, 0, a.err);
  assertEquals([...a.bytes], [...b.bytes]);
});

Deno.test("compile writes the byte order of the machine that it is for", async () => {
  const args = ["compile", "-q", "-f", "raw", "-"];
  const stdin = SMALL_PROFILE.replace("SCMP_ARCH_X86_64", "SCMP_ARCH_S390X");
  const { code, bytes, err } = await call([...args, "--arch", "s390x"], {
    stdin,
  });
  assertEquals(code, 0, err);
  assertEquals([...bytes.subarray(0, 8)], [0, 0x20, 0, 0, 0, 0, 0, 4]);
});

Deno.test("disasm and asm are each other's inverse on Docker's default", async () => {
  const raw = await call([
    "compile",
    "-q",
    "-f",
    "raw",
    "--arch",
    "x86_64,x86,x32",
  ]);
  assertEquals(raw.code, 0, raw.err);
  assert(raw.bytes.length > 8 * 100, "a large program");
  const text = await call(["disasm", "-"], { stdin: raw.bytes });
  assertEquals(text.err, "");
  const again = await call(["asm", "-", "-f", "raw"], { stdin: text.out });
  assertEquals([...again.bytes], [...raw.bytes]);
  const direct = await call(["disasm", "-q", "--arch", "x86_64,x86,x32"]);
  assertEquals(direct.out, text.out);
});

Deno.test("asm reports line and column, and refuses programs that the kernel refuses", async () => {
  const wrong = await call(["asm", "-"], {
    stdin: "ld [0]\n  jeq #1, nowhere\nret #0\n",
  });
  assertEquals([wrong.code, wrong.out], [3, ""]);
  assertMatch(wrong.err, /^<stdin>:2:\d+: error: .*nowhere/);
  const endless = "ld [3]\nret #0\n";
  const refused = await call(["asm", "-", "-f", "hex"], { stdin: endless });
  assertEquals([refused.code, refused.out], [3, ""]);
  assertMatch(refused.err, /^<stdin>:1:1: error: .*--force/);
  const forced = await call(["asm", "-", "-f", "hex", "--force"], {
    stdin: endless,
  });
  assertEquals([forced.code, forced.out], [
    0,
    "20000000030000000600000000000000\n",
  ]);
  const big = await call(["asm", "-", "-f", "hex", "--big-endian"], {
    stdin: "ret #0x7fff0000",
  });
  assertEquals(big.out, "000600007fff0000\n");
  const shown = await call(["disasm", "-"], { stdin: forced.out });
  assertEquals(shown.code, 0);
  assertMatch(shown.err, /warning: The kernel refuses the filter/);
});

Deno.test("compile refuses a filter, and a configuration without a profile", async () => {
  const filter = await call(["compile", "-"], { stdin: "ret #0\n" });
  assertEquals(filter.code, 3);
  assertMatch(filter.err, /^<stdin>: error: Cannot compile a filter \(asm\)/);
  const unconfined = await call(["compile", "-"], { stdin: '{"linux": {}}' });
  assertEquals(unconfined.code, 3, unconfined.err);
  assertMatch(unconfined.err, /no linux\.seccomp section/);
});

Deno.test("compile exits with 4 if a program would exceed 4096 instructions", async () => {
  const syscalls = Array.from({ length: 420 }, (_, i) => ({
    names: [i % 2 === 0 ? "read" : "write"],
    action: "SCMP_ACT_ALLOW",
    args: Array.from({ length: 6 }, (_, index) => ({
      index,
      value: (i + 1) * 7919 + index * 104729,
      op: "SCMP_CMP_EQ",
    })),
  }));
  const stdin = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls,
  });
  const { code, out, err } = await call(["compile", ...FIXED, "-"], { stdin });
  assertEquals([code, out.length], [4, 0], err.slice(0, 300));
  assertMatch(err, /4096/);
});

Deno.test("compile --objective size makes the smallest filter, uncached the quickest", async () => {
  const made = new Map<string, { length: number; mean: number }>();
  for (const objective of ["uncached", "cached", "size", "balanced"]) {
    const { code, out, err } = await call(
      ["compile", ...FIXED, "--objective", objective],
    );
    assertEquals(code, 0, err);
    const steps = stepsOf(out);
    let sum = 0;
    for (let nr = 0; nr < 470; nr++) sum += steps(nr);
    made.set(objective, {
      length: decodeBase64(out.trim()).length / 8,
      mean: sum / 470,
    });
  }
  const of = (name: string): { length: number; mean: number } =>
    made.get(name) ?? { length: NaN, mean: NaN };
  for (const name of made.keys()) {
    assert(of("size").length <= of(name).length, `size against ${name}`);
    assert(of("uncached").mean <= of(name).mean + 1e-9, `uncached ${name}`);
  }
  assert(of("size").length < of("uncached").length, "they are not the same");
});

Deno.test("compile takes the objective from --kernel, balanced without", async () => {
  const objectives: readonly (readonly [readonly string[], string])[] = [
    [[], "balanced"],
    [["--kernel", "5.10"], "uncached"],
    [["--kernel", "4.19"], "uncached"],
    [["--kernel", "5.11"], "cached"],
    [["--kernel", "6.1"], "cached"],
    [["--kernel", "6.1", "--objective", "size"], "size"],
  ];
  for (const [flags, objective] of objectives) {
    const { code, err } = await call(["compile", "--arch", "x86_64", ...flags]);
    assertEquals(code, 0, err);
    assertMatch(err, new RegExp(`objective ${objective}\n`), flags.join(" "));
  }
});

Deno.test("compile --weights makes frequent calls fast", async () => {
  await using folder = await createFolder();
  const plain = await call(["compile", ...FIXED]);
  const forms: readonly (readonly [string, string])[] = [
    ["JSON", '{"acct": 1000, "read": 1}'],
    ["lines", "acct 1000\nread: 1\n"],
    [
      "strace -c",
      "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n 99.00    0.000012           3      1000         1 acct\n  1.00    0.000002           2         1           read\n------ ----------- ----------- --------- --------- ----------------\n100.00    0.000014                  1001         1 total\n",
    ],
  ];
  const results = new Set<string>();
  for (const [name, text] of forms) {
    const file = await folder.write("weights", text);
    const { code, out, err } = await call(
      [
        "compile",
        ...FIXED,
        "--optimum",
        "--weights",
        file,
        "--background",
        "0.1",
      ],
    );
    assertEquals([code, err], [0, ""], name);
    // 163 is acct.
    assert(stepsOf(out)(163) < stepsOf(plain.out)(163), name);
    assertEquals(
      stepsOf(out)(163),
      5,
      `${name}: load, test, load, test, return`,
    );
    results.add(out);
  }
  assertEquals(results.size, 1, "all forms say the same");
  const stdin = await call(
    ["compile", ...FIXED, "--optimum", "--weights", "-", "--background", "0.1"],
    { stdin: '{"acct": 1000, "read": 1}' },
  );
  assert(results.has(stdin.out), "weights from standard input");
});

Deno.test("compile reports what is wrong with weights", async () => {
  const odd = await call(["compile", ...FIXED, "--weights", "-"], {
    stdin: "read 5\nwhat is this\n",
  });
  assertEquals([odd.code, odd.out], [3, ""]);
  assertMatch(odd.err, /^<stdin>:2: error: /);
  const unknown = await call(
    ["compile", "--arch", "x86_64", "--weights", "-"],
    { stdin: "read 5\nopnat 3\n" },
  );
  assertEquals(unknown.code, 0);
  assertMatch(unknown.err, /^<stdin>:2: warning: System call "opnat"/);
  const missing = await call(["compile", ...FIXED, "--weights", "/no/file"]);
  assertEquals(missing.code, 3);
});

Deno.test("compile --max-depth bounds the tests on a number, 0 lifts the bound", async () => {
  await using folder = await createFolder();
  const file = await folder.write("weights", '{"read": 1000000}');
  const worst = async (depth: readonly string[]): Promise<number> => {
    const { code, out, err } = await call(
      [
        ...["compile", ...FIXED, "--weights", file, "--background", "0"],
        ...depth,
      ],
    );
    assertEquals(code, 0, err);
    const steps = stepsOf(out);
    // Numbers that the profile denies, for which no argument is read.
    return Math.max(...[156, 163, 164, 167, 180, 460, 5000].map(steps));
  };
  const bound = 8;
  assert(await worst(["--max-depth", String(bound)]) <= bound + 5, "bounded");
  const free = await worst(["--max-depth", "0"]);
  assert(free >= await worst([]), "no bound is no lower than the default");
});

Deno.test("compile --optimum says which trees cannot be beaten", async () => {
  const { code, err } = await call(
    ["compile", "-v", "--optimum", "--arch", "x86_64"],
  );
  assertEquals(code, 0);
  assertMatch(err, /no better tree for x86_64/);
});

Deno.test("compile -o json reports the filter, its digest and its trees", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { code, out, err } = await call(
    ["compile", ...FIXED, profile, "-o", "json"],
  );
  assertEquals([code, err], [0, ""]);
  const report = JSON.parse(out);
  const filter = join(folder.path, "filter.bpf");
  const written = await call(
    ["compile", ...FIXED, profile, "-o", "json", "-f", "raw", "-O", filter],
  );
  assertEquals(written.out, out);
  const bytes = await Deno.readFile(filter);
  assertEquals(report.schemaVersion, 1);
  assertEquals(report.base64, bytes.toBase64());
  assertEquals(report.instructions, bytes.length / 8);
  assert(report.trees.length > 0 && report.trees[0].proven, out);
  const digest = await call(["digest", ...FIXED, filter]);
  assertEquals(report.digest, digest.out.slice(0, 68));
  const both = ["compile", profile, "-o", "json", "-O", "-"];
  assertEquals((await call(both)).code, 2);
});
