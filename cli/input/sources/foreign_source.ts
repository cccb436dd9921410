/**
 * Sources in the formats of other tools: each is resolved for one machine and
 * compiled, so that every command can read it as the filter that it means.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import type { ParsedFilters } from "../../../bpf/assembly/link_filters.ts";
import { compilePolicy } from "../../../pipeline/compile_profile.ts";
import { readFirecracker } from "../../../profile/foreign/firecracker.ts";
import type {
  ForeignMachine,
  ForeignPolicy,
} from "../../../profile/foreign/foreign_policy.ts";
import { readLxc } from "../../../profile/foreign/lxc.ts";
import { readMinijail } from "../../../profile/foreign/minijail.ts";
import { readSystemd } from "../../../profile/foreign/systemd.ts";
import { tooLong } from "../../../profile/json/read.ts";
import { decodeUtf8 } from "../../../profile/text.ts";
import type { Arch } from "../../../tables/arch.ts";
import { UnprovenError } from "../../error.ts";
import { tellDiagnostics } from "../../exit.ts";
import { type Io, readInputFile } from "../../io.ts";
import type { ForeignText } from "../source_kinds.ts";
import { archesOf, nativeArch } from "../target.ts";

/** Longest text in bytes. */
const MAX_LENGTH = 4 * 2 ** 20;

/**
 * Reads a policy of another tool, and compiles it.
 *
 * @param io Stream for its problems.
 * @param text The policy.
 * @param options The architecture, and the calls that libseccomp knows.
 * @throws {ProfileError} if it is invalid; it has every problem.
 * @throws {UnprovenError} if there is no proved filter.
 */
export function readForeign(
  io: Io,
  text: ForeignText,
  { arch, knows }: {
    readonly arch?: readonly string[];
    readonly knows?: ForeignMachine["knows"];
  },
): ParsedFilters & { readonly native: Arch } {
  const [native = nativeArch()] = arch === undefined ? [] : archesOf(arch);
  const machine = { native, ...knows && { knows } };
  const read = readPolicy(text, machine);
  tellDiagnostics(io, text.name, read.diagnostics);
  const filter = compilePolicy(read.policy);
  if (filter.kind === "unproved") throw new UnprovenError(filter.message);
  const { program, littleEndian } = filter;
  return { programs: [program], littleEndian, order: "given", native };
}

function readPolicy(
  { name, kind, bytes, part }: ForeignText,
  machine: ForeignMachine,
): ForeignPolicy {
  if (bytes.length > MAX_LENGTH) throw tooLong(bytes.length, MAX_LENGTH);
  const text = decodeUtf8(bytes);
  switch (kind) {
    case "firecracker":
      return readFirecracker(text, { ...machine, category: part });
    case "lxc":
      return readLxc(text, machine);
    case "minijail":
      return readMinijail(text, {
        native: machine.native,
        include: (path) => includedText(name, path),
      });
    case "systemd":
      return readSystemd(text, machine);
  }
}

/** Reads a file that a policy includes, beside the policy. */
function includedText(name: string, path: string): string {
  const file = path.startsWith("/") || name === "-"
    ? path
    : join(dirname(name), path);
  return decodeUtf8(readInputFile(file));
}
