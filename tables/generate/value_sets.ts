/**
 * The sets of values that arguments of system calls take, by generated file.
 *
 * @module
 */

import { FILES } from "./sets/files.ts";
import { KERNEL } from "./sets/kernel.ts";
import { MEMORY } from "./sets/memory.ts";
import { PROCESSES } from "./sets/processes.ts";
import { REQUESTS } from "./sets/requests.ts";
import { SOCKETS } from "./sets/sockets.ts";
import type { SetSource } from "./sets/source.ts";

/** A generated file of sets. */
export interface SetGroup {
  /** Name of the file in `tables/values/`, without its ending. */
  readonly file: string;
  /** Subject of its first line. */
  readonly title: string;
  readonly sets: readonly SetSource[];
}

/** All files. */
export const SET_GROUPS: readonly SetGroup[] = [
  { file: "sockets", title: "sockets", sets: SOCKETS },
  { file: "files", title: "files and mounts", sets: FILES },
  { file: "memory", title: "memory and System V IPC", sets: MEMORY },
  { file: "processes", title: "processes, signals, time", sets: PROCESSES },
  { file: "kernel", title: "security and the machine", sets: KERNEL },
  { file: "requests", title: "ioctl(2)", sets: [REQUESTS] },
];

/** All sets. */
export const SET_SOURCES: readonly SetSource[] = SET_GROUPS.flatMap((
  { sets },
) => sets);
