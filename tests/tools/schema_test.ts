/**
 * The JSON Schemas of profiles say what the reader says: never more, and less
 * only in what no schema can say.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { ProfileError } from "../../profile/diagnostic.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { isKnownName } from "../../tables/arch.ts";
import { callNames, schemaFiles } from "../../tools/schema.ts";
import { needs } from "../machine.ts";
import { generateAny } from "../oracle/generate.ts";
import { createRandom, type Random } from "../oracle/random.ts";
import { BAD_INPUTS } from "./schema_inputs.ts";

type Dialect = "docker" | "oci";

/** Profiles of the two random families. */
const CASES = 4000;

const ROOT = new URL("../../", import.meta.url);

const validators = new Map<string, ValidateFunction>();

/** The validator of a committed schema, which strict mode accepts. */
function validatorOf(name: string): ValidateFunction {
  let validator = validators.get(name);
  if (validator === undefined) {
    const text = Deno.readTextFileSync(new URL(`schema/${name}.json`, ROOT));
    // Types may be lists, next to the keywords that need them.
    const ajv = new Ajv2020({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allErrors: true,
    });
    validators.set(name, validator = ajv.compile(JSON.parse(text)));
  }
  return validator;
}

/** Reads a text and returns the faults that a schema finds, or `undefined`. */
function findsIn(name: string, text: string): string | undefined {
  const validate = validatorOf(name);
  return validate(JSON.parse(text)) ? undefined : JSON.stringify(
    validate.errors?.map(({ instancePath, message, params }) => [
      instancePath,
      message,
      params,
    ]).slice(0, 4),
  );
}

/** Codes of the reader's errors, for x86_64 as runc reads it. */
function errorsOf(
  text: string,
  kind: Dialect,
): readonly string[] {
  try {
    resolveParsed(parseProfile(text, { kind }), {
      arch: "x86_64",
      kernel: { major: 6, minor: 1 },
      semantics: "runc",
    });
    return [];
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return error.diagnostics.filter((d) => d.severity === "error")
      .map((d) => d.code);
  }
}

Deno.test("the schemas are what the reader's tables make", () => {
  for (const [path, text] of schemaFiles()) {
    assertEquals(
      Deno.readTextFileSync(new URL(path, ROOT)),
      text,
      `${path}: run deno task schema`,
    );
  }
});

Deno.test("the schemas name every call, and only calls", () => {
  const names = callNames();
  assert(names.length > 500 && names.every(isKnownName));
  assert(names.includes("getpagesize") && names.includes("socketcall"));
});

Deno.test("the schemas are valid, and every description is text", () => {
  for (const path of schemaFiles().keys()) {
    const name = path.replace(/^schema\/|\.json$/g, "");
    const { $id, title, description } = JSON.parse(
      Deno.readTextFileSync(new URL(path, ROOT)),
    );
    assertEquals($id, `urn:seccomp-tree:schema:${name}`);
    assert(title.length > 10 && description.length > 20);
    assertEquals(validatorOf(name)({}), false);
  }
});

Deno.test("bad inputs are found in an editor, if a schema can find them", () => {
  const rows = new Set<number>();
  let found = 0;
  for (const { row, what, text, schema, finder } of BAD_INPUTS) {
    const name = `${row}, ${what}: ${text.slice(0, 200)}`;
    let seen = "nothing";
    try {
      if (findsIn(schema, text) !== undefined) seen = "schema";
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      seen = "json";
    }
    assertEquals(seen, finder.split(":")[0], name);
    if (seen === "nothing") continue;
    // The reader accepts some JSON with comments, which editors do not accept
    // as JSON.
    if (seen === "schema") {
      assert(errorsOf(text, schema).length > 0, `${name}: a false alarm`);
    }
    rows.add(row);
    found++;
  }
  assertEquals([found, BAD_INPUTS.length, rows.size], [68, 87, 17]);
});

/** A value of JSON that may be changed. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A section of the random family as JSON. */
function draw(seed: number): Json {
  const { seccomp } = generateAny(seed);
  const text = JSON.stringify(
    seccomp,
    (_key, value) => typeof value === "bigint" ? Number(value >> 12n) : value,
  );
  const section = JSON.parse(text);
  for (const each of section.syscalls) delete each.path;
  return section;
}

