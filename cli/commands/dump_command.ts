/**
 * `dump -- COMMAND`: writes every filter that a command and its children load.
 *
 * @module
 */

import { encodeBase64 } from "../../bpf/base64.ts";
import { SyscallError } from "../../ffi/error.ts";
import type { TraceEnd, TraceResult } from "../../ffi/traced/filter_load.ts";
import { traceFilters } from "../../ffi/traced/trace_filters.ts";
import { messageOf, reasonOf } from "../../host/reason.ts";
import { sha256 } from "../../hook/store/digest.ts";
import { quoteText } from "../../tables/printable.ts";
import { MachineError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Format } from "../input/flags.ts";
import type { Io } from "../io.ts";
import { reportJson } from "../output/json.ts";
import {
  callLine,
  formatLoad,
  isLoaded,
  jsonOfLoad,
  type LoadedProgram,
  textOfLoads,
  withProgram,
} from "../output/loads.ts";
import { writeArtefact, writeFileWhole } from "../output/write.ts";

/** Flags of `dump` for a command. */
export interface DumpCommandFlags {
  /** Format of the filters; raw in files, text otherwise if absent. */
  readonly format?: Format;
  readonly output: "text" | "json";
  /** Folder for files. */
  readonly out?: string;
  readonly limit?: number;
  readonly timeout?: number;
  readonly untilExec: boolean;
  readonly quiet: boolean;
}

/** Exit codes of a shell that cannot run a command. */
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
const ENOENT = 2;

/** File name extensions. */
const ENDINGS: Readonly<Record<Format, string>> = {
  ...{ raw: "bpf", base64: "b64", hex: "hex", asm: "s", c: "c", go: "go" },
  ...{ rust: "rs", json: "json", annotation: "annotation.json" },
};

/** Runs a command and writes the filters that it and its children load. */
export async function runDumpCommand(
  io: Io,
  flags: DumpCommandFlags,
  words: readonly [command: string, ...args: string[]],
): Promise<number> {
  const { out, output, quiet } = flags;
  const [command, ...args] = words;
  if (out === "-") {
    throw new UsageError(
      "Cannot write the filters of a command to -O -: give a folder, or omit -O",
    );
  }
  if (out !== undefined) createEmptyFolder(out);
  const loads: LoadedProgram[] = [];
  let result: TraceResult;
  try {
    result = traceFilters({
      ...{ command, args, untilExec: flags.untilExec },
      // Results and the command's own output must not mix in a pipe.
      outToErr: !io.outIsTerminal && (out === undefined || output === "json"),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
      ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
      onLoad: (load) => loads.push(withProgram(load)),
    });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    io.err(messageLine(io, "error", messageOf(error)));
    if (error.syscall !== "execve") return EXIT.machine;
    return error.errno === ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  }
  if (!quiet) tellResult(io, command, loads, result);
  const entries = await Promise.all(loads.map(async (load) => ({
    ...jsonOfLoad(load),
    ...(load.bytes === undefined
      ? {}
      : { sha256: await sha256(new Uint8Array(load.bytes)) }),
  })));
  const about = { command: words, ...jsonOfResult(result) };
  if (out !== undefined) await writeFolder(out, flags, loads, entries, about);
  if (output === "json") {
    io.out(reportJson({
      ...about,
      loads: entries.map((entry, i) => ({
        ...entry,
        ...base64Of(loads[i]),
      })),
    }));
  } else if (out === undefined && loads.length > 0) {
    await writeText(io, flags, loads);
  }
  return loads.some(isLoaded) ? EXIT.ok : EXIT.no;
}

function base64Of(
  load: LoadedProgram | undefined,
): { readonly base64?: string } {
  return load?.bytes === undefined ? {} : { base64: encodeBase64(load.bytes) };
}

function jsonOfResult(
  { code, signal, ended, unprivileged }: TraceResult,
): Readonly<Record<string, unknown>> {
  return {
    exit: { code: code ?? null, signal: signal ?? null },
    ended: ended ?? null,
    ...(unprivileged.length === 0 ? {} : { unprivileged }),
  };
}

async function writeText(
  io: Io,
  { format = "asm", out }: DumpCommandFlags,
  loads: readonly LoadedProgram[],
): Promise<void> {
  if (format !== "raw") {
    io.out(await textOfLoads(loads, format));
    return;
  }
  const programs = new Set(
    loads.filter(isLoaded).map((load) => base64Of(load).base64),
  );
  const one = loads.find(isLoaded);
  if (one?.bytes === undefined || programs.size > 1) {
    throw new UsageError(
      `Cannot write ${programs.size} filters as one; pass -O DIR, or another -f`,
    );
  }
  writeArtefact(io, out, one.bytes);
}

/** Writes one file per load, and the index last. */
async function writeFolder(
  folder: string,
  { format = "raw" }: DumpCommandFlags,
  loads: readonly LoadedProgram[],
  entries: readonly Readonly<Record<string, unknown>>[],
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  const files: (string | null)[] = [];
  for (const load of loads) {
    const data = await formatLoad(load, format);
    const name = `${load.order}.${ENDINGS[format]}`;
    if (data !== undefined) writeFileWhole(`${folder}/${name}`, data);
    files.push(data === undefined ? null : name);
  }
  const index = {
    schemaVersion: 1,
    ...about,
    loads: entries.map((entry, i) => ({ file: files[i] ?? null, ...entry })),
  };
  const text = `${JSON.stringify(index, undefined, 2)}\n`;
  writeFileWhole(`${folder}/index.json`, text);
}

/** Creates a folder, or uses an empty one. */
function createEmptyFolder(path: string): void {
  const shown = quoteText(path);
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(
        `Cannot create ${shown}: its parent folder does not exist; create that first`,
      );
    }
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new MachineError(`Cannot create ${shown}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    const isFolder = Deno.statSync(path).isDirectory;
    if (isFolder && [...Deno.readDirSync(path)].length === 0) return;
    throw new UsageError(
      `Cannot write to ${shown}: ${
        isFolder ? "it is not empty" : "not a folder"
      }; give a new folder`,
    );
  }
}

/** Reasons for which a command was killed. */
const ENDED: Readonly<Record<TraceEnd, string>> = {
  limit: "killed after --limit",
  timeout: "killed after --timeout",
  exec: "killed when a process with a filter started a program",
  interrupt: "its children were killed after an interrupt",
};

function tellResult(
  io: Io,
  command: string,
  loads: readonly LoadedProgram[],
  { code, signal, ended, unprivileged }: TraceResult,
): void {
  const place = command;
  const tell = (severity: "note" | "warning", text: string): void =>
    io.err(messageLine(io, severity, text, place));
  for (const path of unprivileged) {
    tell(
      "warning",
      `${path} ran without its owner's privileges, because its tracer is not root`,
    );
  }
  for (const load of loads) {
    if (load.unstable) tell("warning", callLine(load));
  }
  const loaded = loads.filter(isLoaded).length;
  const refused = loads.length - loaded;
  const parts = [
    loaded === 0
      ? "no filter"
      : `${loaded} ${loaded === 1 ? "filter" : "filters"} loaded`,
    ...(refused === 0
      ? []
      : [`${refused} ${refused === 1 ? "load" : "loads"} refused`]),
    ended !== undefined
      ? ENDED[ended]
      : signal !== undefined
      ? `ended by signal ${signal}`
      : `exit ${code}`,
  ];
  tell("note", parts.join(", "));
}
