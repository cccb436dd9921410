/**
 * The command line: what the commands are called. Each command's code is
 * loaded when it is used.
 *
 * @module
 */

import {
  type Application,
  ArgumentScannerError,
  buildApplication,
  buildRouteMap,
  type Command,
  formatMessageForArgumentScannerError,
  type RouteMap,
  text_en as ENGLISH,
} from "@stricli/core";
import type { AppContext } from "./lazy.ts";
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
    names: ["compile", "disasm", "asm"],
    load: async () => {
      const { compile, disasm, asm } = await import("./routes_filter.ts");
      return { compile, disasm, asm };
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
      },
      documentation: { disableAnsiColor: true },
      localization: { text: { ...ENGLISH, ...TEXT } },
    },
  );
}

const TEXT: Pick<
  typeof ENGLISH,
  "exceptionWhileParsingArguments" | "noCommandRegisteredForInput"
> = {
  exceptionWhileParsingArguments: (error) =>
    `error: Cannot read the command line: ${
      error instanceof ArgumentScannerError ? explain(error) : String(error)
    }`,
  noCommandRegisteredForInput: ({ input, corrections }) =>
    `error: Cannot run ${JSON.stringify(input)}: no such command${
      meant(corrections) || `: see ${NAME} --help`
    }`,
};

function explain(error: ArgumentScannerError): string {
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) =>
      `no flag --${input}${meant(corrections.map((name) => `--${name}`))}`,
    AliasNotFoundError: ({ input }) => `no flag -${input}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder, input, exception }) =>
      `${externalFlagNameOrPlaceholder} ${JSON.stringify(input)}: ${
        exception instanceof Error ? exception.message : String(exception)
      }`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `--${externalFlagName} ${JSON.stringify(input)}: use one of ${
        values.join(", ")
      }`,
    UnexpectedFlagError: ({ externalFlagName }) =>
      `--${externalFlagName} is given twice: once will do`,
    UnsatisfiedFlagError: ({ externalFlagName }) =>
      `--${externalFlagName} has no value`,
    UnexpectedPositionalError: ({ expectedCount, input }) =>
      `${JSON.stringify(input)} is too much: ${
        expectedCount === 1 ? "one word" : `${expectedCount} words`
      } will do`,
    UnsatisfiedPositionalError: ({ placeholder }) => `no ${placeholder}`,
  });
}

function meant(corrections: readonly string[]): string {
  return corrections.length === 0
    ? ""
    : `: did you mean ${corrections.join(" or ").replaceAll("`", "")}`;
}
