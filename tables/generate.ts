/**
 * Generates the tables of system calls, error numbers and argument values from kernel headers
 * and libseccomp.
 *
 * ```sh
 * deno run -A tables/generate.ts                 # writes the files
 * deno run -A tables/generate.ts --check         # compares, exit 1 on a difference
 * deno run -A tables/generate.ts --packages DIR  # keeps or reuses package files
 * ```
 *
 * It needs gcc, apt and the host's libseccomp, and the Debian mirror of the
 * machine, unless `--packages` names a folder that already has the files.
 * Debian's sid changes over time: `--check` against a newer kernel reports the
 * system calls that it adds, and only mentions newer sources with equal data.
 *
 * @module
 */

import { type Given, type Manual, start } from "../tools/arguments.ts";
import type { OtherArch } from "./arch_data.ts";
import { ABIS, libraryName } from "./generate/abi.ts";
import { compareFiles } from "./generate/compare.ts";
import { readErrnos, readHeaders, readOwnErrnos } from "./generate/headers.ts";
import {
  type Library,
  type LibraryTable,
  openLibrary,
  readLibrary,
} from "./generate/libseccomp.ts";
import { type MergedTable, mergeTables } from "./generate/merge.ts";
import {
  fetchPackages,
  installedVersion,
  type Package,
  type Packages,
} from "./generate/packages.ts";
import { type ReadSet, readValues } from "./generate/read_values.ts";
import { renderValues } from "./generate/render_values.ts";
import { SET_GROUPS } from "./generate/value_sets.ts";
import {
  checkTwin,
  type Origin,
  renderArch,
  renderErrnos,
  renderOthers,
} from "./generate/render.ts";

/** A library and its name in files and messages. */
interface NamedLibrary {
  readonly library: Library;
  readonly source: string;
}

/** Generates all files: text by path below `tables/`. */
async function generate(
  packages: Packages,
  scratch: string,
): Promise<Map<string, string>> {
  const libraries = await openLibraries(packages);
  const files = new Map<string, string>();
  const tables: MergedTable[] = [];
  for (const abi of ABIS) {
    const linux = packageOf(packages, `${abi.suite}/linux-libc-dev`);
    const headers = await readHeaders(linux.root, abi);
    const known = libraries.flatMap(({ library, source }) => {
      const table = readLibrary(library, libraryName(abi));
      return table === undefined ? [] : [{ ...table, source }];
    });
    if (headers.audit64 !== (abi.bits === 64) && !usesLowWords(abi.name)) {
      throw new Error(`Cannot trust ${abi.audit}: it is not ${abi.bits}-bit`);
    }
    const table = mergeTables(abi, headers, known);
    tables.push(table);
    const twin = ABIS.findIndex(({ name }) => name === abi.twin);
    if (abi.twin !== undefined) checkTwin(abi, table, tables[twin]);
    const origin: Origin = {
      headers: `linux-libc-dev ${linux.version}`,
      libraries: libraries.map(({ library, source }) =>
        library.token(libraryName(abi)) === 0
          ? `${source} does not know ${abi.name}`
          : source
      ),
    };
    const path = `syscalls/${abi.name}.ts`;
    files.set(path, renderArch(abi, headers, table, origin));
  }
  const linux = packageOf(packages, "sid/linux-libc-dev");
  const origin: Origin = {
    headers: `linux-libc-dev ${linux.version}`,
    libraries: libraries.map(({ source }) => source),
  };
  files.set(
    "syscalls/other.ts",
    renderOthers({
      version: `Linux ${linux.version.replace(/-.*/, "")}, libseccomp ${
        libraries.map(({ library }) => library.version).join(" and ")
      }`,
      ...await readOthers(packages, libraries, tables),
    }, origin),
  );
  const errnos = new Map<string, ReadonlyMap<string, number>>();
  for (const abi of ABIS) {
    errnos.set(abi.name, await readOwnErrnos(linux.root, abi));
  }
  const base = await readErrnos(linux.root);
  files.set("errno_data.ts", renderErrnos(base, errnos, origin.headers));
  await generateValues(files, packages, scratch);
  for (const { library } of libraries) library.close();
  return files;
}

/** Adds the files with the names of argument values. */
async function generateValues(
  files: Map<string, string>,
  packages: Packages,
  scratch: string,
): Promise<void> {
  const read = new Map<string, ReadonlyMap<string, ReadSet>>();
  // Newer headers lack the numbers of s390's calls, but not its constants.
  const linux = packageOf(packages, "sid/linux-libc-dev");
  for (const abi of ABIS) {
    read.set(abi.name, await readValues(linux.root, abi, `${scratch}/values`));
  }
  const libc = await installedVersion("libc6-dev");
  for (const group of SET_GROUPS) {
    const names = new Set(group.sets.flatMap(({ libc = [] }) => libc));
    files.set(
      `values/${group.file}.ts`,
      renderValues(group, read, [
        `Debian's linux-libc-dev ${linux.version}`,
        ...(names.size === 0
          ? []
          : [`${[...names].join(", ")} of libc6-dev ${libc}`]),
        ...(group.sets.some(({ define }) => define !== undefined)
          ? ["tables/generate/sets, for names in no header"]
          : []),
      ]),
    );
  }
}

