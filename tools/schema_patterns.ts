/**
 * Makes the regular expressions of the JSON Schemas of profiles.
 *
 * @module
 */

/** A version that `parseKernelVersion` reads, or nothing. */
export const VERSION: string = (() => {
  const part = "(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])";
  return `^(?:(?!0+\\.0+$)${part}\\.${part})?$`;
})();

/** A key that `isRemark` recognizes. */
export const REMARK: string = (() => {
  const other = "[^\\p{L}\\p{N}]*";
  const names = ["comment", "note", "remark", "description"].map(inAnyCase);
  return `^${other}(?:(?:${names.join("|")})${inAnyCase("s")}?${other})?$`;
})();

/** Printable characters of ASCII without the space. */
const ANY = "[!-~]?";

/**
 * Makes patterns of keys that resemble a known one: in another case, or with
 * one character that is missing, added, replaced or swapped with its neighbor.
 * The reader also refuses some keys with two differences. Comments are
 * excluded.
 *
 * @param known The known keys.
 * @returns One pattern per key.
 */
export function misspelt(known: readonly string[]): readonly string[] {
  return known.filter((key) => key !== "comment").map((key) => {
    const letters = [...key].map(inAnyCase);
    const part = (first: number, last?: number): string =>
      letters.slice(first, last).join("");
    const forms = [part(0) + ANY];
    for (const i of letters.keys()) {
      forms.push(`${part(0, i)}${ANY}${letters[i]}?${part(i + 1)}`);
      if (i === 0) continue;
      forms.push(
        `${part(0, i - 1)}${letters[i]}${letters[i - 1]}${part(i + 1)}`,
      );
    }
    return `^(?!(?:${known.join("|")})$)(?:${forms.join("|")})$`;
  });
}

/** Matches a word as `foldKey` compares it. */
function inAnyCase(word: string): string {
  return [...word].map((letter) => {
    const upper = letter.toUpperCase();
    const more = letter.toLowerCase() === "s"
      ? "\\u017f"
      : letter.toLowerCase() === "k"
      ? "\\u212a"
      : "";
    return `[${upper}${letter.toLowerCase()}${more}]`;
  }).join("");
}
