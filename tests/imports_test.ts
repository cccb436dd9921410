/**
 * Checks who may import whom, from `deno info --json`, which sees type-only
 * imports as well; where `Deno.` may appear; and the rules of style that
 * concern a whole file.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Allowed imports of everything outside of the core. */
const CORE = ["pipeline", "profile", "bpf", "verify", "tables"] as const;

/** Allowed imports of measuring code. */
const BENCH = [...CORE, "compiler", "measure", "ffi", "host", "hook"] as const;

/**
 * Folders of the program, each with those it may import besides itself. A file
 * that is named has a rule of its own.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  tables: [],
  "tables/generate.ts": ["tools/arguments.ts"],
  bpf: ["tables"],
  profile: ["tables"],
  compiler: ["bpf", "tables", "profile/policy.ts"],
  verify: ["bpf", "tables", "profile/policy.ts"],
  statements: ["bpf", "tables", "verify", "profile/policy.ts"],
  ffi: ["bpf", "tables"],
  logs: ["tables"],
  pipeline: [
    "profile",
    "compiler",
    "measure",
    "bpf",
    "verify",
    "statements",
    "tables",
  ],
  lint: ["pipeline", "profile", "bpf", "verify", "statements", "tables"],
  measure: ["bpf", "compiler", "tables", "profile/policy.ts"],
  "mod.ts": [...CORE, "compiler", "measure", "cli/whole.ts"],
  host: ["tables"],
  hook: [...CORE, "ffi", "host"],
  install: ["pipeline", "profile", "bpf", "tables", "ffi", "host", "hook"],
  nri: ["profile", "bpf", "tables", "host", "hook"],
  bench: BENCH,
  // Programs of developers, which bundle and start others.
  "bench/certificate.ts": [...BENCH, "tools"],
  "bench/cold.ts": [...BENCH, "install", "tools"],
  "bench/filters.ts": [...BENCH, "tools/arguments.ts"],
  "bench/crun_cache.ts": [...BENCH, "tools"],
  "bench/dispatchers.ts": [...BENCH, "tools/arguments.ts"],
  "bench/profiles.ts": [...BENCH, "tools/arguments.ts"],
  cli: [
    ...CORE,
    "statements",
    "lint",
    "measure",
    "ffi",
    "logs",
    "host",
    "hook",
    "install",
    "nri",
    "bench",
    "deno.json",
  ],
  // From the command line only modules that write text, none that reads the
  // machine.
  playground: [
    ...CORE,
    "statements",
    "measure",
    "cli/draw/actions.ts",
    "cli/draw/graph.ts",
    "cli/draw/way.ts",
    "cli/input/call.ts",
    "cli/input/filter.ts",
    "cli/input/flags.ts",
    "cli/input/sources/guess.ts",
    "cli/output/beyond.ts",
    "cli/output/call/report_call.ts",
    "cli/output/call/text.ts",
    "cli/output/differences.ts",
    "cli/output/formats.ts",
    "cli/output/policy_text.ts",
    "cli/output/reproduce.ts",
  ],
  tools: [
    ...CORE,
    "playground",
    "compiler",
    "lint",
    "measure",
    "ffi",
    "logs",
    "host",
    "hook",
    "install",
    "nri",
    "bench",
    "cli",
  ],
};

/**
 * Inner folders whose place is below the files around them, each with what it
 * may import of its own folder besides itself.
 */
const MAY_IMPORT_INSIDE: Readonly<Record<string, readonly string[]>> = {
  "ffi/live": ["ffi/error.ts", "ffi/libc.ts"],
  // Both ends of the page know only their messages to each other.
  "playground/engine": ["playground/messages.ts"],
  "playground/page": ["playground/messages.ts", "playground/choices.ts"],
  "install/changes": ["install/error.ts"],
  "install/managers": [
    "install/changes",
    "install/error.ts",
    "install/fixed.ts",
    "install/program.ts",
    "install/runtimes.ts",
  ],
};

/** Files that may import the compiler and the prover together. */
const MAY_JOIN = /^(?:pipeline\/|tests\/|mod\.ts$)/;