const KEYS: readonly string[] = [
  "defaultAction defaultErrnoRet architectures flags listenerPath",
  "listenerMetadata syscalls archMap defaultErrno comment names action errnoRet",
  "args name includes excludes errno index value valueTwo op architecture",
  "subArchitectures caps arches minKernel $schema _comment notes linux Names",
  "defaultaction acton ociVersion // x",
].flatMap((line) => line.split(" "));

const VALUES: readonly Json[] = [
  ...[null, true, "", "x", [], {}, [null], [{}], 0, 1, -1, 1.5, 6, 4095, 4096],
  ...[65535, 65536, 2 ** 32, 2 ** 33, 2 ** 65, "SCMP_ACT_ALLOW", "EPERM"],
  ...["SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_LOG", "scmp_act_log"],
  ...["SCMP_ARCH_X86", "SCMP_CMP_EQ", "amd64", "CAP_SYS_ADMIN", "4.8", "256.1"],
  ...["0.0", "EPREM", "read", "raed"],
  ...[["read"], ["raed"], ["SCMP_ARCH_X86"], ["SCMP_ARCH_M68K"], ["amd64"]],
  ...[["CAP_SYS_ADMIN"], ["SYS_ADMIN"], ["SECCOMP_FILTER_FLAG_LOG"]],
  { caps: ["CAP_SYS_ADMIN"] },
  { caps: ["CAP_X"], _comment: 1 },
  { minKernel: "4.8", "// why": "" },
  { minKernel: "4.8.1" },
  [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: null }],
  [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }],
];

/** Changes one place of a value, anywhere. */
function spoil(value: Json, random: Random): Json {
  if (value === null || typeof value !== "object" || random.chance(0.1)) {
    return random.pick(VALUES);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return [random.pick(VALUES)];
    const at = random.int(value.length);
    return value.map((each, i) => i === at ? spoil(each, random) : each);
  }
  const keys = Object.keys(value);
  const key = random.chance(0.5) && keys.length > 0
    ? random.pick(keys)
    : random.pick(KEYS);
  const { [key]: old, ...rest } = value;
  if (random.chance(0.2)) return rest;
  return {
    ...rest,
    [key]: old === undefined ? random.pick(VALUES) : spoil(old, random),
  };
}

/**
 * Errors that no schema can report, because a schema describes only form and
 * single fields.
 */
const BEYOND: readonly string[] = [
  // The name of an errno beside another number.
  "errno-disagrees",
  // A machine, or a version of a runtime.
  "runtime-refuses",
  "unsupported-architecture",
  "byte-order",
  // Libseccomp refuses 4095, which the specification allows.
  "errno-range",
  // Keys that differ twice, and their number.
  "misspelt-field",
  "too-many-unknown-fields",
  // The meaning of several rules.
  "conflicting-rules",
];

Deno.test("schema and reader agree on random profiles, valid and spoiled", () => {
  const counts = { valid: 0, refused: 0, accepted: 0, beyond: 0 };
  for (let seed = 1; seed <= CASES; seed++) {
    const random = createRandom(seed);
    const dialect = random.pick<Dialect>(["docker", "oci"]);
    let profile = draw(seed);
    const changes = random.int(4);
    for (let i = 0; i < changes; i++) profile = spoil(profile, random);
    const text = JSON.stringify(profile);
    const name = `seed ${seed}, ${dialect}: ${text}`;
    const found = findsIn(dialect, text);
    const errors = errorsOf(text, dialect);
    if (found !== undefined) {
      assert(errors.length > 0, `${found}: a false alarm, ${name}`);
      counts.refused++;
      continue;
    }
    const missed = errors.filter((code) => !BEYOND.includes(code));
    assertEquals(missed, [], `not found, ${name}`);
    counts[
      errors.length > 0 ? "beyond" : changes === 0 ? "valid" : "accepted"
    ]++;
  }
  const { valid, refused, accepted } = counts;
  assert(valid > CASES / 8 && refused > CASES / 4 && accepted > CASES / 40);
});

