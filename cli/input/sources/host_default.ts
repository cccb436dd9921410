/**
 * `default:podman`, `default:containerd`, `default:crio`: the default profiles
 * of this machine's managers, from their files or from containers that they
 * created.
 *
 * @module
 */

import type { LiveBundle } from "../../../install/bundles.ts";
import { readConfigText } from "../../../hook/rewrite.ts";
import { MachineError, UsageError } from "../../error.ts";

/** Paths at which containers-common searches for Podman's default, in order. */
const PODMAN_FILES: readonly string[] = [
  "/etc/containers/seccomp.json",
  "/usr/share/containers/seccomp.json",
];

/** Managers whose default profile is compiled into them. */
type BuiltIn = "containerd" | "crio";

/** All default profiles. */
export const DEFAULT_NAMES: readonly string[] = [
  ...["default:docker", "default:podman", "default:containerd", "default:crio"],
];

/**
 * Finds the file or the bundle that has a default profile.
 *
 * @param word A word such as `default:podman`.
 * @returns A source word for the same profile.
 * @throws {MachineError} if this machine has none.
 * @throws {UsageError} if the word is unknown, or containers of the manager have
 * several sections.
 */
export async function hostDefault(word: string): Promise<string> {
  switch (word) {
    case "default:podman":
      return await podmanFile();
    case "default:containerd":
      return await liveSection("containerd");
    case "default:crio":
      return await liveSection("crio");
  }
  throw new UsageError(
    `Cannot read source "${word}": unknown profile; use one of ${
      DEFAULT_NAMES.join(", ")
    }`,
  );
}

async function podmanFile(): Promise<string> {
  for (const path of PODMAN_FILES) {
    const there = await Deno.stat(path).then(
      ({ isFile }) => isFile,
      () => false,
    );
    if (there) return path;
  }
  throw new MachineError(
    `Cannot find Podman's default profile: no ${
      PODMAN_FILES.join(", no ")
    }; install golang-github-containers-common or containers-common`,
  );
}

/** All containers of a manager with the same section show its default. */
async function liveSection(manager: BuiltIn): Promise<string> {
  const { findBundles } = await import("../../../install/bundles.ts");
  const sections = new Map<string, LiveBundle>();
  for (const bundle of await findBundles()) {
    if (!isOf(bundle, manager)) continue;
    const { section } = readConfigText(bundle.config);
    if (section !== undefined) sections.set(section, bundle);
  }
  const [first, ...others] = sections.values();
  if (first === undefined) {
    throw new MachineError(
      `Cannot find the default profile of ${manager}: none of its containers runs with a profile; start one, and run this as root`,
    );
  }
  if (others.length > 0) {
    throw new UsageError(
      `Cannot determine the default profile of ${manager}: its containers have ${sections.size} different ones; name one: ${
        [first, ...others].map(({ path }) => `bundle:${path}`).join(", ")
      }`,
    );
  }
  return `bundle:${first.path}`;
}

function isOf({ path, annotations }: LiveBundle, manager: BuiltIn): boolean {
  const isCrio = annotations["io.container.manager"] === "cri-o";
  if (manager === "crio") return isCrio;
  // Docker's containers have a containerd namespace of their own.
  return /\/io\.containerd\.runtime\.v2\.task\/(?!moby\/)/.test(path);
}
