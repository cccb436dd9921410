import { assertEquals } from "@std/assert";
import { parseText } from "../../bpf/text.ts";
import { worstSteps } from "../../measure/worst.ts";

const ARCH = 0xc000_003e;

Deno.test("worstSteps() follows one branch if the number or the architecture decides", () => {
  // Three instructions if the test fails, four if it succeeds.
  const rows: readonly (readonly [string, readonly number[]])[] = [
    // Numbers 4, 5 and 6.
    ["jeq #5, long", [3, 4, 3]],
    ["jgt #5, long", [3, 3, 4]],
    ["jge #5, long", [3, 4, 4]],
    ["jset #1, long", [3, 4, 3]],
    ["jset #8, long", [3, 3, 3]],
  ];
  for (const [test, expected] of rows) {
    const program = parseText(
      `ld [0]\n${test}\nret #0\nlong: ld [16]\nret #0\n`,
    );
    const seen = [4, 5, 6].map((nr) => worstSteps(program, ARCH, nr));
    assertEquals(seen, [...expected], test);
  }
  const byArch = parseText(
    `ld [4]\njeq #${ARCH}, long\nret #0\nlong: ld [16]\nret #0\n`,
  );
  assertEquals([ARCH, 5].map((arch) => worstSteps(byArch, arch, 0)), [4, 3]);
});

Deno.test("worstSteps() follows the longer branch if an argument or X decides", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["ld [16]\njeq #5, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ld [16]\njne #5, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ld [0]\njeq x, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ret a", 1],
    ["ld #5\njeq #5, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ld #6\njeq #5, long\nret #0\nlong: ld [16]\nret #0", 3],
    ["ld [0]\nja end\nld [0]\nend: ret #0", 3],
    // These leave the known facts unchanged, or forget them.
    ["ld [0]\ntax\njeq #7, long\nret #0\nlong: ld [16]\nret #0", 5],
    ["ld [0]\nst M[0]\njeq #6, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ld [0]\nand #6\njeq #6, long\nret #0\nlong: ld [16]\nret #0", 5],
    ["ld [0]\nand #6\njeq #7, long\nret #0\nlong: ld [16]\nret #0", 4],
    ["ld [0]\nadd #0\njeq #6, long\nret #0\nlong: ld [16]\nret #0", 5],
    ["ld [16]\nand #6\njeq #9, long\nret #0\nlong: ld [16]\nret #0", 5],
  ];
  for (const [text, expected] of rows) {
    assertEquals(worstSteps(parseText(`${text}\n`), ARCH, 7), expected, text);
  }
});
