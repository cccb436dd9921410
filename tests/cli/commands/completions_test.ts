/**
 * Completions: the engine's offers, and their effect in interactive shells.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { createApp } from "../../../cli/app.ts";
import type { Completion } from "../../../cli/completions/complete.ts";
import { isKnownPlaceholder } from "../../../cli/completions/completers.ts";
import { commandsOf } from "../../../cli/output/reflect.ts";
import { BASH_COMPLETION, type Need, needs } from "../../machine.ts";
import { call, createFolder, type Folder, MAIN } from "../harness.ts";
import { openTerminal, type Terminal } from "../terminal.ts";

/** The program's answer to a script; the last word is at the cursor. */
async function complete(...words: readonly string[]): Promise<Completion> {
  const { code, out, err } = await call(["__complete", ...words]);
  assertEquals([code, err], [0, ""], words.join(" "));
  const [[shell = "", prefix = ""] = [], ...candidates] = out.trimEnd()
    .split("\n").map((line) => line.split("\t"));
  return {
    shell: shell as Completion["shell"],
    prefix,
    candidates: candidates.map(([value = "", brief = ""]) => ({
      value,
      brief,
    })),
  };
}

async function valuesOf(...words: readonly string[]): Promise<string[]> {
  return (await complete(...words)).candidates.map(({ value }) => value);
}

Deno.test("every argument and every value of an option can be completed", async () => {
  const unknown: string[] = [];
  for (const { name, flags, words } of commandsOf(await createApp())) {
    const places = [
      ...words.map(({ placeholder }) => placeholder),
      ...flags.filter(({ values }) => values === undefined)
        .flatMap(({ placeholder = [] }) => placeholder),
    ];
    for (const place of places) {
      if (!isKnownPlaceholder(place)) unknown.push(`${name}: ${place}`);
    }
  }
  assertEquals(unknown, []);
});

Deno.test("commands and options are completed, only those of the command", async () => {
  assertEquals(await valuesOf("comp"), ["compile", "completions"]);
  assertEquals(await valuesOf("--v"), ["--version"]);
  assertEquals(await valuesOf("help", "inst"), ["install"]);
  assertEquals(await valuesOf("compile", "--obj"), ["--objective"]);
  assertEquals(await valuesOf("dump", "--obj"), []);
  assertEquals(await valuesOf("nonsense", ""), []);
  for (const { name, flags } of commandsOf(await createApp())) {
    const offered = await valuesOf(name, "-");
    for (const { external, alias } of flags) {
      assert(offered.includes(`--${external}`), `${name} --${external}`);
      const isShort = alias === undefined || offered.includes(`-${alias}`);
      assert(isShort, `${name} -${alias}`);
    }
  }
});

Deno.test("values of options are completed without files, in any position", async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["compile -f a", ["asm", "annotation"]],
    ["compile --format a", ["asm", "annotation"]],
    ["compile --format=he", ["--format=hex"]],
    ["compile -fhe", ["-fhex"]],
    ["compile -qf=he", ["-qf=hex"]],
    ["compile -qf he", ["hex"]],
    ["stats --color n", ["never"]],
    ["compile --arch x86_64,aa", ["x86_64,aarch64"]],
    ["compile --arch=x86_64,aa", ["--arch=x86_64,aarch64"]],
    ["compile --arch aarch64,aa", []],
    ["compile --caps n", ["none"]],
    ["compile --caps CAP_CHOWN,CAP_SYS_AD", ["CAP_CHOWN,CAP_SYS_ADMIN"]],
    ["compile --caps CAP_CHOWN,n", []],
    ["simulate default:docker x86:mkdira", ["x86:mkdirat"]],
    ["simulate --arch x86 default:docker socketc", ["socketcall"]],
    ["simulate -o json default:docker s390x", ["s390x:"]],
    ["simulate default:docker read ", []],
    ["syscalls arm_f", ["arm_fadvise64_64"]],
    ["syscalls --arch x86_64 arm_f", []],
    ["install p", ["podman"]],
    ["uninstall podman d", ["docker"]],
    ["store p", ["prime"]],
    ["store show ", []],
    ["completions z", ["zsh"]],
  ];
  for (const [line, values] of cases) {
    const { shell, candidates } = await complete(...line.split(" "));
    assertEquals([shell, candidates.map((c) => c.value)], ["none", values]);
  }
});

