/**
 * One word, one meaning: no exported name means two things, and comments,
 * messages and docs avoid phrases that have to be read twice.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Files below a folder, relative to the root; hidden ones are left out. */
function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (/^\.|^node_modules$|^dist$|^vendor$/.test(name)) continue;
    if (isDirectory) yield* filesBelow(`${folder}${name}/`);
    else yield `${folder}${name}`;
  }
}

const FILES: readonly string[] = [...filesBelow("")].sort();

/**
 * Names that more than one folder may export, each with its reason.
 */
const SHARED_NAMES: ReadonlyMap<string, string> = new Map([]);

/** Exported types and functions by name, each with the files that declare it. */
function exportedNames(
  paths: readonly string[],
  read: (path: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  const declaration =
    /^export (?:abstract )?(?:async )?(?:function\*?|interface|type|class) (\w+)/gm;
  for (const path of paths) {
    for (const [, name = ""] of read(path).matchAll(declaration)) {
      names.set(name, [...names.get(name) ?? [], path]);
    }
  }
  return names;
}

/** Names that are declared in more than one folder, as lines for people. */
function namesOfTwoThings(
  names: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const found: string[] = [];
  for (const [name, paths] of names) {
    const folders = new Set(paths.map((path) => path.replace(/[^/]*$/, "")));
    if (folders.size > 1) found.push(`${name}: ${paths.join(", ")}`);
  }
  return found.sort();
}

Deno.test("an exported name means one thing in the whole repository", () => {
  const sources = FILES.filter((path) =>
    path.endsWith(".ts") && !/^(?:tests|tools)\//.test(path)
  );
  const found = namesOfTwoThings(
    exportedNames(
      sources,
      (path) => Deno.readTextFileSync(new URL(path, ROOT)),
    ),
  );
  assertEquals(
    found.filter((line) => !SHARED_NAMES.has(line.replace(/:.*/, ""))),
    [],
    "rename all but one of them, or argue the name in SHARED_NAMES",
  );
  const shared = new Set(found.map((line) => line.replace(/:.*/, "")));
  assertEquals(
    [...SHARED_NAMES.keys()].filter((name) => !shared.has(name)),
    [],
    "SHARED_NAMES lists names that are not shared",
  );
});

Deno.test("namesOfTwoThings() sees a name in two folders, not in one", () => {
  const texts = new Map([
    ["a/one.ts", "export interface Target {\n}\nexport function once() {\n}\n"],
    ["b/two.ts", "export type Target = 1;\nexport type Local = 2;\n"],
    ["b/three.ts", "export type Local = 3;\ninterface Once {\n}\n"],
  ]);
  assertEquals(
    namesOfTwoThings(
      exportedNames([...texts.keys()], (path) => texts.get(path) ?? ""),
    ),
    ["Target: a/one.ts, b/two.ts"],
  );
});
