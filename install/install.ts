/**
 * Installs: examines the machine, makes a plan, and shows or applies it.
 *
 * @module
 */

import { quoteText } from "../tables/printable.ts";
import { messageOf, reasonOf } from "../host/reason.ts";
import type { Diagnostic } from "../profile/diagnostic.ts";
import type { KernelVersion } from "../profile/host.ts";
import {
  type ProgramFiles,
  type ProgramForm,
  readProgram,
} from "../hook/program.ts";
import { type DispatcherTools, findTools } from "../hook/dispatcher/tools.ts";
import { doubtAboutFile } from "../host/trust.ts";
import { type OwnSemantics, ownSemantics } from "../hook/own_semantics.ts";
import { describeSemantics } from "../profile/semantics/quirks.ts";
import { splitSemantics } from "../profile/semantics/versions.ts";
import { apply, exclusively, type InstallRoot } from "./changes/apply.ts";
import { findExecRoots } from "../host/state_roots.ts";
import { findConfigs } from "./managers/configs.ts";
import { planContainerd } from "./managers/containerd.ts";
import { planCrio } from "./managers/crio.ts";
import { locateFile } from "./changes/disk.ts";
import { planDocker } from "./managers/docker.ts";
import { InstallError } from "./error.ts";
import { compileFixed } from "./fixed.ts";
import { readManifest, readPlanInput } from "./changes/installed.ts";
import type { Plan } from "./changes/item.ts";
import type { ManagerName, Manifest } from "./changes/manifest.ts";
import { versionOf } from "./managers/managers.ts";
import { planInstall } from "./changes/plan.ts";
import { planPodman } from "./managers/podman.ts";
import { programItems } from "./program.ts";
import { examine, findRuntimes, type FoundRuntime } from "./runtimes.ts";
import type {
  Mode,
  TargetFacts,
  TargetOptions,
  TargetPlan,
} from "./managers/target.ts";
import { tellSystemd } from "./managers/cache_units.ts";
import { defaultMode, handlerPath } from "./managers/handler.ts";

/** Request for an installation. */
export interface InstallRequest extends Omit<TargetOptions, "mode"> {
  /** How filters reach containers; chosen by the runtime by default. */
  readonly mode?: Mode;
  readonly target: ManagerName;
  readonly place: InstallRoot;
  /** True to only make the plan. */
  readonly dryRun: boolean;
  /** Path of Deno; the one that runs this by default. */
  readonly deno?: string;
  /** Path of the runtime that the wrapper starts; found by default. */
  readonly runtime?: string;
  /** The profile of `static`. */
  readonly profile?: string;
  /** The kernel that containers of `static` will run on. */
  readonly kernel?: KernelVersion | undefined;
  readonly form: ProgramForm;
  /** The program itself, if it is built elsewhere. */
  readonly program?: ProgramFiles;
}

/** The changes, made or planned. */
export interface InstallResult extends Pick<TargetPlan, "steps" | "warnings"> {
  readonly plan: Plan;
  /** Warnings and notes about the profile of `static`. */
  readonly findings: readonly Diagnostic[];
  /** Description of the reading that filters follow now. */
  readonly reading: string;
  /** How filters reach containers. */
  readonly mode: Mode;
  /** Path of the program that the manager starts. */
  readonly handler: string;
}

/** A request with a mode. */
type DecidedRequest = InstallRequest & { readonly mode: Mode };

/**
 * Installs for a target.
 *
 * @param asked The request.
 * @returns The changes, made or planned.
 * @throws {InstallError} with the reason, if nothing was changed.
 */
export async function install(asked: InstallRequest): Promise<InstallResult> {
  const { target, place, dryRun } = asked;
  const mode = asked.mode ??
    defaultMode(target, await chooseRuntime(asked), asked.strict);
  const request: DecidedRequest = { ...asked, mode };
  const work = async (): Promise<InstallResult> => {
    const manifest = await readManifest(place);
    const own = place.root === "/" ? await readingHere(request) : undefined;
    const { semantics } = own ?? request;
    const facts = await gather({ ...request, semantics }, manifest);
    const wanted = planFor(target, facts, request);
    const program = programItems(facts.program, place.layout);
    const items = { program, target: wanted.items };
    const paths = [...program, ...wanted.items].map((item) => item.path);
    const input = await readPlanInput(place, manifest, paths);
    const plan = planInstall(target, items, input);
    if (!dryRun && plan.changes.length > 0) await apply(plan, place);
    const missing = await missingBelow(place.root, facts);
    const { warnings } = wanted;
    const started = mode === "cache" && !dryRun && place.root === "/"
      ? await tellSystemd(target, place.layout, "start")
      : undefined;
    const steps = [
      ...wanted.steps,
      ...(started === undefined ? [] : [started]),
    ];
    const { findings = [] } = facts.fixed ?? {};
    return {
      plan,
      steps,
      warnings: [...warnings, ...missing],
      findings,
      reading: mode === "cache"
        ? "Filters are proved equal to what crun made of a profile"
        : readingWords(request, own),
      mode,
      handler: handlerPath(target, facts, request),
    };
  };
  return dryRun ? await work() : await exclusively(place, work);
}

/**
 * The version of the reading that filters will follow, from the runtime itself.
 */
async function readingHere(request: DecidedRequest): Promise<OwnSemantics> {
  const { semantics, mode } = request;
  const runtime = mode === "wrapper" ? await chooseRuntime(request) : undefined;
  const isAsked = runtime?.kind === splitSemantics(semantics).runtime;
  return await ownSemantics({
    semantics,
    ...(isAsked ? { program: runtime.path } : {}),
  });
}

