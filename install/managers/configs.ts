/**
 * The existing configuration files of a manager, without our changes.
 *
 * @module
 */

import type { InstallRoot } from "../changes/apply.ts";
import { CONTAINERD_CONFIG, GENERATED_CONFIGS } from "./containerd.ts";
import { loadDigest } from "../changes/digest.ts";
import { lookAt } from "../changes/disk.ts";
import type { ManagerName, Manifest } from "../changes/manifest.ts";
import { baseOf } from "../changes/plan_edit.ts";
import type { ConfigFile } from "./target.ts";

/**
 * Finds a manager's files.
 *
 * @param target The manager.
 * @param place Location of the installation.
 * @param manifest Our records.
 * @param config A file to use instead of the usual one.
 * @returns Files in the manager's order, later ones taking precedence.
 */
export async function findConfigs(
  target: ManagerName,
  { root, layout }: InstallRoot,
  manifest: Manifest,
  config?: string,
): Promise<readonly ConfigFile[]> {
  const files: ConfigFile[] = [];
  const digest = await loadDigest();
  const records = manifest.records[target];
  for (const path of await pathsOf(target, { root, layout }, config)) {
    const state = await lookAt(root, path);
    const record = records.find((r) => r.path === path);
    if (state.kind !== "file" || record?.kind === "file") continue;
    const text = baseOf(state.text, record, digest);
    if (text !== undefined) files.push({ path, text });
  }
  return files;
}

async function pathsOf(
  target: ManagerName,
  { root, layout }: InstallRoot,
  config: string | undefined,
): Promise<readonly string[]> {
  const inside = async (
    folder: string,
    ending = ".conf",
  ): Promise<readonly string[]> => {
    const state = await lookAt(root, folder);
    const names = state.kind === "directory" ? [...state.names] : [];
    return names.filter((name) => name.endsWith(ending)).sort()
      .map((name) => `${folder}/${name}`);
  };
  switch (target) {
    case "podman":
      return [
        "/usr/share/containers/containers.conf",
        "/etc/containers/containers.conf",
        ...await inside("/etc/containers/containers.conf.d"),
        ...(layout.scope === "user"
          ? [
            layout.containersConf.replace(/\.d$/, ""),
            ...await inside(layout.containersConf),
          ]
          : []),
      ];
    case "docker":
      // Docker's only file is edited, not read.
      return [];
    case "containerd": {
      if (config !== undefined) return [config];
      const { kind } = await lookAt(root, CONTAINERD_CONFIG);
      return [
        // Kubernetes distributions bring their own containerd.
        ...(kind === "absent" ? GENERATED_CONFIGS : []),
        CONTAINERD_CONFIG,
        // Drop-ins may define the default handler.
        ...await inside("/etc/containerd/conf.d", ".toml"),
      ];
    }
    case "crio":
      return ["/etc/crio/crio.conf", ...await inside("/etc/crio/crio.conf.d")];
  }
}
