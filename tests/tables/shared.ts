/**
 * Access to data beside the repository, where it is.
 *
 * @module
 */

/** Text of a file in `../shared`, or `undefined` where it is absent. */
export function readShared(path: string): string | undefined {
  try {
    const url = new URL(`../../../shared/${path}`, import.meta.url);
    return Deno.readTextFileSync(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Says that something is not there to compare with. */
export function notice(what: string): void {
  const text = `not compared: no ${what} on this machine\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
