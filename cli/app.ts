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
  formatMessageForArgumentScannerError,
  text_en as ENGLISH,
} from "@stricli/core";
import type { AppContext } from "./lazy.ts";
import { NAME } from "./program.ts";
import { bench } from "./routes_bench.ts";
import { asm, compile, disasm } from "./routes_filter.ts";
import { doctor, install, status, uninstall } from "./routes_install.ts";
import { dump, run, selftest, verify } from "./routes_live.ts";
import {
  completions,
  demo,
  diff,
  prove,
  simulate,
  stats,
  syscalls,
} from "./routes_report.ts";
import { rewrite, store } from "./routes_store.ts";

/** The application. */
export const app: Application<AppContext> = buildApplication(
  buildRouteMap({
    routes: {
      ...{ compile, disasm, asm, simulate, prove, diff, stats },
      ...{ run, dump, verify, selftest, bench },
      ...{ install, uninstall, status, doctor, store, rewrite },
      ...{ syscalls, demo, completions },
    },
    docs: {
      brief: "Compile seccomp profiles into optimal decision trees",
    },
  }),
  {
    name: NAME,
    scanner: {
      caseStyle: "allow-kebab-for-camel",
      allowArgumentEscapeSequence: true,
    },
    documentation: { disableAnsiColor: true },
    localization: {
      text: {
        ...ENGLISH,
        exceptionWhileParsingArguments: (error) =>
          `error: Cannot read the command line: ${
            error instanceof ArgumentScannerError
              ? explain(error)
              : String(error)
          }`,
        noCommandRegisteredForInput: ({ input, corrections }) =>
          `error: Cannot run ${JSON.stringify(input)}: no such command${
            meant(corrections) || `: see ${NAME} --help`
          }`,
      },
    },
  },
);

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
