import { assert, assertEquals, assertMatch } from "@std/assert";
import { createApp } from "../../../cli/app.ts";
import { commandsOf } from "../../../cli/output/reflect.ts";
import { call, createFolder, shell } from "../harness.ts";

Deno.test("completions name every command and flag", async () => {
  for (const name of ["bash", "zsh", "fish"]) {
    const { code, out, err } = await call(["completions", name]);
    assertEquals([code, err], [0, ""], name);
    for (const command of commandsOf(await createApp())) {
      assert(out.includes(command.name), `${name}: ${command.name}`);
      for (const { external } of command.flags) {
        const flag = name === "fish" ? `-l ${external} ` : `--${external}`;
        assert(out.includes(flag), `${name}: ${command.name} ${flag}`);
      }
    }
  }
});

Deno.test("completions of bash complete commands, flags and values", async () => {
  await using folder = await createFolder();
  const { out: script } = await call(["completions", "bash"]);
  const file = await folder.write("completions", script);
  const complete = async (...words: string[]): Promise<string[]> => {
    const list = words.map((word) => JSON.stringify(word)).join(" ");
    const { out, err, code } = await shell(
      `source ${file}; COMP_WORDS=(seccomp-tree ${list}); COMP_CWORD=${words.length}; _seccomp_tree; printf '%s\\n' "\${COMPREPLY[@]}"`,
      { cwd: folder.path },
    );
    assertEquals([code, err], [0, ""], words.join(" "));
    return out.split("\n").filter((word) => word !== "");
  };
  assertEquals(await complete("comp"), ["compile", "completions"]);
  assertEquals(await complete("compile", "-f", "h"), ["hex"]);
  assertEquals(await complete("compile", "--format", "a"), [
    "asm",
    "annotation",
  ]);
  assertEquals(await complete("compile", "--obj"), ["--objective"]);
  assertEquals(await complete("compile", "--objective", "s"), ["size"]);
  assertEquals(await complete("compile", "def"), ["default:docker"]);
  assertEquals(await complete("compile", "comp"), ["completions"], "a file");
  assertEquals(await complete("compile", "-O", "comp"), ["completions"]);
  assertEquals(await complete("dump", "p"), ["pid:"]);
  assertEquals(await complete("completions", "z"), ["zsh"]);
  assertEquals(await complete("stats", "--color", "n"), ["never"]);
});

Deno.test("completions of zsh and fish quote what their shells would trip over", async () => {
  const zsh = (await call(["completions", "zsh"])).out;
  assertMatch(zsh, /^#compdef seccomp-tree\n/);
  for (const line of zsh.split("\n")) {
    const quotes = line.split("'").length - 1;
    assertEquals(quotes % 2, 0, line);
  }
  const fish = (await call(["completions", "fish"])).out;
  for (const line of fish.trimEnd().split("\n").slice(1)) {
    assertMatch(line, /^complete -c seccomp-tree -n (?:\S+|'[^']+') /, line);
    assertEquals((line.split("'").length - 1) % 2, 0, line);
  }
});
