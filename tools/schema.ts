/**
 * Makes the JSON Schemas of profiles from the tables of their reader, so that
 * editors show errors while a profile is written.
 *
 * ```sh
 * deno task schema            # writes schema/docker.json and schema/oci.json
 * deno task schema --check    # compares, exits 1 if one differs
 * ```
 *
 * A schema is never stricter than the reader: a profile that it accepts, with
 * or without a warning, has no error here. `null` counts as absent, keys that
 * no runtime reads are allowed, and names of calls are checked only in rules
 * that deny more than the default.
 *
 * @module
 */

import { CONFIG_KEYS } from "../profile/formats/classify.ts";
import { ARCH_FIELDS } from "../profile/formats/docker.ts";
import {
  CAPS,
  CONDITION_FIELDS,
  DOCKER_ARCHES,
} from "../profile/formats/docker_filter.ts";
import {
  ACTIONS,
  ARCHITECTURES,
  type Dialect,
  FLAGS,
  largestErrnoRet,
  OPERATORS,
  takesData,
} from "../profile/formats/oci_fields.ts";
import {
  DOCKER_SECTION_FIELDS,
  SECTION_FIELDS,
} from "../profile/formats/oci_section.ts";
import {
  ARG_FIELDS,
  DOCKER_RULE_FIELDS,
  MAX_ARGS,
  MAX_U64,
  RULE_FIELDS,
} from "../profile/formats/oci_syscall.ts";
import { returnValue } from "../profile/semantics/action.ts";
import { ARCHES } from "../tables/arch.ts";
import { readRuns } from "../tables/arch_data.ts";
import { errnoNumber } from "../tables/errno.ts";
import { ERRNO_ALIASES, ERRNOS } from "../tables/errno_data.ts";
import { precedence } from "../tables/precedence.ts";
import { OTHER_NAMES } from "../tables/syscalls/other.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { misspelt, REMARK, VERSION } from "./schema_patterns.ts";

/** A schema; integers beyond 2⁵³ are bigints. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** A schema by the name of its field. */
type Fields = Readonly<Record<string, Schema>>;

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** Values that count as absent in fields of Docker's format. */
const EMPTY: Schema = { enum: [null, "", [], {}] };
const IS_EMPTY: Schema = { $ref: "#/$defs/empty" };
const NOT_EMPTY: Schema = { not: IS_EMPTY };

/** Meanings of the actions, in the order of the reader's list. */
const ACTION_MEANINGS: Readonly<
  Record<(typeof ACTIONS.words)[number], string>
> = {
  "SCMP_ACT_KILL": "the old name of SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_KILL_PROCESS": "ends the process with SIGSYS",
  "SCMP_ACT_KILL_THREAD": "ends the thread with SIGSYS",
  "SCMP_ACT_TRAP": "sends SIGSYS, which the program may handle",
  "SCMP_ACT_ERRNO": "fails with errnoRet, EPERM by default",
  "SCMP_ACT_TRACE": "asks a tracer, which gets errnoRet",
  "SCMP_ACT_ALLOW": "runs the call",
  "SCMP_ACT_LOG": "runs the call and logs it",
  "SCMP_ACT_NOTIFY": "asks the process that listens on listenerPath",
};

/** All names of system calls on any architecture. */
export function callNames(): readonly string[] {
  const names = new Set<string>(OTHER_NAMES);
  for (const { syscalls, multiplexed } of ARCHES) {
    for (const name of syscalls.keys()) names.add(name);
    for (const { name } of multiplexed) names.add(name);
  }
  return [...names].sort();
}

/** All names of error numbers, including second names. */
function errnoWords(): readonly string[] {
  return [...readRuns(ERRNOS).keys(), ...readRuns(ERRNO_ALIASES).keys()]
    .filter((name) => errnoNumber(name) !== undefined);
}

/**
 * Makes the schema of one format.
 *
 * @param dialect `docker` for files of Docker and Podman, `oci` for the section
 * `linux.seccomp` by itself.
 */
