/**
 * Elements of the page.
 *
 * @module
 */

/// <reference lib="dom" />

/**
 * Finds an element that the page has.
 *
 * @param id Its identifier.
 * @param type Its class.
 */
export function elementOf<T extends Element>(
  id: string,
  type: new () => T,
): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`Unreachable: the page has no ${id}`);
}

/**
 * Makes an element.
 *
 * @param name Its tag.
 * @param attributes Attributes by name.
 * @param children Elements and texts in it.
 */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/**
 * Makes an element of a drawing.
 *
 * @param name Its tag.
 * @param attributes Attributes by name.
 * @param text Its text; none if absent.
 */
export function draw<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, String(value));
  }
  if (text !== undefined) made.textContent = text;
  return made;
}
