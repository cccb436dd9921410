/**
 * Colors of verdicts in text.
 *
 * @module
 */

/// <reference lib="dom" />

import { make } from "./elements.ts";

const WORDS =
  /(?<![\w/.-])(?:ALLOW|LOG|KILL_PROCESS|KILL_THREAD|USER_NOTIF|(?:ERRNO|TRAP|TRACE)(?:\(\w+\))?)(?![\w/.-])|^(?:looser|tighter|changed|equal)(?=: )/gm;

/**
 * Shows text, its verdicts in their colors.
 *
 * @param parent The element.
 * @param text The text.
 */
export function paintWords(parent: HTMLElement, text: string): void {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const { 0: word, index } of text.matchAll(WORDS)) {
    const action = word.replace(/\(.*/, "");
    parts.push(text.slice(at, index));
    parts.push(make("span", { class: "verdict", "data-action": action }, word));
    at = index + word.length;
  }
  parent.replaceChildren(...parts, text.slice(at));
}
