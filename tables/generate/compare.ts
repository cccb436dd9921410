/**
 * Compares generated files with those in the tree.
 *
 * @module
 */

/** A file without the lines that only name its sources. */
function withoutOrigin(text: string): string {
  return text.replace(/^\/\*\*[\s\S]*?\*\/\n/, "")
    .replace(/^export const VERSION[^;]*;\n/m, "");
}

/** Lines that differ between the existing file and the generated one. */
function differences(committed: string, generated: string): string[] {
  const before = withoutOrigin(committed).split("\n");
  const after = withoutOrigin(generated).split("\n");
  return [
    ...before.filter((line) => !after.includes(line)).map((s) => `- ${s}`),
    ...after.filter((line) => !before.includes(line)).map((s) => `+ ${s}`),
  ];
}

/**
 * Compares the files with those in the tree; returns true if all data is equal.
 */
export async function compareFiles(
  files: ReadonlyMap<string, string>,
  say: (line: string) => void,
): Promise<boolean> {
  let equal = true;
  for (const [path, generated] of files) {
    let committed = "";
    try {
      committed = await Deno.readTextFile(
        new URL(`../${path}`, import.meta.url),
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (committed === generated) continue;
    if (withoutOrigin(committed) === withoutOrigin(generated)) {
      say(`tables/${path}: equal data, other sources`);
      continue;
    }
    equal = false;
    say(`tables/${path}: differs`);
    for (const line of differences(committed, generated)) say(`  ${line}`);
  }
  return equal;
}
