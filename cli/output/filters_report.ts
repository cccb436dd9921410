/**
 * Filters as a JSON report, which every command also reads as a source.
 *
 * @module
 */

import { annotate } from "../../bpf/annotate.ts";
import { formatInstruction } from "../../bpf/assembly/format_instruction.ts";
import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import { encodeFilter, type FilterStack } from "../../bpf/filter.ts";
import { toCode } from "../../bpf/opcode.ts";
import { reportJson } from "./json.ts";
import { archNames, callName } from "./names.ts";

/** Facts besides the instructions. */
export interface FiltersReportOptions {
  /** The process that has the filters. */
  readonly pid?: number;
  /** Position of each instruction of each filter in a text. */
  readonly places?: ParsedFilters["places"];
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, if known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/**
 * Writes filters as JSON.
 *
 * @param source Name of the source.
 * @param stack The filters.
 * @param options Facts besides the instructions.
 * @returns One document: the filters with their bytes and instructions.
 */
export function filtersReport(
  source: string,
  { programs, littleEndian }: FilterStack,
  { pid, places, logs }: FiltersReportOptions = {},
): string {
  const names = { archName: archNames, syscallName: callName };
  return reportJson({
    source,
    ...(pid !== undefined && { pid }),
    littleEndian,
    filters: programs.map((program, i) => {
      const comment = annotate({ program, littleEndian }, names);
      const log = logs?.[i];
      return {
        length: program.length,
        ...(log !== undefined && { log }),
        base64: encodeBase64(encodeFilter({ program, littleEndian })),
        instructions: program.map((instruction, pc) => {
          const { op, jt, jf, k } = instruction;
          const remark = comment(instruction, pc);
          return {
            index: pc,
            code: toCode(op),
            jt,
            jf,
            k,
            text: formatInstruction(instruction, pc, new Set()),
            ...(remark !== undefined && { comment: remark }),
            ...places?.[i]?.[pc],
          };
        }),
      };
    }),
  });
}
