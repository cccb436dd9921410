/**
 * The types of the npm package: a declaration file for each module that the
 * types of the entries reach.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import ts from "typescript";
import type { Entry } from "./entries.ts";

const ROOT = new URL("../../", import.meta.url);

/** Folder of the declarations of modules. */
const FOLDER = "types";

const SPECIFIER = /(\bfrom |\bimport\()"(\.{1,2}\/[^"]+)\.ts"/g;

/**
 * Writes the declarations.
 *
 * @param entries The entries.
 * @returns Text by path in the package.
 */
export async function declarations(
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const wanted = new Set<string>();
  for (const { file, exports } of entries) {
    const lines = exports.map(({ names, from }) => {
      wanted.add(from);
      return `export ${names} from "./${FOLDER}/${withoutSuffix(from)}.js";\n`;
    });
    files.set(`${file}.d.ts`, lines.join(""));
  }
  // The set grows while it is read.
  for (const path of wanted) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const declared = declare(path, text);
    for (const [, , to = ""] of declared.matchAll(SPECIFIER)) {
      wanted.add(join(dirname(path), `${to}.ts`));
    }
    files.set(
      `${FOLDER}/${withoutSuffix(path)}.d.ts`,
      declared.replace(SPECIFIER, '$1"$2.js"'),
    );
  }
  return files;
}

/** Writes the declarations of one module without reading others. */
function declare(path: string, text: string): string {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(text, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      isolatedDeclarations: true,
      declaration: true,
    },
    reportDiagnostics: true,
  });
  const [first] = diagnostics;
  if (first === undefined) return outputText;
  throw new Error(
    `Cannot declare ${path}: ${
      ts.flattenDiagnosticMessageText(first.messageText, "\n")
    }`,
  );
}

function withoutSuffix(path: string): string {
  return path.replace(/\.ts$/, "");
}
