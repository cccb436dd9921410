/**
 * The stand-ins in tools/std/ against @std itself, which the npm registry has
 * as `deno-std`; its `unicode_width` comes without its tables and cannot be
 * loaded, so the engine's Unicode properties judge that one.
 *
 * @module
 */

import * as ours from "@std/assert";
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import * as theirAsserts from "deno-std/assert/mod.js";
import * as theirArgs from "deno-std/cli/parse_args.js";
import * as theirPath from "deno-std/path/posix/mod.js";
import fc from "fast-check";

const SEED = 20261125;

const paths = fc.array(fc.constantFrom("/", "a", "b.c", ".", "..", ".d", " é"))
  .map((parts) => parts.join(""));

Deno.test("@std/path: the stand-in behaves like the real module", () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const shown = JSON.stringify([a, b]);
      assertEquals(join(a, b), theirPath.join(a, b), `join ${shown}`);
      assertEquals(basename(a), theirPath.basename(a), `base ${shown}`);
      assertEquals(basename(a, b), theirPath.basename(a, b), `cut ${shown}`);
      assertEquals(dirname(a), theirPath.dirname(a), `folder ${shown}`);
    }),
    { numRuns: 2000, seed: SEED },
  );
  for (const path of ["/", "/a b/ü%.ts", "/a?b#c;d", "/é/\u{1f40b}"]) {
    const url = theirPath.toFileUrl(path);
    assertEquals(fromFileUrl(url), theirPath.fromFileUrl(url));
    assertEquals(fromFileUrl(url.href), path);
  }
});

/** The error of an assertion; `undefined` if it does not throw. */
function thrown(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const values = fc.anything({ withMap: true, withSet: true, withBigInt: true });

Deno.test("@std/assert: the stand-in throws when the real one does", () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      for (const [x, y] of [[a, b], [a, a], [a, structuredClone(a)]]) {
        for (const name of ["assertEquals", "assertNotEquals"] as const) {
          assertEquals(
            thrown(() => ours[name](x, y)),
            thrown(() => theirAsserts[name](x, y)),
            name,
          );
        }
        const isTrue = thrown(() => ours.assert(x));
        assertEquals(isTrue, thrown(() => theirAsserts.assert(x)));
      }
    }),
    { numRuns: 500, seed: SEED },
  );
  for (const text of ["", "a", "ab\n"]) {
    for (const part of ["", "a", "b"]) {
      assertEquals(
        thrown(() => ours.assertStringIncludes(text, part)),
        thrown(() => theirAsserts.assertStringIncludes(text, part)),
      );
      assertEquals(
        thrown(() => ours.assertMatch(text, new RegExp(`^${part}`))),
        thrown(() => theirAsserts.assertMatch(text, new RegExp(`^${part}`))),
      );
    }
  }
});

Deno.test("@std/assert: the stand-in checks thrown values as the real one does", async () => {
  const works = [
    () => {},
    () => {
      throw new TypeError("a wrong type");
    },
    () => {
      throw new Error("a fault");
    },
  ];
  for (const work of works) {
    for (const kind of [Error, TypeError, RangeError]) {
      for (const part of [undefined, "wrong", "fault"]) {
        assertEquals(
          thrown(() => ours.assertThrows(work, kind, part)),
          thrown(() => theirAsserts.assertThrows(work, kind, part)),
        );
        const rejects = (): Promise<void> => Promise.resolve().then(work);
        assertEquals(
          await rejection(ours.assertRejects(rejects, kind, part)),
          await rejection(theirAsserts.assertRejects(rejects, kind, part)),
        );
      }
    }
  }
  assertEquals(thrown(() => ours.fail()), thrown(() => theirAsserts.fail()));
});

async function rejection(
  promise: PromiseLike<unknown>,
): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const args = fc.array(fc.constantFrom(
  ...["--flag", "--text", "--text=a b", "--text=", "--flag=false", "--odd"],
  ...["--odd=7", "--no-flag", "-f", "-t", "-x", "-fx", "-t=v", "-", "--", ""],
  ...["word", "12", "0x1f", " ", "true", "false", "---", "--=x", "-ab"],
));

Deno.test("@std/cli: the stand-in reads command lines as the real one does", () => {
  const read = (
    parse: typeof parseArgs,
    words: readonly string[],
    string: readonly string[],
  ): unknown => {
    const strange: unknown[] = [];
    const parsed = parse(words, {
      boolean: ["flag"],
      string,
      alias: { f: "flag", t: "text" },
      unknown: (...seen) => {
        strange.push(seen.filter((part) => part !== undefined));
        return !/^-/.test(seen[0]);
      },
    });
    return { parsed, strange };
  };
  fc.assert(
    fc.property(args, fc.boolean(), (words, asText) => {
      const string = asText ? ["text", "_"] : ["text"];
      assertEquals(
        read(parseArgs, words, string),
        read(theirArgs.parseArgs, words, string),
        JSON.stringify(words),
      );
    }),
    { numRuns: 5000, seed: SEED },
  );
});

Deno.test("@std/cli: the stand-in measures the width of every script", () => {
  // General_Category, Script and Emoji_Presentation are the engine's.
  const rules: readonly (readonly [RegExp, number])[] = [
    [/^[\p{Cn}\p{Co}\p{Cs}]$/u, NaN],
    [/^\xad$/u, 1],
    [/^[\p{Cc}\p{Cf}\p{Mn}\p{Me}]$/u, 0],
    [/^[\uff61-\uffdc\uffe8-\uffee]$/u, 1],
    [/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u, 2],
    [/^(?![\u1160-\u11ff\ud7b0-\ud7fb])[\p{Script=Hangul}]$/u, 2],
    [
      /^(?![\u02ea\u02eb])[\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}]$/u,
      2,
    ],
    [/^\p{Regional_Indicator}$/u, 1],
    [/^\p{Emoji_Presentation}$/u, 2],
    [/^[\uff01-\uff60\u3000]$/u, 2],
    [/^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]$/u, 1],
    [/^[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}]$/u, 1],
    [/^[\u2190-\u22ff\u2500-\u259f\u2070-\u20cf]$/u, 1],
  ];
  const wrong: string[] = [];
  for (let code = 0; code <= 0x10_ffff; code++) {
    const char = String.fromCodePoint(code);
    const width = rules.find(([pattern]) => pattern.test(char))?.[1] ?? NaN;
    if (!Number.isNaN(width) && unicodeWidth(char) !== width) {
      wrong.push(`U+${code.toString(16)}: not ${width}`);
    }
  }
  assertEquals(wrong, []);
  assertEquals(unicodeWidth("日本語のプロファイル.json"), 25);
  assertEquals(unicodeWidth("e\u0301te\u0301 \u{1f433}"), 6);
});