/** Packages that a folder may use; no other folder uses any. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  // @std only: the hook is built of this, too.
  host: /^(?:jsr:@std\/|tools\/std\/)/,
  install: /./,
  bench: /./,
  cli: /./,
  tools: /./,
};

/** Places in which `Deno.` may appear. */
const MAY_USE_DENO =
  /^(?:cli|install|hook|host|ffi|nri|bench|tools|tests)\/|^tables\/generate(?:\.ts$|\/)/;

/** The folder of a file, or the file itself at the root. */
function folderOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The folder in which a file is. */
function parentOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

/** All sources below a folder, relative to the root. */
function* sources(folder = ""): Generator<string> {
  const entries = [...Deno.readDirSync(new URL(folder, ROOT))];
  for (const { name, isDirectory } of entries) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

const SOURCES: readonly string[] = [...sources()].sort();

/** Imports of one file. */
interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** Relative to the root, or a URL elsewhere. */
  readonly to: string;
  /** True if nothing of it is needed when the program runs. */
  readonly isType?: boolean;
}

/** The parts of `deno info --json` that are read. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/** Imports of the given files and of all files that they reach. */
async function importsOf(roots: readonly string[]): Promise<readonly Import[]> {
  // `deno info` takes one root: a file that imports all of them.
  const text = roots.map((path) =>
    `import ${JSON.stringify(new URL(path, ROOT).href)};\n`
  )
    .join("");
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, text);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "info",
        "--json",
        "--no-lock",
        "--config",
        new URL("deno.json", ROOT).pathname,
        entry,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    // The shape is what `deno info` of the pinned version prints.
    const info = JSON.parse(new TextDecoder().decode(stdout)) as Info;
    const imports: Import[] = [];
    for (const { specifier: from, dependencies } of info.modules) {
      if (!from.startsWith(ROOT.href)) continue;
      for (const { specifier, code, type } of dependencies ?? []) {
        const targets = [
          [code?.specifier, false],
          [type?.specifier, true],
        ] as const;
        for (const [target, isType] of targets) {
          if (target === undefined) continue;
          imports.push({
            from: relative(from),
            specifier,
            to: relative(target),
            isType,
          });
        }
      }
    }
    return imports;
  } finally {
    await Deno.remove(entry);
  }
}

/** The imports of code that some files reach by such imports. */
function codeReachedFrom(
  roots: readonly string[],
  imports: readonly Import[],
): readonly Import[] {
  const reached = new Set(roots);
  const found: Import[] = [];
  for (const file of reached) {
    for (const each of imports) {
      if (each.from !== file || each.isType === true) continue;
      found.push(each);
      reached.add(each.to);
    }
  }
  return found;
}

function relative(url: string): string {
  return url.startsWith(ROOT.href) ? url.slice(ROOT.href.length) : url;
}

/** Violations of the import rules, one line each. */
function faultsOf(imports: readonly Import[]): readonly string[] {
  const faults: string[] = [];
  for (const { from, specifier, to } of imports) {
    const folder = folderOf(from);
    const allowed = MAY_IMPORT[from] ?? MAY_IMPORT[folder];
    if (allowed === undefined) continue;
    const isLocal = /^\.{1,2}\//.test(specifier);
    if (!isLocal) {
      if (PACKAGES[folder]?.test(to) === true) continue;
      faults.push(`${from} imports ${specifier}, which ${folder} may not use`);
      continue;
    }
    const target = folderOf(to);
    const inside = MAY_IMPORT_INSIDE[parentOf(from)];
    if (target === folder && inside !== undefined) {
      const places = [parentOf(from), ...inside];
      if (!places.includes(parentOf(to)) && !places.includes(to)) {
        faults.push(`${from} imports ${to}`);
      }
    }
    if (target === folder) continue;
    if (!allowed.includes(target) && !allowed.includes(to)) {
      faults.push(`${from} imports ${to}`);
    }
  }
  return [...new Set(faults)];
}

/**
 * Files that compile and prove on their own: a filter may leave them without a
 * proof, or with a proof of something else.
 */
function joinsOf(imports: readonly Import[]): readonly string[] {
  const folders = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (MAY_JOIN.test(from)) continue;
    const seen = folders.get(from) ?? new Set();
    folders.set(from, seen.add(folderOf(to)));
  }
  return [...folders]
    .filter(([, seen]) => seen.has("compiler") && seen.has("verify"))
    .map(([from]) => `${from} imports compiler/ and verify/`);
}

