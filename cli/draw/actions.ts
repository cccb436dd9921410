/**
 * The style of each action: a color, and a shape for readers who cannot see
 * colors.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { GraphNode } from "./graph.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";

/** Shapes, by their names in DOT. */
export type Shape =
  | "box"
  | "ellipse"
  | "hexagon"
  | "octagon"
  | "parallelogram"
  | "trapezium"
  | "house"
  | "cds"
  | "diamond";

/** Style of a node. */
export interface Look {
  readonly shape: Shape;
  readonly fill: string;
  readonly line: string;
  /** Name in the legend. */
  readonly name: string;
}

const TEST: Look = {
  shape: "box",
  fill: "#fff",
  line: "#57606a",
  name: "test",
};

const LOOKS: ReadonlyMap<number, readonly [Shape, string, string]> = new Map([
  [SECCOMP_RET_ALLOW, ["ellipse", "#dafbe1", "#1a7f37"]],
  [SECCOMP_RET_LOG, ["cds", "#ddf4ff", "#0969da"]],
  [SECCOMP_RET_TRACE, ["parallelogram", "#fbefff", "#8250df"]],
  [SECCOMP_RET_USER_NOTIF, ["house", "#ffeff7", "#bf3989"]],
  [SECCOMP_RET_ERRNO, ["hexagon", "#fff1e5", "#bc4c00"]],
  [SECCOMP_RET_TRAP, ["trapezium", "#fff8c5", "#9a6700"]],
  [SECCOMP_RET_KILL_THREAD, ["octagon", "#ffebe9", "#cf222e"]],
  [SECCOMP_RET_KILL_PROCESS, ["octagon", "#ffcecb", "#82071e"]],
]);

/**
 * Finds the style of a node.
 *
 * @param node A test or an action.
 */
export function lookOf({ action }: Pick<GraphNode, "action">): Look {
  if (action === undefined) return TEST;
  if (action === "computed") {
    return { ...TEST, shape: "diamond", name: "computed" };
  }
  const [shape, fill, line] = LOOKS.get(action) ??
    ["octagon", "#ffcecb", "#82071e"];
  const name = formatReturnValue(action).replace(/\(.*/, "");
  return { shape, fill, line, name };
}
