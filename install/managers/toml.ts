/**
 * Writes TOML: the few lines of drop-ins. Existing files are never rewritten.
 *
 * @module
 */

import { InstallError } from "../error.ts";
import type { TomlNode } from "./toml_read.ts";

/** Value in a drop-in. */
export type TomlValue =
  | string
  | boolean
  | number
  | readonly string[]
  | TomlNode;

/** `[a.b]` and the values below it. */
export interface TomlTable {
  /** Keys of the header; empty for the top of the file. */
  readonly path: readonly string[];
  /** Values by key, in this order. */
  readonly values: Readonly<Record<string, TomlValue>>;
}

/**
 * Writes tables.
 *
 * @example A drop-in
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatToml } from "./toml.ts";
 *
 * assertEquals(
 *   formatToml([{ path: ["a", "b.c"], values: { x: "1", y: ["2"] } }]),
 *   '[a."b.c"]\nx = "1"\ny = ["2"]\n',
 * );
 * ```
 *
 * @param tables The tables in order.
 * @returns Text that ends in a line break.
 * @throws {InstallError} `usage` if a text is not well-formed Unicode.
 */
export function formatToml(tables: readonly TomlTable[]): string {
  return tables.map(formatTable).join("\n");
}

function formatTable({ path, values }: TomlTable): string {
  const header = path.length === 0
    ? ""
    : `[${path.map(formatKey).join(".")}]\n`;
  const lines = Object.entries(values).map(([key, value]) =>
    `${formatKey(key)} = ${formatValue(value)}\n`
  );
  return header + lines.join("");
}

function formatKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : formatString(key);
}

function formatValue(value: TomlValue): string {
  if (typeof value === "string") return formatString(value);
  if (typeof value !== "object") return String(value);
  if ("kind" in value) return formatNode(value);
  return `[${value.map(formatString).join(", ")}]`;
}

/** Writes a value as it was read from a file. */
function formatNode(node: TomlNode): string {
  switch (node.kind) {
    case "string":
      return formatString(node.value);
    case "other":
      return node.text;
    case "array":
      return `[${node.items.map(formatNode).join(", ")}]`;
    case "table": {
      const members = node.members.map(([key, value]) =>
        ` ${formatKey(key)} = ${formatNode(value)}`
      );
      return `{${members.join(",")} }`;
    }
  }
}

/** A basic string; TOML's escapes contain those of JSON (TOML 1.0, "String"). */
function formatString(text: string): string {
  if (!text.isWellFormed()) {
    throw new InstallError(
      "usage",
      `Cannot write ${
        JSON.stringify(text)
      }: half a surrogate pair; give a text of whole characters`,
    );
  }
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}
