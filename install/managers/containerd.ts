/**
 * containerd: adds the wrapper as a runtime handler for Kubernetes. `ctr` and
 * `nerdctl` need only its path.
 *
 * There are two pitfalls, observed with 1.6.20: a drop-in replaces the whole
 * section of a plugin, so 1.x cannot have one; and as soon as a file names a
 * runtime, the built-in `runc` handler disappears unless a file names it as
 * well.
 *
 * @module
 */

import { movedFromRunc, refuseOtherModes, RUNTIME_NAME } from "./docker.ts";
import { InstallError } from "../error.ts";
import { handlerItems, handlerPath } from "./handler.ts";
import type { Item } from "../changes/item.ts";
import {
  type ConfigFile,
  MARK,
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
} from "./target.ts";
import { formatToml, type TomlTable } from "./toml.ts";
import {
  findValue,
  hasTable,
  readToml,
  type TomlEntry,
  type TomlNode,
} from "./toml_read.ts";

/** containerd's settings. */
export const CONTAINERD_CONFIG = "/etc/containerd/config.toml";
/** Files that distributions of Kubernetes write for their containerd. */
export const GENERATED_CONFIGS: readonly string[] = [
  "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
  "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
  "/var/snap/microk8s/current/args/containerd.toml",
];
/** Our drop-in. */
const DROP_IN = "/etc/containerd/conf.d/99-seccomp-tree.toml";

/**
 * Lists the parts of an installation for containerd.
 *
 * @param facts The machine.
 * @param options Options of the user.
 * @returns Items, steps, warnings.
 * @throws {InstallError} `usage` if containerd's own file must be changed
 * without permission to do so.
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
      `Make containerd read its settings: "systemctl restart containerd"`,
      `Use it from Kubernetes through a RuntimeClass with handler: ${RUNTIME_NAME}`,
      `Use it directly: "ctr run --runc-binary ${handler}", "nerdctl run --runtime ${handler}"`,
    ],
    warnings: [...runtimeWarnings(facts.runtime), ...movedFromRunc(options)],
  };
}

function configItem(facts: TargetFacts, options: TargetOptions): Item {
  const path = options.config ?? CONTAINERD_CONFIG;
  const file = facts.configs.find((c) => c.path === path);
  const entries = file === undefined ? [] : readToml(file.text, path);
  for (const one of facts.configs) refuseGenerated(one);
  const isNew = isSecond(facts, entries);
  const given = findValue(entries, ["version"]);
  const number = given?.kind === "other" ? Number(given.text) : isNew ? 3 : 2;
  const version: TomlTable = { path: [], values: { version: number } };
  const all = [
    ...entries,
    ...facts.configs.filter((other) => other !== file)
      .flatMap((other) => readToml(other.text, other.path)),
  ];
  const tables = handlerTables(facts, options, all, isNew);
  if (options.append && options.asDefault) refuseSecondTable(entries, isNew);
  if (file === undefined) {
    const text = MARK + formatToml([version, ...tables]);
    const alone = options.config === undefined && readsDropIns(facts)
      ? DROP_IN
      : path;
    return { kind: "file", path: alone, mode: 0o644, text };
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
        : `Cannot install a drop-in beside "${path}", whose version is ${
          given?.kind === "other" ? given.text : 1
        }: it would replace every other setting of the CRI plugin; pass --append to have lines added to the end of the file`,
    );
  }
  if (given?.kind !== "other" || !["2", "3", "4"].includes(given.text)) {
    throw new InstallError(
      "not-understood",
      `Cannot add to "${path}": its version is not 2, 3 or 4; run "containerd config migrate"`,
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
  if (given?.kind === "other") return Number(given.text) >= 3;
  return version === undefined || !/^[01]\./.test(version);
}

function handlerTables(
  facts: TargetFacts,
  options: TargetOptions,
  all: readonly TomlEntry[],
  isNew: boolean,
): readonly TomlTable[] {
  const section = sectionOf(isNew);
  const runtimes = [...section, "runtimes"];
  if (hasTable(all, [...runtimes, RUNTIME_NAME])) {
    throw new InstallError(
      "foreign",
      `Cannot add the runtime "${RUNTIME_NAME}": containerd has one of that name; remove it`,
    );
  }
  const type = { "runtime_type": "io.containerd.runc.v2" };
  const chosen = findValue(all, [...section, "default_runtime_name"]);
  const usual = chosen?.kind === "string" ? chosen.value : "runc";
  const kind = findValue(all, [...runtimes, usual, "runtime_type"]);
  // Another shim has other options.
  const isAlike = kind?.kind !== "string" || kind.value === type.runtime_type;
  const from = [...runtimes, isAlike ? usual : "runc"];
  const tables: TomlTable[] = [];
  if (options.asDefault) {
    tables.push({
      path: section,
      values: { default_runtime_name: RUNTIME_NAME },
    });
  }
  if (!hasTable(all, [...runtimes, "runc"])) {
    tables.push({ path: [...runtimes, "runc"], values: type });
  }
  const own = [...runtimes, RUNTIME_NAME];
  tables.push(
    { path: own, values: { ...type, ...settingsOf(all, from) } },
    {
      path: [...own, "options"],
      values: {
        ...settingsOf(all, [...from, "options"]),
        BinaryName: handlerPath("containerd", facts, options),
      },
    },
  );
  return tables;
}

/** The table of the runtimes of the CRI plugin. */
function sectionOf(isNew: boolean): readonly string[] {
  const plugin = isNew
    ? "io.containerd.cri.v1.runtime"
    : "io.containerd.grpc.v1.cri";
  return ["plugins", plugin, "containerd"];
}

