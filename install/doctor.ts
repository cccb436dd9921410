/**
 * Diagnoses a status: findings with remedies, as a pure function.
 *
 * @module
 */

import type { Status } from "./status.ts";

/** A fact to know or a problem to fix. */
export interface Advice {
  readonly severity: "error" | "warning" | "note";
  /** Stable code, in kebab-case. */
  readonly code: string;
  /** Observation. */
  readonly message: string;
  /** Remedy. */
  readonly remedy: string;
}

/** Share of the limit above which memory for filters is low. */
const SHORT = 0.8;

/**
 * Diagnoses a machine.
 *
 * @param status Its status.
 * @returns Findings, errors first.
 */
export function diagnose(status: Status): readonly Advice[] {
  const findings = [
    ...installation(status),
    ...shared(status),
    ...stored(status),
    ...cached(status),
    ...runtimes(status),
    ...machine(status),
    ...containers(status),
  ];
  const order = ["error", "warning", "note"];
  return findings.sort((a, b) =>
    order.indexOf(a.severity) - order.indexOf(b.severity)
  );
}

function* installation({ managers }: Status): Generator<Advice> {
  for (const { name, version, installed, ...manager } of managers) {
    if (!installed) {
      if (version !== undefined) {
        yield {
          severity: "note",
          code: "not-installed",
          message:
            `${name} ${version} is installed but not set up; its containers use the runtime's own filters`,
          remedy: `run "seccomp-tree install ${name}"`,
        };
      }
      continue;
    }
    if (manager.damaged.length > 0) {
      yield {
        severity: "error",
        code: "damaged",
        message: `The installation for ${name} is incomplete: ${
          manager.damaged.join(", ")
        }`,
        remedy:
          `move changed files away and run "seccomp-tree install ${name}" again`,
      };
    }
    if (manager.notOptimized !== undefined) {
      yield {
        severity: "warning",
        code: "not-optimized",
        message:
          `Containers of ${name} are not optimized: ${manager.notOptimized}`,
        remedy: manager.notOptimized.includes('run "')
          ? "do that"
          : `install crun 0.18 or later and run "seccomp-tree install ${name}" again`,
      };
    }
  }
}

function* shared({ sharedPrecreate }: Status): Generator<Advice> {
  for (const path of sharedPrecreate) {
    yield {
      severity: "error",
      code: "shared-precreate",
      message:
        `"${path}" has the stage precreate in a folder that Buildah and CRI-O also read: "podman build" fails and CRI-O does not start`,
      remedy:
        "move it to a separate folder and add that to hooks_dir in containers.conf",
    };
  }
}

function* stored({ store }: Status): Generator<Advice> {
  for (const problem of store.problems) {
    yield {
      severity: "error",
      code: "doubtful-store",
      message: `Store ${store.directory}: ${problem}`,
      remedy: 'find out who changed it, then run "seccomp-tree store gc"',
    };
  }
  for (const reason of store.left) {
    yield {
      severity: "warning",
      code: "left-section",
      message: `A section is left to its runtime: ${reason}`,
      remedy: 'run "seccomp-tree store prime" with its profile to try it again',
    };
  }
  if (store.stale > 0) {
    yield {
      severity: "note",
      code: "stale-entries",
      message:
        `${store.stale} filters in ${store.directory} belong to another version of seccomp-tree or libseccomp and are no longer used`,
      remedy: 'run "seccomp-tree store gc"',
    };
  }
}

function* cached({ caches }: Status): Generator<Advice> {
  for (const { root, doubtful } of caches) {
    if (doubtful === 0) continue;
    yield {
      severity: "warning",
      code: "doubtful-cache",
      message:
        `${doubtful} entries of crun's cache in ${root} are not filters that only root could have put there`,
      remedy:
        'run "seccomp-tree cache status", find out who changed them, and remove them: crun makes them again',
    };
  }
}

function* runtimes({ runtimes: list, machine }: Status): Generator<Advice> {
  for (const { path, isStatic } of list) {
    if (isStatic !== true) continue;
    yield {
      severity: "warning",
      code: "static-crun",
      message:
        `${path} is statically linked with its own libseccomp; hook and wrapper take names from ${
          machine.libseccomp?.replace(/ sha256:.*/, "") ?? "built-in tables"
        }`,
      remedy:
        "use --mode cache, which starts from crun's own filters, or install a crun that is linked to the host's libseccomp",
    };
  }
  if (list.some((r) => r.rawFilters !== "no")) return;
  const seen = list.map((r) => `${r.path}: ${r.reason}`).join("; ");
  yield {
    severity: "warning",
    code: "no-crun",
    message: `No runtime takes raw filters${seen === "" ? "" : ` (${seen})`}`,
    remedy:
      "install crun 0.18 or later; it serves Docker, containerd, CRI-O and Podman",
  };
}

function* machine({ machine: facts }: Status): Generator<Advice> {
  if (!facts.allowCache) {
    yield {
      severity: "note",
      code: "no-allow-cache",
      message:
        `Kernel ${facts.kernel} runs the filter for every call (no cache of allowed calls before 5.11): a tree helps most here`,
      remedy: 'nothing; "seccomp-tree compile --kernel" uses what it knows',
    };
  }
  if (facts.jit === "off") {
    yield {
      severity: "warning",
      code: "no-jit",
      message: "Filters are interpreted: net.core.bpf_jit_enable is 0",
      remedy: 'run "sysctl net.core.bpf_jit_enable=1"',
    };
  }
  const { jitLimit, jitUse } = facts;
  if (
    jitLimit !== undefined && jitUse !== undefined && jitUse > SHORT * jitLimit
  ) {
    yield {
      severity: "warning",
      code: "jit-limit",
      message:
        `Compiled filters take ${jitUse} of ${jitLimit} bytes: containers fail with errno 524 when the memory is used up`,
      remedy: "raise net.core.bpf_jit_limit",
    };
  }
  if (facts.checkpointRestore !== true) {
    yield {
      severity: "note",
      code: "no-live-check",
      message: facts.checkpointRestore === false
        ? "Live filters cannot be read: the kernel has no CONFIG_CHECKPOINT_RESTORE"
        : "Whether live filters can be read is unknown",
      remedy: "use a distribution's kernel if you need them",
    };
  }
  if (facts.libseccomp === undefined) {
    yield {
      severity: "warning",
      code: "no-libseccomp",
      message: "The host's libseccomp cannot be loaded to look up names",
      remedy: "install libseccomp2, or install with --names builtin",
    };
  }
}

function* containers(
  { containers: list, managers }: Status,
): Generator<Advice> {
  if (!managers.some((m) => m.installed)) return;
  const old = list.filter((c) =>
    c.filter === "libseccomp" && c.runtime === "crun"
  );
  if (old.length === 0) return;
  yield {
    severity: "note",
    code: "old-filters",
    message:
      `${old.length} running containers have a filter built by libseccomp: ${
        old.map((c) => c.id.slice(0, 12)).join(", ")
      }`,
    remedy: "restart them; a filter stays until its process ends",
  };
}
