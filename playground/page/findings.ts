/**
 * Findings about what is given, each with its place in the text.
 *
 * @module
 */

/// <reference lib="dom" />

import type { PageFinding } from "../messages.ts";
import { make } from "./elements.ts";

/** A place in a text, from 1. */
export interface PagePlace {
  readonly line: number;
  readonly column: number;
}

/** Most findings that are shown. */
const MOST = 50;

/**
 * Shows findings.
 *
 * @param parent The element that lists them.
 * @param findings All of them.
 * @param goTo Called with the place of a finding that was chosen; places are
 * not links if absent.
 */
export function showFindings(
  parent: HTMLElement,
  findings: readonly PageFinding[],
  goTo?: (place: PagePlace) => void,
): void {
  parent.replaceChildren();
  if (findings.length === 0) return;
  const list = make("ul", { class: "findings" });
  for (
    const { severity, message, fix, path = "", line, column } of findings.slice(
      0,
      MOST,
    )
  ) {
    const item = make("li", { class: severity });
    item.append(make("strong", {}, severity), " ");
    if (line !== undefined && column !== undefined) {
      const text = `${line}:${column}`;
      if (goTo === undefined) item.append(make("code", {}, text));
      else {
        const label = `${text}, go to line ${line}, column ${column}`;
        const button = make(
          "button",
          { type: "button", "aria-label": label },
          text,
        );
        button.addEventListener("click", () => goTo({ line, column }));
        item.append(button);
      }
      item.append(" ");
    }
    if (path !== "") item.append(make("code", {}, path), " ");
    item.append(message);
    if (fix !== undefined) item.append(`: ${fix}`);
    list.append(item);
  }
  const more = findings.length - MOST;
  if (more > 0) list.append(make("li", {}, `and ${more} more`));
  parent.append(list);
}
