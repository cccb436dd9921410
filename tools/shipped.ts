/**
 * The packages that the single file contains, from the lock file.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** A package from npm. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** As in the lock file: `sha512-` and base64. */
  readonly integrity: string;
  /** Names and versions of the packages that it needs, as `name@version`. */
  readonly needs: readonly string[];
}

/** The parts of `deno.lock` that are read, version 5 of the format. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

/** The parts of `deno.json` that are read. */
interface Config {
  readonly imports: Readonly<Record<string, string>>;
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Folders whose packages are in the program; others are for developers. */
const PROGRAM = /^\.\/(?:cli|bench)\//;

/**
 * Lists the packages of the program, with what they need.
 *
 * @returns Packages in the order of their names.
 * @throws {Error} if the lock file lacks one.
 */
export async function shippedPackages(): Promise<readonly ShippedPackage[]> {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await Deno.readTextFile(new URL(name, ROOT)));
  // Both are files of this repository.
  return listShipped(
    await read("deno.json") as Config,
    await read("deno.lock") as Lock,
  );
}

/**
 * Lists the packages that the folders of the program import, with what they
 * need.
 *
 * @param config Content of `deno.json`.
 * @param lock Content of `deno.lock`.
 * @throws {Error} if the lock file lacks one.
 */
export function listShipped(
  { imports, scopes }: Config,
  { specifiers, npm }: Lock,
): readonly ShippedPackage[] {
  const direct = [
    imports,
    ...Object.entries(scopes).filter(([folder]) => PROGRAM.test(folder))
      .map(([, scope]) => scope),
  ].flatMap((scope) => Object.values(scope))
    .filter((to) => to.startsWith("npm:"));
  const keys = new Set(direct.map((specifier) => {
    const version = specifiers[specifier];
    const name = nameOf(specifier.slice("npm:".length));
    return keyIn(npm, version === undefined ? name : `${name}@${version}`);
  }));
  const packages: ShippedPackage[] = [];
  for (const key of keys) {
    const { integrity, dependencies = [] } = npm[key] ?? { integrity: "" };
    const needs = dependencies.map((name) => keyIn(npm, name));
    for (const need of needs) keys.add(need);
    packages.push({
      name: nameOf(key),
      version: versionOf(key),
      integrity,
      needs: needs.map((need) => `${nameOf(need)}@${versionOf(need)}`),
    });
  }
  return packages.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The key of a package that is named with or without its version. */
function keyIn(npm: Lock["npm"], name: string): string {
  if (Object.hasOwn(npm, name)) return name;
  const found = Object.keys(npm).filter((key) => key.startsWith(`${name}@`));
  const [key] = found;
  if (key === undefined || found.length > 1) {
    throw new Error(
      `Cannot find ${name} in deno.lock: ${found.length} packages match; run "deno task lock"`,
    );
  }
  return key;
}

function nameOf(key: string): string {
  return key.slice(0, key.indexOf("@", 1));
}

/** Without the suffix that the lock file adds for peer dependencies. */
function versionOf(key: string): string {
  return key.slice(key.indexOf("@", 1) + 1).replace(/_.*/, "");
}
