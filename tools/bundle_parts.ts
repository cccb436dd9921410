/**
 * Reads the top level of a program that esbuild has bundled: its declarations,
 * the references between them, and the `import()` calls that lead from one part
 * to another.
 *
 * @module
 */

import { parse } from "acorn";
import { childrenOf, type Syntax } from "./calls.ts";

/** A part of the top level of a program. */
export interface BundlePart extends PartReferences {
  /**
   * - `import`: a declaration of imports
   * - `name`: a variable without a value
   * - `later`: a function, or a value that only references need
   * - `now`: any other part, which may have an effect when the program is
   *   loaded
   */
  readonly kind: "import" | "name" | "later" | "now";
  /** Names that it declares. */
  readonly names: readonly string[];
  /**
   * Its text: a statement, or a declaration without `var`. The call that fills
   * a namespace belongs to the namespace.
   */
  readonly nodes: readonly Syntax[];
}

/** References of a part. */
export interface PartReferences {
  /** Names of other parts, except for those in `imports`. */
  readonly references: ReadonlySet<string>;
  /** The `import()` of modules that are in the program. */
  readonly imports: readonly InnerImport[];
}

/** An `import()` of a module that is in the program. */
export interface InnerImport {
  /** The function that loads the module, such as `()=>(init(),namespace)`. */
  readonly loader: Syntax;
  /** The function in it that initializes the module. */
  readonly module: string;
  /** Names in it. */
  readonly names: readonly string[];
}

const NAME = "([\\w$]+)";
/** Values of the functions with which esbuild wraps modules. */
const WRAPPER = RegExp(
  `^\\(${NAME},${NAME}\\)=>\\(\\)=>\\((?:\\1&&\\(\\2=\\1\\(\\1=0\\)\\),\\2|\\2\\|\\|.*)\\)$`,
);
/** Value of the function with which it fills a namespace. */
const FILLER = RegExp(`^\\(${NAME},${NAME}\\)=>\\{for\\(var ${NAME} in \\2\\)`);
/**
 * The form in which it writes the `import()` of a module that is in the
 * program.
 */
const IMPORT = RegExp(
  `^Promise\\.resolve\\(\\)\\.then\\(\\(\\)=>(?:\\(${NAME}\\(\\),${NAME}\\)|${NAME}\\(${NAME}\\(\\)\\))\\)$`,
);

/** A part without its references. */
type BarePart = Omit<BundlePart, keyof PartReferences>;

/**
 * Reads a program.
 *
 * @param program Text of a module, as `deno bundle --minify` writes it.
 * @returns Its parts, in the order of the text.
 * @throws {Error} if esbuild did not write it in the known form.
 */
export function readParts(program: string): readonly BundlePart[] {
  const tree: Syntax = parse(program, {
    ecmaVersion: "latest",
    sourceType: "module",
  });
  const parts = splitTop([...childrenOf(tree)], program);
  const names = new Set(parts.flatMap((part) => part.names));
  return parts.map((part) => ({
    ...part,
    ...referencesOf(part, names, program),
  }));
}

function splitTop(
  statements: readonly Syntax[],
  program: string,
): readonly BarePart[] {
  const helpers = new Helpers(statements, program);
  const parts: BarePart[] = [];
  const namespaces = new Map<string, Syntax[]>();
  for (const statement of statements) {
    for (const node of partsOf(statement)) {
      const filled = helpers.filledBy(node);
      const namespace = filled === undefined
        ? undefined
        : namespaces.get(filled);
      if (namespace !== undefined) {
        namespace.push(node);
        continue;
      }
      const nodes = [node];
      const kind = helpers.kindOf(node);
      const names = namesOf(node);
      if (kind === "later") namespaces.set(names.join(), nodes);
      parts.push({ kind, names, nodes });
    }
  }
  return parts;
}

/** Each declaration is a separate part, and so is each of several calls. */
function partsOf(statement: Syntax): readonly Syntax[] {
  const { type, kind, declarations, expression } = statement;
  if (type === "VariableDeclaration" && kind === "var") {
    return declarations ?? [];
  }
  if (type !== "ExpressionStatement" || typeof expression !== "object") {
    return [statement];
  }
  return expression.type === "SequenceExpression"
    ? [...childrenOf(expression)]
    : [expression];
}

/**
 * Names that a node declares at the top level; patterns declare all names in
 * them.
 */
function namesOf(
  { type, id, declarations, ...node }: Syntax,
): readonly string[] {
  switch (type) {
    case "VariableDeclaration":
      return (declarations ?? []).flatMap(namesOf);
    case "VariableDeclarator":
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return id ? identifiersIn(id) : [];
    case "ImportDeclaration":
      return identifiersIn({ type, ...node });
    default:
      return [];
  }
}

/** Names of all identifiers in a node, including those of properties. */
function identifiersIn(node: Syntax): readonly string[] {
  return node.type === "Identifier"
    ? [node.name ?? ""]
    : [...childrenOf(node)].flatMap(identifiersIn);
}

/** The functions that esbuild adds to a program. */
class Helpers {
  readonly #program: string;
  readonly #names: ReadonlySet<string>;
  readonly #wrappers: ReadonlySet<string>;
  readonly #filler: string | undefined;

  constructor(statements: readonly Syntax[], program: string) {
    this.#program = program;
    const named = (form: RegExp): readonly string[] =>
      statements.flatMap(partsOf).filter(({ init }) =>
        init && form.test(this.#textOf(init))
      ).flatMap(namesOf);
    this.#wrappers = new Set(named(WRAPPER));
    const [filler] = named(FILLER);
    this.#filler = filler;
    if (filler === undefined || this.#wrappers.size === 0) {
      throw new Error("Cannot read the bundle: esbuild's own functions differ");
    }
    this.#names = new Set([filler, ...this.#wrappers]);
  }

  /** The namespace that a call fills. */
  filledBy({ type, callee, arguments: given }: Syntax): string | undefined {
    return type === "CallExpression" && callee?.name === this.#filler
      ? given?.[0]?.name
      : undefined;
  }

  kindOf({ type, id, init }: Syntax): BundlePart["kind"] {
    if (type === "ImportDeclaration") return "import";
    if (type === "FunctionDeclaration") return "later";
    if (type !== "VariableDeclarator" || id?.type !== "Identifier") {
      return "now";
    }
    if (!init) return "name";
    // Parts that are made later may call these.
    if (this.#names.has(id.name ?? "")) return "now";
    const isLater = /Function/.test(init.type) || this.#textOf(init) === "{}" ||
      init.type === "CallExpression" &&
        this.#wrappers.has(init.callee?.name ?? "");
    return isLater ? "later" : "now";
  }

  #textOf({ start, end }: Syntax): string {
    return this.#program.slice(start, end);
  }
}

function referencesOf(
  { nodes, names: own }: BarePart,
  names: ReadonlySet<string>,
  program: string,
): PartReferences {
  const references = new Set<string>();
  const imports: InnerImport[] = [];
  const known = (node: Syntax): readonly string[] =>
    identifiersIn(node).filter((name) => names.has(name));
  const visit = (node: Syntax): void => {
    const [loader] = node.arguments ?? [];
    const form = loader && IMPORT.exec(program.slice(node.start, node.end));
    if (form) {
      const module = form[1] ?? form[4] ?? "";
      imports.push({ loader, module, names: known(loader) });
    } else if (node.type === "Identifier") {
      for (const name of known(node)) {
        if (!own.includes(name)) references.add(name);
      }
    } else {
      for (const child of childrenOf(node)) visit(child);
    }
  };
  nodes.forEach(visit);
  return { references, imports };
}
