/**
 * Draws a decision tree, and lets keys and pointer explore it.
 *
 * @module
 */

/// <reference lib="dom" />

import type { Tree } from "../messages.ts";
import { draw, elementOf } from "./elements.ts";
import { type TreeItem, TreeModel } from "./tree_items.ts";
import {
  LINE,
  type PlacedItem,
  placeItems,
  type TreeLayout,
} from "./tree_layout.ts";

/** Narrower views have outlines, in pixels. */
const NARROW = 560;
const LEAST_SCALE = 0.2;
/** At first, text stays readable. */
const LEAST_FIRST = 0.85;
const MOST_SCALE = 3;
const STEP = 1.25;
/** Pixels after which a pressed pointer drags. */
const DRAGGED = 4;

/** The drawing and its state. */
export class TreeView {
  readonly #view = elementOf("tree-view", HTMLElement);
  readonly #details = elementOf("tree-details", HTMLElement);
  #model: TreeModel | undefined;
  #layout: TreeLayout | undefined;
  #svg: SVGSVGElement | undefined;
  #way: readonly string[] = [];
  #focused = "";
  #scale = 1;
  /** As the reader chose; by the width of the view if undefined. */
  #isOutline: boolean | undefined;
  #wasDragged = false;

  constructor() {
    this.#button("tree-in", () => this.#zoom(this.#scale * STEP));
    this.#button("tree-out", () => this.#zoom(this.#scale / STEP));
    this.#button("tree-fit", () => this.#fit());
    this.#button("tree-all", () => this.#model?.openAll());
    this.#button("tree-first", () => this.#model?.openFirst());
    this.#button("tree-shape", () => {
      this.#isOutline = !this.#outline();
    });
    this.#view.addEventListener("keydown", (event) => this.#onKey(event));
    this.#view.addEventListener("click", (event) => this.#onClick(event));
    this.#startDragging();
    let width = this.#view.clientWidth;
    new ResizeObserver(() => {
      if (width === this.#view.clientWidth) return;
      width = this.#view.clientWidth;
      this.#render();
    }).observe(this.#view);
  }

  /** Shows another filter. */
  show(tree: Tree): void {
    this.#model = new TreeModel(tree);
    this.#way = [];
    this.#focused = tree.root;
    this.#scale = 1;
    this.#render();
    if (!this.#outline()) this.#fit(LEAST_FIRST);
    this.#view.scrollTo(0, 0);
    this.#scrollTo(tree.root);
  }

  /** Shows nothing. */
  clear(): void {
    this.#model = undefined;
    this.#render();
  }

  /** Marks the way of a call; opens only its nodes. */
  mark(way: readonly string[]): void {
    this.#way = way;
    if (way.length > 0) {
      this.#scale = 1;
      this.#model?.openWay(way);
      this.#focused = way.at(-1) ?? this.#focused;
    }
    this.#render();
    this.#scrollTo(this.#focused);
  }

  /** Marks nothing. */
  unmark(): void {
    this.#way = [];
    this.#render();
  }

  #button(id: string, act: () => void): void {
    elementOf(id, HTMLButtonElement).addEventListener("click", () => {
      act();
      this.#render();
      this.#scrollTo(this.#focused);
    });
  }

  /** Ways are long: an outline shows them whole. */
  #outline(): boolean {
    return this.#isOutline ??
      (this.#way.length > 0 || this.#view.clientWidth < NARROW);
  }

  #render(): void {
    const model = this.#model;
    const shape = elementOf("tree-shape", HTMLButtonElement);
    const isOutline = this.#outline();
    shape.textContent = isOutline ? "Draw sideways" : "Draw as outline";
    if (model === undefined) {
      this.#view.replaceChildren();
      this.#details.textContent = "";
      return;
    }
    const items = model.visible();
    const layout = placeItems(items, isOutline);
    this.#layout = layout;
    if (!layout.items.has(this.#focused)) this.#focused = items[0]?.key ?? "";
    const svg = draw("svg", {
      role: "tree",
      "aria-label": "Decision tree",
      viewBox: `0 0 ${layout.width} ${layout.height}`,
    });
    const lines = draw("g", { "aria-hidden": "true" });
    const onWay = this.#keysOnWay();
    for (const placed of layout.items.values()) {
      lines.append(...this.#lineTo(placed, layout, onWay, isOutline));
    }
    svg.append(lines);
    for (const placed of layout.items.values()) {
      svg.append(this.#nodeOf(placed, onWay));
    }
    this.#svg = svg;
    this.#applyScale();
    const hadFocus = this.#view.contains(document.activeElement);
    const { scrollLeft, scrollTop } = this.#view;
    this.#view.replaceChildren(svg);
    this.#view.scrollTo(scrollLeft, scrollTop);
    if (hadFocus) {
      this.#elementOf(this.#focused)?.focus({ preventScroll: true });
    }
    this.#describe();
  }

  /** The keys of the items on the marked way. */
  #keysOnWay(): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const [i, id] of this.#way.entries()) {
      const before = this.#way[i - 1];
      keys.add(id);
      if (before === undefined) continue;
      const key = this.#model?.keyOfWay(before, id);
      if (key !== undefined) keys.add(key);
    }
    return keys;
  }

  /** The line from a parent, with the answer that takes it. */
  #lineTo(
    { item, x, y, height }: PlacedItem,
    { items }: TreeLayout,
    onWay: ReadonlySet<string>,
    isOutline: boolean,
  ): readonly SVGElement[] {
    const parent = items.get(item.parent ?? "");
    if (parent === undefined || item.answer === undefined) return [];
    const to = y + height / 2;
    const isOn = onWay.has(item.key) && onWay.has(parent.item.key);
    const [fromX, fromY] = isOutline
      ? [parent.x + 8, parent.y + parent.height]
      : [parent.x + parent.width, parent.y + parent.height / 2];
    const middle = (fromX + x) / 2;
    const path = isOutline
      ? `M${fromX} ${fromY}V${to}H${x}`
      : `M${fromX} ${fromY}C${middle} ${fromY} ${middle} ${to} ${x} ${to}`;
    const kind = `way ${item.answer}${isOn ? " on" : ""}`;
    return [
      draw("path", { d: path, class: kind }),
      draw(
        "text",
        {
          x: x - 5,
          y: to - 4,
          class: `answer${isOn ? " on" : ""}`,
          "text-anchor": "end",
        },
        item.answer,
      ),
    ];
  }

  #nodeOf(
    { item, lines, x, y, width, height }: PlacedItem,
    onWay: ReadonlySet<string>,
  ): SVGElement {
    const { key, node, isReference, level, children, parent } = item;
    const isOpen = this.#model?.isOpen(key) ?? false;
    const siblings = this.#model?.get(parent ?? "")?.children ?? [key];
    const classes = [
      "node",
      isReference ? "reference" : node.action ?? "test",
      ...(onWay.has(key) ? ["on"] : []),
    ];
    const group = draw("g", {
      class: classes.join(" "),
      transform: `translate(${x} ${y})`,
      role: "treeitem",
      "data-key": key,
      "aria-label": this.#labelOf(item, onWay.has(key)),
      "aria-level": level,
      "aria-setsize": siblings.length,
      "aria-posinset": siblings.indexOf(key) + 1,
      "aria-selected": String(key === this.#focused),
      tabindex: key === this.#focused ? 0 : -1,
      ...(children.length > 0 ? { "aria-expanded": String(isOpen) } : {}),
    });
    const radius = node.action === undefined ? 5 : Math.min(14, height / 2);
    group.append(draw("rect", { width, height, rx: radius }));
    const text = draw("text", { x: 9, y: LINE });
    for (const [i, line] of lines.entries()) {
      text.append(
        draw("tspan", {
          x: 9,
          y: LINE + i * LINE,
          ...(i > 0 ? { class: "more" } : {}),
        }, i + 1 < lines.length ? `${line} ` : line),
      );
    }
    group.append(text);
    if (children.length > 0) {
      const sign = {
        x: width - 15,
        y: height / 2 + 4.5,
        class: "sign",
        "aria-hidden": "true",
      };
      group.append(draw("text", sign, isOpen ? "−" : "+"));
    }
    return group;
  }

  /** Name of an item for screen readers. */
  #labelOf({ answer, node, isReference }: TreeItem, isOn: boolean): string {
    const words = node.lines.join(" ");
    const what = node.action === undefined ? `${words}?` : words;
    return [
      ...(answer === undefined ? [] : [`${answer}:`]),
      what,
      ...(isReference ? ["drawn elsewhere"] : []),
      ...(isOn ? ["on the way of the call"] : []),
    ].join(" ");
  }

  #describe(): void {
    const item = this.#model?.get(this.#focused);
    this.#details.textContent = item?.node.title ?? "";
  }

  #elementOf(key: string): SVGGElement | null {
    return this.#svg?.querySelector<SVGGElement>(
      `[data-key="${CSS.escape(key)}"]`,
    ) ?? null;
  }

  #focus(key: string): void {
    this.#focused = key;
    this.#render();
    this.#scrollTo(key);
    this.#elementOf(key)?.focus({ preventScroll: true });
  }

  /** Brings an item into the view, with its surroundings. */
  #scrollTo(key: string): void {
    const placed = this.#layout?.items.get(key);
    if (placed === undefined) return;
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = this.#view;
    const [left, top] = [placed.x * this.#scale, placed.y * this.#scale];
    const right = left + placed.width * this.#scale;
    const bottom = top + placed.height * this.#scale;
    const margin = Math.min(60, clientHeight / 4);
    if (right + margin > scrollLeft + clientWidth) {
      this.#view.scrollLeft = right + margin - clientWidth;
    }
    if (left - margin < this.#view.scrollLeft) {
      this.#view.scrollLeft = Math.max(0, left - margin);
    }
    if (top < scrollTop || bottom > scrollTop + clientHeight) {
      this.#view.scrollTop = (top + bottom - clientHeight) / 2;
    }
  }

  #zoom(scale: number): void {
    this.#scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    this.#applyScale();
  }

  #fit(least = LEAST_SCALE): void {
    if (this.#layout === undefined) return;
    const { clientWidth, clientHeight } = this.#view;
    const { width, height } = this.#layout;
    const scale = Math.min(clientWidth / width, clientHeight / height, 1);
    this.#zoom(Math.max(scale, least));
  }

  #applyScale(): void {
    const { width = 0, height = 0 } = this.#layout ?? {};
    this.#svg?.setAttribute("width", String(width * this.#scale));
    this.#svg?.setAttribute("height", String(height * this.#scale));
  }

  #onClick({ target }: Event): void {
    if (this.#wasDragged || !(target instanceof Element)) return;
    const key = target.closest("[data-key]")?.getAttribute("data-key");
    if (key === null || key === undefined) return;
    this.#activate(key);
  }

  /** Opens or closes an item; of a reference, goes to its node. */
  #activate(key: string): void {
    const item = this.#model?.get(key);
    if (item?.isReference) {
      this.#model?.reveal(item.node.id);
      this.#focus(item.node.id);
      return;
    }
    this.#model?.toggle(key);
    this.#focus(key);
  }

  #onKey(event: KeyboardEvent): void {
    const model = this.#model;
    if (model === undefined || event.ctrlKey || event.metaKey) return;
    const items = model.visible();
    const at = items.findIndex(({ key }) => key === this.#focused);
    const item = items[at];
    if (item === undefined) return;
    const isOpen = model.isOpen(item.key);
    const go = (key: string | undefined): void => {
      if (key !== undefined) this.#focus(key);
    };
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => go(items[at + 1]?.key),
      ArrowUp: () => go(items[at - 1]?.key),
      ArrowRight: () => {
        if (isOpen) go(item.children[0]);
        else if (item.children.length > 0) this.#activate(item.key);
      },
      ArrowLeft: () => isOpen ? this.#activate(item.key) : go(item.parent),
      Home: () => go(items[0]?.key),
      End: () => go(items.at(-1)?.key),
      Enter: () => this.#activate(item.key),
      " ": () => this.#activate(item.key),
      "+": () => this.#zoom(this.#scale * STEP),
      "-": () => this.#zoom(this.#scale / STEP),
      "0": () => this.#zoom(1),
      "*": () => {
        model.openAll();
        go(item.key);
      },
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** A pressed mouse moves the drawing; fingers scroll by themselves. */
  #startDragging(): void {
    let from: PointerEvent | undefined;
    let [left, top] = [0, 0];
    this.#view.addEventListener("pointerdown", (event) => {
      this.#wasDragged = false;
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      from = event;
      [left, top] = [this.#view.scrollLeft, this.#view.scrollTop];
    });
    addEventListener("pointermove", (event) => {
      if (from === undefined) return;
      const [x, y] = [
        event.clientX - from.clientX,
        event.clientY - from.clientY,
      ];
      if (Math.hypot(x, y) > DRAGGED) this.#wasDragged = true;
      if (this.#wasDragged) this.#view.scrollTo(left - x, top - y);
    });
    addEventListener("pointerup", () => {
      from = undefined;
    });
    this.#view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.#zoom(this.#scale * (event.deltaY < 0 ? STEP : 1 / STEP));
    }, { passive: false });
  }
}
