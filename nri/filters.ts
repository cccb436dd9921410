/**
 * The filters of sections: from memory, from the store, or compiled in the
 * background.
 *
 * A runtime waits for its plugins, one container at a time. So nothing is
 * compiled while it waits: the first container that needs a new filter starts
 * with its runtime's own filter, and the next one gets the new filter. The hook
 * compiles and proves it in a child process, within a time limit and without
 * growing this process.
 *
 * @module
 */

import { encodeBase64 } from "../bpf/base64.ts";
import type { Entry } from "../hook/store/entry.ts";
import type { Log } from "../hook/log.ts";
import { messageOf } from "../host/reason.ts";
import type { Metrics } from "./metrics.ts";

/** State of a section's filter. */
export type KnownFilter =
  | {
    readonly kind: "filter";
    /** Value of the annotation: the filter in base64. */
    readonly annotation: string;
  }
  /** The section is left to its runtime. */
  | { readonly kind: "left"; readonly detail: string }
  /** Its filter is being made. */
  | { readonly kind: "miss" };

/** Makes filters. */
export interface FilterSource {
  /** Finds a section in the store. */
  lookup(section: string): Promise<Entry | undefined>;
  /**
   * Compiles, proves and stores a filter; an error is temporary.
   *
   * @returns Value of the annotation; absent if the section is left to its
   * runtime.
   */
  make(section: string): Promise<string | undefined>;
}

/** Maximum number of sections in memory: a node has some dozens. */
const MOST_SECTIONS = 512;
/** Maximum length of a section in UTF-16 units; real ones take 10 Ki. */
const MOST_SECTION = 1024 * 1024;
/** Maximum number of sections that wait for their filters. */
const MOST_WAITING = 64;
/** Milliseconds after which a failed section is tried again. */
const RETRY_MS = 60_000;

/** The filters of a node. */
export class Filters {
  readonly #source: FilterSource;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #known = new Map<string, KnownFilter>();
  readonly #waiting = new Set<string>();
  readonly #failed = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();

  /**
   * Begins without any filter.
   *
   * @param source Store and compiler.
   * @param metrics Counts of compilations.
   * @param log Log of failures.
   */
  constructor(source: FilterSource, metrics: Metrics, log: Log) {
    this.#source = source;
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * Finds the filter of a section, and requests one if none exists.
   *
   * @param section The section exactly as its runtime writes it.
   * @returns The present state; this never waits for a compiler.
   */
  async find(section: string): Promise<KnownFilter> {
    const known = await this.peek(section);
    if (known.kind === "miss") this.#request(section);
    return known;
  }

  /**
   * Finds the filter of a section, if there is one.
   *
   * @param section The section exactly as its runtime writes it.
   * @returns The present state.
   */
  async peek(section: string): Promise<KnownFilter> {
    const known = this.#known.get(section);
    if (known !== undefined) {
      // The least recently used one is dropped first.
      this.#remember(section, known);
      return known;
    }
    const entry = await this.#source.lookup(section).catch((error) => {
      this.#log.write("error", `Cannot use the store: ${messageOf(error)}`);
      return undefined;
    });
    if (entry === undefined) return { kind: "miss" };
    return this.#remember(
      section,
      entry.left === undefined
        ? { kind: "filter", annotation: encodeBase64(entry.bytes) }
        : { kind: "left", detail: entry.left },
    );
  }

  /** Forgets everything, after the runtime or its names have changed. */
  forget(): void {
    this.#known.clear();
    this.#failed.clear();
  }

  /** Waits until no filter is being made. */
  async idle(): Promise<void> {
    while (this.#waiting.size > 0) await this.#work;
  }

  #remember(section: string, known: KnownFilter): KnownFilter {
    this.#known.delete(section);
    this.#known.set(section, known);
    if (this.#known.size > MOST_SECTIONS) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return known;
  }

  #request(section: string): void {
    const since = this.#failed.get(section) ?? -Infinity;
    if (
      this.#waiting.has(section) || this.#waiting.size >= MOST_WAITING ||
      section.length > MOST_SECTION || performance.now() - since < RETRY_MS
    ) return;
    this.#waiting.add(section);
    // One at a time, because a node has other work.
    this.#work = this.#work.then(() => this.#make(section));
  }

  async #make(section: string): Promise<void> {
    const start = performance.now();
    try {
      const annotation = await this.#source.make(section);
      this.#remember(
        section,
        annotation === undefined
          ? { kind: "left", detail: "its filter is not optimized" }
          : { kind: "filter", annotation },
      );
      this.#failed.delete(section);
    } catch (error) {
      if (this.#failed.size >= MOST_SECTIONS) this.#failed.clear();
      this.#failed.set(section, performance.now());
      this.#log.write("error", `Cannot make a filter: ${messageOf(error)}`);
    } finally {
      this.#waiting.delete(section);
      this.#metrics.addCompilation((performance.now() - start) / 1000);
    }
  }
}
