/**
 * The visible part of a decision graph as a tree. A test to which several ways
 * lead is drawn once; the other ways end in a reference to it.
 *
 * @module
 */

import type { Tree, TreeNode } from "../messages.ts";

/** A node as it is drawn, or a reference to one. */
export interface TreeItem {
  /** Identifier of the node; of a reference, that of its way. */
  readonly key: string;
  readonly node: TreeNode;
  /** True if the node is drawn elsewhere. */
  readonly isReference: boolean;
  readonly parent: string | undefined;
  /** The answer of the parent's test. */
  readonly answer: "yes" | "no" | undefined;
  /** Distance from the root, from 1. */
  readonly level: number;
  /** Keys of what follows, in order. */
  readonly children: readonly string[];
}

/** Most nodes that are visible at first. */
const MOST_FIRST = 22;

/** A graph, and which of its nodes are open. */
export class TreeModel {
  readonly #items = new Map<string, TreeItem>();
  readonly #open = new Set<string>();
  readonly #root: string;

  /** Reads a graph; its first nodes are open. */
  constructor(tree: Tree) {
    this.#root = tree.root;
    this.#read(tree);
    this.openFirst();
  }

  /** Returns an item. */
  get(key: string): TreeItem | undefined {
    return this.#items.get(key);
  }

  /** Reports whether what follows an item is visible. */
  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /** Opens or closes an item. */
  toggle(key: string): void {
    if (this.#open.delete(key)) return;
    if (this.get(key)?.children.length ?? 0) this.#open.add(key);
  }

  /** Opens everything. */
  openAll(): void {
    for (const { key, children } of this.#items.values()) {
      if (children.length > 0) this.#open.add(key);
    }
  }

  /** Opens only the first nodes. */
  openFirst(): void {
    this.#open.clear();
    let visible = 1;
    for (let level: readonly string[] = [this.#root]; level.length > 0;) {
      const next = level.flatMap((key) => this.get(key)?.children ?? []);
      visible += next.length;
      if (visible > MOST_FIRST) return;
      for (const key of level) {
        if (this.get(key)?.children.length ?? 0) this.#open.add(key);
      }
      level = next;
    }
  }

  /** Opens only the nodes of a way. */
  openWay(nodes: readonly string[]): void {
    this.#open.clear();
    for (const id of nodes.slice(0, -1)) this.reveal(id, true);
  }

  /** Makes a node visible. */
  reveal(key: string, isOpen = false): void {
    if (isOpen && (this.get(key)?.children.length ?? 0) > 0) {
      this.#open.add(key);
    }
    for (let at = this.get(key)?.parent; at !== undefined;) {
      this.#open.add(at);
      at = this.get(at)?.parent;
    }
  }

  /** Lists the visible items from top to bottom. */
  visible(): readonly TreeItem[] {
    const found: TreeItem[] = [];
    const stack = [this.#root];
    for (let key = stack.pop(); key !== undefined; key = stack.pop()) {
      const item = this.get(key);
      if (item === undefined) continue;
      found.push(item);
      if (this.isOpen(key)) stack.push(...item.children.toReversed());
    }
    return found;
  }

  /** The key of the way from a node to the next one of a path. */
  keyOfWay(from: string, to: string): string | undefined {
    return this.get(from)?.children.find((key) =>
      this.get(key)?.node.id === to
    );
  }

  #read({ root, nodes }: Tree): void {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const stack: Omit<TreeItem, "children" | "isReference">[] = [];
    const first = byId.get(root);
    if (first === undefined) return;
    stack.push({
      key: root,
      node: first,
      parent: undefined,
      answer: undefined,
      level: 1,
    });
    for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
      const { node, level } = item;
      const isReference = this.#items.has(node.id);
      const key = isReference ? `${item.parent}:${item.answer}` : node.id;
      const ways = isReference ? [] : node.ways.flatMap(({ to, answer }) => {
        const next = byId.get(to);
        return next === undefined ? [] : [{ next, answer }];
      });
      const children = ways.map(({ next, answer }) => ({
        key: next.id,
        node: next,
        parent: node.id,
        answer,
        level: level + 1,
      }));
      this.#items.set(key, { ...item, key, isReference, children: [] });
      stack.push(...children.toReversed());
    }
    this.#link();
  }

  /** Names the children of each item, now that references have keys. */
  #link(): void {
    const children = new Map<string, string[]>();
    for (const { key, parent } of this.#items.values()) {
      if (parent === undefined) continue;
      children.set(parent, [...children.get(parent) ?? [], key]);
    }
    for (const [key, item] of this.#items) {
      const own = (children.get(key) ?? []).toSorted((a, b) =>
        this.#orderOf(a) - this.#orderOf(b)
      );
      this.#items.set(key, { ...item, children: own });
    }
  }

  #orderOf(key: string): number {
    return this.get(key)?.answer === "yes" ? 0 : 1;
  }
}
