/**
 * Defers the code that frequent uses of a bundled program do not need.
 *
 * Deno reads, checks and hashes the whole text of a program at each start, and
 * V8 creates an object for each top-level function. A bundle has the functions
 * of all commands at its top level. This module removes those that only other
 * commands need, as texts that can be packed. The texts form groups: an
 * `import()` evaluates the groups that it needs, each once. `eval()` lets them
 * refer to the remaining code by its short names.
 *
 * Runs of the program show which modules are initialized. They stay at the top
 * level, with everything to which they refer, directly or indirectly, called or
 * not. So only an `import()` leads to removed code, and it creates that code
 * first.
 *
 * @module
 */

import MagicString from "magic-string";
import {
  type BundlePart,
  type InnerImport,
  readParts,
} from "./bundle_parts.ts";
import {
  childrenOf,
  findCalls,
  placeOf,
  type Syntax,
  type Use,
} from "./calls.ts";

/** Names that this module adds to the program. */
const ADDED =
  /\b(?:GROUPS|NEEDED|MAKE|LATER|EVAL|META|DEFERRED|loaders|INDEX|GROUP|TEXT)\$/;

/**
 * Creates the groups that an import needs, once. Shorter names would hide those
 * of the program from the evaluated text.
 */
const MAKE =
  "function MAKE$(INDEX$){for(const GROUP$ of NEEDED$[INDEX$]){const TEXT$=GROUPS$[GROUP$];delete GROUPS$[GROUP$];if(TEXT$)eval(TEXT$)}}";
/** Loads the module of an import, with the parts that it needs. */
const LATER = `const META$=import.meta;let loaders$;
function EVAL$(TEXT$){return eval(TEXT$)}
function LATER$(i){return(loaders$??=DEFERRED$().then(([t,...g])=>EVAL$(t)(g))).then(l=>l[i]())}`;

/** A program in two parts. */
export interface DeferredProgram {
  /**
   * The code that the given uses need. It calls `DEFERRED$()`, which the caller
   * defines: a function that returns a promise of `deferred`.
   */
  readonly program: string;
  /** Texts of all other code. */
  readonly deferred: readonly string[];
}

/**
 * Defers the code that the given uses of a program do not need.
 *
 * @param program Text of a module, as `deno bundle --minify` writes it.
 * @param uses The uses; all of them must succeed.
 * @returns A program that does the same, in two parts.
 * @throws {Error} if a run fails, or if esbuild did not write the program.
 */
export async function deferOthers(
  program: string,
  uses: readonly Use[],
): Promise<DeferredProgram> {
  if (ADDED.test(program)) {
    throw new Error(
      "Cannot defer code: the program already uses the names of added functions",
    );
  }
  const calls = await findCalls(program, uses);
  const parts = readParts(program);
  const called = parts.filter(({ nodes }) =>
    nodes.some((node) => hasCall(node, program, calls))
  );
  return new Deferral(parts, called).write(program);
}

/** Reports whether a function that begins in a node was called. */
function hasCall(
  node: Syntax,
  program: string,
  calls: ReadonlySet<number>,
): boolean {
  return /Function/.test(node.type) && calls.has(placeOf(node, program)) ||
    [...childrenOf(node)].some((child) => hasCall(child, program, calls));
}

/** The parts that stay, those that are moved, and the text that follows. */
class Deferral {
  readonly #parts: readonly BundlePart[];
  /** Parts by the names that they declare. */
  readonly #top: ReadonlyMap<string, BundlePart>;
  readonly #kept: ReadonlySet<BundlePart>;
  /** Moved parts by the names of the import that needs them. */
  readonly #needed: ReadonlyMap<string, ReadonlySet<BundlePart>>;

