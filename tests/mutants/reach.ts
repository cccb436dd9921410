/**
 * Chooses the tests that can notice a fault in a file, nearest and quickest
 * first.
 *
 * The import graph of all tests comes from one call of `deno info --json`. The
 * tests of the file's top-level folder that import it are run. If the file has
 * no test of the same name, the tests elsewhere that import it directly are run
 * as well. A test that starts the program in a child process imports less than
 * it runs. So all tests of folders that start programs are run.
 *
 * @module
 */

import { dirname } from "@std/path";

/** The parts of `deno info --json` that are read. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** A file with those that import it, as paths in the checkout. */
type Importers = ReadonlyMap<string, readonly string[]>;

/** Folders that start programs; their tests may run a file without importing it. */
const STARTERS: readonly string[] = ["cli", "ffi", "hook", "host", "install"];

/** Tests of a folder, in addition to those in the folder of the same name. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  ffi: ["tests/kernel/", "tests/cli/live_test.ts"],
};

/** A test that imports nothing that leads to the file counts as this far. */
const UNREACHED = 9;

/** The tests of a checkout and the files that they reach. */
export class Reach {
  readonly #tests: readonly string[];
  readonly #importers: Importers;
  readonly #distances = new Map<string, ReadonlyMap<string, number>>();

  /**
   * Takes a graph.
   *
   * @param tests Test files, as paths in the checkout.
   * @param importers Each file with those that import it.
   */
  constructor(tests: readonly string[], importers: Importers) {
    this.#tests = tests;
    this.#importers = importers;
  }

  /**
   * Lists the tests of a file, the nearest first: its own, those of its folder,
   * and then by the number of imports between.
   *
   * Tests of containers take long. They are skipped if the file has a test of
   * the same name.
   */
  testsOf(path: string): readonly string[] {
    const distances = this.#distancesTo(path);
    const own = `tests/${path.replace(/\.\w+$/, "_test.ts")}`;
    const top = path.split("/")[0] ?? "";
    const places = [`tests/${top}/`, ...ALSO[top] ?? []];
    const hasOwn = this.#tests.includes(own);
    const distanceOf = (test: string): number => {
      if (test === own) return -1;
      const distance = distances.get(test) ?? UNREACHED;
      return test.startsWith(`tests/${dirname(path)}/`)
        ? distance / 2
        : distance;
    };
    return this.#tests
      .filter((test) => {
        if (hasOwn && /containers?[/_]/.test(test)) return false;
        const distance = distances.get(test) ?? UNREACHED;
        return places.some((place) => test.startsWith(place))
          ? distance < UNREACHED || STARTERS.includes(top)
          : distance === 1 && !hasOwn;
      })
      .sort((a, b) => distanceOf(a) - distanceOf(b));
  }

  /** Counts the imports from each file that leads to `path`. */
  #distancesTo(path: string): ReadonlyMap<string, number> {
    const known = this.#distances.get(path);
    if (known !== undefined) return known;
    const distances = new Map([[path, 0]]);
    // A map is walked in the order of insertion, new entries included.
    for (const [file, distance] of distances) {
      for (const importer of this.#importers.get(file) ?? []) {
        if (!distances.has(importer)) distances.set(importer, distance + 1);
      }
    }
    this.#distances.set(path, distances);
    return distances;
  }
}

/**
 * Reads the import graph of a checkout's tests.
 *
 * @param root Folder of the checkout, with "/" at its end.
 * @param tests Test files, as paths in the checkout.
 */
export async function readReach(
  root: string,
  tests: readonly string[],
): Promise<Reach> {
  const all = `${root}tests/all_tests.ts`;
  await Deno.writeTextFile(
    all,
    tests.map((test) => `import "../${test}";\n`).join(""),
  );
  try {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", all],
      cwd: root,
      stderr: "null",
    }).output();
    // The shape is that of `deno info --json`, version 1.
    const info = JSON.parse(new TextDecoder().decode(stdout)) as Info;
    return new Reach(tests, importersOf(info, `file://${root}`));
  } finally {
    await Deno.remove(all);
  }
}

function importersOf({ modules }: Info, base: string): Importers {
  const importers = new Map<string, string[]>();
  for (const { specifier, dependencies } of modules) {
    for (const { code } of dependencies ?? []) {
      if (!code?.specifier?.startsWith(base)) continue;
      const imported = code.specifier.slice(base.length);
      const known = importers.get(imported) ?? [];
      importers.set(imported, [...known, specifier.slice(base.length)]);
    }
  }
  return importers;
}