/** Groups of files that import one another in a circle, types included. */
function circlesOf(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  // Tarjan's strongly connected components.
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.size - 1);
    stack.push(file);
    for (const to of next.get(file) ?? []) {
      if (!index.has(to)) visit(to);
      else if (!stack.includes(to)) continue;
      low.set(file, Math.min(low.get(file) ?? 0, low.get(to) ?? 0));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || next.get(file)?.has(file)) {
      circles.push(circle.sort().join(" ↔ "));
    }
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return circles.sort();
}

const PROGRAM: readonly string[] = SOURCES.filter((path) =>
  MAY_IMPORT[folderOf(path)] !== undefined
);

Deno.test("each folder imports only what the architecture allows", async () => {
  const imports = await importsOf(PROGRAM);
  const seen = new Set(imports.map((i) => folderOf(i.from)));
  for (const folder of ["bpf", "profile", "compiler", "verify", "ffi", "cli"]) {
    assert(seen.has(folder), `no import of ${folder} was seen`);
  }
  assertEquals(faultsOf(imports), []);
});

Deno.test("only pipeline/ imports the compiler and the prover together", async () => {
  const imports = await importsOf(SOURCES);
  const both = new Set(
    imports.filter(({ to }) => /^(?:compiler|verify)\//.test(to))
      .map(({ from }) => from),
  );
  assert(both.has("pipeline/compile_profile.ts"), "the door was seen");
  assertEquals(joinsOf(imports), []);
  const broken = ["compiler/compile.ts", "verify/equivalence.ts"].map((to) => ({
    from: "bench/run.ts",
    specifier: `../${to}`,
    to,
  }));
  assertEquals(joinsOf([...imports, ...broken]).length, 1);
});

Deno.test("no files import one another in a circle, types included", async () => {
  const imports = await importsOf(SOURCES);
  assertEquals(circlesOf(imports), []);
  const broken: readonly Import[] = [
    { from: "a.ts", specifier: "./b.ts", to: "b.ts" },
    { from: "b.ts", specifier: "./c.ts", to: "c.ts" },
    { from: "c.ts", specifier: "./a.ts", to: "a.ts" },
    { from: "c.ts", specifier: "./d.ts", to: "d.ts" },
    { from: "e.ts", specifier: "./e.ts", to: "e.ts" },
  ];
  assertEquals(circlesOf(broken), ["a.ts ↔ b.ts ↔ c.ts", "e.ts"]);
});

Deno.test("the rules detect violations", () => {
  const bad: readonly Import[] = [
    {
      from: "verify/decide.ts",
      specifier: "../compiler/part.ts",
      to: "compiler/part.ts",
    },
    {
      from: "compiler/tree.ts",
      specifier: "../profile/formats/oci.ts",
      to: "profile/formats/oci.ts",
    },
    { from: "tables/arch.ts", specifier: "../bpf/run.ts", to: "bpf/run.ts" },
    { from: "bpf/run.ts", specifier: "@std/path", to: "jsr:@std/path" },
    { from: "hook/main.ts", specifier: "node:fs", to: "node:fs" },
    { from: "hook/main.ts", specifier: "vega", to: "npm:vega" },
    { from: "host/files.ts", specifier: "node:fs", to: "node:fs" },
    { from: "host/files.ts", specifier: "../bpf/run.ts", to: "bpf/run.ts" },
    {
      from: "bench/report/text.ts",
      specifier: "../../cli/error.ts",
      to: "cli/error.ts",
    },
    {
      from: "bench/engine/lists.ts",
      specifier: "../../tools/arguments.ts",
      to: "tools/arguments.ts",
    },
    {
      from: "measure/measure.ts",
      specifier: "../hook/reference.ts",
      to: "hook/reference.ts",
    },
    {
      from: "pipeline/resolve_profile.ts",
      specifier: "../host/machine.ts",
      to: "host/machine.ts",
    },
    { from: "mod.ts", specifier: "./ffi/load.ts", to: "ffi/load.ts" },
    {
      from: "cli/input/filter.ts",
      specifier: "../../compiler/compile.ts",
      to: "compiler/compile.ts",
    },
    {
      from: "install/fixed.ts",
      specifier: "../verify/equivalence.ts",
      to: "verify/equivalence.ts",
    },
    {
      from: "install/changes/apply.ts",
      specifier: "../managers/docker.ts",
      to: "install/managers/docker.ts",
    },
    {
      from: "install/managers/docker.ts",
      specifier: "../status.ts",
      to: "install/status.ts",
    },
    {
      from: "ffi/live/tracee.ts",
      specifier: "../load.ts",
      to: "ffi/load.ts",
    },
    {
      from: "profile/semantics/names.ts",
      specifier: "../tests/x.ts",
      to: "tests/x.ts",
    },
  ];
  assertEquals(faultsOf(bad).length, bad.length);
  const good: readonly Import[] = [
    {
      from: "verify/decide.ts",
      specifier: "../profile/policy.ts",
      to: "profile/policy.ts",
    },
    { from: "cli/app.ts", specifier: "@stricli/core", to: "npm:@stricli/core" },
    { from: "hook/main.ts", specifier: "../ffi/load.ts", to: "ffi/load.ts" },
  ];
  assertEquals(faultsOf(good), []);
});

Deno.test("mod.ts never imports ffi/, not even indirectly", async () => {
  if (!SOURCES.includes("mod.ts")) return;
  const all = await importsOf(["mod.ts"]);
  const imports = codeReachedFrom(["mod.ts"], all);
  assert(imports.length > 10);
  // For `deno cache` alone: `deno run` reads no module of a type.
  const types = all.filter(({ from, to }) =>
    from === "mod.ts" && !MAY_IMPORT["mod.ts"]?.includes(folderOf(to))
  );
  assertEquals(types.map(({ to, isType }) => [to, isType]), [
    ["cli/whole.ts", true],
  ]);
  const reached = imports.filter(({ to }) =>
    !MAY_IMPORT["mod.ts"]?.includes(folderOf(to))
  );
  assertEquals(reached.map((i) => `${i.from} imports ${i.to}`), []);
});

Deno.test("check never loads the compiler, not even indirectly", async () => {
  const root = "cli/commands/check.ts";
  const imports = codeReachedFrom([root], await importsOf(SOURCES));
  assert(imports.some(({ to }) => to === "verify/certificate/check.ts"));
  const reached = imports.filter(({ to }) => to.startsWith("compiler/"));
  assertEquals(reached.map((i) => `${i.from} imports ${i.to}`), []);
});

Deno.test("hook/ imports no package, not even indirectly", async () => {
  const roots = SOURCES.filter((path) => folderOf(path) === "hook");
  if (roots.length === 0) return;
  const outside = (await importsOf(roots)).filter(({ specifier }) =>
    !/^\.{1,2}\//.test(specifier)
  );
  assertEquals(outside.map((i) => `${i.from} imports ${i.specifier}`), []);
});

/** The parts of a lock file that are read. */
interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
}

