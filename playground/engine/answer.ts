/**
 * Answers the requests of the page. What is loaded is kept between them.
 *
 * @module
 */

import { callText } from "../../cli/output/call/text.ts";
import { reportOf } from "../../cli/output/call/report_call.ts";
import { beyondFilter } from "../../cli/output/beyond.ts";
import { formatFilter, formatStack } from "../../cli/output/formats.ts";
import { policyText } from "../../cli/output/policy_text.ts";
import { commandLine, givenOptions } from "../../cli/output/reproduce.ts";
import { encodeFilter } from "../../bpf/filter.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { presetProfile, PRESETS } from "../../profile/presets.ts";
import { explainSubject } from "../../statements/explain_subject.ts";
import { digestOf } from "../../verify/digest.ts";
import type { FilterGraph } from "../../cli/draw/graph.ts";
import type {
  Given,
  PageAnswer,
  PageChoice,
  Request,
  SavedFormat,
} from "../messages.ts";
import { compareGiven, flagsOf } from "./compare.ts";
import { costRows } from "./costs.ts";
import { findingsOf, pageRefusal } from "./failure.ts";
import { type LoadedGiven, loadedSubject, loadGiven } from "./load.ts";
import { graphOfLoaded, nodesPassed, treeOf } from "./tree.ts";

/** A loaded profile or filter, with its graph. */
interface Current extends LoadedGiven {
  readonly given: Given;
  readonly choice: PageChoice;
  readonly graph: FilterGraph;
}

/** Ends of file names. */
const SUFFIXES: Readonly<Record<SavedFormat, string>> = {
  raw: "bpf",
  base64: "b64",
  hex: "hex",
  annotation: "annotation.json",
  c: "h",
  go: "go",
  rust: "rs",
  asm: "asm",
  json: "json",
};

/** Answers requests, one after the other. */
export class PageEngine {
  #current: Current | undefined;

  /** Answers a request; errors are findings. */
  async answer(request: Request): Promise<PageAnswer> {
    try {
      return await this.#answer(request);
    } catch (error) {
      return { kind: "refused", findings: findingsOf(error) };
    }
  }

  async #answer(request: Request): Promise<PageAnswer> {
    if (request.kind === "load") return this.#load(request);
    if (request.kind === "example") return example(request.name);
    const current = this.#current;
    if (current === undefined) {
      throw pageRefusal("Nothing is loaded: give a profile or a filter");
    }
    const { filter } = current;
    switch (request.kind) {
      case "explain":
        return { kind: "text", text: explain(current, request.only) };
      case "call":
        return call(current, request.words);
      case "compare": {
        const { name } = current.given;
        const sides = { a: name, b: request.given };
        return compareGiven(filter, sides, current.choice);
      }
      case "cost":
        return { kind: "costs", rows: costRows(filter) };
      case "digest": {
        const digest = await digestOf(loadedSubject(filter));
        if (digest.kind === "unproven") {
          throw pageRefusal(
            `No digest: the limit of ${digest.limit} was reached`,
          );
        }
        return { kind: "text", text: digest.text };
      }
      case "save":
        return await save(current, request.format);
    }
  }

  #load(
    { given, choice }: Extract<Request, { readonly kind: "load" }>,
  ): PageAnswer {
    this.#current = undefined;
    const loaded = loadGiven(given, choice);
    const graph = graphOfLoaded(loaded.filter);
    this.#current = { ...loaded, given, choice, graph };
    const { filter } = loaded;
    const isProfile = filter.kind === "profile";
    return {
      kind: "loaded",
      isProfile,
      summary: summaryOf(loaded),
      findings: loaded.findings,
      tree: treeOf(graph),
      filters: filter.programs.length,
      calls: [...filter.native.syscalls.keys()].sort(),
      native: filter.native.name,
      ...(isProfile
        ? { command: commandOf(given, choice, filter.arches) }
        : {}),
    };
  }
}

/** A profile that the program carries. */
function example(name: string): PageAnswer {
  const preset = name.replace(/^preset:/, "");
  const text = name === "default:docker"
    ? DEFAULT_PROFILE
    : presetProfile(preset) ?? "";
  return {
    kind: "example",
    given: { name: `${preset.replace(":", "-")}.json`, text, isBinary: false },
    names: ["default:docker", ...PRESETS.map((one) => `preset:${one.name}`)],
  };
}

/** One sentence about what is loaded. */
function summaryOf({ filter }: LoadedGiven): string {
  const length = filter.programs.reduce((sum, { length }) => sum + length, 0);
  const arches = filter.arches.map(({ name }) => name).join(", ");
  if (filter.kind === "programs") {
    const count = filter.programs.length;
    const what = count === 1 ? "a filter" : `${count} filters`;
    return `${what} of ${length} instructions for ${arches}, as ${filter.form}`;
  }
  return `${length} instructions, ${
    8 * length
  } bytes, proved equal to the profile for every call on ${arches}`;
}

/** The command line with the same result on any machine. */
function commandOf(
  { name }: Given,
  choice: PageChoice,
  arches: readonly { readonly name: string }[],
): string {
  const flags = {
    ...flagsOf(choice),
    arch: arches.map(({ name }) => name),
  };
  return commandLine([
    ...["compile", ...givenOptions(flags)],
    ...["--objective", choice.objective, "-f", "raw", name],
  ]);
}

function explain({ filter }: Current, only: string): string {
  const explained = explainSubject(loadedSubject(filter), {
    littleEndian: filter.littleEndian,
  });
  if (explained.kind === "not-explained") {
    throw pageRefusal(`Cannot explain it completely: ${explained.reason}`);
  }
  const word = only.trim();
  return policyText(explained, filter, {
    by: "action",
    short: false,
    all: false,
    ...(word === "" ? {} : { only: word }),
  });
}

function call({ filter, graph }: Current, text: string): PageAnswer {
  const [name = "", ...args] = text.trim().split(/[\s,()]+/)
    .filter((word) => word !== "");
  if (name === "") {
    throw pageRefusal("Write a call, such as openat, or socket AF_VSOCK");
  }
  if (args.length > 6) {
    throw pageRefusal(`${args.length} arguments: a call has at most 6`);
  }
  const report = reportOf(filter, { call: name, args });
  return {
    kind: "called",
    verdict: formatReturnValue(report.value, report.data.arch),
    text: callText(report),
    nodes: nodesPassed(graph, filter, report.paths[0]?.path ?? []),
  };
}

async function save(
  { filter, given }: Current,
  format: SavedFormat,
): Promise<PageAnswer> {
  const { programs, littleEndian } = filter;
  const [program] = programs;
  if (program === undefined) throw new Error("Unreachable: no filter");
  const one = { program, littleEndian };
  if (format === "raw" && programs.length > 1) {
    throw pageRefusal("Several filters have no common bytes; save them as hex");
  }
  const data = filter.kind === "profile"
    ? await formatFilter(
      { ...one, bytes: filter.resolved.bytes },
      format,
      beyondFilter(filter.resolved.seccomp),
    )
    : format === "raw"
    ? encodeFilter(one)
    : await formatStack({ programs, littleEndian }, format);
  const base = given.name.replace(/\.[^.]*$/, "") || "filter";
  return {
    kind: "saved",
    name: `${base}.${SUFFIXES[format]}`,
    bytes: typeof data === "string"
      ? new TextEncoder().encode(data)
      : data.slice(),
    isText: typeof data === "string",
  };
}
