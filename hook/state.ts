/**
 * Verification: the task of a hook while the container is being created.
 *
 * The stages `prestart`, `createRuntime` and `poststart` get the container's
 * state. By specification, a change of `config.json` no longer affects that
 * container (runtime-spec, runtime.md). So the hook verifies that the
 * annotation exists, that it is the section's own filter, and after the start,
 * that the kernel runs it.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../bpf/base64.ts";
import { findMember, type JsonObject } from "../profile/json/value.ts";
import { readBundle } from "./bundle.ts";
import { mayCallLibraries } from "./environment.ts";
import { RefusedError } from "./error.ts";
import {
  type Rewrite,
  type RewriteContext,
  rewriteParsed,
} from "./precreate.ts";
import { type ConfigText, readConfigText } from "./rewrite.ts";

/** A container's state as passed to hooks. */
export interface ContainerState {
  /** Its id. */
  readonly id: string;
  /** Status such as `created`; `running` after the start. */
  readonly status: string;
  /** Host's id of its first process; 0 if the runtime does not report it. */
  readonly pid: number;
  /** Path of its bundle. */
  readonly bundle: string;
}

/** Result of a verification. */
export interface Verification {
  /**
   * `optimized`: the proved filter; `equal`: another one, proved equal;
   * `plain`: no annotation, so the runtime's own filter; `unconfined`.
   */
  readonly kind: "optimized" | "equal" | "plain" | "unconfined";
  /** Observation, without a final period. */
  readonly detail: string;
  /** True if the live filter was compared as well. */
  readonly live: "same" | "not-asked" | "cannot-tell";
  /** Result of rewriting the bundle. */
  readonly rewrite: Rewrite;
}

/**
 * Time that a started process may take to attach its filter, in milliseconds.
 */
const ATTACH_LIMIT_MS = 2000;
const POLL_MS = 10;

/**
 * Reports whether a document is a container's state.
 *
 * @param root The document.
 * @returns True if it has the members of a state and not those of a
 * configuration.
 */
export function isState(root: JsonObject): boolean {
  return ["id", "status", "bundle"].every((key) =>
    findMember(root, key)?.kind === "string"
  );
}

/**
 * Reads a state.
 *
 * @param root The document.
 * @returns The state.
 * @throws {RefusedError} `bad-input` if a member is missing or of another kind.
 */
export function readState(root: JsonObject): ContainerState {
  const text = (key: string): string => {
    const value = findMember(root, key);
    if (value?.kind === "string") return value.value;
    throw new RefusedError(
      "bad-input",
      `Cannot read the container's state: "${key}" is not a string: call this as an OCI hook`,
    );
  };
  const pid = findMember(root, "pid");
  return {
    id: text("id"),
    status: text("status"),
    bundle: text("bundle"),
    pid: pid?.kind === "number" && /^[0-9]{1,9}$/.test(pid.text)
      ? Number(pid.text)
      : 0,
  };
}

/**
 * Verifies a container.
 *
 * @param state Its state.
 * @param context Environment, store and time limit.
 * @param config The configuration of its bundle, if it was read before.
 * @returns The result.
 * @throws {RefusedError} if its annotation is not equal to its section, or its
 * live filter is a different one.
 */
export async function verifyContainer(
  state: ContainerState,
  context: RewriteContext,
  config?: ConfigText,
): Promise<Verification> {
  const read = config ?? readConfigText((await readBundle(state.bundle)).text);
  const rewrite = await rewriteParsed(read, context);
  if (rewrite.kind === "added") {
    return {
      kind: "plain",
      detail:
        "the bundle has no annotation: the runtime makes its own filter from linux.seccomp",
      live: "not-asked",
      rewrite,
    };
  }
  if (rewrite.reason === "unconfined") {
    return {
      kind: "unconfined",
      detail: rewrite.detail,
      live: "not-asked",
      rewrite,
    };
  }
  const { annotation } = read;
  if (annotation === undefined) {
    return {
      kind: "plain",
      detail: rewrite.detail,
      live: "not-asked",
      rewrite,
    };
  }
  const live = state.status === "running" && state.pid > 0
    ? await compareLive(state.pid, decodeBase64(annotation.value), context)
    : "not-asked";
  return {
    kind: rewrite.reason === "annotated" &&
        !rewrite.detail.startsWith("there is another")
      ? "optimized"
      : "equal",
    detail: rewrite.detail,
    live,
    rewrite,
  };
}

/** Compares the filters that a process runs with the expected one. */
async function compareLive(
  pid: number,
  expected: Uint8Array,
  { deadline }: RewriteContext,
): Promise<"same" | "cannot-tell"> {
  if (!mayCallLibraries()) return "cannot-tell";
  const { dumpFilters } = await import("../ffi/live/dump.ts");
  const { SyscallError } = await import("../ffi/error.ts");
  const wanted = encodeBase64(expected);
  const limit = Math.min(ATTACH_LIMIT_MS, deadline.left() / 2);
  const end = performance.now() + limit;
  let seen: number | undefined;
  let asked: string | undefined;
  // With noNewPrivileges, crun may attach the filter after poststart has begun.
  do {
    const count = countOf(pid);
    // Each read stops the process, and one is enough unless a filter is added.
    if (count === undefined || count !== asked) {
      try {
        const filters = dumpFilters(pid);
        if (filters.some((bytes) => encodeBase64(bytes) === wanted)) {
          return "same";
        }
        seen = filters.length;
        asked = count;
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        // Without an errno, the process was left alone this time.
        if (error.errno !== 0) return "cannot-tell";
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  } while (performance.now() < end);
  if (seen === undefined) return "cannot-tell";
  throw new RefusedError(
    "not-verified",
    `Cannot verify process ${pid}: none of its ${seen} filters is the annotation; use a runtime that takes raw filters, crun 0.18 or later`,
  );
}

/** Number of filters that the kernel reports, undefined before Linux 5.9. */
function countOf(pid: number): string | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /^Seccomp_filters:\s*(\d+)$/m.exec(status)?.[1];
  } catch {
    // It has ended; reading its filters gives the reason.
    return undefined;
  }
}