export function makeSchema(dialect: Dialect): Schema {
  const title = dialect === "docker"
    ? "Seccomp profile of Docker and Podman"
    : "Seccomp section of the OCI runtime specification";
  const description = dialect === "docker"
    ? "The system calls that a container may make, with Docker's conditions on machine and container."
    : "The system calls that a container may make: linux.seccomp of a config.json, without the rest.";
  return {
    $schema: DRAFT,
    $id: `urn:seccomp-tree:schema:${dialect}`,
    title,
    description,
    $comment: "Made by: deno task schema",
    ...objectOf([...SECTION_FIELDS, ...DOCKER_SECTION_FIELDS], {
      required: ["defaultAction"],
      fields: {
        ...sectionFields(),
        ...dockerFields(dialect, DOCKER_SECTION_FIELDS, {
          archMap: {
            description:
              "The architectures that accompany each native one. Not together with architectures.",
            type: ["array", "null"],
            items: { $ref: "#/$defs/arch" },
          },
          defaultErrno: errnoField("defaultErrnoRet"),
        }),
      },
      more: {
        // A document with both is refused: a profile and a config.json in one.
        ...Object.fromEntries(CONFIG_KEYS.map((key) => [key, false])),
        $schema: { description: "The JSON Schema of this file, for editors." },
      },
    }),
    allOf: [
      ...errnoLimits("defaultAction", "defaultErrnoRet"),
      metadataNeedsListener(),
      ...(dialect === "docker" ? [oneListOfArchitectures()] : []),
      ...namesOfDenials(),
    ],
    $defs: {
      action: words(ACTIONS.words),
      architecture: words(ARCHITECTURES.words),
      rule: ruleSchema(dialect),
      comparison: comparisonSchema(),
      empty: EMPTY,
      ...(dialect === "docker"
        ? {
          arch: archSchema(),
          conditions: conditionsSchema(),
          errno: words(errnoWords()),
        }
        : {}),
      call: {
        ...words(callNames()),
        description: "A system call of some architecture.",
      },
    },
  };
}

/** Fields of the section in both formats. */
function sectionFields(): Fields {
  return {
    defaultAction: {
      description: `The answer to calls without a rule. ${actionsText()}`,
      $ref: "#/$defs/action",
    },
    defaultErrnoRet: errnoRetField("defaultAction"),
    architectures: {
      description:
        "The architectures to which the rules apply; the native one if none are given. Calls of other architectures kill the thread.",
      type: ["array", "null"],
      items: { $ref: "#/$defs/architecture" },
    },
    flags: {
      description: "Flags of seccomp(2).",
      type: ["array", "null"],
      items: words(FLAGS.words),
    },
    listenerPath: {
      description:
        "Socket of the process that answers SCMP_ACT_NOTIFY. Without it, such calls fail with ENOSYS.",
      type: ["string", "null"],
    },
    listenerMetadata: {
      description:
        "Text for the process that listens on listenerPath, which must be given as well.",
      type: ["string", "null"],
    },
    syscalls: {
      description: "The rules; calls without a rule get defaultAction.",
      type: ["array", "null"],
      items: { $ref: "#/$defs/rule" },
    },
  };
}

function ruleSchema(dialect: Dialect): Schema {
  const hasName = {
    required: ["name"],
    properties: {
      name: dialect === "docker" ? NOT_EMPTY : { not: { type: "null" } },
    },
  };
  const needsNames = {
    required: ["names"],
    properties: { names: { type: "array" } },
  };
  const fields = {
    names: {
      description:
        "The system calls, by the names of the kernel. Runtimes ignore unknown ones.",
      items: { anyOf: [{ $ref: "#/$defs/call" }, { type: "string" }] },
    },
    action: {
      description: `The answer to the calls. ${actionsText()}`,
      $ref: "#/$defs/action",
    },
    errnoRet: errnoRetField("action"),
    args: {
      description:
        "Conditions on arguments, all of which must be true. If two are on the same argument, runtimes treat all of them as alternatives.",
      type: ["array", "null"],
      items: { $ref: "#/$defs/comparison" },
    },
    comment: { description: "A comment for readers; runtimes ignore it." },
    ...dockerFields(dialect, DOCKER_RULE_FIELDS, {
      name: {
        description: "The system call, in profiles of Docker 1.10 to 1.12.",
        deprecated: true,
      },
      includes: {
        description: "The rule applies only if all of this is true.",
        $ref: "#/$defs/conditions",
      },
      excludes: {
        description: "The rule does not apply if any of this is true.",
        $ref: "#/$defs/conditions",
      },
      errno: errnoField("errnoRet"),
    }),
  };
  return {
    ...objectOf(RULE_FIELDS, { required: ["action"], fields }),
    allOf: [
      ...errnoLimits("action", "errnoRet"),
      dialect === "docker"
        ? {
          if: hasName,
          then: { properties: { name: { type: "string" }, names: IS_EMPTY } },
          else: needsNames,
        }
        // An empty name has no effect and needs no names.
        : {
          if: { not: hasName },
          then: needsNames,
          else: { properties: { names: { type: ["array", "null"] } } },
        },
    ],
  };
}

