/**
 * The counts of the plugin in the text format of Prometheus.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
 *
 * @module
 */

/** The filter that a container runs. */
export type ContainerFilter =
  /** The proved tree. */
  | "tree"
  /** The runtime's own filter. */
  | "runtime"
  /** None: it is unconfined. */
  | "none"
  /**
   * Unknown: its runtime handler is not crun, or the container is older than
   * the plugin.
   */
  | "unknown";

/** CreationAnswer to the creation of a container. */
export type CreationAnswer = "hit" | "miss" | "left" | "unconfined" | "other";

/** Upper limits of the classes of answer times, in seconds. */
const LIMITS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1] as const;

/** Maximum number of containers whose filter is remembered. */
const MOST_CONTAINERS = 100_000;

/** State of the store. */
export interface StoreSize {
  readonly entries: number;
  readonly bytes: number;
}

/** Counts since the start. */
export class Metrics {
  readonly #containers = new Map<string, ContainerFilter>();
  readonly #answers = new Map<CreationAnswer, number>();
  readonly #times: number[] = new Array(LIMITS.length + 1).fill(0);
  #timeSum = 0;
  #compilations = 0;
  #compileSum = 0;
  #removed = 0;
  #rejected = 0;
  /** True while a runtime is connected. */
  connected = false;

  /** Records the filter of a container. */
  putContainer(id: string, filter: ContainerFilter): void {
    if (this.#containers.size >= MOST_CONTAINERS && !this.#containers.has(id)) {
      return;
    }
    this.#containers.set(id, filter);
  }

  /** Records that a container is gone. */
  removeContainer(id: string): void {
    this.#containers.delete(id);
  }

  /** Forgets all containers: the runtime lists them when it connects. */
  clearContainers(): void {
    this.#containers.clear();
  }

  /** Counts an answer and its time in seconds. */
  addAnswer(answer: CreationAnswer, seconds: number): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
    const found = LIMITS.findIndex((limit) => seconds <= limit);
    const i = found < 0 ? LIMITS.length : found;
    this.#times[i] = (this.#times[i] ?? 0) + 1;
    this.#timeSum += seconds;
  }

  /** Counts a compilation and its time in seconds. */
  addCompilation(seconds: number): void {
    this.#compilations++;
    this.#compileSum += seconds;
  }

  /** Counts a removed annotation of a pod or another plugin. */
  addRemoved(): void {
    this.#removed++;
  }

  /** Counts a rejected container. */
  addRejected(): void {
    this.#rejected++;
  }

  /** Number of containers with each filter. */
  containers(): Readonly<Record<ContainerFilter, number>> {
    const counts = { tree: 0, runtime: 0, none: 0, unknown: 0 };
    for (const filter of this.#containers.values()) counts[filter]++;
    return counts;
  }

  /**
   * Writes all counts.
   *
   * @param store The store; absent if nothing is stored.
   * @returns Text in Prometheus' format.
   */
  format(store?: StoreSize): string {
    const answers: readonly CreationAnswer[] = [
      "hit",
      "miss",
      "left",
      "unconfined",
      "other",
    ];
    return [
      metric("connected", "gauge", "1 while a runtime is connected", [
        ["", Number(this.connected)],
      ]),
      metric(
        "containers",
        "gauge",
        "Containers by filter: tree (proved), runtime, none, unknown",
        Object.entries(this.containers()).map((
          [name, count],
        ) => [`{filter="${name}"}`, count]),
      ),
      metric(
        "answers_total",
        "counter",
        "Created containers by answer",
        answers.map((
          name,
        ) => [`{answer="${name}"}`, this.#answers.get(name) ?? 0]),
      ),
      this.#formatTimes(),
      metric("compilations_total", "counter", "Compiled sections", [
        ["", this.#compilations],
      ]),
      metric("compile_seconds_total", "counter", "Time spent compiling", [
        ["", round(this.#compileSum)],
      ]),
      metric(
        "annotations_removed_total",
        "counter",
        "Annotations with a filter that a pod or a plugin had set",
        [["", this.#removed]],
      ),
      metric("rejected_total", "counter", "Rejected containers", [
        ["", this.#rejected],
      ]),
      ...store === undefined ? [] : [
        metric("store_entries", "gauge", "Filters in the store", [
          ["", store.entries],
        ]),
        metric("store_bytes", "gauge", "Size of the store", [
          ["", store.bytes],
        ]),
      ],
    ].join("");
  }

  #formatTimes(): string {
    let count = 0;
    const rows = this.#times.map((n, i): [string, number] => {
      count += n;
      return [`_bucket{le="${LIMITS[i] ?? "+Inf"}"}`, count];
    });
    return metric("answer_seconds", "histogram", "Time to answer a creation", [
      ...rows,
      ["_sum", round(this.#timeSum)],
      ["_count", count],
    ]);
  }
}

function metric(
  name: string,
  type: string,
  help: string,
  rows: readonly (readonly [suffix: string, value: number])[],
): string {
  const full = `seccomp_tree_nri_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...rows.map(([suffix, value]) => `${full}${suffix} ${value}`),
    "",
  ].join("\n");
}

/** Nanoseconds are enough. */
function round(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e9;
}
