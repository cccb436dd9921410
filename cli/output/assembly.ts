/**
 * Programs as assembly text with comments.
 *
 * @module
 */

import { annotate } from "../../bpf/annotate.ts";
import type { Program } from "../../bpf/instruction.ts";
import { format } from "../../bpf/text.ts";
import { archNames, syscallName } from "./names.ts";

/** Writes text that reads back to the same program. */
export function assembly(program: Program, littleEndian: boolean): string {
  return format(program, {
    comments: annotate(program, {
      littleEndian,
      archName: archNames,
      syscallName,
    }),
  });
}
