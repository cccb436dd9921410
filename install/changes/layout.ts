/**
 * The folders of an installation. We own all of them except those for drop-ins,
 * which the managers determine.
 *
 * | folder    | system                         | `--user`                            |
 * | --------- | ------------------------------ | ----------------------------------- |
 * | `library` | `/usr/local/lib/seccomp-tree`  | `~/.local/lib/seccomp-tree`         |
 * | `settings`| `/etc/seccomp-tree`            | `~/.config/seccomp-tree`            |
 * | `state`   | `/var/lib/seccomp-tree`        | `~/.local/share/seccomp-tree`       |
 * | `store`   | `/var/cache/seccomp-tree`      | `~/.cache/seccomp-tree`             |
 *
 * @module
 */

import { DEFAULT_STORE } from "../../hook/store/store.ts";
import { InstallError } from "../error.ts";

/** Folders by their names in the running system, without `--root`. */
export interface Layout {
  /** Scope of the installation: the whole system or one user. */
  readonly scope: "system" | "user";
  /** The program, its dispatchers and Podman's hooks. */
  readonly library: string;
  /** Settings of the hook and the wrapper. */
  readonly settings: string;
  /** Settings of the hook and the wrapper. */
  readonly state: string;
  /** Filters. */
  readonly store: string;
  /** Units of systemd. */
  readonly units: string;
  /** Podman's drop-ins. */
  readonly containersConf: string;
  /**
   * Folder of the wrapper for Docker, containerd and CRI-O; its name is `crun`.
   */
  readonly wrapper: string;
  /** Folder that an installation locks. */
  readonly lock: string;
}

/** The system's folders. */
export function systemLayout(): Layout {
  return {
    ...layoutOf({
      library: "/usr/local/lib",
      settings: "/etc",
      state: "/var/lib",
    }),
    scope: "system",
    store: DEFAULT_STORE,
    units: "/etc/systemd/system",
    containersConf: "/etc/containers/containers.conf.d",
    lock: "/",
  };
}

/**
 * A user's folders, for rootless Podman.
 *
 * @param home The user's home folder, absolute.
 * @returns The folders.
 * @throws {InstallError} `usage` if the home folder is not an absolute path.
 */
export function userLayout(home: string): Layout {
  if (!/^\/.*[^/]$/.test(home)) {
    throw new InstallError(
      "usage",
      `Cannot install for a user: the home folder is ${
        JSON.stringify(home)
      }; set HOME`,
    );
  }
  return {
    ...layoutOf({
      library: `${home}/.local/lib`,
      settings: `${home}/.config`,
      state: `${home}/.local/share`,
    }),
    scope: "user",
    store: `${home}/.cache/seccomp-tree`,
    units: `${home}/.config/systemd/user`,
    containersConf: `${home}/.config/containers/containers.conf.d`,
    lock: home,
  };
}

function layoutOf(
  parents: {
    readonly library: string;
    readonly settings: string;
    readonly state: string;
  },
): Pick<Layout, "library" | "settings" | "state" | "wrapper"> {
  const library = `${parents.library}/seccomp-tree`;
  return {
    library,
    settings: `${parents.settings}/seccomp-tree`,
    state: `${parents.state}/seccomp-tree`,
    wrapper: `${library}/bin/crun`,
  };
}

/** The manifest's path. */
export function manifestPath({ state }: Layout): string {
  return `${state}/manifest.json`;
}

/** Folder for copies of files from before a change. */
export function backupFolder({ state }: Layout): string {
  return `${state}/backup`;
}

/** Folder of Podman's hooks; always our own, never a shared one. */
export function hooksFolder({ library }: Layout): string {
  return `${library}/podman-hooks.d`;
}
