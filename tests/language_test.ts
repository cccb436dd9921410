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

/** Names that are declared in more than one folder, one line each. */
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

/** Phrases that are banned, each with the plain way to say it. */
const BANNED: readonly (readonly [phrase: RegExp, plainly: string])[] = [
  [/\b(?:is|are|was|were) told\b(?! apart)/i, "is reported, is printed, gets"],
  [/\btells (?:what|whether|where)\b/i, "reports what"],
  [/(?<!\b(?:say|says|know|knows) )\bwhere it (?:is|has|does|can)\b/, "if it"],
  [/`undefined` where\b|\b(?:absent|empty) where\b/i, "absent if"],
  [/@throws \{\w+\} (?:`[\w-]+` )?where\b/i, "@throws {Error} if"],
  [/\bbehind the (?:first|last|end|value|comma)\b/i, "after the"],
  [/\bany more\b/i, "no longer"],
  [/\bby looking\b/i, "automatically, autodetect"],
  [/\b(?:takes|wants?) root\b/i, "requires root"],
  [/\b(?:it|text|file|name|value|profile) is none\b/i, "is not a"],
  [/\bthere is none\b/i, "none exists, it has none"],
  [/\bneeds? (?!to\b)[a-z]+ alone\b/i, "needs only"],
  [/\|\s*what \w+ holds?\s*\|/i, "contents"],
  [/^\W*what \w+ holds?\.?\W*$/i, "say what the thing is"],
  [/\bmade small\b/i, "minimized"],
  [/\bnumber (?:on the )?line\b/i, "system call number"],
  [/\basks a word\b/i, "tests a word"],
  [/\b(?:the|a) floor (?:of|for|on)\b/i, "lower bound"],
  [/\bcannot be told\b(?! apart)/i, "cannot be distinguished, is unknown"],
  [/\bfor it (?:is|has|does)\b/, "because it is"],
  [/\b(?:at hand|that which|by oneself)\b/i, "given, available, the one that"],
  [
    /\bis said\b|\bnothing (?:is|was) said\b/i,
    "is reported, without a message",
  ],
  [
    /\b(?:bytes|digits|row) an? (?:instruction|line|second)\b/i,
    "per",
  ],
  [/\bone (?:a|an) (?:line|row|second|minute)\b/i, "one per line"],
  [
    /(?<!here )\b(?:is|are) no (?:JSON|UTF-8|base64|text|list|number|version|entry)\b/,
    "is not",
  ],
  [/\bwhere (?:absent|none|nobody|nothing)\b/i, "by default, if nothing"],
  [/\bleave (?:it|one|the other|-\S+) out\b/i, "omit it"],
  [/\b(?:all the same|as it stands|of use about)\b/i, "anyway, unchanged"],
  [
    /, also (?:by|of|old|after|what|where|under|beyond|not)\b/,
    "including, even, as well",
  ],
  [
    /\b(?<!(?:writable|changed|owned) )(?:of|by) others\b(?! than)/,
    "foreign, other users', someone else's",
  ],
  [
    /(?<!\bthere )\b(?:is|are) no (?:object|array|finding|register|document|filter|tree|error|program|signal|calls?|file|profile|process|child|u64|package|folder|source|instruction|partition|system|names)\b/i,
    "is not a",
  ],
  [/(?:^|[.!?] )Else\b/, "Otherwise"],
  [/\b(?:makes?|made) of it\b/, "makes from it"],
  [/\bbelieved?\b/i, "trusted"],
  [/\bfurther in\b/, "indented further"],
  [/\bmuch power\b/, "powerful"],
  [/\bin doubt\b|\bwithout a doubt\b/, "unclear, with certainty"],
  [/\bNobody\b(?! else)/, "only, no one, or name who does it"],
  [
    /(?<!-)\b(?:neighbour|behaviour|colour|artefact|modelled|misspelt(?!-)|grey)/i,
    "American",
  ],
  [/(?<!-)\b(?:towards|whilst|afterwards|backwards|for ever)\b/i, "American"],
];

/** First words that make a sentence of API documentation a noun phrase. */
const OPENING =
  /^(?:@\w+ (?:\{\w+\} )?(?:`[\w-]+` )?(?:\w+ )?)?(?:What|Whether|Where) (?!.*\?$)/;

/** Characters of a line outside of code: comments and texts of TypeScript. */
function* proseOf(path: string, text: string): Generator<[number, string]> {
  for (const [i, line] of text.split("\n").entries()) {
    if (path.endsWith(".md")) yield [i + 1, line.replaceAll(/`[^`]*`/g, "``")];
    else if (path.endsWith(".ts")) {
      const comment = /^\s*(?:\/\*\*|\*|\/\/)\s?(.*)$|\s\/\/\s(.*)$/.exec(line);
      if (comment !== null) yield [i + 1, comment[1] ?? comment[2] ?? ""];
      else {
        for (const [quoted] of line.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`?/g)) {
          yield [i + 1, quoted.replaceAll(/\$\{[^}]*\}/g, "…")];
        }
      }
    } else {
      const comment = /^\s*[#;]+\s?(.*)$/.exec(line);
      if (comment !== null) yield [i + 1, comment[1] ?? ""];
    }
  }
}

