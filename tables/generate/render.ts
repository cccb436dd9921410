/**
 * Writes the generated files as text.
 *
 * @module
 */

import { type OtherArch, writeRuns } from "../arch_data.ts";
import { type Abi, libraryName, twinOf } from "./abi.ts";
import type { Errnos, HeaderTable } from "./headers.ts";
import type { MergedTable } from "./merge.ts";

/** Sources that the first lines of a file name. */
export interface Origin {
  /** A name such as `linux-libc-dev 7.2.13-1`. */
  readonly headers: string;
  /** A name such as `libseccomp 2.5.4 (libseccomp2 2.5.4-1+deb12u1)`. */
  readonly libraries: readonly string[];
}

/** Content of `tables/syscalls/other.ts`. */
export interface Others {
  /** Value of `SYSCALL_TABLE_VERSION`. */
  readonly version: string;
  /** Architectures without a table. */
  readonly arches: readonly OtherArch[];
  /** Names that exist on no architecture with a table. */
  readonly names: readonly string[];
}

/** Text of `tables/syscalls/NAME.ts`. */
export function renderArch(
  abi: Abi,
  headers: HeaderTable,
  table: MergedTable,
  origin: Origin,
): string {
  const sources = [
    `asm/unistd.h and linux/audit.h of Debian's ${origin.headers}, read as ` +
    `${abi.triplet} with ${abi.bits}-bit long`,
    ...origin.libraries,
  ];
  const twin = twinOf(abi);
  const notes = [
    ...note("In the headers only", table.headersOnly),
    ...note("In libseccomp only", table.librariesOnly),
    ...note("Omitted aliases", table.aliases),
  ];
  return `${
    header(`System calls of ${abi.name}.`, sources, [
      `${table.syscalls.size} names.`,
      ...notes,
    ])
  }
import type { ArchData } from "../arch_data.ts";${
    twin === undefined
      ? ""
      : `\nimport { ${twin.constant} } from "./${twin.name}.ts";`
  }

/** Facts about ${abi.name} that a filter needs. */
export const ${abi.constant}: ArchData = {
  scmp: "SCMP_ARCH_${libraryName(abi).toUpperCase()}",
  scmpToken: ${hex(table.scmpToken)},
  auditArch: ${hex(headers.auditArch)},
  bits: ${abi.bits},
  littleEndian: ${headers.littleEndian},
  syscallBit: ${headers.syscallBit === 0 ? "0" : hex(headers.syscallBit)},
${twin === undefined ? renderCalls(table) : renderTwin(twin)}};
`;
}

/** The calls of an architecture. */
function renderCalls({ multiplexers, syscalls }: MergedTable): string {
  return `  multiplexers: [${
    multiplexers.map(({ nr, calls }) => `
    {
      nr: ${nr},
      calls: \`
${writeRuns(calls)}
\`,
    },`).join("")
  }${multiplexers.length > 0 ? "\n  " : ""}],
  syscalls: \`
${writeRuns(syscalls)}
\`,
`;
}

/** The calls of the architecture of the other byte order, which are the same. */
function renderTwin({ constant }: Abi): string {
  return `  multiplexers: ${constant}.multiplexers,
  syscalls: ${constant}.syscalls,
`;
}

/**
 * Checks that an architecture and its twin have the same calls.
 *
 * @param abi The architecture.
 * @param table Its calls.
 * @param twin Those of its twin.
 * @throws {Error} if they differ.
 */
export function checkTwin(
  abi: Abi,
  table: MergedTable,
  twin: MergedTable | undefined,
): void {
  if (twin !== undefined && renderCalls(twin) === renderCalls(table)) return;
  throw new Error(
    `Cannot share the table of ${abi.twin} with ${abi.name}: they differ; remove its twin`,
  );
}

/** Text of `tables/syscalls/other.ts`. */
export function renderOthers(others: Others, origin: Origin): string {
  return `${
    header(
      "Architectures and names of system calls that libseccomp knows and no " +
        "table here has, and the versions that the tables cover.",
      [`Debian's ${origin.headers}`, ...origin.libraries],
      [],
    )
  }
import type { OtherArch } from "../arch_data.ts";

/** Limits of the tables. */
export const VERSION = "${others.version}";

/** Architectures without a table. */
export const OTHER_ARCHES: readonly OtherArch[] = [
${
    others.arches.map((arch) =>
      `  {
    scmp: "${arch.scmp}",
    scmpToken: ${hex(arch.scmpToken)},
    bits: ${arch.bits},
    littleEndian: ${arch.littleEndian},
  },
`
    ).join("")
  }];

/** Names on none of the architectures with a table. */
export const OTHER_NAMES: readonly string[] = [
${others.names.map((name) => `  "${name}",\n`).join("")}];
`;
}

/**
 * Text of `tables/errno_data.ts`.
 *
 * @param base Numbers of x86 and the aliases of the C library.
 * @param read Numbers by name for each architecture.
 * @param headers Name of the package.
 */
export function renderErrnos(
  base: Errnos,
  read: ReadonlyMap<string, ReadonlyMap<string, number>>,
  headers: string,
): string {
  const known = new Map([...base.aliases, ...base.names]);
  const others = new Map<string, string[]>();
  for (const [arch, numbers] of read) {
    const own = [...numbers].filter(([name, nr]) => known.get(name) !== nr);
    if (own.length === 0) continue;
    const text = writeRuns(new Map(own));
    others.set(text, [...others.get(text) ?? [], arch]);
  }
  return `${
    header("Error numbers.", [
      `asm/errno.h of Debian's ${headers}, read as each architecture`,
      "errno.h of the C library, for further aliases",
    ], [])
  }
/** Names by number on x86 and in the generic table, in the form of \`readRuns\`. */
export const ERRNOS = \`
${writeRuns(base.names)}
\`;

/** Second names of the same numbers, in the form of \`readRuns\`. */
export const ERRNO_ALIASES = \`
${writeRuns(base.aliases)}
\`;

/** Architectures, and runs of the names that have other numbers there. */
export const OTHER_ERRNOS: readonly (readonly [string, string])[] = [
${
    [...others].map(([text, arches]) =>
      `  [
    "${arches.join(" ")}",
    \`
${text}
\`,
  ],
`
    ).join("")
  }];
`;
}

/** Writes the module's doc comment. */
export function header(
  title: string,
  sources: readonly string[],
  notes: readonly string[],
): string {
  const lines = [
    ...wrap(`${title} Generated by \`tables/generate.ts\`: do not edit.`, ""),
    "",
    "Sources:",
    ...sources.flatMap((source) => wrap(source, "- ")),
    "",
    ...notes.flatMap((text) => [...wrap(text, ""), ""]),
    "@module",
  ];
  const body = lines.map((line) => line === "" ? " *" : ` * ${line}`);
  return `/**\n${body.join("\n")}\n */\n`;
}

/** One line of notes, if there are any names. */
function note(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${title}: ${names.join(", ")}.`];
}

/** Breaks text into lines that fit a doc comment. */
export function wrap(text: string, bullet: string): string[] {
  const lines: string[] = [];
  let line = bullet.trimEnd();
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 76) {
      lines.push(line);
      line = " ".repeat(bullet.length) + word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A u32 as in the style guide: 0xc000_003e. */
function hex(value: number): string {
  const digits = value.toString(16).padStart(8, "0");
  return `0x${digits.slice(0, 4)}_${digits.slice(4)}`;
}
