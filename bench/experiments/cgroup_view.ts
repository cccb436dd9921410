/**
 * A plain cgroup2 mount for runtimes that refuse a mix of cgroup versions.
 *
 * @module
 */

/** A mount namespace that a process keeps open. */
export interface CgroupView {
  /** Command that enters it. */
  readonly words: readonly string[];
  /** Ends it. */
  close(): Promise<void>;
}

const HOLD =
  "umount -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && echo ready && exec sleep 100000";

/**
 * Opens a view if this machine needs one.
 *
 * @returns Undefined if it does not.
 */
export async function openView(): Promise<CgroupView | undefined> {
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  if (!/ - cgroup /.test(mounts) || !/ - cgroup2 /.test(mounts)) {
    return undefined;
  }
  const child = new Deno.Command("unshare", {
    args: ["--mount", "--propagation", "private", "sh", "-c", HOLD],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  return {
    words: ["nsenter", `--mount=/proc/${child.pid}/ns/mnt`],
    close: async (): Promise<void> => {
      child.kill("SIGKILL");
      await child.stdout.cancel();
      await child.status;
    },
  };
}
