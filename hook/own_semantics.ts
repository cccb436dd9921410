/**
 * Finds the reading of a section on this machine: that of the installed
 * runtime, in the version that the runtime itself reports.
 *
 * @module
 */

import { ask } from "../host/command.ts";
import { findProgram, PROGRAM_FOLDERS } from "../host/programs.ts";
import {
  describeSemantics,
  NEWEST,
  readingOf,
} from "../profile/semantics/quirks.ts";
import {
  parseSemantics,
  RUNTIME_NAMES,
  type RuntimeName,
  type Semantics,
  splitSemantics,
} from "../profile/semantics/versions.ts";
import type { SemanticsSetting } from "./environment.ts";
import { type FileIdentity, identify } from "./file_identity.ts";

/** Time limit for a runtime to report its version, in milliseconds. */
const LIMIT_MS = 3000;

/**
 * A reading with its version, and its origin.
 *
 * @category Containers
 */
export interface OwnSemantics {
  /** The reading, always with a version. */
  readonly semantics: Semantics;
  /** The program that reported the version; absent if none did. */
  readonly program?: string;
  /** Files that may change with the version. */
  readonly files: readonly FileIdentity[];
  /** Note for users about the version, if any. */
  readonly note?: string;
}

/**
 * Finds the version of a reading.
 *
 * @param setting The reading, and the program to query.
 * @returns The reading; the newest known one, with a note, if no program
 * reports a version.
 * @category Containers
 */
export async function ownSemantics(
  { semantics, program }: SemanticsSetting,
): Promise<OwnSemantics> {
  const { runtime, version } = splitSemantics(semantics);
  if (version !== undefined) {
    return { semantics, files: [], ...noteOf(semantics) };
  }
  const found = await findRuntime(runtime, program);
  if (found === undefined) {
    return newest(runtime, `no ${program ?? runtime} is installed`);
  }
  const { path, files } = found;
  if (!mayRun(path)) {
    return {
      ...newest(runtime, "this process runs without --allow-run"),
      files,
    };
  }
  const said = await versionOf(path, files);
  const own = said === undefined
    ? undefined
    : parseSemantics(`${said.name}@${said.version}`);
  if (own === undefined || splitSemantics(own).runtime !== runtime) {
    const what = said === undefined
      ? "does not identify itself"
      : `reports that it is ${said.name} ${said.version}`;
    return { ...newest(runtime, `"${path}" ${what}`), files };
  }
  return { semantics: own, program: path, files, ...noteOf(own) };
}

/**
 * Lists the readings that may apply on this machine: those of the installed
 * runtimes, the newest known ones, and those of the settings.
 *
 * @param settings Readings of the settings.
 * @returns Readings, each with a version.
 */
export async function presentSemantics(
  settings: Iterable<SemanticsSetting>,
): Promise<ReadonlySet<Semantics>> {
  const present = new Set<Semantics>();
  for (const semantics of RUNTIME_NAMES) {
    present.add(`${semantics}@${NEWEST[semantics]}`);
    present.add((await ownSemantics({ semantics })).semantics);
  }
  for (const setting of settings) {
    present.add((await ownSemantics(setting)).semantics);
  }
  return present;
}

/** The newest known reading, and the reason. */
function newest(runtime: RuntimeName, reason: string): OwnSemantics {
  return {
    semantics: `${runtime}@${NEWEST[runtime]}`,
    files: [],
    note: `Profiles are read as ${runtime} ${
      NEWEST[runtime]
    } reads them, the newest known version: ${reason}`,
  };
}

/** Note about an unknown version. */
function noteOf(semantics: Semantics): Pick<OwnSemantics, "note"> {
  const { version, readAs } = readingOf(semantics);
  return version === readAs
    ? {}
    : { note: `Profiles are read as by ${describeSemantics(semantics)}` };
}

interface FoundRuntime {
  /** Resolves links to the file itself. */
  readonly path: string;
  readonly files: readonly FileIdentity[];
}

async function findRuntime(
  name: RuntimeName,
  program: string | undefined,
): Promise<FoundRuntime | undefined> {
  const folders = PROGRAM_FOLDERS;
  const found = program ?? await findProgram(name, { folders });
  if (found === undefined) return undefined;
  try {
    // Keyed by the name that was found, because a link may lead to another
    // program later.
    return { path: await Deno.realPath(found), files: [await identify(found)] };
  } catch {
    return undefined;
  }
}

function mayRun(command: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted";
}

/** Name that a runtime reports for itself. */
interface Said {
  readonly name: string;
  readonly version: string;
}

/** Output of programs, by file identity. */
const answers = new Map<string, Promise<Said | undefined>>();

function versionOf(
  path: string,
  files: readonly FileIdentity[],
): Promise<Said | undefined> {
  const key = JSON.stringify(files);
  const known = answers.get(key) ?? askVersion(path);
  answers.set(key, known);
  return known;
}

async function askVersion(path: string): Promise<Said | undefined> {
  const words = [path, "--version"];
  const { code, stdout } = await ask(words, { limitMs: LIMIT_MS });
  const match = /^(\S+) version:? (\S+)/m.exec(stdout);
  const [, name, version] = match ?? [];
  return code !== 0 || name === undefined || version === undefined
    ? undefined
    : { name: name.slice(0, 40), version: version.slice(0, 40) };
}