Deno.test("the program reaches one package, and its demo fetches no other", async () => {
  const wanted = "npm:@stricli/core@1.3.0";
  // Deno fetches the modules that a module names, even in an import(), before
  // it runs.
  const all = await importsOf(["cli/whole.ts"]);
  const reached = codeReachedFrom(["cli/whole.ts"], all);
  const packagesOf = (some: readonly Import[]): readonly string[] =>
    [...new Set(some.map(({ to }) => to).filter((to) => to.startsWith("npm:")))]
      .sort();
  assertEquals(packagesOf(reached), [wanted]);
  // `deno cache` keeps two more, for pictures and YAML, and no charts.
  assertEquals(
    packagesOf(all).map((to) => to.replace(/@[^@]*$/, "")),
    ["npm:@dagrejs/dagre", "npm:@stricli/core", "npm:yaml"],
  );
  // `deno task` fetches the "imports" of deno.json and all of its lock file.
  const { imports, lock } = await readJson("deno.json") as {
    readonly imports: Readonly<Record<string, string>>;
    readonly lock: unknown;
  };
  const listed = Object.values(imports).filter((to) => to.startsWith("npm:"));
  assertEquals([listed, lock], [[wanted], false]);
  // The shape is that of version 5 of the format.
  const run = await readJson("run.lock") as Lock;
  const locked = await readJson("deno.lock") as Lock;
  const key = wanted.replace("npm:", "");
  assertEquals(run.npm, { [key]: locked.npm[key] });
});

