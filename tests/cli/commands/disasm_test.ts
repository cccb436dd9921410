import { assert, assertEquals, assertMatch } from "@std/assert";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

const STYLES = ["bpf_asm", "seccomp-tools"] as const;
// deno-lint-ignore no-control-regex -- colors begin with a control character
const COLOR = /\x1b\[[0-9]+m/;

Deno.test("disasm and asm are inverse in each style, with indices, fields and color", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", SMALL_PROFILE);
  const wanted = await call(["compile", file, ...FIXED, "-f", "hex"]);
  for (const style of STYLES) {
    for (
      const more of [[], ["--numbers"], ["--bytes"], ["--numbers", "--bytes"]]
    ) {
      for (const color of ["never", "always"]) {
        const text = await call([
          ...["disasm", file, ...FIXED, "--style", style, ...more],
          ...["--color", color],
        ]);
        assertEquals(text.code, 0, text.err);
        assertEquals(COLOR.test(text.out), color === "always", text.out);
        const back = await call(["asm", "-", "-f", "hex", "-q"], {
          stdin: text.out,
        });
        assertEquals([back.err, back.out], ["", wanted.out], text.out);
      }
    }
  }
});

Deno.test("the indices of disasm are those of the path of simulate", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", SMALL_PROFILE);
  const simulated = await call([
    ...["simulate", file, ...FIXED, "-o", "json", "x86_64:socket", "1"],
  ]);
  const path: readonly number[] = JSON.parse(simulated.out).paths[0];
  const text = await call(["disasm", file, ...FIXED, "--numbers"]);
  const last = text.out.split("\n").find((line) =>
    line.startsWith(` ${String(path.at(-1)).padStart(4, "0")}: `)
  );
  assertMatch(last ?? "", /ret #0x7fff0000/);
});

Deno.test("disasm --style pseudo names calls and arguments, and asm refuses it", async () => {
  await using folder = await createFolder();
  const file = await folder.write("p.json", SMALL_PROFILE);
  const text = await call(["disasm", file, ...FIXED, "--style", "pseudo"]);
  assertEquals(text.code, 0, text.err);
  assertMatch(text.out, /^# pseudocode of the filter: \d+ instructions\n/);
  assertMatch(text.out, /arch != x86_64/);
  assertMatch(text.out, /nr == socket/);
  assertMatch(text.out, /domain/);
  assertMatch(text.out, /return ERRNO\(EPERM\)\n$/);
  const back = await call(["asm", "-"], { stdin: text.out });
  assertEquals([back.code, back.out], [3, ""]);
  assertMatch(back.err, /^<stdin>:1:1: error: Cannot read pseudocode: .*\n$/);
  const colored = await call([
    ...["disasm", file, ...FIXED, "--style", "pseudo", "--color", "always"],
  ]);
  assert(COLOR.test(colored.out));
  assertEquals(colored.out.replaceAll(new RegExp(COLOR, "g"), ""), text.out);
});

Deno.test("disasm reports what a style cannot express, and contradicting options", async () => {
  const stdin = "jeq #1, 0, 0\nret #0\n";
  const args = ["disasm", "-", "-q", "--style"];
  const refused = await call([...args, "seccomp-tools"], { stdin });
  assertEquals([refused.code, refused.out], [3, ""]);
  assertMatch(refused.err, /Cannot write instruction 0 .*--bytes/);
  const fields = await call([...args, "seccomp-tools", "--bytes"], { stdin });
  assertEquals(fields.code, 0);
  for (const more of [["--bytes"], ["-o", "json"]]) {
    const { code, err } = await call([...args, "pseudo", ...more], { stdin });
    assertEquals(code, 2, err);
  }
  // Pseudocode of a program that the kernel refuses would be a guess.
  const wild = await call([...args, "pseudo"], {
    stdin: "jeq #1, 9, 0\nret #0\n",
  });
  assertEquals([wild.code, wild.out], [3, ""]);
  assertMatch(wild.err, /^<stdin>:1:1: error: The kernel refuses the filter/);
});

Deno.test("disasm -O writes no color", async () => {
  await using folder = await createFolder();
  const path = `${folder.path}/out`;
  const { code } = await call(
    ["disasm", "-", "-q", "-O", path, "--color", "always"],
    { stdin: "ret #0\n" },
  );
  assertEquals(code, 0);
  assert(!COLOR.test(await Deno.readTextFile(path)));
});

Deno.test("asm reports all errors with their places, and explains names", async () => {
  const stdin =
    "A = sys_number\nif (A == opnat) goto good\nreturn KILL_PROCES\ngood: return ALLOW\n";
  const wrong = await call(["asm", "-"], { stdin });
  assertEquals([wrong.code, wrong.out], [3, ""]);
  assertMatch(
    wrong.err,
    /^<stdin>:2:10: error: .*did you mean openat\n<stdin>:3:8: error: .*did you mean KILL_PROCESS\n$/,
  );
  const right = stdin.replace("opnat", "openat").replace("PROCES", "PROCESS");
  const assumed = await call(["asm", "-", "-f", "hex"], { stdin: right });
  assertEquals(assumed.code, 0);
  assertMatch(assumed.err, /note: for call names as on \w+.*--arch/);
  const numbers: readonly (readonly [string, string])[] = [
    ["x86_64", "01010000"],
    ["i386", "27010000"],
    ["s390x", "00000120"],
  ];
  for (const [arch, nr] of numbers) {
    const named = await call(["asm", "-", "-f", "hex", "--arch", arch], {
      stdin: right,
    });
    assertEquals([named.code, named.err], [0, ""], arch);
    assertEquals(named.out.slice(24, 32), nr, arch);
  }
});

Deno.test("asm reports everything that the kernel refuses, with its place", async () => {
  const stdin = "A = len\nA <<= 32\nA /= 0\n\nA = mem[3]\nX = A\n";
  const { code, out, err } = await call(["asm", "-"], { stdin });
  assertEquals([code, out], [3, ""]);
  const places = [...err.matchAll(/^<stdin>:(\d+):1: error: /gm)];
  assertEquals(places.map(([, line]) => line), ["2", "3", "6"], err);
  const forced = await call(["asm", "-", "--force"], { stdin });
  assertEquals(forced.code, 0);
  // A scratch word that may be unset is found by a separate pass.
  const unset = await call(["asm", "-"], { stdin: "A = mem[3]\nreturn A\n" });
  assertMatch(unset.err, /^<stdin>:1:1: error: .*scratch word 3/);
});
