import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatLine } from "../../hook/log.ts";
import { printable } from "../../tables/printable.ts";

Deno.test("formatLine() gives one printable object of JSON, whatever it quotes", () => {
  const hostile = fc.array(
    fc.oneof(
      fc.constantFrom(
        "\n",
        "\u001b[2J",
        "\u009b",
        "\u061c",
        "\u202e",
        "\u2028",
      ),
      fc.string({ unit: "binary" }),
    ),
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(hostile, hostile, (message, container) => {
      const line = formatLine("error", message, "now", { container });
      assertEquals(printable(line), line);
      const { msg, ...rest } = JSON.parse(line);
      assertEquals(rest, { level: "error", time: "now", container });
      assertEquals(msg, message);
    }),
    { seed: 2026, verbose: 1 },
  );
});