  constructor(
    parts: readonly BundlePart[],
    called: readonly BundlePart[],
  ) {
    this.#parts = parts;
    this.#top = new Map(
      parts.flatMap((part) => part.names.map((name) => [name, part])),
    );
    const loaded = new Set(called.flatMap(({ names }) => names));
    this.#kept = this.#reach(
      parts.filter(({ kind }) => kind !== "later"),
      ({ module }) => loaded.has(module),
    );
    const needed = new Map<string, ReadonlySet<BundlePart>>();
    for (const { names } of parts.flatMap(({ imports }) => imports)) {
      const all = this.#reach(this.#partsOf(names), () => false);
      const moved = [...all].filter((part) => !this.#kept.has(part));
      if (moved.length > 0) needed.set(names.join(), new Set(moved));
    }
    this.#needed = needed;
  }

  /** Writes the new program. */
  write(program: string): DeferredProgram {
    const text = new MagicString(program);
    const loaders = this.#makeBeforeImports(text, program);
    const moved = this.#parts.filter((part) => !this.#kept.has(part));
    for (const node of moved.flatMap(({ nodes }) => nodes)) {
      replaceMeta(node, text);
    }
    const groups = this.#groups();
    const needed = [...this.#needed.keys()].map((names) =>
      groups.flatMap(({ imports }, i) => imports.includes(names) ? [i] : [])
    );
    const variables = this.#parts.filter((part) =>
      part.kind === "name" && this.#kept.has(part)
    );
    const kept = (isImport: boolean): readonly string[] =>
      this.#parts.filter((part) =>
        this.#kept.has(part) && part.kind !== "name" &&
        (part.kind === "import") === isImport
      ).map((part) => statementOf(part, text));
    return {
      program: [
        ...kept(true),
        variablesOf(variables),
        LATER,
        ...kept(false),
      ].join("\n"),
      deferred: [
        [
          "(function(GROUPS$){",
          variablesOf(moved),
          `const NEEDED$=${JSON.stringify(needed)};`,
          MAKE,
          `return[${loaders.join()}]})`,
        ].join("\n"),
        ...groups.map(({ parts }) =>
          parts.map((part) => assignmentOf(part, text)).join(";")
        ),
      ],
    };
  }

  /** Parts that some parts need, including these. */
  #reach(
    from: readonly BundlePart[],
    isFollowed: (inner: InnerImport) => boolean,
  ): ReadonlySet<BundlePart> {
    const found = new Set(from);
    // Iterating a set also visits elements that are added in the meantime.
    for (const { references, imports } of found) {
      const followed = imports.filter(isFollowed);
      const names = [...references, ...followed.flatMap(({ names }) => names)];
      for (const part of this.#partsOf(names)) found.add(part);
    }
    return found;
  }

  #partsOf(names: readonly string[]): readonly BundlePart[] {
    return names.flatMap((name) => this.#top.get(name) ?? []);
  }

  /** Moved parts that the same imports need are created together. */
  #groups(): readonly ImportGroup[] {
    const groups = new Map<string, ImportGroup>();
    for (const part of this.#parts) {
      const imports = [...this.#needed].filter(([, parts]) => parts.has(part))
        .map(([names]) => names);
      // Nothing leads to the other parts.
      if (imports.length === 0) continue;
      const key = imports.join(" ");
      const parts = [...groups.get(key)?.parts ?? [], part];
      groups.set(key, { imports, parts });
    }
    return [...groups.values()];
  }

  /**
   * Changes the imports that need moved parts.
   *
   * @returns For each number of such an import, the function that creates these
   * parts and loads the module.
   */
  #makeBeforeImports(text: MagicString, program: string): readonly string[] {
    const keys = [...this.#needed.keys()];
    const loaders = keys.map(() => "");
    for (const part of this.#parts) {
      for (const { loader: { start, end }, names } of part.imports) {
        const number = keys.indexOf(names.join());
        if (number < 0) continue;
        const load = `(MAKE$(${number}),(${program.slice(start, end)})())`;
        loaders[number] = `()=>${load}`;
        const isKept = this.#kept.has(part);
        text.update(start, end, `()=>${isKept ? `LATER$(${number})` : load}`);
      }
    }
    return loaders;
  }
}

/** Moved parts, and the names of the imports that need them. */
interface ImportGroup {
  readonly imports: readonly string[];
  readonly parts: readonly BundlePart[];
}

function textOf({ start, end }: Syntax, text: MagicString): string {
  return text.slice(start, end);
}

function statementOf({ nodes }: BundlePart, text: MagicString): string {
  return nodes.map((node) =>
    `${node.type === "VariableDeclarator" ? "var " : ""}${textOf(node, text)};`
  ).join("");
}

function variablesOf(parts: readonly BundlePart[]): string {
  const names = parts.flatMap((part) => part.names);
  return names.length === 0 ? "" : `var ${names.join()};`;
}

/** `import.meta` is not allowed in text that is evaluated. */
function replaceMeta(node: Syntax, text: MagicString): void {
  if (node.type === "MetaProperty" && textOf(node, text) === "import.meta") {
    text.update(node.start, node.end, "META$");
  } else {
    for (const child of childrenOf(node)) replaceMeta(child, text);
  }
}

/** A part as an assignment to the variables that it declares. */
function assignmentOf({ nodes }: BundlePart, text: MagicString): string {
  return nodes.map((node) => {
    const { type, id, start, end } = node;
    if (type !== "FunctionDeclaration" || !id) return textOf(node, text);
    return `${id.name}=${text.slice(start, id.start)}${
      text.slice(id.end, end)
    }`;
  }).join(";");
}
