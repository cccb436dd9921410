/**
 * The version of this repository and the date of its release.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** A release. */
export interface Release {
  readonly version: string;
  /** Date in `CHANGELOG.md`, such as `2026-12-01`. */
  readonly date: string;
}

/**
 * Reads the release.
 *
 * @throws {Error} if the changelog has no section for the version.
 */
export async function readRelease(): Promise<Release> {
  const read = (name: string): Promise<string> =>
    Deno.readTextFile(new URL(name, ROOT));
  const { version } = JSON.parse(await read("deno.json"));
  const changelog = await read("CHANGELOG.md");
  const date = changelog.split(`\n## [${version}] - `)[1]?.slice(0, 10);
  if (date === undefined || Number.isNaN(Date.parse(date))) {
    throw new Error(
      `Cannot find the release: CHANGELOG.md has no dated section for ${version}; see "deno task version"`,
    );
  }
  return { version, date };
}