Deno.test("cli/whole.ts names every module that the program loads on use", async () => {
  const folder = new URL("cli/", ROOT);
  const loaded = new Set<string>();
  const loaders = SOURCES.filter((path) =>
    path.startsWith("cli/") && path !== "cli/whole.ts"
  );
  for (const path of loaders) {
    const name = path.slice("cli/".length);
    const file = new URL(name, folder);
    const text = await Deno.readTextFile(file);
    for (
      const [, to] of text.matchAll(/import\(\s*"([^"]+)" as string,?\s*\)/g)
    ) {
      loaded.add(new URL(to ?? "", file).href.slice(ROOT.href.length));
    }
    if (name !== "registry.ts") continue;
    const [all, deferred] = [/\bimport\(/g, /\bimport\(\s*"[^"]+" as string/g]
      .map((form) => [...text.matchAll(form)].length);
    assert((all ?? 0) > 20, "the commands are found");
    assertEquals(deferred, all, "registry.ts: import(… as string)");
  }
  const named = (await importsOf(["cli/whole.ts"]))
    .filter(({ from, isType }) => from === "cli/whole.ts" && !isType)
    .map(({ to }) => to);
  assertEquals(named.sort(), ["cli/main.ts", ...loaded].sort());
  // Deno reads whatever it finds before the program runs.
  const main = ["cli/main.ts"];
  const read = codeReachedFrom(main, await importsOf(main));
  const found = new Set(read.map(({ to }) => to));
  const early = [...loaded].filter((to) => found.has(to));
  assertEquals(early.filter((to) => to.startsWith("cli/")), []);
});

/** Code without comments and strings, so that prose may name what it likes. */
function bare(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "")
    .replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

Deno.test("Deno.* appears only at the edges", () => {
  const faults: string[] = [];
  for (const path of PROGRAM) {
    if (MAY_USE_DENO.test(path)) continue;
    const text = bare(Deno.readTextFileSync(new URL(path, ROOT)));
    if (/\bDeno\b|\bconsole\.|\bfetch\(|\bprocess\./.test(text)) {
      faults.push(path);
    }
  }
  assertEquals(faults, []);
});

/**
 * Opens a socket of the machine when its user runs `nri`, and serves metrics
 * when they ask for an address.
 */
const MAY_CONNECT = "nri/run.ts";

Deno.test("no code opens a connection, except to a runtime", () => {
  const network =
    /\bfetch\(|\bDeno\.(?:connect|listen|serve|resolveDns|createHttpClient|startTls|upgradeWebSocket)|\b(?:WebSocket|WebSocketStream|EventSource|XMLHttpRequest)\b/;
  assertEquals(
    ["fetch(url)", "Deno.connectTls({})", "new WebSocket(url)"].every((code) =>
      network.test(code)
    ),
    true,
  );
  const faults = PROGRAM.filter((path) =>
    path !== MAY_CONNECT &&
    network.test(bare(Deno.readTextFileSync(new URL(path, ROOT))))
  );
  assertEquals(faults, []);
});

Deno.test("files are named in snake case, and tie what is to be done to an issue", () => {
  const faults: string[] = [];
  for (const path of SOURCES) {
    const name = path.split("/").at(-1) ?? "";
    if (!/^[a-z0-9]+(?:_[a-z0-9]+)*\.ts$/.test(name)) {
      faults.push(`${path}: not in snake case`);
    }
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const todo = ["TO", "DO"].join("");
    if (new RegExp(`\\b${todo}\\b(?!\\(#\\d+\\))`).test(text)) {
      faults.push(`${path}: a ${todo} without (#issue)`);
    }
  }
  assertEquals(faults, []);
});

Deno.test("only mod.ts re-exports", () => {
  const faults = PROGRAM.filter((path) =>
    !path.endsWith("mod.ts") &&
    /^export (?:type )?(?:\*|\{[^}]*\} from)/m.test(
      Deno.readTextFileSync(new URL(path, ROOT)),
    )
  );
  assertEquals(faults, []);
});
