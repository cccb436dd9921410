/**
 * Docker's default profile as search problems, made without the code that
 * compiles profiles.
 *
 * @module
 */

import type { SearchProblem } from "../../../compiler/search/problem.ts";
import { archByName, type ArchName } from "../../../tables/arch.ts";
import { sharedFile } from "../../machine.ts";

/** Numbers that have a weight: those of Linux 6.18. */
const COUNTED = 470;

interface Group {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly unknown[] | null;
  readonly includes?: Filter;
  readonly excludes?: Filter;
}

interface Filter {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
}

/**
 * The profile for amd64 with default capabilities, each counted number a cell.
 *
 * @param arches Architectures that share the numbers.
 * @param weightOf Weight of a number below 470.
 */
export function dockerProblem(
  arches: readonly ArchName[],
  weightOf: (nr: number) => number,
): SearchProblem {
  const path = sharedFile("profiles/docker-default.json");
  const text = Deno.readTextFileSync(path);
  // The file is Docker's own; its shape is known.
  const profile = JSON.parse(text) as { readonly syscalls: readonly Group[] };
  const classOf = new Map<number, string>();
  for (const group of profile.syscalls) {
    if (!applies(group)) continue;
    for (const name of group.names) {
      for (const arch of arches) {
        const nr = archByName(arch)?.syscalls.get(name);
        const kind = group.args ? `check ${name}` : group.action;
        if (nr !== undefined) classOf.set(nr, kind);
      }
    }
  }
  const cells: { start: number; kind: string; weight: number }[] = [];
  const put = (start: number, kind: string): void => {
    const weight = start < COUNTED ? weightOf(start) : 0;
    const before = cells[cells.length - 1];
    if (start > COUNTED && before?.kind === kind) return;
    cells.push({ start, kind, weight });
  };
  for (let nr = 0; nr <= COUNTED; nr++) put(nr, classOf.get(nr) ?? "default");
  const rest = [...classOf.keys()].filter((nr) => nr > COUNTED);
  for (const nr of rest.sort((a, b) => a - b)) {
    put(nr, classOf.get(nr) ?? "default");
    put(nr + 1, classOf.get(nr + 1) ?? "default");
  }
  const kinds = [...new Set(cells.map((cell) => cell.kind))];
  return {
    starts: Uint32Array.from(cells, (cell) => cell.start),
    singles: Uint8Array.from(
      cells,
      (cell, i) => (cells[i + 1]?.start ?? 2 ** 32) - cell.start === 1 ? 1 : 0,
    ),
    classes: Int32Array.from(cells, (cell) => kinds.indexOf(cell.kind)),
    weights: Float64Array.from(cells, (cell) => cell.weight),
  };
}

/** Docker's conditions for amd64, default capabilities, a recent kernel. */
function applies({ includes, excludes }: Group): boolean {
  const granted = ["CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"];
  if (includes?.arches?.includes("amd64") === false) return false;
  if (excludes?.arches?.includes("amd64") === true) return false;
  if (includes?.caps?.every((cap) => granted.includes(cap)) === false) {
    return false;
  }
  return excludes?.caps?.some((cap) => granted.includes(cap)) !== true;
}

/**
 * The share of each number in a recorded histogram.
 *
 * @param name A name such as `redis`.
 */
export function histogram(
  name: string,
  arch: ArchName,
): (nr: number) => number {
  const text = Deno.readTextFileSync(sharedFile(`histograms/${name}.json`));
  // Names to counts.
  const counts = JSON.parse(text) as Readonly<Record<string, number>>;
  const shares = new Map<number, number>();
  let total = 0;
  for (const [call, count] of Object.entries(counts)) {
    const nr = archByName(arch)?.syscalls.get(call);
    if (nr === undefined) continue;
    shares.set(nr, count);
    total += count;
  }
  return (nr) => (shares.get(nr) ?? 0) / total;
}
