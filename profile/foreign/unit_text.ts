/**
 * The text of a systemd unit: sections, settings and lines that continue.
 *
 * Source: man systemd.syntax(7) of systemd 252.
 *
 * @module
 */

/** One assignment of a unit file. */
export interface UnitAssignment {
  /** Name of the setting. */
  readonly key: string;
  /** Its value, without blanks around it. */
  readonly value: string;
  /** Offset of the value. */
  readonly at: number;
}

/** Sections whose settings apply to processes. */
const SECTIONS: readonly string[] = ["", "Service", "Socket", "Mount", "Swap"];

/**
 * Lists the assignments of the sections that start processes. A backslash at
 * the end of a line continues it; comments may stand between its lines.
 *
 * @param text The unit file.
 */
export function* assignmentsOf(text: string): Generator<UnitAssignment> {
  let section = "";
  let open: UnitAssignment | undefined;
  for (const match of text.matchAll(/[^\r\n]*(?:\r\n?|\n|$)/g)) {
    const line = match[0].replace(/[\r\n]+$/, "");
    if (/^[ \t]*[#;]/.test(line) && match[0] !== "") continue;
    const isContinued = line.endsWith("\\");
    const part = isContinued ? `${line.slice(0, -1)} ` : line;
    if (open !== undefined) {
      open = { ...open, value: `${open.value}${part}` };
    } else {
      const [, name] = /^[ \t]*\[([^\]]*)\][ \t]*$/.exec(line) ?? [];
      if (name !== undefined) section = name;
      const [whole, key, value = ""] =
        /^[ \t]*([A-Za-z]+)[ \t]*=[ \t]*(.*)$/s.exec(part) ?? [];
      if (whole === undefined || key === undefined) continue;
      open = { key, value, at: match.index + part.length - value.length };
    }
    if (isContinued || open === undefined) continue;
    if (SECTIONS.includes(section)) {
      yield { ...open, value: open.value.trim() };
    }
    open = undefined;
  }
}
