/**
 * The origin of a container, and the names by which users know it.
 *
 * @module
 */

import { parentCommand } from "../host/processes.ts";
import type { ManagerName } from "./changes/manifest.ts";

/** Facts about a container besides its state. */
export interface ContainerOrigin {
  /** The manager that created it; absent if a runtime was called directly. */
  readonly manager?: ManagerName;
  /** Its name (for pods, `NAMESPACE/POD/CONTAINER`); absent if it has none. */
  readonly name?: string;
}

/** A runtime's record of a container. */
export interface KnownContainer {
  readonly id: string;
  /** Process id of its init. */
  readonly pid: number;
  /** State folder of the runtime that lists it. */
  readonly folder: string;
  /** Members of `annotations` of its configuration. */
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** Annotations in which the CRI plugins of containerd and CRI-O keep names. */
const POD_NAMES: readonly (readonly [ManagerName, readonly string[]])[] = [
  ["containerd", [
    "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.cri.sandbox-name",
    "io.kubernetes.cri.container-name",
  ]],
  ["crio", [
    "io.kubernetes.pod.namespace",
    "io.kubernetes.pod.name",
    "io.kubernetes.container.name",
  ]],
];

/**
 * Finds the manager and the name of a container.
 *
 * @param container The runtime's record.
 */
export async function originOf(
  container: KnownContainer,
): Promise<ContainerOrigin> {
  const { id, pid, folder, annotations } = container;
  for (const [manager, keys] of POD_NAMES) {
    const parts = keys.map((key) => annotations[key])
      .filter((part) => typeof part === "string");
    if (parts.length >= 2) return { manager, name: parts.join("/") };
  }
  if (/\/moby$/.test(folder)) {
    const name = await dockerName(id);
    return { manager: "docker", ...(name === undefined ? {} : { name }) };
  }
  const namespace = /\/containerd\/runc\/([^/]+)$/.exec(folder)?.[1];
  if (namespace !== undefined) {
    return { manager: "containerd", name: `${namespace}/${id}` };
  }
  const conmon = await parentCommand(pid, "conmon");
  if (conmon === undefined) return {};
  const name = conmon[conmon.indexOf("-n") + 1];
  const isCrio = conmon.some((word) => word.includes("/crio"));
  return {
    manager: isCrio ? "crio" : "podman",
    ...(conmon.includes("-n") && name !== undefined ? { name } : {}),
  };
}

/** Docker keeps the name of a container, after a slash, with its other data. */
async function dockerName(id: string): Promise<string | undefined> {
  if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
  try {
    const path = `/var/lib/docker/containers/${id}/config.v2.json`;
    const { Name } = JSON.parse(await Deno.readTextFile(path));
    return typeof Name === "string" ? Name.replace(/^\//, "") : undefined;
  } catch {
    return undefined;
  }
}
