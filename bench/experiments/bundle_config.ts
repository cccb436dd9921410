/**
 * The files of a bundle for the measurements.
 *
 * @module
 */

import { ANNOTATION } from "../../tables/annotation.ts";
import { join } from "@std/path";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";

/**
 * Setup of a container: nothing, the section, our annotation, or our wrapper
 * with and without the filter in its store.
 */
export type Setup = "none" | "section" | "annotation" | "hit" | "miss";

/** Content of a bundle. */
export interface MeasuredBundle {
  readonly setup: Setup;
  readonly seccomp: LinuxSeccomp;
  /** Our filter in base64. */
  readonly annotation: string;
  /** Command of busybox. */
  readonly command: string;
  /** Other fields of `process`. */
  readonly process?: Readonly<Record<string, unknown>>;
}

/** A static busybox, on the host and in the container. */
export const BUSYBOX = "/bin/busybox";

/**
 * Writes a bundle: its root file system, `config.json`, the same as
 * `config.orig`, and the section alone as `profile.json`.
 *
 * @param bundle Its folder.
 * @param config Its content.
 */
export async function writeBundle(
  bundle: string,
  config: MeasuredBundle,
): Promise<void> {
  for (const name of ["bin", "proc", "dev", "sys"]) {
    await Deno.mkdir(join(bundle, "rootfs", name), { recursive: true });
  }
  await Deno.copyFile(BUSYBOX, join(bundle, "rootfs/bin/busybox"));
  const text = bundleConfigText(config);
  await Deno.writeTextFile(join(bundle, "config.json"), text);
  await Deno.writeTextFile(join(bundle, "config.orig"), text);
  await Deno.writeTextFile(
    join(bundle, "profile.json"),
    toJson(sectionOf(config.seccomp)),
  );
}

/** Returns the configuration of a bundle. */
export function bundleConfigText(
  { setup, seccomp, annotation, command, process = {} }: MeasuredBundle,
): string {
  return toJson({
    ociVersion: "1.0.0",
    ...(setup === "annotation"
      ? { annotations: { [ANNOTATION]: annotation } }
      : {}),
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: [BUSYBOX, ...command.split(" ")],
      env: ["PATH=/bin"],
      cwd: "/",
      noNewPrivileges: false,
      ...process,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }],
      ...(setup === "none" ? {} : { seccomp: sectionOf(seccomp) }),
    },
  });
}

function sectionOf(seccomp: LinuxSeccomp): Readonly<Record<string, unknown>> {
  return {
    ...seccomp,
    syscalls: seccomp.syscalls.map(({ path: _, ...entry }) => entry),
  };
}

/** 64-bit values keep all their digits. */
function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, v) => typeof v === "bigint" ? `bigint:${v}` : v,
  ).replace(/"bigint:(\d+)"/g, "$1");
}
