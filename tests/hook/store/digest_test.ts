import { assertEquals, assertNotEquals } from "@std/assert";
import { digestFields } from "../../../hook/store/digest.ts";

Deno.test("digestFields() is SHA-256 over the length and the bytes of each field", async () => {
  const encoder = new TextEncoder();
  for (
    const fields of [[], [""], ["a"], ["ab", "c"], ["é€", "", "x".repeat(300)]]
  ) {
    const bytes = fields.flatMap((field) => {
      const content = [...encoder.encode(field)];
      // u64, little-endian.
      const length = [content.length & 0xff, content.length >> 8];
      return [...length, 0, 0, 0, 0, 0, 0, ...content];
    });
    const digest = await crypto.subtle.digest(
      "SHA-256",
      Uint8Array.from(bytes),
    );
    const expected = [...new Uint8Array(digest)]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    assertEquals(await digestFields(fields), expected, `${fields}`);
  }
  assertNotEquals(
    await digestFields(["ab", "c"]),
    await digestFields(["a", "bc"]),
  );
});
