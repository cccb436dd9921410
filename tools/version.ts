/**
 * Checks that everything names the same version: `deno.json`, the newest
 * section of `CHANGELOG.md`, the compiler and the documents.
 *
 * ```sh
 * deno task version          # prints the version
 * deno task version v0.2.0   # also compares with a tag
 * ```
 *
 * @module
 */

import { COMPILER_VERSION } from "../hook/environment.ts";
import { type Given, type Manual, start } from "./arguments.ts";

const ROOT = new URL("../", import.meta.url);

/** Documents with command lines that name the version. */
const DOCUMENTS = ["README.md", "SECURITY.md", "docs/install.md"];

const MANUAL: Manual = {
  usage: "deno task version [TAG]",
  brief:
    "Checks that deno.json, CHANGELOG.md, the compiler and the documents name the\nsame version, and the tag if given.",
  options: {},
  words: 1,
};

/** The texts that name a version. */
export interface VersionedTexts {
  /** Version of `deno.json`. */
  readonly version: string;
  /** Version of the compiler, for keys of the store. */
  readonly compiler: string;
  /** `CHANGELOG.md`. */
  readonly changelog: string;
  /** Other documents by name. */
  readonly documents: ReadonlyMap<string, string>;
  /** Name of a tag, such as `v0.2.0`. */
  readonly tag?: string | undefined;
}

/**
 * Lists the texts that name another version.
 *
 * @param texts The texts.
 * @returns One line for each; none if all agree.
 */
export function findOtherVersions(
  { version, compiler, changelog, documents, tag }: VersionedTexts,
): readonly string[] {
  const faults: string[] = [];
  const expect = (name: string, found: string | undefined): void => {
    if (found !== version) {
      faults.push(`${name} has ${found ?? "none"}, deno.json ${version}`);
    }
  };
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    faults.push(`deno.json: "${version}" is not a version such as 1.2.3`);
  }
  const [, newest] = /^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/m.exec(changelog) ??
    [];
  expect("CHANGELOG.md", newest);
  expect("COMPILER_VERSION in hook/environment.ts", compiler);
  for (const [name, text] of documents) {
    for (const [, found] of text.matchAll(/seccomp-tree@(\d[\d.]*\d)/g)) {
      expect(name, found);
    }
  }
  if (tag !== undefined) expect(`the tag ${tag}`, /^v(.+)$/.exec(tag)?.[1]);
  return faults;
}

async function main({ words: [tag] }: Given): Promise<number> {
  const read = (name: string): Promise<string> =>
    Deno.readTextFile(new URL(name, ROOT));
  const documents = new Map<string, string>();
  for (const name of DOCUMENTS) documents.set(name, await read(name));
  const { version } = JSON.parse(await read("deno.json"));
  const faults = findOtherVersions({
    version,
    compiler: COMPILER_VERSION,
    changelog: await read("CHANGELOG.md"),
    documents,
    tag,
  });
  const lines = faults.length > 0 ? faults : [version];
  const out = faults.length > 0 ? Deno.stderr : Deno.stdout;
  await out.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
  return faults.length > 0 ? 1 : 0;
}

if (import.meta.main) start(MANUAL, main);