Deno.test("sources complete to words and files, and to folders after bundle:", async () => {
  const defaults = ["docker", "podman", "containerd", "crio"]
    .map((name) => `default:${name}`);
  const sources = [...defaults, "pid:", "bundle:", "oci:"];
  for (
    const line of [
      ...["compile ", "prove a ", "diff --subset-of ", "stats a b c "],
      ...["run ", "verify --against ", "store prime x "],
    ]
  ) {
    const words = line.split(" ");
    assertEquals((await complete(...words)).shell, "files", line);
    assertEquals(await valuesOf(...words), sources, line);
  }
  assertEquals(await complete("compile", "bundle:x"), {
    ...{ shell: "folders", prefix: "bundle:", candidates: [] },
  });
  assertEquals(await complete("compile", "oci:x"), {
    ...{ shell: "folders", prefix: "oci:", candidates: [] },
  });
  assertEquals(await complete("diff", "a", "--subset-of=bundle:x"), {
    ...{ shell: "folders", prefix: "--subset-of=bundle:", candidates: [] },
  });
  assertEquals(await complete("compile", "-qOx"), {
    ...{ shell: "files", prefix: "-qO", candidates: [] },
  });
  assertEquals(await valuesOf("compile", "a", ""), [], "one source");
  assertEquals(await valuesOf("compile", "--", "d"), defaults);
});

Deno.test("run hands over to the command after --", async () => {
  assertEquals((await complete("run", "x", "--", "l")).shell, "command");
  assertEquals((await complete("run", "x", "--", "ls", "-")).shell, "command");
  assertEquals((await complete("run", "x", "l")).shell, "none");
});

const LINTERS = {
  shellcheck: ["shellcheck", "seccomp_tree.bash"],
  zsh: ["zsh", "-n", "seccomp_tree.zsh"],
  fish: ["fish", "-n", "seccomp_tree.fish"],
} as const;

for (const [need, [program, ...args]] of Object.entries(LINTERS)) {
  needs(need as keyof typeof LINTERS)(
    `${program} finds nothing in the script of its shell`,
    async () => {
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args,
        cwd: fromFileUrl(
          new URL("../../../cli/completions/", import.meta.url),
        ),
      }).output();
      const said = [stdout, stderr].map((b) => new TextDecoder().decode(b));
      assertEquals([code, ...said], [0, "", ""]);
    },
  );
}

/** Starts a shell in which `seccomp-tree` completes, and prints its arguments. */
async function shellWith(
  { path }: Folder,
  { command, setup }: {
    readonly command: string;
    readonly setup: readonly string[];
  },
): Promise<Terminal> {
  return await openTerminal({
    ...{ command, setup, cwd: join(path, "home") },
    env: { PATH: `${join(path, "bin")}:${Deno.env.get("PATH")}` },
  });
}

/** The words of each program that the shell called. */
function wordsRun(printed: string): readonly string[] {
  return [...printed.matchAll(/<<WORD (.*?)>>/g)].map(([, word = ""]) => word);
}

/** Makes a home with files, scripts, and a program that prints its words. */
async function prepare(folder: Folder): Promise<void> {
  const bin = join(folder.path, "bin");
  const home = join(folder.path, "home");
  await Deno.mkdir(bin);
  await Deno.mkdir(join(home, "a folder", "inner"), { recursive: true });
  await Deno.mkdir(join(home, "fpath"));
  for (const file of ["my file", "hello", "co:lon"]) {
    await Deno.writeTextFile(join(home, file), "");
  }
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await call(["completions", shell]);
    await Deno.writeTextFile(join(home, `script.${shell}`), out);
  }
  await Deno.copyFile(
    join(home, "script.zsh"),
    join(home, "fpath", "_seccomp-tree"),
  );
  const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));
  const original = Deno.env.get("HOME") ?? "/";
  const words =
    `for word; do printf '<<WORD %s>>' "$word"; done; echo '<<END>>'`;
  const scripts = {
    "seccomp-tree": `if [ "$1" = __complete ]; then
  HOME='${original}' exec '${Deno.execPath()}' run -A --config '${config}' '${MAIN}' "$@"
fi
${words}`,
    fruit: words,
  };
  for (const [name, text] of Object.entries(scripts)) {
    const path = join(bin, name);
    await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}

