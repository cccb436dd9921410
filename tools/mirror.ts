/**
 * The mirror of packages that this machine uses. It imports nothing, so that tests
 * reach it without a configuration.
 *
 * @module
 */

/**
 * Finds the mirror of Debian that apt uses.
 *
 * @returns Its address without a slash at its end; absent on other systems.
 */
export function findMirror(): string | undefined {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder)
    ? [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    : [];
  for (const path of ["/etc/apt/sources.list", ...files]) {
    if (!existsSync(path)) continue;
    const lines = Deno.readTextFileSync(path).match(/^(?:URIs:|deb\s).*/gm);
    const found = (lines ?? [])
      .flatMap((line) => line.match(/https?:\/\/\S+/g) ?? [])
      .find((url) => /\/debian\/?$/.test(url));
    if (found !== undefined) return found.replace(/\/$/, "");
  }
  return undefined;
}

function existsSync(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
