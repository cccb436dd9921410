/**
 * Makes the modules of the npm package small.
 *
 * @module
 */

import { parse } from "acorn";
import MagicString from "magic-string";
import { minify } from "terser";
import { readRuns } from "../../tables/arch_data.ts";
import { childrenOf, type Syntax } from "../calls.ts";

/** A table of names by number: lines that begin with a number. */
const RUNS = /^\n(?:\d+(?: \w+)+\n)+$/;

/**
 * Shortens a module without changing what it does.
 *
 * @param text Text of a module.
 */
export async function shrink(text: string): Promise<string> {
  const { code } = await minify(joinRuns(text), {
    module: true,
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true },
    format: { comments: false, ascii_only: true },
  });
  if (code === undefined) throw new Error("Unreachable: terser wrote nothing");
  return code;
}

/**
 * Joins the lines of tables whose numbers continue: the line breaks are for
 * readers of the source, and hide the similarity of tables from gzip.
 *
 * @param text Text of a module.
 * @throws {Error} if the meaning of a table would change.
 */
export function joinRuns(text: string): string {
  const changed = new MagicString(text);
  const visit = (node: Syntax): void => {
    const cooked = node.type === "TemplateElement"
      ? text.slice(node.start, node.end)
      : "";
    if (RUNS.test(cooked)) {
      changed.overwrite(node.start, node.end, joinedRuns(cooked));
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(parse(text, { ecmaVersion: "latest", sourceType: "module" }));
  return changed.toString();
}

function joinedRuns(runs: string): string {
  let joined = "";
  let next = NaN;
  for (const line of runs.split("\n").filter((line) => line !== "")) {
    const [number = "", ...names] = line.split(" ");
    joined += Number(number) === next
      ? ` ${names.join(" ")}`
      : `\n${number} ${names.join(" ")}`;
    next = Number(number) + names.length;
  }
  const result = `${joined}\n`;
  const [before, after] = [[...readRuns(runs)], [...readRuns(result)]];
  if (JSON.stringify(before) === JSON.stringify(after)) return result;
  throw new Error("Cannot join the lines of a table: it would change");
}