function comparisonSchema(): Schema {
  const u64 = { minimum: 0, maximum: MAX_U64 };
  return objectOf(ARG_FIELDS, {
    required: ["index", "value", "op"],
    fields: {
      index: {
        description: "The argument, 0 to 5.",
        type: "integer",
        minimum: 0,
        maximum: MAX_ARGS - 1,
      },
      value: {
        description:
          "The number to compare with, an unsigned 64-bit integer; the mask of SCMP_CMP_MASKED_EQ.",
        type: "integer",
        ...u64,
      },
      valueTwo: {
        description:
          "The value with which SCMP_CMP_MASKED_EQ compares the masked argument, 0 by default; other operators ignore it.",
        type: ["integer", "null"],
        ...u64,
      },
      op: {
        description:
          "Compares the argument with value, unsigned: not equal, less, less or equal, equal, greater or equal, greater; SCMP_CMP_MASKED_EQ: argument & value equals valueTwo.",
        ...words(OPERATORS.words),
      },
    },
  });
}

function archSchema(): Schema {
  return objectOf(ARCH_FIELDS, {
    required: ["architecture"],
    fields: {
      architecture: {
        description: "The native architecture.",
        $ref: "#/$defs/architecture",
      },
      subArchitectures: {
        description: "The architectures that accompany it.",
        type: ["array", "null"],
        items: { $ref: "#/$defs/architecture" },
      },
    },
  });
}

/** Conditions allow no other keys except comments. */
function conditionsSchema(): Schema {
  const { properties } = closedObject(CONDITION_FIELDS, {
    caps: {
      description:
        "Capabilities: includes takes all of them, excludes any one of them.",
      type: ["array", "null"],
      items: words(CAPS.words),
    },
    arches: {
      description: "Native architectures, by Docker's names.",
      type: ["array", "null"],
      items: words(DOCKER_ARCHES.words),
    },
    minKernel: {
      description:
        'The least version of the kernel, exactly two numbers such as "4.8"; Podman ignores it.',
      type: ["string", "null"],
      pattern: VERSION,
    },
  });
  return {
    type: ["object", "null"],
    properties,
    patternProperties: { [REMARK]: true },
    additionalProperties: false,
  };
}

/** An object whose misspelled fields are errors. */
function objectOf(
  known: readonly string[],
  { required, fields, more = {} }: {
    readonly required: readonly string[];
    readonly fields: Fields;
    /** Additional keys, which must not resemble a known one. */
    readonly more?: Fields;
  },
): { readonly [keyword: string]: unknown } {
  const { properties } = closedObject(known, fields);
  return {
    type: "object",
    required,
    properties: { ...properties, ...more },
    patternProperties: Object.fromEntries(
      misspelt(known).map((pattern) => [pattern, false]),
    ),
  };
}

/** Returns the schemas of exactly the fields that the reader knows. */
function closedObject(
  known: readonly string[],
  fields: Fields,
): { readonly properties: Fields } {
  const extra = Object.keys(fields).filter((field) => !known.includes(field));
  const missing = known.filter((field) => fields[field] === undefined);
  if (extra.length + missing.length > 0) {
    throw new Error(
      `Cannot make a schema: the reader does not know ${extra}, and the schema lacks ${missing}`,
    );
  }
  return {
    properties: Object.fromEntries(
      known.map((field) => [field, fields[field] ?? true]),
    ),
  };
}

/** Docker's own fields; in OCI sections they must be empty. */
function dockerFields(
  dialect: Dialect,
  known: readonly string[],
  fields: Fields,
): Fields {
  if (dialect === "docker") return fields;
  return Object.fromEntries(known.map((field) => [field, {
    description: "A field of Docker's format, which runtimes ignore here.",
    ...(typeof IS_EMPTY === "object" ? IS_EMPTY : {}),
  }]));
}

