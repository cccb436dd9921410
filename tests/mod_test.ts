import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

async function run(args: readonly string[]): Promise<[number, string]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...args],
    cwd: ROOT,
    stdin: "null",
    stderr: "null",
  }).output();
  return [code, new TextDecoder().decode(stdout)];
}

Deno.test("mod.ts is the program if it is run", async () => {
  const [code, out] = await run([
    ...["-A", "mod.ts", "syscalls", "openat", "--arch", "x86_64"],
  ]);
  assertEquals(code, 0);
  assertStringIncludes(out, "257");
});

Deno.test("mod.ts needs no permission if it is imported", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/import.ts`;
  await Deno.writeTextFile(
    path,
    `import { compilePolicy } from "${new URL("mod.ts", ROOT)}";
    const arch = { auditArch: 1, names: ["x"], rules: [] };
    const policy = { defaultValue: 0, badArchValue: 0, littleEndian: true, arches: [arch] };
    console.log(compilePolicy(policy).program.length);`,
  );
  try {
    const [code, out] = await run(["--no-prompt", path]);
    assertEquals([code, out.trim()], [0, "1"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the library example of the README runs", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const example = /## Library\n\n```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  assertEquals(example.trimEnd().split("\n").length, 4);
  const folder = await Deno.makeTempDir();
  const path = `${folder}/example.ts`;
  const mod = new URL("mod.ts", ROOT).href;
  const profile = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}';
  await Deno.writeTextFile(
    path,
    `const text = ${JSON.stringify(profile)};
    ${example.replace("jsr:@x/seccomp-tree", mod)}
    console.log(bytes.length % 8, diagnostics.length, proof.kind);`,
  );
  try {
    // By file and not by jsr:, the checker needs the names of packages.
    const config = new URL("deno.json", ROOT).pathname;
    const [code, out] = await run([
      ...["--config", config, "--no-lock", "--check", "--no-prompt", path],
    ]);
    assertEquals([code, out.trim()], [0, "0 1 equal"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Exports for users; adding or removing a name is a visible change. */
const NAMES: readonly string[] = [
  "Arch",
  "ArchName",
  "ArchPolicy",
  "AssemblyError",
  "CompileOptions",
  "CompileProfileOptions",
  "CompiledArch",
  "CompiledProfile",
  "Condition",
  "Counterexample",
  "DEFAULT_PROFILE",
  "Diagnostic",
  "Difference",
  "DifferenceList",
  "Digest",
  "Filter",
  "FilterStack",
  "FormatStackOptions",
  "Instruction",
  "KernelVersion",
  "NotOptimized",
  "Objective",
  "Op",
  "OptimizeOptions",
  "Optimized",
  "Outcome",
  "ParseFiltersOptions",
  "ParsedFilters",
  "Policy",
  "ProfileError",
  "ProfileTarget",
  "Program",
  "ProgramError",
  "Proof",
  "ProofOptions",
  "Proved",
  "ResolvedProfile",
  "Rule",
  "SeccompData",
  "SimulatedCall",
  "Simulation",
  "Subject",
  "Unproved",
  "Unproven",
  "archByName",
  "compilePolicy",
  "compileProfile",
  "decodeFilter",
  "digestOf",
  "encodeFilter",
  "formatFilters",
  "formatReturnValue",
  "listDifferences",
  "optimize",
  "parseFilters",
  "parseKernelRelease",
  "parseReturnValue",
  "parseWeights",
  "proveEquivalent",
  "proveNotLooser",
  "resolveProfile",
  "simulate",
];

/** The parts of `deno doc --json` that are read. */
interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly {
          readonly kind: string;
          readonly jsDoc?: {
            readonly doc?: string;
            readonly tags?: readonly { readonly kind: string }[];
          };
        }[];
      }[];
    }>
  >;
}

Deno.test("mod.ts exports what users need, each documented, what can be called with an example", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts"],
    cwd: ROOT,
    stderr: "null",
  }).output();
  assertEquals(code, 0);
  // The shape is what `deno doc` of the pinned version prints.
  const { nodes } = JSON.parse(
    new TextDecoder().decode(stdout),
  ) as Documentation;
  const symbols = Object.values(nodes).flatMap((node) => node.symbols);
  assertEquals(symbols.map(({ name }) => name).sort(), NAMES);
  for (const { name, declarations } of symbols) {
    for (const { kind, jsDoc } of declarations) {
      assert((jsDoc?.doc ?? "") !== "", `${name} is documented`);
      if (kind !== "function" && kind !== "class") continue;
      assert(
        jsDoc?.tags?.some((tag) => tag.kind === "example"),
        `${name} has an example`,
      );
    }
  }
});

Deno.test("the documentation of every entry point is checked, by .ci/run and by deno task ok", async () => {
  const read = (path: string): Promise<string> =>
    Deno.readTextFile(new URL(path, ROOT));
  const { exports, tasks } = JSON.parse(await read("deno.json")) as {
    readonly exports: Readonly<Record<string, string>>;
    readonly tasks: Readonly<Record<string, string>>;
  };
  for (const text of [await read(".ci/run"), tasks["ok"] ?? ""]) {
    // A backslash joins the lines of a command.
    const command = /doc --lint ((?:[^\n&\\]|\\\n)*)/.exec(text)?.[1] ?? "";
    const checked = command.split(/[\s\\]+/).map((word) => `./${word}`);
    for (const entry of Object.values(exports)) {
      assert(checked.includes(entry), `${entry} is not among ${command}`);
    }
  }
});
