/**
 * containerd: one more runtime handler for Kubernetes, the wrapper. `ctr` and
 * `nerdctl` need no settings, only its path.
 *
 * Two traps, seen with 1.6.20: a drop-in replaces the whole section of a
 * plugin, so 1.x cannot have one; and as soon as a file names any runtime, the
 * built-in `runc` handler is gone unless a file names it as well.
 *
 * @module
 */

import { movedFromRunc, refuseOtherModes, RUNTIME_NAME } from "./docker.ts";
import { InstallError } from "./error.ts";
import { handlerItems, handlerPath } from "./handler.ts";
import type { Item } from "./item.ts";
import {
  MARK,
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
} from "./target.ts";
import { formatToml, type TomlTable } from "./toml.ts";
import { findValue, hasTable, readToml, type TomlEntry } from "./toml_read.ts";

/** containerd's settings. */
export const CONTAINERD_CONFIG = "/etc/containerd/config.toml";
/** Our drop-in. */
const DROP_IN = "/etc/containerd/conf.d/99-seccomp-tree.toml";

/**
 * Lists the parts of an installation for containerd.
 *
 * @param facts The machine.
 * @param options Options of the user.
 * @returns Items, steps, warnings.
 * @throws {InstallError} `usage` if its own file would have to be changed and
 * that was not allowed.
 */
export function planContainerd(
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  refuseOtherModes("containerd", options);
  const handler = handlerPath("containerd", facts, options);
  return {
    items: [
      ...handlerItems("containerd", facts, options),
      configItem(facts, options),
    ],
    steps: [
      `Have containerd read its settings: "systemctl restart containerd"`,
      `Use it from Kubernetes by a RuntimeClass with handler: ${RUNTIME_NAME}`,
      `Use it by hand: "ctr run --runc-binary ${handler}", "nerdctl run --runtime ${handler}"`,
    ],
    warnings: [...runtimeWarnings(facts.runtime), ...movedFromRunc(options)],
  };
}

function configItem(facts: TargetFacts, options: TargetOptions): Item {
  const path = options.config ?? CONTAINERD_CONFIG;
  const file = facts.configs.find((c) => c.path === path);
  const entries = file === undefined ? [] : readToml(file.text, path);
  const isNew = isSecond(facts, entries);
  const version: TomlTable = { path: [], values: { version: isNew ? 3 : 2 } };
  const tables = handlerTables(facts, options, entries, isNew);
  if (file === undefined) {
    const text = MARK + formatToml([version, ...tables]);
    return { kind: "file", path, mode: 0o644, text };
  }
  if (isNew && covers(entries, DROP_IN)) {
    const text = MARK + formatToml([version, ...tables]);
    return { kind: "file", path: DROP_IN, mode: 0o644, text };
  }
  if (!options.append) {
    throw new InstallError(
      "usage",
      isNew
        ? `Cannot install a drop-in for containerd: "${path}" does not import "/etc/containerd/conf.d/*.toml"; add that to its imports, or pass --append to have lines added to the end of the file`
        : `Cannot install a drop-in for containerd 1.x: it would replace every other setting of the CRI plugin; pass --append to have lines added to the end of "${path}"`,
    );
  }
  const given = findValue(entries, ["version"]);
  const readable = given?.kind === "other" && ["2", "3"].includes(given.text);
  if (!readable) {
    throw new InstallError(
      "not-understood",
      `Cannot add to "${path}": its version is not 2 or 3; run "containerd config migrate"`,
    );
  }
  const begin = "# BEGIN seccomp-tree\n";
  const text = `${begin}${MARK}${formatToml(tables)}# END seccomp-tree\n`;
  return { kind: "block", path, text };
}

/**
 * Reports whether this is containerd 2, by its version or by its file's
 * version.
 */
function isSecond(
  { version }: TargetFacts,
  entries: readonly TomlEntry[],
): boolean {
  const given = findValue(entries, ["version"]);
  if (given?.kind === "other") return given.text === "3";
  return version === undefined || !/^[01]\./.test(version);
}

function handlerTables(
  facts: TargetFacts,
  options: TargetOptions,
  entries: readonly TomlEntry[],
  isNew: boolean,
): readonly TomlTable[] {
  const plugin = isNew
    ? "io.containerd.cri.v1.runtime"
    : "io.containerd.grpc.v1.cri";
  const section = ["plugins", plugin, "containerd"];
  const runtimes = [...section, "runtimes"];
  if (hasTable(entries, [...runtimes, RUNTIME_NAME])) {
    throw new InstallError(
      "foreign",
      `Cannot add the runtime "${RUNTIME_NAME}": containerd has one of that name; remove it`,
    );
  }
  const type = { "runtime_type": "io.containerd.runc.v2" };
  const tables: TomlTable[] = [];
  if (options.asDefault) {
    if (entries.some((e) => e.path.join("\0") === section.join("\0"))) {
      throw new InstallError(
        "usage",
        `Cannot make it the default: the file has a table [${
          section.join(".")
        }]; set default_runtime_name = "${RUNTIME_NAME}" there`,
      );
    }
    tables.push({
      path: section,
      values: { default_runtime_name: RUNTIME_NAME },
    });
  }
  if (!hasTable(entries, [...runtimes, "runc"])) {
    tables.push({ path: [...runtimes, "runc"], values: type });
  }
  const own = [...runtimes, RUNTIME_NAME];
  tables.push(
    { path: own, values: type },
    {
      path: [...own, "options"],
      values: { BinaryName: handlerPath("containerd", facts, options) },
    },
  );
  return tables;
}

/** Reports whether a file imports a path. */
function covers(entries: readonly TomlEntry[], path: string): boolean {
  const imports = findValue(entries, ["imports"]);
  if (imports?.kind !== "array") return false;
  return imports.items.some((item) =>
    item.kind === "string" && matches(item.value, path)
  );
}

/** filepath.Match() for `*` and `?`, as in imports. */
function matches(pattern: string, path: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const source = escaped.replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`).test(path);
}