/** Typed text, with the Tab key as ⇥, and the words that the shell runs. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ["simulate default:d⇥", ["simulate", "default:docker"]],
  ["simulate default:p⇥", ["simulate", "default:podman"]],
  ["simulate default:docker x86:mkdira⇥", [
    ...["simulate", "default:docker", "x86:mkdirat"],
  ]],
  ["compil⇥", ["compile"]],
  ["completi⇥ zs⇥", ["completions", "zsh"]],
  ["compile my⇥", ["compile", "my file"]],
  ["compile 'my⇥", ["compile", "my file"]],
  ["compile my\\ f⇥", ["compile", "my file"]],
  ["compile ~/my⇥", ["compile", "$HOME/my file"]],
  ["compile co⇥", ["compile", "co:lon"]],
  ["compile co:l⇥", ["compile", "co:lon"]],
  // There is a file "hello".
  ["compile -f h⇥", ["compile", "-f", "hex"]],
  ["compile -fh⇥", ["compile", "-fhex"]],
  ["compile --format=h⇥", ["compile", "--format=hex"]],
  ["compile -f hel⇥", ["compile", "-f", "hel"]],
  ["compile --obj⇥ si⇥", ["compile", "--objective", "size"]],
  ["compile --arch x86_64,aa⇥", ["compile", "--arch", "x86_64,aarch64"]],
  ["compile --caps CAP_SYS_AD⇥", ["compile", "--caps", "CAP_SYS_ADMIN"]],
  ["compile --weights my⇥", ["compile", "--weights", "my file"]],
  ["compile --weights=my⇥", ["compile", "--weights=my file"]],
  ["compile -O my⇥", ["compile", "-O", "my file"]],
  ["compile bundle:a⇥", ["compile", "bundle:a folder"]],
  ["rewrite a⇥in⇥", ["rewrite", "a folder/inner"]],
  ["install pod⇥", ["install", "podman"]],
  ["store pri⇥ default:d⇥", ["store", "prime", "default:docker"]],
  ["run default:d⇥ -- frui⇥ ap⇥", [
    ...["run", "default:docker", "--", "fruit", "apple"],
  ]],
];

interface Shell {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly command: string;
  readonly setup: readonly string[];
}

const BASH = [
  'source script.bash; complete -W "apple banana" fruit',
  'PS1=$PROMPT; bind "set enable-bracketed-paste off"',
];
const ZSH = [
  "unsetopt zle_bracketed_paste prompt_sp; unset zle_bracketed_paste",
  "_fruit() { compadd apple banana }; compdef _fruit fruit",
  "PS1=$PROMPT",
];
const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    needs: ["bash"],
    command: "bash --norc --noprofile -i",
    setup: BASH,
  },
  {
    name: "bash with bash-completion",
    needs: ["bash", "bash-completion"],
    command: "bash --norc --noprofile -i",
    setup: [
      `[ ! -e ${BASH_COMPLETION} ] || source ${BASH_COMPLETION}`,
      ...BASH,
    ],
  },
  {
    name: "zsh",
    needs: ["zsh"],
    command: "zsh -f -i",
    setup: ["autoload -Uz compinit; compinit -u -D; source script.zsh", ...ZSH],
  },
  {
    name: "zsh by fpath",
    needs: ["zsh"],
    command: "zsh -f -i",
    setup: [
      "fpath=($PWD/fpath $fpath); autoload -Uz compinit; compinit -u -D",
      ...ZSH,
    ],
  },
  {
    name: "fish",
    needs: ["fish"],
    command: "fish --no-config --private -i",
    setup: [
      "source script.fish; complete -c fruit -f -a 'apple banana'",
      "function fish_prompt; echo -n $PROMPT; end",
    ],
  },
];

for (const { name, needs: all, command, setup } of SHELLS) {
  needs("script", ...all)(
    `${name} completes what is typed`,
    async () => {
      await using folder = await createFolder();
      await prepare(folder);
      await using terminal = await shellWith(folder, { command, setup });
      const home = join(folder.path, "home");
      const wrong: unknown[] = [];
      for (const [keys, expected] of TYPED) {
        const typed = `seccomp-tree ${keys.replaceAll("⇥", "\t")}`;
        // zsh removes the slash after a folder again.
        const words = wordsRun(await terminal.type(typed, "<<END>>"))
          .map((word) => word.replace(/\/$/, ""));
        const wanted = expected.map((word) => word.replace("$HOME", home));
        if (words.join("\n") !== wanted.join("\n")) {
          wrong.push({ keys, words, wanted });
        }
      }
      assertEquals(wrong, []);
    },
  );
}

Deno.test("calls are completed for every usual name of an architecture", async () => {
  assertEquals(
    await valuesOf("simulate", "default:docker", "arm64:renameat"),
    ["arm64:renameat", "arm64:renameat2"],
  );
  assertEquals(await valuesOf("syscalls", "--arch", "i386", "waitp"), [
    "waitpid",
  ]);
});
