/**
 * The decisions of the plugin: the annotation of each new container, and the
 * rejection of containers.
 *
 * @module
 */

import type { Log } from "../hook/log.ts";
import { ANNOTATION } from "../tables/annotation.ts";
import { printable } from "../tables/printable.ts";
import type { Filters } from "./filters.ts";
import type { ContainerFilter, CreationAnswer, Metrics } from "./metrics.ts";
import {
  type Configuration,
  type Container,
  EVENTS,
  type Inventory,
  type Validation,
} from "./messages.ts";

/** The name of the default runtime handler in `--handlers`. */
export const DEFAULT_HANDLER = "default";

/** Removes an annotation, as NRI marks it. */
const REMOVAL = `-${ANNOTATION}`;

/**
 * With any value other than "0", crun does not start a container with a name
 * that it does not know; with a raw filter it would.
 */
const FAIL_UNKNOWN = "run.oci.seccomp_fail_unknown_syscall";

/** A runtime that this plugin cannot serve. */
export class UnsupportedRuntime extends Error {
  /** Name of the class. */
  override readonly name = "UnsupportedRuntime";
}

/** Options of the plugin. */
export interface PluginOptions {
  /** Runtime handlers that are crun. */
  readonly handlers: ReadonlySet<string>;
  readonly filters: Filters;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** A plugin of one runtime. */
export class SeccompPlugin {
  readonly #options: PluginOptions;
  #isIdle = false;

  /**
   * Makes the plugin.
   *
   * @param options Handlers, filters, metrics, log.
   */
  constructor(options: PluginOptions) {
    this.#options = options;
  }

  /**
   * Chooses the events to subscribe to.
   *
   * @param configuration The runtime.
   * @returns The mask of events.
   * @throws {UnsupportedRuntime} for CRI-O.
   */
  configure({ runtime, version }: Configuration): number {
    const { log } = this.#options;
    if (runtime !== "containerd") {
      throw new UnsupportedRuntime(
        `Cannot serve ${
          printable(runtime)
        }: it gives plugins no seccomp rules and filters their annotations; use "install crio --mode cache", or the wrapper`,
      );
    }
    const [, major = "0", minor = "0"] =
      /^v?([0-9]{1,4})\.([0-9]{1,4})/.exec(version) ?? [];
    const number = 1000 * Number(major) + Number(minor);
    this.#isIdle = number < 2003;
    if (this.#isIdle) {
      log.write(
        "warning",
        `containerd ${
          printable(version)
        } gives plugins no seccomp rules, so this plugin stays idle; containerd 2.3 and later does; use "install containerd" here`,
      );
      return EVENTS.createContainer;
    }
    log.write("info", `Serving containerd ${printable(version)}`);
    return EVENTS.createContainer | EVENTS.removeContainer |
      EVENTS.validateAdjustment;
  }

  /** Records the containers that exist. */
  synchronize({ containers }: Inventory): void {
    for (const { id, annotations } of containers) {
      const filter = annotations.has(ANNOTATION) ? "tree" : "unknown";
      this.#options.metrics.putContainer(id, filter);
    }
  }

  /** Records that a container is gone. */
  remove(id: string): void {
    this.#options.metrics.removeContainer(id);
  }

  /**
   * Answers the creation of a container.
   *
   * @param container The container.
   * @returns Annotations to add, and a removal where one exists already.
   */
  async create(container: Container): Promise<ReadonlyMap<string, string>> {
    const start = performance.now();
    const { metrics } = this.#options;
    const { answer, filter, annotation } = await this.#decide(container);
    if (!this.#isIdle) {
      metrics.putContainer(container.id, filter);
      metrics.addAnswer(answer, (performance.now() - start) / 1000);
    }
    const changes = new Map<string, string>();
    if (answer === "other") return changes;
    if (container.annotations.has(ANNOTATION)) {
      changes.set(REMOVAL, "");
      if (container.annotations.get(ANNOTATION) !== annotation) {
        metrics.addRemoved();
        this.#tell(
          "warning",
          "Annotation with a filter of another origin removed",
          container,
        );
      }
    }
    if (annotation !== undefined) changes.set(ANNOTATION, annotation);
    return changes;
  }

  async #decide(container: Container): Promise<Decision> {
    if (this.#isIdle || !this.#serves(container)) {
      return { answer: "other", filter: "unknown" };
    }
    const { section, annotations } = container;
    if (section === undefined) return { answer: "unconfined", filter: "none" };
    // A raw filter cannot refuse names as crun does, or ask a listener.
    if (
      section.includes("NOTIFY") ||
      (annotations.get(FAIL_UNKNOWN) ?? "0") !== "0"
    ) return { answer: "left", filter: "runtime" };
    const known = await this.#options.filters.find(section);
    if (known.kind === "filter") {
      const { annotation } = known;
      return { answer: "hit", filter: "tree", annotation };
    }
    if (known.kind === "left") {
      this.#tell("warning", `Filter not optimized: ${known.detail}`, container);
    } else this.#tell("info", "Filter is being made", container);
    return { answer: known.kind, filter: "runtime" };
  }

  /**
   * Checks the changes of all plugins to a container. A filter in the
   * annotation replaces the section, so it must be the proved filter of exactly
   * that section.
   *
   * @param validation Container and changes.
   * @returns The reason to reject the container, if there is one.
   */
  async validate(
    { container, annotations, section }: Validation,
  ): Promise<string | undefined> {
    if (this.#isIdle || !this.#serves(container)) return undefined;
    const given = annotations.get(ANNOTATION) ??
      (annotations.has(REMOVAL)
        ? undefined
        : container.annotations.get(ANNOTATION));
    if (given === undefined) return undefined;
    const final = section ?? container.section;
    const known = final === undefined
      ? undefined
      : await this.#options.filters.peek(final);
    if (known?.kind === "filter" && known.annotation === given) {
      return undefined;
    }
    const reason = section !== undefined && section !== container.section
      ? "another plugin changed the seccomp rules after seccomp-tree had compiled them; give it an index below seccomp-tree's"
      : `the annotation ${ANNOTATION} is not the proved filter of the container's seccomp rules; find out which pod or plugin set it`;
    this.#options.metrics.addRejected();
    this.#options.metrics.removeContainer(container.id);
    this.#tell("error", `Container rejected: ${reason}`, container);
    return reason;
  }

  #serves({ handler }: Container): boolean {
    return this.#options.handlers.has(
      handler === "" ? DEFAULT_HANDLER : handler,
    );
  }

  #tell(
    level: "info" | "warning" | "error",
    message: string,
    { id, name, pod }: Container,
  ): void {
    this.#options.log.write(level, message, { container: id, name, pod });
  }
}

/** The answer for a container. */
interface Decision {
  readonly answer: CreationAnswer;
  readonly filter: ContainerFilter;
  /** Value of the annotation, if it gets one. */
  readonly annotation?: string;
}
