/**
 * The command line: what the commands are called and which flags they take.
 * Each command's code is loaded when it is used.
 *
 * @module
 */

import {
  type Application,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type CommandContext,
} from "@stricli/core";
import config from "../deno.json" with { type: "json" };
import {
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ALIASES,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
} from "./flags.ts";
import type { Io } from "./io.ts";

/** What commands get. */
export interface AppContext extends CommandContext {
  readonly io: Io;
  /** Runs a command and sets the exit code, also where it throws. */
  readonly settle: (
    work: () => Promise<number | void> | number | void,
  ) => Promise<void>;
}

const FORMAT_VALUES = [
  "raw",
  "base64",
  "hex",
  "asm",
  "c",
  "json",
  "annotation",
] as const;

const compile = buildCommand({
  docs: { brief: "Compile a profile into the optimal filter" },
  loader: async () => {
    const { runCompile } = await import("./compile.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runCompile>[1],
      word?: string,
    ): Promise<void> {
      return this.settle(() =>
        runCompile(this.io, flags, word ?? "default:docker")
      );
    };
  },
  parameters: {
    flags: {
      ...SOURCE_FLAGS,
      format: {
        kind: "enum",
        values: FORMAT_VALUES,
        default: "base64",
        brief: "Form of the filter",
      },
      ...OUT_FLAG,
    },
    aliases: { ...SOURCE_ALIASES, f: "format", O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
});

const disasm = buildCommand({
  docs: { brief: "Write a filter as assembly text" },
  loader: async () => {
    const { runDisasm } = await import("./disasm.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runDisasm>[1],
      word?: string,
    ): Promise<void> {
      return this.settle(() =>
        runDisasm(this.io, flags, word ?? "default:docker")
      );
    };
  },
  parameters: {
    flags: { ...SOURCE_FLAGS, ...OUT_FLAG },
    aliases: { ...SOURCE_ALIASES, O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
});

const asm = buildCommand({
  docs: { brief: "Read assembly text and write a filter" },
  loader: async () => {
    const { runAsm } = await import("./disasm.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runAsm>[1],
      file: string,
    ): Promise<void> {
      return this.settle(() => runAsm(this.io, flags, file));
    };
  },
  parameters: {
    flags: {
      format: {
        kind: "enum",
        values: FORMAT_VALUES,
        default: "base64",
        brief: "Form of the filter",
      },
      ...OUT_FLAG,
      force: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Write a program that the kernel refuses",
      },
    },
    aliases: { f: "format", O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{
        ...SOURCE_ARGUMENT,
        brief: "FILE or -",
        placeholder: "FILE",
      }],
    },
  },
});

const simulate = buildCommand({
  docs: { brief: "Say what a filter answers to a call, and by which path" },
  loader: async () => {
    const { runSimulate } = await import("./simulate.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runSimulate>[1],
      ...words: string[]
    ): Promise<void> {
      return this.settle(() => runSimulate(this.io, flags, words));
    };
  },
  parameters: {
    flags: {
      ...SOURCE_FLAGS,
      ...OUTPUT_FLAG,
      vectors: {
        kind: "parsed",
        parse: (input: string): string => input,
        optional: true,
        placeholder: "FILE",
        brief: "Simulate each line of a file of JSON objects instead",
      },
      ip: {
        kind: "parsed",
        parse: (input: string): bigint => BigInt.asUintN(64, BigInt(input)),
        default: "0",
        placeholder: "ADDR",
        brief: "Address of the calling instruction",
      },
    },
    aliases: { ...SOURCE_ALIASES, o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "SOURCE, then [ARCH:]NAME or [ARCH:]NUMBER and up to six arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE SYSCALL ARG",
      },
    },
  },
});

const stats = buildCommand({
  docs: { brief: "Count sizes and steps of filters, side by side" },
  loader: async () => {
    const { runStats } = await import("./stats.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runStats>[1],
      ...words: string[]
    ): Promise<void> {
      return this.settle(() => runStats(this.io, flags, words));
    };
  },
  parameters: {
    flags: { ...SOURCE_FLAGS, ...OUTPUT_FLAG },
    aliases: { ...SOURCE_ALIASES, o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT },
  },
});

const syscalls = buildCommand({
  docs: { brief: "Print the system call tables" },
  loader: async () => {
    const { runSyscalls } = await import("./syscalls.ts");
    return function (
      this: AppContext,
      flags: Parameters<typeof runSyscalls>[1],
      word?: string,
    ): Promise<void> {
      return this.settle(() => runSyscalls(this.io, flags, word));
    };
  },
  parameters: {
    flags: { arch: SOURCE_FLAGS.arch, ...OUTPUT_FLAG },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Name or number (default: all)",
        parse: (input: string): string => input,
        placeholder: "NAME|NR",
        optional: true,
      }],
    },
  },
});

const demo = buildCommand({
  docs: { brief: "Compile the default profile for this host and compare" },
  loader: async () => {
    const { runDemo } = await import("./demo.ts");
    return function (this: AppContext): Promise<void> {
      return this.settle(() => runDemo(this.io));
    };
  },
  parameters: {},
});

/** The application. */
export const app: Application<AppContext> = buildApplication(
  buildRouteMap({
    routes: { compile, disasm, asm, simulate, stats, syscalls, demo },
    docs: {
      brief: "Compile seccomp profiles into optimal decision trees",
    },
  }),
  {
    name: "seccomp-tree",
    versionInfo: { currentVersion: config.version },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { useAliasInUsageLine: true, disableAnsiColor: true },
  },
);
