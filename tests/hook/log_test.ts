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

const LOG = new URL("../../hook/log.ts", import.meta.url).href;

Deno.test("openLog() writes to its target, errors to standard error as well, and all there if the target fails", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-log-" });
  const write = async (target: string): Promise<string> => {
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `import { openLog } from ${JSON.stringify(LOG)};
      const log = openLog(${target});
      for (const level of ["info", "warning", "error"]) log.write(level, "x");`,
    );
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${folder}/main.ts`],
    }).output();
    return levelsOf(new TextDecoder().decode(stderr));
  };
  try {
    const file = `${folder}/log`;
    assertEquals(await write(JSON.stringify({ file })), "error");
    const text = await Deno.readTextFile(file);
    assertEquals(levelsOf(text), "info warning error");
    assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    const all = "info warning error";
    assertEquals(await write('"stderr"'), all);
    assertEquals(
      await write(JSON.stringify({ file: `${folder}/no/log` })),
      all,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function levelsOf(text: string): string {
  return [...text.matchAll(/"level":"(\w+)"/g)].map((match) => match[1])
    .join(" ");
}