/** First lines of paragraphs in comments of TypeScript. */
function* openings(text: string): Generator<[number, string]> {
  let before = "";
  for (const [i, line] of text.split("\n").entries()) {
    const comment = /^\s*(?:\/\*\*|\*|\/\/)\s?(.*?)(?: \*\/)?$/.exec(line)?.[1];
    const tagged = comment?.startsWith("@") === true;
    if (comment !== undefined && (before === "" || tagged)) {
      yield [i + 1, comment];
    }
    before = comment ?? "";
  }
}

/** Banned phrases of one file, one line each. */
function bannedIn(path: string, text: string): readonly string[] {
  const found: string[] = [];
  for (const [line, prose] of proseOf(path, text)) {
    for (const [phrase, plainly] of BANNED) {
      const hit = phrase.exec(prose);
      if (hit !== null) {
        found.push(`${path}:${line}: "${hit[0]}"; say: ${plainly}`);
      }
    }
  }
  for (const [line, sentence] of path.endsWith(".ts") ? openings(text) : []) {
    if (OPENING.test(sentence)) {
      found.push(`${path}:${line}: "${sentence}"; say: True if, Returns, …`);
    }
  }
  return found;
}

/** Data, generated modules, texts of others, and this file itself. */
const NOT_OURS =
  /^(?:tables\/syscalls\/|docs\/charts\/|tests\/(?:testdata|golden)\/|profile\/default_profile\.ts|tests\/language_test\.ts)|_code\.ts$/;

Deno.test("comments, messages, help and docs say things plainly", () => {
  const found = FILES
    .filter((path) => /\.(?:ts|md|sh|awk|s)$/.test(path))
    .filter((path) => !NOT_OURS.test(path))
    .flatMap((path) =>
      bannedIn(path, Deno.readTextFileSync(new URL(path, ROOT)))
    );
  assertEquals(found, []);
});

Deno.test("bannedIn() reads comments, texts and docs, not code", () => {
  assertEquals(
    bannedIn("a.ts", "/** Absent where it is unknown. */\nconst x = 1;").length,
    2,
  );
  assertEquals(bannedIn("a.ts", 'fail("It takes root");').length, 1);
  assertEquals(bannedIn("a.ts", "fail(`${x} is told`);").length, 1);
  assertEquals(bannedIn("a.md", "Input format: by looking.").length, 1);
  assertEquals(bannedIn("a.awk", "# Not any more.").length, 1);
  assertEquals(
    bannedIn("a.md", "It reads all logs, also of Android.").length,
    1,
  );
  assertEquals(bannedIn("a.ts", "// The value is no filter.").length, 1);
  assertEquals(bannedIn("a.ts", "// There is no filter.").length, 0);
  assertEquals(bannedIn("a.ts", "// Nobody reads it.").length, 1);
  assertEquals(bannedIn("a.ts", "// Nobody else can write to it.").length, 0);
  assertEquals(bannedIn("a.ts", "/** Whether it is big. */").length, 1);
  assertEquals(bannedIn("a.ts", "  // What the user gave.").length, 1);
  assertEquals(
    bannedIn("a.ts", "/**\n * Reads.\n *\n * @returns Where it is.\n */")
      .length,
    1,
  );
  assertEquals(bannedIn("a.ts", "/**\n * Reports\n * Where it is.\n */"), []);
  assertEquals(bannedIn("a.ts", "// Where do errors go?"), []);
  assertEquals(bannedIn("a.md", "Where it helps: everywhere."), []);
  assertEquals(
    bannedIn("a.ts", "const takes = root; is.told(any, more);"),
    [],
  );
  assertEquals(bannedIn("a.ts", "// Both are told apart by size."), []);
  assertEquals(bannedIn("a.ts", "// It says where it is."), []);
});

/** Names of tests that point to a row of a table, which readers do not have. */
const ROW =
  /\b(?:Deno\.test|test)\(\s*["`][^"`\n]*\b(?:rows?|cases?|points?|items?) \d/;

Deno.test("no test is named after a row of a table elsewhere", () => {
  const found = FILES.filter((path) =>
    path.endsWith("_test.ts") && path !== "tests/language_test.ts" &&
    ROW.test(Deno.readTextFileSync(new URL(path, ROOT)))
  );
  assertEquals(found, []);
  assertEquals(ROW.test('Deno.test("x() keeps case 7 of the table"'), true);
  assertEquals(ROW.test('Deno.test("x() has 7 cases"'), false);
});
