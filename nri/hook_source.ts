/**
 * Filters from the store, and from the hook in a child process.
 *
 * @module
 */

import { ask } from "../host/command.ts";
import { childWords } from "../host/child.ts";
import { gatherContext } from "../hook/context.ts";
import { startDeadline } from "../hook/deadline.ts";
import type { Environment } from "../hook/environment.ts";
import type { Log } from "../hook/log.ts";
import type { RewriteContext } from "../hook/precreate.ts";
import { readConfigText } from "../hook/rewrite.ts";
import type { Settings } from "../hook/settings.ts";
import { type Entry, parseEntryName } from "../hook/store/entry.ts";
import type { FilterSource } from "./filters.ts";
import type { StoreSize } from "./metrics.ts";

/** Milliseconds by which the child may exceed its own time limit. */
const GRACE_MS = 5000;
/** Milliseconds after which the environment is checked again. */
const REFRESH_MS = 60_000;

/** Filters by the same settings as those of the hook. */
export class HookSource implements FilterSource {
  readonly #settings: Settings;
  readonly #log: Log;
  #context: RewriteContext | undefined;
  #since = -Infinity;
  /** Called when the runtime or its names have changed. */
  onChange: () => void = () => {};

  /**
   * Makes a source; nothing is read yet.
   *
   * @param settings Store, names and semantics.
   * @param log Log of problems.
   */
  constructor(settings: Settings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /**
   * Determines which filters are current.
   *
   * @returns Machine, semantics, names.
   * @throws {RefusedError} `doubtful-store` if others could change the store.
   */
  async refresh(): Promise<Environment> {
    const { deadlineMs } = this.#settings;
    const context = await gatherContext(
      this.#settings,
      startDeadline(deadlineMs),
      // The report is the same every time.
      this.#context === undefined ? this.#log : { write(): void {} },
    );
    const before = this.#context?.environment.id;
    this.#context = context;
    this.#since = performance.now();
    if (before !== undefined && before !== context.environment.id) {
      this.onChange();
    }
    return context.environment;
  }

  /** The entry of a section, if the store has it. */
  async lookup(section: string): Promise<Entry | undefined> {
    if (performance.now() - this.#since > REFRESH_MS) await this.refresh();
    const { store, environment } = this.#context ?? {};
    return environment && await store?.lookup(environment.id, section);
  }

  /** Lets the hook compile a section; see {@linkcode FilterSource}. */
  async make(section: string): Promise<string | undefined> {
    const { store, semantics, names, deadlineMs } = this.#settings;
    const options = Object.entries({
      "store": store ?? "none",
      "log": "stderr",
      "semantics": semantics,
      "names": names,
      "reference": "text",
      "deadline-ms": String(deadlineMs),
    }).flatMap(([name, value]) => [`--${name}`, value]);
    const [program, ...args] = await childWords("hook/main.ts");
    const config = `{"ociVersion":"1.0.2","linux":{"seccomp":${section}}}`;
    const { code, stdout, stderr } = await ask(
      [program, ...args, "hook", ...options],
      {
        limitMs: deadlineMs + GRACE_MS,
        input: new TextEncoder().encode(config),
      },
    );
    if (code !== 0) {
      throw new Error(
        `the compiler ended with status ${code}: ${lastLineOf(stderr)}`,
      );
    }
    return readConfigText(stdout).annotation?.value;
  }

  /** Number and size of the filters in the store. */
  async size(): Promise<StoreSize | undefined> {
    const { store } = this.#context ?? {};
    if (store === undefined) return undefined;
    let bytes = 0;
    let entries = 0;
    try {
      for await (const { name } of Deno.readDir(store.directory)) {
        const info = await Deno.lstat(`${store.directory}/${name}`)
          .catch(() => undefined);
        if (info?.isFile !== true) continue;
        bytes += info.size;
        if (parseEntryName(name) !== undefined) entries++;
      }
    } catch {
      // The folder is gone.
    }
    return { entries, bytes };
  }
}

function lastLineOf(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
