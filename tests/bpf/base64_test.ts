import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { fromHex, toHex } from "../../bpf/hex.ts";

const SEED = 0xb64;

Deno.test("encodeBase64() and decodeBase64() agree with the vectors of RFC 4648", () => {
  const cases = [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ] as const;
  for (const [plain, text] of cases) {
    const bytes = new TextEncoder().encode(plain);
    assertEquals(encodeBase64(bytes), text);
    assertEquals(decodeBase64(text), bytes);
  }
});

Deno.test("encodeBase64() and decodeBase64() agree with btoa() and atob() on random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = btoa(String.fromCharCode(...bytes));
      assertEquals(encodeBase64(bytes), text);
      assertEquals(decodeBase64(text), new Uint8Array(bytes));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("decodeBase64() refuses every other spelling", () => {
  const cases = [
    "Z",
    "Zg",
    "Zg=",
    "Zg===",
    "Zm8",
    "Zm8==",
    "Zm9v=",
    "Zm9v====",
    "=",
    "==",
    "====",
    "A===",
    "Zg==Zg==",
    "Zg=a",
    "Zm9v\n",
    " Zm9v",
    "Zm 9",
    "Zm\u00009",
    "Zm9_",
    "Zm9-",
    "Zm9\u0131",
    "Zm9\u{1f600}",
    "Zh==",
    "Zo==",
    "Zm9=",
    "Zm8=\n",
  ];
  for (const text of cases) {
    assertThrows(
      () => decodeBase64(text),
      SyntaxError,
      "Cannot decode base64: ",
      JSON.stringify(text),
    );
  }
});

Deno.test("decodeBase64() takes no text that encodeBase64() would not write", () => {
  const letters = "AQgwZ/+=- \n";
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...letters), { maxLength: 8 }),
      (chosen) => {
        const text = chosen.join("");
        let bytes: Uint8Array;
        try {
          bytes = decodeBase64(text);
        } catch {
          return;
        }
        assertEquals(encodeBase64(bytes), text);
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});

Deno.test("toHex() and fromHex() are inverse and strict", () => {
  const bytes = new Uint8Array(256).map((_, n) => n);
  assertEquals(toHex(bytes).slice(0, 8), "00010203");
  assertEquals(fromHex(toHex(bytes)), bytes);
  assertEquals(fromHex("7FfF"), new Uint8Array([0x7f, 0xff]));
  assertEquals(fromHex(""), new Uint8Array());
  for (const text of ["0", "0x", "00 ", "0g", "-1", "00\n", "\uff10\uff10"]) {
    assertThrows(() => fromHex(text), SyntaxError, "Cannot decode hex: ");
  }
});
