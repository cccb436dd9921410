/**
 * The modules of the npm package: the library of `mod.ts` without its command
 * line, and the part of it that makes filters.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** Modules of the whole library only, to keep the other entry small. */
const BEYOND_ENGINE: ReadonlySet<string> = new Set([
  "bpf/assembly/link_filters.ts",
  "bpf/format.ts",
  "bpf/text.ts",
  "pipeline/optimize.ts",
  "pipeline/simulate.ts",
  "profile/formats/weights.ts",
  "verify/differences.ts",
]);

/** Names of one module that an entry exports. */
export interface HandedOn {
  /** As in the source, without `export`, such as `{ compile, type Cost }`. */
  readonly names: string;
  /** Path of the module in the repository. */
  readonly from: string;
}

/** An entry of the package. */
export interface Entry {
  /** Name of its file, without the suffix. */
  readonly file: "index" | "engine";
  /** Key in `exports` of `package.json`. */
  readonly key: "." | "./engine";
  readonly exports: readonly HandedOn[];
}

/**
 * Reads the exports of `mod.ts`.
 *
 * @param text Its text.
 */
export function readExports(text: string): readonly HandedOn[] {
  return [
    ...text.matchAll(/^export ((?:type )?\{[^}]*\}) from "\.\/([^"]+)";$/gm),
  ].map(([, names = "", from = ""]) => ({ names, from }));
}

/** Lists the entries of the package. */
export async function readEntries(): Promise<readonly Entry[]> {
  const all = readExports(await Deno.readTextFile(new URL("mod.ts", ROOT)));
  const engine = all.filter(({ from }) => !BEYOND_ENGINE.has(from));
  return [
    { file: "index", key: ".", exports: all },
    { file: "engine", key: "./engine", exports: engine },
  ];
}

/**
 * Writes the module of an entry.
 *
 * @param entry The entry.
 * @param place Writes the specifier of a module.
 */
export function entryText(
  { exports }: Entry,
  place: (from: string) => string,
): string {
  return exports.map(({ names, from }) =>
    `export ${names} from ${JSON.stringify(place(from))};\n`
  ).join("");
}
