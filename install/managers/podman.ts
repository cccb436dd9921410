/**
 * Podman: a `precreate` hook in our own folder, and a drop-in that names the
 * folder. The shared folders are left alone: a `precreate` file there breaks
 * `podman build`, `buildah run` and CRI-O.
 *
 * @module
 */

import { ANNOTATION } from "../../tables/annotation.ts";
import { InstallError } from "../error.ts";
import { handlerItems } from "./handler.ts";
import type { Item } from "../changes/item.ts";
import { hooksFolder } from "../changes/layout.ts";
import {
  type ConfigFile,
  hookItems,
  hookPath,
  MARK,
  PODMAN_TIMEOUT_S,
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
  wrapperItems,
  wrapperPath,
} from "./target.ts";
import { formatToml, type TomlTable } from "./toml.ts";
import { findValue, readToml, type TomlNode } from "./toml_read.ts";

/** Folders that Podman uses as root if `hooks_dir` is not set. */
export const SHARED_HOOKS: readonly string[] = [
  "/usr/share/containers/oci/hooks.d",
  "/etc/containers/oci/hooks.d",
];

/** Name of our drop-in, which sorts after most others. */
const DROP_IN = "99-seccomp-tree.conf";

/**
 * Lists the parts of an installation for Podman.
 *
 * @param facts The machine.
 * @param options Options of the user.
 * @returns Items, steps, warnings.
 * @throws {InstallError} if a configuration cannot be read.
 */
export function planPodman(
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  const { layout, configs, runtime } = facts;
  const path = `${layout.containersConf}/${DROP_IN}`;
  const others = configs.filter((file) => file.path !== path);
  const dropIn = (tables: readonly TomlTable[]): Item => ({
    kind: "file",
    path,
    mode: 0o644,
    text: MARK + formatToml(tables),
  });
  const late = others.filter((file) =>
    file.path.startsWith(`${layout.containersConf}/`) && file.path > path
  );
  switch (options.mode) {
    case "hook": {
      const list = listOf(others, ["engine", "hooks_dir"]);
      const shared = layout.scope === "system" ? SHARED_HOOKS : [];
      const folders = [...list ?? shared, hooksFolder(layout)];
      return {
        items: [
          ...hookItems(facts, options),
          hookJson(facts),
          dropIn([{ path: ["engine"], values: { hooks_dir: folders } }]),
        ],
        steps: [],
        warnings: [
          ...runtimeWarnings(runtime),
          ...overridden(late, ["engine", "hooks_dir"]),
        ],
      };
    }
    case "wrapper":
      return {
        items: [
          ...wrapperItems("podman", facts, options),
          dropIn([{
            path: ["engine"],
            values: { runtime: wrapperPath(layout, "podman") },
          }]),
        ],
        steps: [],
        warnings: [
          ...runtimeWarnings(runtime),
          "Containers remember their runtime: before you uninstall, remove or recreate the containers that were created in the meantime",
          ...overridden(late, ["engine", "runtime"]),
        ],
      };
    case "cache":
      return {
        items: handlerItems("podman", facts, options),
        steps: [],
        warnings: cacheWarnings(facts, others),
      };
    case "static":
      return planStatic(facts, others, dropIn);
  }
}

/** Containers of another runtime have no filter in crun's cache. */
function cacheWarnings(
  { runtime }: TargetFacts,
  files: readonly ConfigFile[],
): readonly string[] {
  return files.flatMap((file) => {
    const value = findValue(readToml(file.text, file.path), [
      "engine",
      "runtime",
    ]);
    const name = value?.kind === "string" ? value.value : "crun";
    return name === "crun" || name === runtime?.path ? [] : [
      `"${file.path}" sets engine.runtime to ${
        JSON.stringify(name)
      }: only containers of crun are optimized`,
    ];
  });
}

function hookJson({ layout }: TargetFacts): Item {
  const path = hookPath(layout);
  const hook = {
    version: "1.0.0",
    hook: { path, args: [path], timeout: PODMAN_TIMEOUT_S },
    when: { always: true },
    stages: ["precreate"],
  };
  return {
    kind: "file",
    path: `${hooksFolder(layout)}/seccomp-tree.json`,
    mode: 0o644,
    text: `${JSON.stringify(hook, null, 2)}\n`,
  };
}

function planStatic(
  { layout, fixed }: TargetFacts,
  others: readonly ConfigFile[],
  dropIn: (tables: readonly TomlTable[]) => Item,
): TargetPlan {
  if (fixed === undefined) throw new Error("Unreachable: static has a filter");
  const profile = `${layout.settings}/podman-profile.json`;
  const annotations = listOf(others, ["containers", "annotations"]) ?? [];
  return {
    items: [
      { kind: "file", path: profile, mode: 0o644, text: fixed.profile },
      dropIn([{
        path: ["containers"],
        values: {
          annotations: [
            ...annotations.filter((a) => !a.startsWith(`${ANNOTATION}=`)),
            `${ANNOTATION}=${fixed.filter}`,
          ],
          seccomp_profile: profile,
        },
      }]),
    ],
    steps: [],
    warnings: [
      STATIC_WARNING,
      "Containers with their own profile (--security-opt seccomp=FILE) get this filter instead of theirs, even if theirs is stricter",
    ],
  };
}

/** Effects of static filters on containers that did not request them. */
export const STATIC_WARNING =
  "This filter applies to every container, including --privileged and seccomp=unconfined ones, which then lose calls that they need";

/**
 * Reads a list of strings that several files may set; a later file replaces the
 * list, or extends it if it contains `{append=true}`.
 *
 * @param files The files in Podman's order.
 * @param path The key.
 * @returns The list, or `undefined` if no file sets it.
 * @throws {InstallError} `not-understood` if it is not a list of strings.
 */
export function listOf(
  files: readonly ConfigFile[],
  path: readonly string[],
): readonly string[] | undefined {
  let list: readonly string[] | undefined;
  for (const file of files) {
    const value = findValue(readToml(file.text, file.path), path);
    if (value === undefined) continue;
    const { texts, append } = textsOf(value, file.path, path);
    list = append ? [...list ?? [], ...texts] : texts;
  }
  return list;
}

function textsOf(
  value: TomlNode,
  file: string,
  path: readonly string[],
): { readonly texts: readonly string[]; readonly append: boolean } {
  const texts: string[] = [];
  let append = false;
  for (const item of value.kind === "array" ? value.items : [value]) {
    if (item.kind === "string" && value.kind === "array") {
      texts.push(item.value);
      continue;
    }
    const flag = item.kind === "table" && item.members.length === 1
      ? item.members[0]
      : undefined;
    if (flag?.[0] !== "append" || flag[1].kind !== "other") {
      throw new InstallError(
        "not-understood",
        `Cannot read "${file}": ${
          path.join(".")
        } is not a list of texts; correct the file`,
      );
    }
    append = flag[1].text === "true";
  }
  return { texts, append };
}

function overridden(
  files: readonly ConfigFile[],
  path: readonly string[],
): readonly string[] {
  return files
    .filter((f) => findValue(readToml(f.text, f.path), path) !== undefined)
    .map((f) =>
      `"${f.path}" comes later and sets ${
        path.join(".")
      } as well: it prevails; rename it or add ours there`
    );
}