function readingWords(
  { semantics }: InstallRequest,
  own: OwnSemantics | undefined,
): string {
  if (own === undefined) {
    const { runtime, version } = splitSemantics(semantics);
    return version === undefined
      ? `Profiles will be read as the ${runtime} of that system reads them`
      : `Profiles will be read as by ${describeSemantics(semantics)}`;
  }
  if (own.note !== undefined) return own.note;
  const words = `Profiles are read as by ${describeSemantics(own.semantics)}`;
  return own.program === undefined ? words : `${words}: "${own.program}"`;
}

function planFor(
  target: ManagerName,
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  switch (target) {
    case "podman":
      return planPodman(facts, options);
    case "docker":
      return planDocker(facts, options);
    case "containerd":
      return planContainerd(facts, options);
    case "crio":
      return planCrio(facts, options);
  }
}

async function gather(
  request: DecidedRequest,
  manifest: Manifest,
): Promise<TargetFacts> {
  const { target, place, mode, form } = request;
  const deno = request.deno ?? await Deno.realPath(Deno.execPath());
  if (place.root === "/") await refuseDoubtful(deno, place);
  const runtime = await chooseRuntime(request);
  const version = place.root === "/" ? await versionOf(target) : undefined;
  const configs = await findConfigs(target, place, manifest, request.config);
  const program = request.program ??
    await hookProgram(request.deno, form);
  const facts: TargetFacts = {
    layout: place.layout,
    deno,
    tools: mode === "hook" || mode === "wrapper"
      ? await tools(place.root)
      : undefined,
    program,
    runtime,
    version,
    configs,
    ...(target === "docker" && place.root === "/"
      ? { execRoots: await findExecRoots() }
      : {}),
  };
  if (mode !== "static") return facts;
  if (request.profile === undefined) {
    throw new InstallError(
      "usage",
      "Cannot install a static filter: no profile; pass --profile FILE",
    );
  }
  const profile = await readProfile(request.profile);
  return {
    ...facts,
    fixed: { profile, ...await compileFixed(profile, request) },
  };
}

async function hookProgram(
  deno: string | undefined,
  form: ProgramForm,
): Promise<ProgramFiles> {
  const self = Deno.execPath();
  try {
    // Only a compiled binary is not Deno; an image's binary may not exist here.
    const reader = Deno.build.standalone ? deno ?? self : self;
    return await readProgram(reader, form);
  } catch (error) {
    throw new InstallError("failed", messageOf(error), { cause: error });
  }
}

async function readProfile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new InstallError(
      "usage",
      `Cannot read ${quoteText(path)}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** Files that containers will need but may not find. */
async function missingBelow(
  root: string,
  { deno, tools }: TargetFacts,
): Promise<readonly string[]> {
  if (root === "/") {
    // npx may delete packages at any time.
    return /\/_npx\/|\/\.cache\/|^\/tmp\//.test(deno)
      ? [
        `Containers will depend on "${deno}", which a cleanup may remove: install Deno permanently and pass its path with --deno`,
      ]
      : [];
  }
  const words = tools === undefined ? [] : [
    [tools.sh],
    ...[tools.awk, tools.tr, tools.stat, tools.env],
    ...[tools.mv, tools.rm, tools.date, tools.mkdir],
  ].flatMap((list) => list.slice(0, 1));
  const missing: string[] = [];
  for (const path of [deno, ...words]) {
    const real = await locateFile(root, path);
    const there = await Deno.stat(real).then(() => true, () => false);
    if (!there) missing.push(path);
  }
  if (missing.length === 0) return [];
  return [
    `Containers will need files that are not below "${root}" yet: ${
      missing.join(", ")
    }`,
  ];
}

/** Anyone who can replace Deno controls every container. */
async function refuseDoubtful(
  deno: string,
  { layout }: InstallRoot,
): Promise<void> {
  try {
    const doubt = await doubtAboutFile(deno);
    if (doubt === undefined) return;
    throw new Error(doubt);
  } catch (error) {
    const seen = reasonOf(error);
    const whose = layout.scope === "user" ? "root or you" : "root";
    throw new InstallError(
      "usage",
      `Cannot make containers depend on "${deno}": ${seen}; install Deno where only ${whose} can write, and pass its path with --deno`,
      { cause: error },
    );
  }
}

/** An image gets the usual tools, this machine the fastest ones. */
async function tools(root: string): Promise<DispatcherTools> {
  try {
    return await findTools(root === "/" ? "fastest" : "usual");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InstallError("not-found", error.message, { cause: error });
  }
}

async function requireProgram(path: string): Promise<void> {
  const seen = await Deno.stat(path).then(
    ({ isFile, mode }) =>
      isFile && ((mode ?? 0) & 0o111) !== 0
        ? undefined
        : "not a program that can be started",
    reasonOf,
  );
  if (seen === undefined) return;
  throw new InstallError(
    "usage",
    `Cannot use the runtime ${
      quoteText(path)
    }: ${seen}; name one that is installed`,
  );
}

/** The runtime that the wrapper starts: the given one, or a crun, or any. */
async function chooseRuntime(
  { place, runtime }: InstallRequest,
): Promise<FoundRuntime | undefined> {
  if (runtime !== undefined) {
    if (!runtime.startsWith("/")) {
      throw new InstallError(
        "usage",
        `Cannot use the runtime "${runtime}": not an absolute path; give one`,
      );
    }
    // An image may get its runtime later; on this machine, a missing runtime
    // could not be started.
    if (place.root === "/") await requireProgram(runtime);
    const name = runtime.slice(runtime.lastIndexOf("/") + 1);
    const program = { path: runtime, realPath: runtime };
    return await examine(place.root, name, program);
  }
  const all = await findRuntimes(place.root);
  return all.find((r) => r.rawFilters === "yes") ??
    all.find((r) => r.rawFilters === "unknown") ?? all[0];
}
