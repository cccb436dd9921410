/**
 * All messages about user errors, as one text to review: `deno task golden`
 * regenerates it. Other tests check the exit codes and positions; this one
 * checks the words.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "../machine.ts";
import { call, createFolder, FIXED } from "./harness.ts";

const test = needs("libseccomp");

const GOLDEN = new URL("../golden/messages.txt", import.meta.url);

/** Files that the command lines name. */
const FILES: Readonly<Record<string, string>> = {
  "good.s": "ret #0x7fff0000\n",
  "far.s": "ld [0]\njeq #1, 9, 0\nret #0\n",
  "word.s": "lod [0]\nret #0\n",
  "label.s": "jeq #1, there\nret #0\n",
  "number.s": "ld [0x1_0]\nret #0\n",
  "two.s": ".filter\nret #0\n.filter\nret #0x7fff0000\n",
  "empty.json": "",
  "action.json": '{"defaultAction":"SCMP_ACT_ALOW"}',
  "vectors": '{"nr":"read"}\nread\n{"nr":0,"expect":"MAYBE"}\n',
  "weights": "read many\n",
  "config.json": '{"linux":{"seccomp":5}}',
};

/** Command lines, most of them entirely wrong. */
const LINES = [
  ...["compil", "zzz", "--vresion", "compile --fromat hex", "compile -qz"],
  ...["compile --format", "compile -qf=", "compile -f hxe", "compile -q -q"],
  ...["compile --quiet=maybe", "compile a b", "compile --arch amd46"],
  ...["compile --caps CAP_NOPE", "compile --kernel six", "compile nofile"],
  ...["compile --semantics gvisor", "compile --max-depth -1"],
  ...["compile --background 0.5", "compile --background 2", "compile DIR"],
  ...["compile good.s", "compile empty.json", "compile action.json"],
  ...["compile default:pod", "compile bundle:", "compile bundle:."],
  ...["compile -O nofolder/out", "compile -O DIR", "compile good.s -O good.s"],
  ...["compile --weights weights", "compile --weights - -"],
  ...["asm", "asm far.s", "asm word.s", "asm label.s", "asm number.s"],
  ...["disasm far.s", "disasm pid:self", "disasm --from raw far.s"],
  ...["simulate", "simulate good.s", "simulate good.s opnat"],
  ...["simulate good.s read x", "simulate good.s read --ip x"],
  ...["simulate good.s x86:vserve", "simulate good.s vax:read"],
  ...["simulate good.s read 1 2 3 4 5 6 7", "simulate good.s 4294967296"],
  ...["simulate good.s --vectors vectors", "simulate far.s read"],
  ...["explain", "explain good.s read 1 2 3 4 5 6 7", "explain far.s"],
  ...["explain good.s --short --all", "explain good.s read --by call"],
  ...["explain good.s socket AF_VSOK", "explain good.s --only ALOW"],
  ...["test good.s", "test good.s nofile", "test - -"],
  ...["lint", "lint good.s --fix", "lint good.s --disable dead-tst"],
  ...["lint nofile", "lint - --baseline -", "lint good.s --baseline good.s"],
  ...["decode nofile", "decode DIR", "decode --group --follow"],
  ...["decode --since soon good.s", "decode a b"],
  ...["prove good.s", "prove nofile far.s", "prove - -"],
  ...["diff good.s", "diff good.s good.s --subset-of good.s"],
  ...["stats far.s nofile", "run good.s", "run nofile -- ls"],
  ...["run two.s -- ls", "dump", "dump pid:0", "dump good.s"],
  ...["dump pid:0 --limit 1", "dump --index 0 -- true", "dump -O - -- true"],
  ...["dump pid:1 2", "dump --timeout 0 -- true", "dump -O DIR/x/y -- true"],
  ...["why", "why good.s", "why a b -- true", "why two.s -- true"],
  ...["verify", "verify pid:1", "verify pid:1 --all"],
  ...[
    "selftest -q --program action.json good.s",
    "bench a b",
    "bench --compare",
  ],
  ...["bench --report action.json", "install", "install lxc"],
  ...["install docker --user", "install podman --root here"],
  ...["install docker --mode static", "uninstall lxc", "status --root here"],
  ...["store", "store fill", "store show", "store show x", "store ls x"],
  ...["store prime", "store gc -o json", "store ls --user --store x"],
  ...["rewrite", "rewrite nofile", "rewrite good.s", "syscalls opnat"],
  ...["syscalls arm_fadvise64_64 --arch x86_64", "completions tcsh", "demo x"],
];

test("messages about wrong input state what was seen and what to do", async () => {
  await using folder = await createFolder();
  for (const [name, text] of Object.entries(FILES)) {
    await folder.write(name, text);
  }
  await Deno.mkdir(`${folder.path}/DIR`);
  const named = new Set([...Object.keys(FILES), "DIR", "nofile"]);
  const here = (word: string): string => {
    const path = word.replace(/^bundle:\.$/, `bundle:${folder.path}`);
    return named.has(path) || path.startsWith("nofolder")
      ? `${folder.path}/${path}`
      : path;
  };
  const parts: string[] = [];
  for (const line of LINES) {
    // Notes about this machine are for other tests.
    const quiet = /^(?:compile|simulate) (?!.*(?:-q|--arch))/.test(line)
      ? FIXED
      : [];
    // The machine's own store is not for tests.
    const own = /^(?:store|rewrite) (?!.*--store)/.test(line)
      ? ["--store", `${folder.path}/store`]
      : [];
    const args = [...line.split(" ").map(here), ...quiet, ...own];
    const { code, err } = await call(args);
    const shown = err.replaceAll(`${folder.path}/`, "")
      .replaceAll(folder.path, ".");
    parts.push(`$ ${line}\n${shown}exit ${code}\n`);
    assertMatch(shown, /error: |warning: /, line);
  }
  const text = parts.join("\n");
  if (Deno.env.get("UPDATE_GOLDEN") === "1") {
    await Deno.writeTextFile(GOLDEN, text);
  }
  assertEquals(text, await Deno.readTextFile(GOLDEN));
});
