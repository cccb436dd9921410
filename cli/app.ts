/**
 * The command line: the names of the commands. The code of a command is loaded
 * on use.
 *
 * @module
 */

import {
  AliasNotFoundError,
  type Application,
  ArgumentParseError,
  buildApplication,
  buildRouteMap,
  type Command,
  EnumValidationError,
  FlagNotFoundError,
  InvalidNegatedFlagSyntaxError,
  text_en as ENGLISH,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { didYouMean } from "../tables/suggest.ts";
import { printable, quoteText } from "../tables/printable.ts";
import { messageOf } from "../host/reason.ts";
import { MachineError } from "./error.ts";
import { faultText } from "./exit.ts";
import { type AppContext, NAME } from "./command.ts";
import { COMMANDS, findCommand, USAGE } from "./registry.ts";

/**
 * Makes the application.
 *
 * @param command The requested command: only its code is loaded; of the others,
 * only the names are known. If the name is unknown, all are defined.
 */
export async function createApp(
  command?: string,
): Promise<Application<AppContext>> {
  const asked = command === undefined ? undefined : findCommand(command);
  const routes: Record<string, Command<AppContext>> = {};
  let usage = USAGE;
  for (const entry of COMMANDS) {
    const { name, brief, load } = entry;
    if (asked !== undefined && entry !== asked) continue;
    const { command } = await loading(load);
    routes[name] = command.build(brief);
    if (entry === asked) usage = `${name} ${command.usage}`.trimEnd();
  }
  return buildApplication(
    buildRouteMap<string, AppContext>({
      routes,
      docs: { brief: "Compile seccomp profiles into optimal decision trees" },
    }),
    {
      name: NAME,
      scanner: {
        caseStyle: "allow-kebab-for-camel",
        allowArgumentEscapeSequence: true,
        distanceOptions: DISTANCE,
      },
      documentation: { disableAnsiColor: true },
      localization: {
        text: { ...ENGLISH, ...texts(command ?? "", `${NAME} ${usage}`) },
      },
    },
  );
}

/**
 * Loads the code of a command. Deno asks for permission to read a file that is
 * imported under a computed name.
 */
async function loading<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!/^Requires read access/.test(messageOf(error))) throw error;
    throw new MachineError(
      `Cannot load the program: ${
        messageOf(error)
      }, or run cli/whole.ts, which needs no permission for its own files`,
      { cause: error },
    );
  }
}

/** Maximum edit distance between a suggested name and the typed one. */
const DISTANCE = {
  threshold: 4,
  weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
} as const;

/**
 * Messages about invalid command lines and internal errors.
 */
function texts(command: string, usage: string): Partial<typeof ENGLISH> {
  return {
    exceptionWhileParsingArguments: (error) =>
      `error: ${printable(explain(error, command, usage))}`,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      `error: Unknown command ${quoteText(input)}; ${
        meant(corrections) ?? `see "${NAME} --help"`
      }`,
    exceptionWhileLoadingCommandFunction: faultText,
    exceptionWhileLoadingCommandContext: faultText,
    exceptionWhileRunningCommand: faultText,
  };
}

/** Describes a problem of a command line. */
function explain(error: unknown, command: string, line: string): string {
  const usage = `usage: ${line}`;
  if (error instanceof FlagNotFoundError) {
    const near = meant(error.corrections.map((name) => `--${name}`));
    return `Unknown option --${error.input}; ${
      near ?? `see "${NAME} ${command} --help"`
    }`;
  }
  if (error instanceof AliasNotFoundError) {
    return `Unknown option -${error.input}; see "${NAME} ${command} --help"`;
  }
  if (error instanceof EnumValidationError) {
    const { externalFlagName, input, values } = error;
    const near = didYouMean(input, values);
    return `Cannot read --${externalFlagName} ${quoteText(input)}: not one of ${
      values.join(", ")
    }${near === undefined ? "" : `; did you mean ${near}`}`;
  }
  if (error instanceof ArgumentParseError) {
    const { externalFlagNameOrPlaceholder: name, input, exception } = error;
    // Argument placeholders are upper case, option names lower case.
    const what = /^[a-z]/.test(name) ? `--${name}` : name;
    const why = exception instanceof SyntaxError
      ? "the option takes no value"
      : messageOf(exception);
    return `Cannot read ${what} ${quoteText(input)}: ${why}`;
  }
  if (error instanceof InvalidNegatedFlagSyntaxError) {
    const { externalFlagName, valueText } = error;
    return `Cannot read --${externalFlagName} ${
      quoteText(valueText)
    }: the option takes no value`;
  }
  if (error instanceof UnexpectedFlagError) {
    return `Option --${error.externalFlagName} is given twice; give it once`;
  }
  if (error instanceof UnsatisfiedFlagError) {
    return `Missing value of --${error.externalFlagName}`;
  }
  if (error instanceof UnexpectedPositionalError) {
    return `Too many arguments: ${quoteText(error.input)}; ${usage}`;
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return `Missing argument: ${error.placeholder}; ${usage}`;
  }
  return messageOf(error);
}

function meant(corrections: readonly string[]): string | undefined {
  return corrections.length === 0
    ? undefined
    : `did you mean ${corrections.join(" or ").replaceAll("`", "")}`;
}