Deno.test("keys that resemble a field are found, comments are not", () => {
  const places: readonly (readonly [string, (key: string) => Json])[] = [
    [
      "defaultErrnoRet",
      (key) => ({ defaultAction: "SCMP_ACT_ERRNO", [key]: 0 }),
    ],
    ["syscalls", (key) => ({ defaultAction: "SCMP_ACT_ERRNO", [key]: [] })],
    ["names", (key) => inRule({ [key]: ["read"] })],
    ["args", (key) => inRule({ [key]: [] })],
    ["errnoRet", (key) => inRule({ [key]: 0 })],
    ["op", (key) => inArgument({ [key]: "SCMP_CMP_EQ" })],
    ["valueTwo", (key) => inArgument({ [key]: 0 })],
  ];
  let found = 0;
  for (const [field, place] of places) {
    for (const key of neighborsOf(field)) {
      const text = JSON.stringify(place(key));
      const isFound = findsIn("docker", text) !== undefined;
      const isError = errorsOf(text, "docker").includes("misspelt-field");
      assertEquals(isFound, isError, `${field} as ${key}`);
      if (isFound) found++;
    }
  }
  assert(found > 400, `${found} keys`);
  for (const key of ["_comment", "//", "comments", "$schema", "x-why"]) {
    const text = JSON.stringify({ defaultAction: "SCMP_ACT_LOG", [key]: "" });
    assertEquals(findsIn("docker", text), undefined, key);
    assertEquals(errorsOf(text, "docker"), [], key);
  }
});

function inRule(fields: Json & object): Json {
  const rule = { names: ["read"], action: "SCMP_ACT_ALLOW", ...fields };
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] };
}

function inArgument(fields: Json & object): Json {
  const condition = { index: 0, value: 0, op: "SCMP_CMP_EQ", ...fields };
  return inRule({ args: [condition] });
}

/** Keys with one fault, and with another case. */
function neighborsOf(key: string): readonly string[] {
  const keys = new Set([key.toUpperCase(), key.toLowerCase()]);
  for (let i = 0; i <= key.length; i++) {
    const [before, at, after] = [
      key.slice(0, i),
      key[i] ?? "",
      key.slice(i + 1),
    ];
    for (const letter of ["x", "_", "9", "("]) {
      keys.add(before + letter + at + after).add(before + letter + after);
    }
    keys.add(before + after).add(before + at.toUpperCase() + after);
    keys.add(before + after.slice(0, 1) + at + after.slice(1));
  }
  keys.delete(key);
  // A field of its own.
  keys.delete("name");
  return [...keys];
}

Deno.test("a profile may name its schema, without a warning", () => {
  const text =
    '{"$schema":"./docker.json","defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}';
  for (const kind of ["docker", "oci", "podman"] as const) {
    assertEquals(parseProfile(text, { kind }).diagnostics, [], kind);
  }
  const nested = '{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"$schema":"",' +
    '"names":["read"],"action":"SCMP_ACT_ALLOW"}]}';
  const [{ code } = { code: "" }] = parseProfile(nested).diagnostics;
  assertEquals(code, "unknown-field");
});

needs("shared")("the schemas accept every real profile", () => {
  const folder = new URL("../shared/data/profiles/", ROOT);
  const index: readonly { readonly file: string; readonly format: string }[] =
    JSON.parse(Deno.readTextFileSync(new URL("index.json", folder)));
  let seen = 0;
  for (const { file, format } of index) {
    if (!file.endsWith(".json")) continue;
    const text = Deno.readTextFileSync(new URL(file, folder));
    const document = JSON.parse(text);
    const section = document.linux?.seccomp;
    const [name, profile] = section === undefined
      ? ["docker", document]
      : ["oci", section];
    const found = findsIn(name, JSON.stringify(profile));
    if (format.startsWith("firecracker")) assert(found !== undefined, file);
    else {
      assertEquals(found, undefined, file);
      seen++;
    }
  }
  assert(seen >= 8, `${seen} profiles`);
});
