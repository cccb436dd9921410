/**
 * Lists the small faults that can be put into a source file: one operator, one
 * constant, one condition or one statement each.
 *
 * TypeScript is read as a syntax tree, so that types, imports and comments stay
 * as they are. Shell and awk are read line by line.
 *
 * @module
 */

import { parse } from "@babel/parser";

/** One fault: a range of the text and its replacement. */
export interface Mutation {
  /** Offset of the first replaced character. */
  readonly start: number;
  /** Offset after the last replaced character. */
  readonly end: number;
  /** Text that replaces the range. */
  readonly replacement: string;
}

/** Each operator with the ones that replace it. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "==": ["!="],
  "!=": ["=="],
  "<": ["<=", ">"],
  "<=": ["<", ">"],
  ">": [">=", "<"],
  ">=": [">", "<"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+": ["-"],
  "-": ["+"],
  "*": ["+"],
  "/": ["*"],
  "%": ["*"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<<": [">>>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "+=": ["-="],
  "-=": ["+="],
  "&=": ["|="],
  "|=": ["&="],
  "++": ["--"],
  "--": ["++"],
};

/** Each method with the one that replaces it. */
const METHODS: Readonly<Record<string, string>> = {
  every: "some",
  some: "every",
  min: "max",
  max: "min",
  startsWith: "endsWith",
  endsWith: "startsWith",
};

/** The parts of a syntax node that are read. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/**
 * Lists all faults of a file, in the order of the text.
 *
 * @param path Path, which names the language by its ending.
 * @param text Content of the file.
 */
export function mutationsOf(
  path: string,
  text: string,
): readonly Mutation[] {
  const mutations = path.endsWith(".ts")
    ? [...mutationsOfTypeScript(text)]
    : [...mutationsOfScript(text, path.endsWith(".awk") ? AWK : SHELL)];
  return mutations.sort((a, b) => a.start - b.start);
}

function* mutationsOfTypeScript(text: string): Generator<Mutation> {
  const file = parse(text, {
    sourceType: "module",
    plugins: ["typescript"],
  });
  // Babel's nodes have these members; the union of all of them is not needed.
  yield* visit(file.program as unknown as Node, text);
}

function* visit(node: Node, text: string): Generator<Mutation> {
  if (isSkipped(node)) return;
  yield* mutationsAt(node, text);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* visit(child, text);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value &&
    "start" in value;
}

/** Types, imports, and text for people change no behavior that tests assert. */
function isSkipped({ type }: Node): boolean {
  return /^(?:TS(?!As|NonNull|Satisfies)|Import|ExportAll|Comment)/.test(type);
}

/**
 * Reports whether a statement only declares a place unreachable, by `throw new
 * Error("Unreachable: …")`. To weaken its guard is still a fault.
 */
function isUnreachable(node: unknown, text: string): boolean {
  return isNode(node) && node.type === "ThrowStatement" &&
    text.startsWith('throw new Error("Unreachable:', node.start);
}

function* mutationsAt(node: Node, text: string): Generator<Mutation> {
  const whole = (replacement: string): Mutation => ({
    start: node.start,
    end: node.end,
    replacement,
  });
  const source = text.slice(node.start, node.end);
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      const { left, right, operator } = node;
      if (!isNode(left) || !isNode(right)) return;
      const at = text.indexOf(String(operator), left.end);
      for (const replacement of OPERATORS[String(operator)] ?? []) {
        yield { start: at, end: at + String(operator).length, replacement };
      }
      return;
    }
    case "UpdateExpression": {
      const operator = String(node.operator);
      for (const other of OPERATORS[operator] ?? []) {
        yield whole(source.replace(operator, other));
      }
      return;
    }
    case "UnaryExpression":
      if (node.operator === "!" || node.operator === "-") {
        yield whole(source.slice(1));
      }
      return;
    case "BooleanLiteral":
      yield whole(source === "true" ? "false" : "true");
      return;
    case "NumericLiteral":
      yield whole(String(Number(source.replaceAll("_", "")) + 1));
      return;
    case "BigIntLiteral":
      yield whole(`${BigInt(source.replaceAll(/[_n]/g, "")) + 1n}n`);
      return;
    case "IfStatement":
    case "ConditionalExpression": {
      const { test, consequent } = node;
      if (!isNode(test)) return;
      for (const replacement of ["true", "false"]) {
        // A guard that no input reaches can be removed without effect.
        if (replacement === "false" && isUnreachable(consequent, text)) {
          continue;
        }
        yield { start: test.start, end: test.end, replacement };
      }
      return;
    }
    case "ReturnStatement":
      if (isNode(node.argument) && node.argument.name !== "undefined") {
        yield whole("return;");
      }
      return;
    case "ContinueStatement":
    case "BreakStatement":
    case "ThrowStatement":
    case "ExpressionStatement":
      if (isUnreachable(node, text)) return;
      yield whole(";");
      return;
    case "MemberExpression":
    case "OptionalMemberExpression": {
      const { property } = node;
      if (!isNode(property) || property.type !== "Identifier") return;
      const other = METHODS[String(property.name)];
      if (other === undefined) return;
      yield { start: property.start, end: property.end, replacement: other };
    }
  }
}

/** A pattern of a script's token and the replacement of each match. */
type Rule = readonly [pattern: RegExp, replacement: string];

const SHELL: readonly Rule[] = [
  [/&&/g, "||"],
  [/\|\|/g, "&&"],
  [/ -eq /g, " -ne "],
  [/ -ne /g, " -eq "],
  [/ -gt /g, " -ge "],
  [/ -lt /g, " -le "],
  [/ -le /g, " -lt "],
  [/ = /g, " != "],
  [/ != /g, " = "],
  [/\bif !/g, "if"],
  [/\bif (?!!)/g, "if ! "],
  [/ -n "/g, ' -z "'],
  [/ -z "/g, ' -n "'],
  [/\bexit 0\b/g, "exit 1"],
  [/\breturn 0\b/g, "return 1"],
  [/\breturn 1\b/g, "return 0"],
];

const AWK: readonly Rule[] = [
  [/&&/g, "||"],
  [/\|\|/g, "&&"],
  [/ == /g, " != "],
  [/ != /g, " == "],
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ !~ /g, " ~ "],
  [/ ~ /g, " !~ "],
  [/\(!/g, "("],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/\b1\b/g, "2"],
  [/\b0\b/g, "1"],
];

function* mutationsOfScript(
  text: string,
  rules: readonly Rule[],
): Generator<Mutation> {
  let start = 0;
  for (const line of text.split("\n")) {
    if (!/^\s*#/.test(line)) {
      for (const [pattern, replacement] of rules) {
        for (const match of line.matchAll(pattern)) {
          const from = start + match.index;
          yield { start: from, end: from + match[0].length, replacement };
        }
      }
    }
    start += line.length + 1;
  }
}
