/**
 * Makes the manual pages from the tables behind `--help`: `seccomp-tree(1)`,
 * one page for each command, and section 8 for programs that container managers
 * call.
 *
 * ```sh
 * deno task man DIR   # writes DIR/man1 and DIR/man8
 * ```
 *
 * @module
 */

import { join } from "@std/path";
import { EXIT } from "../cli/exit.ts";
import {
  COLOR_OPTION,
  type CommandHelp,
  type HelpEntry,
  readHelp,
} from "../cli/output/help.ts";
import { COMMANDS, EXAMPLES, findCommand, USAGE } from "../cli/registry.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { readRelease, type Release } from "./release.ts";

const NAME = "seccomp-tree";

const STATUSES: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "Yes, done.",
  no: "The answer is no: different, weaker, denied by a test.",
  usage: "The command line is wrong.",
  input: "An input is invalid; the message has its place.",
  unproven: "Not proved, or a limit was reached: treat it as no.",
  machine: "This machine does not permit it.",
  fault: "An internal error.",
};

/** Descriptions of commands whose tables are not sufficient. */
const DESCRIPTIONS: Readonly<Record<string, readonly string[]>> = {
  hook: [
    "Reads a configuration or the state of a container from standard input.",
    "A configuration, as Podman gives it at the stage precreate, is written to standard output with the annotation run.oci.seccomp_bpf_data, or unchanged if its section cannot be optimized.",
    "The filter is proved equal to the section linux.seccomp, which is left unchanged.",
    "Given the state of a container, at the stages prestart, createRuntime and poststart, it verifies the live filter.",
    "The exit status is 0 if the container may start, and 1 (or that of --refused) if it must not; then standard output is empty.",
    "seccomp-tree install podman writes a dispatcher in sh and awk that answers for known sections and calls this for the others.",
  ],
  runtime: [
    "Puts the proved filter into the bundle that the given command line of the runtime names, if that is create or run.",
    "It does not start the runtime: the wrapper that seccomp-tree install writes does that next.",
    "The exit status is 0 if the container may start, and 1 (or that of --refused) if it must not.",
  ],
};

/** Pages by path, such as `man1/seccomp-tree.1`. */
export async function manualPages(
  release: Release,
): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  pages.set(`man1/${NAME}.1`, programPage(release));
  for (const { name, isEntryPoint } of COMMANDS) {
    const help = await readHelp(name);
    if (help === undefined) throw new Error(`Unreachable: ${name} has no help`);
    const section = isEntryPoint === true ? 8 : 1;
    pages.set(
      `man${section}/${NAME}-${name}.${section}`,
      commandPage(help, section, release),
    );
  }
  return pages;
}

function programPage(release: Release): string {
  return [
    ...head(NAME, 1, release),
    ".SH NAME",
    `${
      text(NAME)
    } \\- compile seccomp profiles into optimal decision trees, with proof`,
    ".SH SYNOPSIS",
    `.B ${text(NAME)}`,
    text(USAGE),
    ".SH DESCRIPTION",
    text(
      "Compiles container seccomp profiles into optimal decision trees of classic BPF, and proves that each means exactly what its profile says. A SOURCE is a file or - (a profile, a config.json or a filter in any of many forms), default:docker, this machine's default:podman, default:containerd or default:crio, pid:N or bundle:DIR.",
    ),
    ".SH COMMANDS",
    ...COMMANDS.flatMap(({ name, brief }) => tagged(pageName(name), brief)),
    ".SH OPTIONS",
    ...entries([
      COLOR_OPTION,
      ["-h, --help", "Help, for each command as well"],
      [
        "--version",
        "Version of the program",
      ],
    ]),
    ...statuses(),
    ".SH ENVIRONMENT",
    ...tagged(bold("NO_COLOR"), "If it is not empty, nothing has color."),
    ...examples(EXAMPLES),
    ".SH SEE ALSO",
    `${reference(`${NAME}-compile`, 1)},`,
    `${reference(`${NAME}-install`, 1)},`,
    `${reference(`${NAME}-hook`, 8)},`,
    reference("seccomp", 2),
  ].map((line) => `${line}\n`).join("");
}

function commandPage(
  help: CommandHelp,
  section: number,
  release: Release,
): string {
  const { name, brief, usage, words, options, sourceOptions } = help;
  const described = DESCRIPTIONS[name];
  return [
    ...head(`${NAME}-${name}`, section, release),
    ".SH NAME",
    `${text(`${NAME}-${name}`)} \\- ${text(lowerFirst(brief))}`,
    ".SH SYNOPSIS",
    `.B ${text(`${NAME} ${name}`)}`,
    ...(usage === name ? [] : [text(usage.slice(name.length + 1))]),
    ".SH DESCRIPTION",
    ...(described ?? [`${brief}.`]).map(text),
    ...(words.length > 0 ? [".SH ARGUMENTS", ...entries(words)] : []),
    ".SH OPTIONS",
    ...entries(options),
    ...(sourceOptions.length > 0
      ? [".SS For reading sources", ...entries(sourceOptions)]
      : []),
    ...(section === 8 ? [] : statuses()),
    ...examples(help.examples),
    ".SH SEE ALSO",
    reference(NAME, 1),
  ].map((line) => `${line}\n`).join("");
}

function head(
  title: string,
  section: number,
  { version, date }: Release,
): readonly string[] {
  const kind = section === 8 ? "System Administration" : "User Commands";
  return [
    `.TH ${
      text(title.toUpperCase())
    } ${section} "${date}" "${NAME} ${version}" "${kind}"`,
    // Command lines are not hyphenated, and keep their line breaks.
    ".nh",
    ".ad l",
  ];
}

function entries(list: readonly HelpEntry[]): readonly string[] {
  return list.flatMap(([label, explained]) => tagged(bold(label), explained));
}

function tagged(label: string, explained: string): readonly string[] {
  return [".TP", label, text(explained)];
}

function statuses(): readonly string[] {
  // In the order of the numbers.
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return [
    ".SH EXIT STATUS",
    ...names.flatMap((name) => tagged(bold(`${EXIT[name]}`), STATUSES[name])),
  ];
}

function examples(lines: readonly string[]): readonly string[] {
  return [
    ".SH EXAMPLES",
    ".nf",
    ...lines.map((line) => text(`${NAME} ${line}`)),
    ".fi",
  ];
}

function pageName(command: string): string {
  const section = findCommand(command)?.isEntryPoint === true ? 8 : 1;
  return `\\fB${text(`${NAME}-${command}`)}\\fR(${section})`;
}

function reference(page: string, section: number): string {
  return `\\fB${text(page)}\\fR(${section})`;
}

function bold(label: string): string {
  return `\\fB${text(label)}\\fR`;
}

/** Writes a text so that roff prints exactly it. */
function text(value: string): string {
  const escaped = value.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq").replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti")
    .replace(/[^\0-\x7f]/gu, (c) => `\\[u${codeOf(c)}]`);
  return /^[.]/.test(escaped) ? `\\&${escaped}` : escaped;
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code.toString(16).toUpperCase().padStart(4, "0");
}

function lowerFirst(value: string): string {
  return value.slice(0, 1).toLowerCase() + value.slice(1);
}

const MANUAL: Manual = {
  usage: "deno task man DIR",
  brief: "Writes the manual pages to DIR/man1 and DIR/man8.",
  words: 1,
};

async function main({ words: [folder = "dist/man"] }: Given): Promise<void> {
  for (const [path, page] of await manualPages(await readRelease())) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, path), page);
  }
}

if (import.meta.main) start(MANUAL, main);
