/**
 * CRI-O: adds the wrapper as a runtime handler in a drop-in.
 *
 * @module
 */

import { ANNOTATION } from "../../tables/annotation.ts";
import { movedFromRunc, refuseOtherModes, RUNTIME_NAME } from "./docker.ts";
import { InstallError } from "../error.ts";
import { handlerItems, handlerPath } from "./handler.ts";
import { STATIC_WARNING } from "./podman.ts";
import {
  MARK,
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
} from "./target.ts";
import { formatToml, type TomlTable, type TomlValue } from "./toml.ts";
import {
  findValue,
  readToml,
  type TomlEntry,
  type TomlNode,
} from "./toml_read.ts";

/** Our drop-in. */
export const CRIO_DROP_IN = "/etc/crio/crio.conf.d/99-seccomp-tree.conf";

const RUNTIMES: readonly string[] = ["crio", "runtime", "runtimes"];

/**
 * Lists the parts of an installation for CRI-O.
 *
 * @param facts The machine.
 * @param options Options of the user.
 * @returns Items, steps, warnings.
 * @throws {InstallError} if the mode does not fit or a configuration cannot be read.
 */
export function planCrio(
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  const { runtime, fixed } = facts;
  const isStatic = options.mode === "static";
  if (!isStatic) refuseOtherModes("CRI-O", options);
  const path = options.config ?? CRIO_DROP_IN;
  const entries = facts.configs
    .filter((file) => file.path !== path)
    .flatMap((file) => readToml(file.text, file.path));
  if (isStatic && runtime === undefined) {
    throw new InstallError("not-found", "Cannot find crun; install it");
  }
  const tables: TomlTable[] = [{
    path: [...RUNTIMES, RUNTIME_NAME],
    values: {
      runtime_path: isStatic && runtime !== undefined
        ? runtime.path
        : handlerPath("crio", facts, options),
      runtime_type: "oci",
      runtime_root: "/run/crun",
      ...handlerOf(entries),
    },
  }];
  if (isStatic && fixed !== undefined) {
    tables.push({
      path: [...RUNTIMES, RUNTIME_NAME, "default_annotations"],
      values: { [ANNOTATION]: fixed.filter },
    });
  }
  if (options.asDefault) {
    tables.unshift({
      path: ["crio", "runtime"],
      values: { default_runtime: RUNTIME_NAME },
    });
  }
  return {
    items: [
      ...(isStatic ? [] : handlerItems("crio", facts, options)),
      { kind: "file", path, mode: 0o644, text: MARK + formatToml(tables) },
    ],
    steps: [
      `Make CRI-O read its settings: "systemctl reload crio"`,
      `Use it from Kubernetes through a RuntimeClass with handler: ${RUNTIME_NAME}`,
    ],
    warnings: [
      ...runtimeWarnings(runtime),
      ...movedFromRunc(options),
      ...(isStatic
        ? [STATIC_WARNING, "default_annotations requires CRI-O 1.32 or later"]
        : []),
    ],
  };
}

/** The settings of the default handler that apply to another binary as well. */
function handlerOf(
  entries: readonly TomlEntry[],
): Readonly<Record<string, TomlValue>> {
  const chosen = findLast(entries, ["crio", "runtime", "default_runtime"]);
  const name = chosen?.kind === "string" ? chosen.value : "crun";
  const values: Record<string, TomlValue> = {};
  for (
    const key of [
      "runtime_root",
      "monitor_path",
      "monitor_cgroup",
      "monitor_exec_cgroup",
      "monitor_env",
      "allowed_annotations",
    ]
  ) {
    const value = findLast(entries, [...RUNTIMES, name, key]);
    if (value?.kind === "string") values[key] = value.value;
    if (value?.kind === "array") {
      values[key] = value.items.flatMap((item) =>
        item.kind === "string" ? [item.value] : []
      );
    }
  }
  return values;
}

/** Later files take precedence. */
function findLast(
  entries: readonly TomlEntry[],
  path: readonly string[],
): TomlNode | undefined {
  return findValue([...entries].reverse(), path);
}
