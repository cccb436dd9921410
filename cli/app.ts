/**
 * The command line: what the commands are called. Each command's code is
 * loaded when it is used.
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
  type RouteMap,
  text_en as ENGLISH,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { didYouMean } from "../profile/text.ts";
import { printable, quoteText } from "../tables/printable.ts";
import { messageOf } from "../host/reason.ts";
import { faultText } from "./exit.ts";
import type { AppContext } from "./lazy.ts";
import { usageOf } from "./manual.ts";
import { NAME } from "./program.ts";

type Routes = Readonly<
  Record<string, Command<AppContext> | RouteMap<AppContext>>
>;

/** Commands that are defined together. */
interface Group {
  readonly names: readonly string[];
  readonly load: () => Promise<Routes>;
}

/** All commands, in the order of the help text. */
const GROUPS: readonly Group[] = [
  {
    names: ["compile", "optimize", "digest", "disasm", "asm"],
    load: async () => {
      const { compile, optimize, digest, disasm, asm } = await import(
        "./routes_filter.ts"
      );
      return { compile, optimize, digest, disasm, asm };
    },
  },
  {
    names: ["simulate", "prove", "diff", "stats"],
    load: async () => {
      const { simulate, prove, diff, stats } = await import(
        "./routes_report.ts"
      );
      return { simulate, prove, diff, stats };
    },
  },
  {
    names: ["run", "dump", "verify", "selftest"],
    load: async () => {
      const { run, dump, verify, selftest } = await import("./routes_live.ts");
      return { run, dump, verify, selftest };
    },
  },
  {
    names: ["bench"],
    load: async () => {
      const { bench } = await import("./routes_bench.ts");
      return { bench };
    },
  },
  {
    names: ["install", "uninstall", "status", "doctor"],
    load: async () => {
      const { install, uninstall, status, doctor } = await import(
        "./routes_install.ts"
      );
      return { install, uninstall, status, doctor };
    },
  },
  {
    names: ["store", "rewrite"],
    load: async () => {
      const { store, rewrite } = await import("./routes_store.ts");
      return { store, rewrite };
    },
  },
  {
    names: ["syscalls", "demo", "completions"],
    load: async () => {
      const { syscalls, demo, completions } = await import(
        "./routes_report.ts"
      );
      return { syscalls, demo, completions };
    },
  },
];

/**
 * Makes the application.
 *
 * @param command The command that was asked for: others need not be defined
 * then. Where there is none of this name, all are.
 */
export async function createApp(
  command?: string,
): Promise<Application<AppContext>> {
  const asked = GROUPS.filter(({ names }) =>
    command !== undefined && names.includes(command)
  );
  const groups = asked.length > 0 ? asked : GROUPS;
  const routes = Object.assign(
    {},
    ...await Promise.all(groups.map(({ load }) => load())),
  );
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
      localization: { text: { ...ENGLISH, ...texts(command ?? "") } },
    },
  );
}

/** How far a name may be from what was typed to be suggested. */
const DISTANCE = {
  threshold: 4,
  weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
} as const;

/** What is said about a command line that cannot be read, and about faults. */
function texts(command: string): Partial<typeof ENGLISH> {
  return {
    exceptionWhileParsingArguments: (error) =>
      `error: ${printable(explain(error, command))}`,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      `error: Unknown command ${quoteText(input)}; ${
        meant(corrections) ?? `see "${NAME} --help"`
      }`,
    exceptionWhileLoadingCommandFunction: faultText,
    exceptionWhileLoadingCommandContext: faultText,
    exceptionWhileRunningCommand: faultText,
  };
}

/** Says what is wrong with a command line. */
function explain(error: unknown, command: string): string {
  const usage = `usage: ${usageOf(command)}`;
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
    // Placeholders of arguments are upper case, names of options lower case.
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