/** Architectures with the audit flag for 64 bits and 32-bit arguments. */
function usesLowWords(name: string): boolean {
  return name === "x32" || name.endsWith("n32");
}

/** Opens the host's libseccomp and the newest one. */
async function openLibraries(packages: Packages): Promise<NamedLibrary[]> {
  const host = openLibrary("libseccomp.so.2");
  const hostVersion = await installedVersion("libseccomp2");
  const newer = packageOf(packages, "sid/libseccomp2");
  const triplet = `${Deno.build.arch}-linux-gnu`;
  const newest = openLibrary(
    `${newer.root}/usr/lib/${triplet}/libseccomp.so.2`,
  );
  return [
    {
      library: host,
      source: hostVersion === undefined
        ? `libseccomp ${host.version}`
        : `libseccomp ${host.version} (libseccomp2 ${hostVersion})`,
    },
    {
      library: newest,
      source: `libseccomp ${newest.version} (libseccomp2 ${newer.version})`,
    },
  ];
}

/** Architectures and names that only a libseccomp knows. */
async function readOthers(
  packages: Packages,
  libraries: readonly NamedLibrary[],
  tables: readonly MergedTable[],
): Promise<{ arches: OtherArch[]; names: string[] }> {
  const { root } = packageOf(packages, "sid/libseccomp-dev");
  const text = await Deno.readTextFile(`${root}/usr/include/seccomp.h`);
  const covered = new Set(ABIS.map(libraryName));
  const arches: OtherArch[] = [];
  const known = new Set<string>();
  for (const [, upper = ""] of text.matchAll(/^#define SCMP_ARCH_(\w+)/gm)) {
    const name = upper.toLowerCase();
    if (name === "native") continue;
    const found = libraries.flatMap(({ library }) =>
      readLibrary(library, name) ?? []
    );
    for (const table of found) {
      for (const syscall of table.known) known.add(syscall);
    }
    const [first] = found;
    if (first === undefined) {
      throw new Error(`Cannot read ${name}: no libseccomp resolves it`);
    }
    if (!covered.has(name)) arches.push(describe(`SCMP_ARCH_${upper}`, first));
  }
  for (const { syscalls, multiplexers } of tables) {
    for (const name of syscalls.keys()) known.delete(name);
    for (const { calls } of multiplexers) {
      for (const name of calls.keys()) known.delete(name);
    }
  }
  return {
    arches: arches.sort((a, b) => a.scmp < b.scmp ? -1 : 1),
    names: [...known].sort(),
  };
}

/**
 * Reads the properties of an architecture from its token: linux/audit.h has
 * `__AUDIT_ARCH_64BIT` 0x8000_0000, `__AUDIT_ARCH_LE` 0x4000_0000 and
 * `__AUDIT_ARCH_CONVENTION_MIPS64_N32` 0x2000_0000.
 */
function describe(scmp: string, { token }: LibraryTable): OtherArch {
  return {
    scmp,
    scmpToken: token,
    bits: (token & 0xa000_0000) >>> 0 === 0x8000_0000 ? 64 : 32,
    littleEndian: (token & 0x4000_0000) !== 0,
  };
}

/** An unpacked package, which must exist. */
function packageOf(packages: Packages, key: string): Package {
  const found = packages.get(key);
  if (found === undefined) throw new Error(`Unreachable: no package ${key}`);
  return found;
}

const MANUAL: Manual = {
  usage: "deno task tables [OPTION...]",
  brief:
    "Writes the tables of system calls, error numbers and argument values. Exits\nwith 1 if --check finds other data.",
  options: {
    check: { brief: "Compare with the files, without writing any" },
    packages: {
      placeholder: "DIR",
      brief: "Folder for package files, which are kept and reused",
    },
  },
};

async function main(given: Given): Promise<number> {
  const say = (line: string): void => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  const scratch = await Deno.makeTempDir({ prefix: "tables-" });
  try {
    const place = given.text("packages") ?? `${scratch}/packages`;
    const files = await generate(
      await fetchPackages(place, scratch),
      scratch,
    );
    if (given.has("check")) {
      const equal = await compareFiles(files, say);
      say(`${files.size} files, ${equal ? "data equal" : "data differs"}`);
      return equal ? 0 : 1;
    }
    for (const [path, text] of files) {
      await Deno.writeTextFile(new URL(path, import.meta.url), text);
    }
    say(`${files.size} files written`);
    return 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) start(MANUAL, main);
