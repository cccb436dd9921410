/**
 * The definitions of the commands as plain data, for help texts and
 * completions.
 *
 * @module
 */

import type { Application, CommandContext } from "@stricli/core";

/** A command. */
export interface CommandInfo {
  readonly name: string;
  readonly brief: string;
  readonly flags: readonly FlagInfo[];
  readonly words: readonly WordInfo[];
  /** True if the last argument may be repeated. */
  readonly repeats: boolean;
}

/** A flag. */
export interface FlagInfo {
  /** Its name in the definition. */
  readonly name: string;
  /** Its name on the command line, without dashes. */
  readonly external: string;
  /** One letter. */
  readonly alias: string | undefined;
  readonly brief: string;
  /** Possible values, if they are fixed. */
  readonly values: readonly string[] | undefined;
  /**
   * Placeholder of the value; `undefined` if the values are fixed, or if the
   * flag takes no value.
   */
  readonly placeholder: string | undefined;
  /** Its default value. */
  readonly preset: string | undefined;
}

/** Reports whether a flag is followed by a value. */
export function takesValue({ values, placeholder }: FlagInfo): boolean {
  return values !== undefined || placeholder !== undefined;
}

/** An argument of a command that is not a flag. */
export interface WordInfo {
  readonly placeholder: string;
  readonly brief: string;
}

/** Lists the commands of an application. */
export function commandsOf<C extends CommandContext>(
  app: Application<C>,
): readonly CommandInfo[] {
  if (!("getAllEntries" in app.root)) return [];
  return app.root.getAllEntries().flatMap(({ name, target, hidden }) =>
    hidden || !("parameters" in target) ? [] : [{
      name: name["convert-camel-to-kebab"],
      brief: target.brief,
      flags: flagsOf(target.parameters.flags ?? {}, target.parameters.aliases),
      words: wordsOf(target.parameters.positional),
      repeats: target.parameters.positional?.kind === "array",
    }]
  );
}

/** Common form of all kinds of flag definitions. */
interface FlagDefinition {
  readonly kind: string;
  readonly brief: string;
  readonly values?: readonly string[];
  readonly placeholder?: string;
  readonly default?: unknown;
}

function flagsOf(
  flags: Readonly<Record<string, FlagDefinition>>,
  aliases: Readonly<Partial<Record<string, unknown>>> = {},
): readonly FlagInfo[] {
  return Object.entries(flags).map(([name, flag]) => ({
    name,
    external: name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`),
    alias: Object.entries(aliases).find(([, full]) => full === name)?.[0],
    brief: flag.brief,
    values: flag.kind === "enum" ? flag.values : undefined,
    placeholder: flag.kind === "boolean"
      ? undefined
      : flag.placeholder ?? (flag.kind === "enum" ? undefined : "VALUE"),
    preset: typeof flag.default === "string" ? flag.default : undefined,
  }));
}

type Positional =
  | { readonly kind: "array"; readonly parameter: Partial<WordInfo> }
  | {
    readonly kind: "tuple";
    readonly parameters: readonly Partial<WordInfo>[];
  };

function wordsOf(positional: Positional | undefined): readonly WordInfo[] {
  if (positional === undefined) return [];
  const all = positional.kind === "array"
    ? [positional.parameter]
    : positional.parameters;
  return all.map(({ placeholder = "WORD", brief = "" }) => ({
    placeholder,
    brief,
  }));
}
