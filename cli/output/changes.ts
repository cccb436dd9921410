/**
 * Changes of an installation as text: one line each, or as a unified diff.
 *
 * @module
 */

import { unifiedDiff } from "../../install/changes/diff.ts";
import type { Change } from "../../install/changes/item.ts";
import { printable, printableLines } from "../../tables/printable.ts";

/**
 * Reports the changes, one line each; the program's many files are one line.
 *
 * @param changes The changes.
 * @param none Message if there are no changes.
 */
export function summary(changes: readonly Change[], none: string): string {
  if (changes.length === 0) return none;
  const shown = changes.filter((change) => !isProgram(change));
  const hidden = changes.length - shown.length;
  const lines = shown.map((change) =>
    `${VERBS[change.kind]} ${printable(change.path)}\n`
  );
  if (hidden > 0) {
    lines.push(`and ${hidden} files and folders of the program\n`);
  }
  return lines.join("");
}

const VERBS: Readonly<Record<Change["kind"], string>> = {
  mkdir: "make  ",
  rmdir: "remove",
  write: "write ",
  remove: "remove",
};

function isProgram({ path }: Change): boolean {
  return path.includes("/lib/seccomp-tree/program");
}

/** The dispatchers, which are long generated programs. */
function isGenerated({ path }: Change): boolean {
  return /\/lib\/seccomp-tree\/\w+\/(?:hook|crun)$/.test(path);
}

/**
 * Writes changes as a unified diff; programs are listed by name only.
 *
 * @param changes The changes.
 */
export function formatChanges(changes: readonly Change[]): string {
  const parts: string[] = [];
  const program = changes.filter(isProgram).length;
  for (const change of changes.filter((c) => !isProgram(c))) {
    const { path } = change;
    switch (change.kind) {
      case "mkdir":
        parts.push(`# make folder ${path}, mode ${change.mode.toString(8)}\n`);
        break;
      case "rmdir":
        parts.push(
          `# remove folder ${path}${
            change.cache ? " and the filters in it" : ""
          }\n`,
        );
        break;
      case "write": {
        if (isGenerated(change)) {
          const lines = change.after.split("\n").length - 1;
          parts.push(`# generated program ${path}, ${lines} lines\n`);
          break;
        }
        const names = {
          before: change.before === undefined ? "/dev/null" : path,
          after: path,
        };
        if (change.before === undefined) {
          parts.push(`# new file ${path}, mode ${change.mode.toString(8)}\n`);
        }
        parts.push(unifiedDiff(change.before ?? "", change.after, names));
        break;
      }
      case "remove":
        if (isGenerated(change)) {
          parts.push(`# remove program ${path}\n`);
          break;
        }
        parts.push(
          unifiedDiff(change.before, "", { before: path, after: "/dev/null" }),
        );
        break;
      default:
        change satisfies never;
    }
  }
  if (program > 0) {
    parts.push(`# and ${program} files and folders of the program\n`);
  }
  return printableLines(parts.join(""));
}