/** Values of a vocabulary. */
function words(list: readonly string[]): { readonly enum: readonly string[] } {
  return { enum: list };
}

function actionsText(): string {
  return ACTIONS.words.map((word) => `${word} ${ACTION_MEANINGS[word]}`)
    .join("; ") + ".";
}

function errnoField(number: string): Schema {
  return {
    description:
      `The name of ${number}, such as EPERM: Docker takes the number, Podman the name.`,
    anyOf: [{ $ref: "#/$defs/errno" }, IS_EMPTY],
  };
}

function errnoRetField(action: string): Schema {
  return {
    description:
      `The error number for SCMP_ACT_ERRNO, such as 1 (EPERM) or 38 (ENOSYS), or the data for SCMP_ACT_TRACE, as ${action} says; 1 by default.`,
    type: ["integer", "null"],
    minimum: 0,
    maximum: largestErrnoRet("SCMP_ACT_ALLOW"),
  };
}

/** Actions with data have smaller limits. */
function errnoLimits(action: string, number: string): readonly Schema[] {
  return ACTIONS.words.filter(takesData).map((word) => ({
    if: { required: [action], properties: { [action]: { const: word } } },
    then: { properties: { [number]: { maximum: largestErrnoRet(word) } } },
  }));
}

function metadataNeedsListener(): Schema {
  const isText = { type: "string", minLength: 1 };
  return {
    if: {
      required: ["listenerMetadata"],
      properties: { listenerMetadata: isText },
    },
    then: { required: ["listenerPath"], properties: { listenerPath: isText } },
  };
}

function oneListOfArchitectures(): Schema {
  return {
    if: { required: ["archMap"], properties: { archMap: NOT_EMPTY } },
    then: { properties: { architectures: IS_EMPTY } },
  };
}

/**
 * A rule that is stricter than the default and names no call would deny
 * nothing. Rules with conditions may not apply on a machine.
 */
function namesOfDenials(): readonly Schema[] {
  const strictness = (word: (typeof ACTIONS.words)[number]): number =>
    precedence(returnValue(word, undefined));
  const schemas: Schema[] = [];
  const levels = new Set(ACTIONS.words.map(strictness));
  for (const level of [...levels].sort((a, b) => a - b)) {
    const stricter = ACTIONS.words.filter((word) => strictness(word) < level);
    if (stricter.length === 0) continue;
    const defaults = ACTIONS.words.filter((word) => strictness(word) === level);
    const unconditional = Object.fromEntries(
      ["includes", "excludes"].map((field) => [field, { type: "null" }]),
    );
    const call = { $ref: "#/$defs/call" };
    schemas.push({
      if: {
        required: ["defaultAction"],
        properties: { defaultAction: { enum: defaults } },
      },
      then: {
        properties: {
          syscalls: {
            items: {
              if: {
                required: ["action"],
                properties: { action: { enum: stricter }, ...unconditional },
              },
              then: { properties: { names: { items: call } } },
            },
          },
        },
      },
    });
  }
  return schemas;
}

/** Writes a schema as text; bigints are written with all of their digits. */
export function schemaText(schema: Schema): string {
  const text = JSON.stringify(
    schema,
    (_key, value) => typeof value === "bigint" ? `bigint ${value}` : value,
    2,
  );
  return `${text.replace(/"bigint ([0-9]+)"/g, "$1")}\n`;
}

/** The files by path in the repository. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map((["docker", "oci"] as const).map((dialect) => [
    `schema/${dialect}.json`,
    schemaText(makeSchema(dialect)),
  ]));
}

const MANUAL: Manual = {
  usage: "deno task schema [OPTION...]",
  brief: "Writes the JSON Schemas of profiles from the tables of their reader.",
  options: {
    check: { brief: "Compare only; exit with 1 if a file differs" },
  },
};

async function main(given: Given): Promise<number> {
  let code = 0;
  for (const [path, text] of schemaFiles()) {
    const file = new URL(`../${path}`, import.meta.url);
    if (!given.has("check")) await Deno.writeTextFile(file, text);
    else if (await Deno.readTextFile(file) !== text) {
      // deno-lint-ignore no-console -- a program for people
      console.error(`${path} differs: run deno task schema`);
      code = 1;
    }
  }
  return code;
}

if (import.meta.main) start(MANUAL, main);