/** TOML allows each table only once, and ours would be the second. */
function refuseSecondTable(
  entries: readonly TomlEntry[],
  isNew: boolean,
): void {
  const section = sectionOf(isNew);
  if (!entries.some((e) => e.path.join("\0") === section.join("\0"))) return;
  throw new InstallError(
    "usage",
    `Cannot make it the default: the file has a table [${
      section.join(".")
    }]; set default_runtime_name = "${RUNTIME_NAME}" there`,
  );
}

/** Reports whether containerd reads drop-ins without a file that imports them. */
function readsDropIns({ version = "" }: TargetFacts): boolean {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 2);
}

/** Settings that a handler must have itself, or cannot share. */
const NOT_SHARED: ReadonlySet<string> = new Set([
  "runtime_type",
  "runtime_path",
  "BinaryName",
  "options",
]);

/**
 * The values of a table, such as `SystemdCgroup` or `base_runtime_spec`: pods
 * of our handler get the same as those of the default one. Later files take
 * precedence.
 */
function settingsOf(
  entries: readonly TomlEntry[],
  path: readonly string[],
): Readonly<Record<string, TomlNode>> {
  const values: Record<string, TomlNode> = {};
  const inline = findValue(entries, path);
  if (inline?.kind === "table") {
    for (const [key, value] of inline.members) {
      if (!NOT_SHARED.has(key)) values[key] = value;
    }
  }
  for (const { path: full, value } of entries) {
    const key = full.at(-1) ?? "";
    const isHere = full.length === path.length + 1 &&
      path.every((part, i) => full[i] === part);
    if (isHere && value !== undefined && !NOT_SHARED.has(key)) {
      values[key] = value;
    }
  }
  return values;
}

/**
 * Distributions that generate containerd's file at each start, and their
 * templates.
 */
const GENERATED: readonly (readonly [RegExp, string])[] = [
  [
    /rancher\/(?:k3s|rke2)\/|^#.*generated by (?:k3s|rke2)/im,
    "config-v3.toml.tmpl (config.toml.tmpl for containerd 1.x) next to it",
  ],
  [
    /\/microk8s\//,
    "containerd-template.toml next to it, then restart MicroK8s",
  ],
];

/** Refuses a file that is regenerated, and names the template to edit. */
function refuseGenerated({ path, text }: ConfigFile): void {
  // A generated file is marked in its first lines.
  const head = `${path}\n${text.split("\n", 5).join("\n")}`;
  const found = GENERATED.find(([pattern]) => pattern.test(head));
  if (found === undefined) return;
  throw new InstallError(
    "usage",
    `Cannot add to "${path}": it is generated at each start; add the handler to ${
      found[1]
    }: --dry-run --config with a copy of the file shows the lines`,
  );
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
