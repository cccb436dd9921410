/**
 * `completions`: what a shell needs to complete command lines, made from the
 * definitions of the commands.
 *
 * @module
 */

import type { Application } from "@stricli/core";
import type { Io } from "../io.ts";
import type { AppContext } from "../lazy.ts";
import { NAME } from "../program.ts";
import {
  type CommandInfo,
  commandsOf,
  type FlagInfo,
} from "../output/reflect.ts";

/** A shell that can be served. */
export type Shell = "bash" | "zsh" | "fish";

/** Flags of the program itself. */
const GLOBAL: readonly FlagInfo[] = [
  globalFlag("help", "Help", undefined),
  globalFlag("color", "Whether messages are colored", [
    "auto",
    "always",
    "never",
  ]),
];

function globalFlag(
  name: string,
  brief: string,
  values: readonly string[] | undefined,
): FlagInfo {
  return {
    name,
    external: name,
    alias: undefined,
    brief,
    values,
    placeholder: undefined,
    preset: undefined,
  };
}

/** Words that a source may begin with. */
const SOURCES = ["default:docker", "pid:", "bundle:"] as const;

/** Writes the script for a shell. */
export function runCompletions(
  io: Io,
  app: Application<AppContext>,
  shell: Shell,
): void {
  const commands = commandsOf(app);
  switch (shell) {
    case "bash":
      io.out(bash(commands));
      break;
    case "zsh":
      io.out(zsh(commands));
      break;
    case "fish":
      io.out(fish(commands));
      break;
  }
}

function flagsOf(command: CommandInfo): readonly FlagInfo[] {
  return [...command.flags, ...GLOBAL];
}

function spellings({ external, alias }: FlagInfo): readonly string[] {
  return [`--${external}`, ...(alias === undefined ? [] : [`-${alias}`])];
}

/** Words that complete a command without a flag. */
function wordsOf({ name, words }: CommandInfo): readonly string[] {
  if (name === "completions") return ["bash", "zsh", "fish"];
  const places = words.map(({ placeholder }) => placeholder).join(" ");
  if (places === "pid:N") return ["pid:"];
  return /SOURCE|\bA\b/.test(places) ? SOURCES : [];
}

function bash(commands: readonly CommandInfo[]): string {
  const cases = commands.map((command) => {
    const flags = flagsOf(command);
    const values = flags.filter((flag) => flag.values !== undefined).map(
      (flag) =>
        `      ${spellings(flag).join("|")}) words="${
          (flag.values ?? []).join(" ")
        }" ;;`,
    );
    const files = flags.filter((flag) => flag.placeholder === "FILE");
    const fileCase = files.length === 0 ? [] : [
      `      ${
        files.flatMap(spellings).join("|")
      }) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    ];
    const all = [...flags.flatMap(spellings), ...wordsOf(command)].join(" ");
    return [
      `    ${command.name})`,
      `      case "$prev" in`,
      ...[...values, ...fileCase].map((line) => `  ${line}`),
      `        *) words="${all}" ;;`,
      `      esac`,
      `      ;;`,
    ].join("\n");
  });
  return `# ${NAME} completions for bash
_seccomp_tree() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${
    [...commands.map(({ name }) => name), "--help", "--version"].join(" ")
  }" -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- "$cur"))
}
complete -o filenames -F _seccomp_tree ${NAME}
`;
}

function zsh(commands: readonly CommandInfo[]): string {
  const names = commands.map(({ name, brief }) =>
    `    '${name}:${plain(brief)}'`
  );
  const cases = commands.map((command) => {
    const specs = flagsOf(command).flatMap((flag) =>
      spellings(flag).map((spelling) => {
        const value = flag.values !== undefined
          ? `:value:(${flag.values.join(" ")})`
          : flag.placeholder === undefined
          ? ""
          : flag.placeholder === "FILE"
          ? ":file:_files"
          : `:${flag.placeholder.toLowerCase().replaceAll(/[^a-z]/g, "")}:`;
        return `        '${spelling}[${plain(flag.brief)}]${value}'`;
      })
    );
    const words = wordsOf(command);
    const rest = words.length === 0
      ? "'*:file:_files'"
      : `'*:word:{compadd -- ${words.join(" ")}; _files}'`;
    return [
      `    ${command.name})`,
      `      _arguments -s \\`,
      ...specs.map((spec) => `${spec} \\`),
      `        ${rest}`,
      `      ;;`,
    ].join("\n");
  });
  return `#compdef ${NAME}
# ${NAME} completions for zsh
_seccomp_tree() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
compdef _seccomp_tree ${NAME}
`;
}

function fish(commands: readonly CommandInfo[]): string {
  const lines = [`# ${NAME} completions for fish`];
  for (const command of commands) {
    const { name, brief } = command;
    lines.push(
      `complete -c ${NAME} -n __fish_use_subcommand -f -a ${name} -d '${
        plain(brief)
      }'`,
    );
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    for (const flag of flagsOf(command)) {
      const { external, alias, values, placeholder } = flag;
      lines.push(
        [
          `complete -c ${NAME} ${seen} -l ${external}`,
          ...(alias === undefined ? [] : [`-s ${alias}`]),
          ...(values === undefined ? [] : [`-x -a '${values.join(" ")}'`]),
          ...(values !== undefined || placeholder === undefined
            ? []
            : [placeholder === "FILE" ? "-r -F" : "-x"]),
          `-d '${plain(flag.brief)}'`,
        ].join(" "),
      );
    }
    const words = wordsOf(command);
    if (words.length > 0) {
      lines.push(`complete -c ${NAME} ${seen} -a '${words.join(" ")}'`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Leaves out what quotes and brackets of shells would trip over. */
function plain(text: string): string {
  return text.replace(/['"[\]:\\`$]/g, "");
}
