/**
 * The panels beside the tree: policy, comparison, costs, files; and the call
 * whose way the tree shows. A panel is filled when it is opened.
 *
 * @module
 */

/// <reference lib="dom" />

import type { CostRow, Given, Loaded, SavedFormat } from "../messages.ts";
import { SAVED_FORMATS } from "../messages.ts";
import type { Ask } from "./client.ts";
import { elementOf, make } from "./elements.ts";
import { showFindings } from "./findings.ts";
import type { PageState } from "./fragment.ts";
import { GivenField } from "./given_field.ts";
import { paintWords } from "./paint.ts";
import type { TreeView } from "./tree_view.ts";

/** Parts of the page that panels use. */
export interface PanelOptions {
  readonly ask: Ask;
  readonly tree: TreeView;
  /** Called after a change that the address keeps. */
  readonly onChange: () => void;
  /** Resolves after everything that was typed is read. */
  readonly whenRead: () => Promise<void>;
  /** Says something to everybody. */
  readonly say: (text: string, state: string) => void;
}

const PAUSE_MS = 350;

/** All panels. */
export class Panels {
  readonly #options: PanelOptions;
  readonly #call = elementOf("call", HTMLInputElement);
  readonly #only = elementOf("only-words", HTMLInputElement);
  readonly #other: GivenField;
  /** Panels that show what is loaded. */
  readonly #filled = new Set<string>();
  #loaded: Loaded | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  /** Makes the elements of the panels work. */
  constructor(options: PanelOptions) {
    this.#options = options;
    this.#other = new GivenField("other", options.ask, () => {
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => this.#compare(), PAUSE_MS);
    });
    elementOf("call-form", HTMLFormElement)
      .addEventListener("submit", (event) => {
        event.preventDefault();
        this.#try();
        options.onChange();
      });
    elementOf("only-form", HTMLFormElement)
      .addEventListener("submit", (event) => {
        event.preventDefault();
        this.#explain();
      });
    const formats = elementOf("formats", HTMLElement);
    for (const format of SAVED_FORMATS) {
      const button = make("button", { type: "button" }, LABELS[format]);
      button.addEventListener("click", () => this.#save(format));
      formats.append(button);
    }
    elementOf("copy-digest", HTMLButtonElement).addEventListener(
      "click",
      () => this.#copyDigest(),
    );
  }

  /** Shows the state of an address. */
  show({ call, other }: PageState): void {
    this.#call.value = call;
    if (other.text !== "") this.#other.show(other);
  }

  /** Returns the call to try. */
  call(): string {
    return this.#call.value;
  }

  /** Returns the other side of the comparison. */
  other(): Given {
    return this.#other.value();
  }

  /** Shows something else. */
  loaded(loaded: Loaded, panel: string): void {
    this.#loaded = loaded;
    this.#filled.clear();
    const list = elementOf("calls", HTMLDataListElement);
    list.replaceChildren(
      ...loaded.calls.map((value) => make("option", { value })),
    );
    elementOf("command-line", HTMLElement).textContent = loaded.command ?? "";
    elementOf("command", HTMLElement).hidden = loaded.command === undefined;
    elementOf("stack-note", HTMLElement).hidden = loaded.filters === 1;
    if (this.#call.value.trim() === "") this.#hideCall();
    else this.#try();
    this.open(panel);
  }

  /** Fills a panel that is opened. */
  open(panel: string): void {
    if (this.#loaded === undefined || this.#filled.has(panel)) return;
    this.#filled.add(panel);
    if (panel === "panel-policy") this.#explain();
    if (panel === "panel-compare") this.#compare();
    if (panel === "panel-cost") this.#costs();
    if (panel === "panel-filter") this.#digest();
  }

  #hideCall(): void {
    elementOf("call-answer", HTMLElement).hidden = true;
    this.#options.tree.unmark();
  }

  async #try(): Promise<void> {
    const words = this.#call.value;
    if (words.trim() === "") return this.#hideCall();
    const answer = await this.#options.ask({ kind: "call", words });
    const panel = elementOf("call-answer", HTMLElement);
    const verdict = elementOf("call-verdict", HTMLElement);
    const text = elementOf("call-text", HTMLElement);
    const findings = elementOf("call-findings", HTMLElement);
    panel.hidden = false;
    const isCalled = answer.kind === "called";
    verdict.hidden = text.hidden = !isCalled;
    this.#call.setAttribute("aria-invalid", String(!isCalled));
    if (isCalled) {
      verdict.textContent = answer.verdict;
      verdict.dataset["action"] = answer.verdict.replace(/\(.*/, "");
      paintWords(text, answer.text);
      showFindings(findings, []);
      this.#options.tree.mark(answer.nodes);
    } else {
      showFindings(findings, answer.kind === "refused" ? answer.findings : []);
      this.#options.tree.unmark();
    }
  }

  async #explain(): Promise<void> {
    const only = this.#only.value;
    const answer = await this.#options.ask({ kind: "explain", only });
    const text = elementOf("policy-text", HTMLElement);
    text.hidden = answer.kind !== "text";
    if (answer.kind === "text") paintWords(text, answer.text);
    showFindings(
      elementOf("policy-findings", HTMLElement),
      answer.kind === "refused" ? answer.findings : [],
    );
  }

  async #compare(): Promise<void> {
    const given = this.#other.value();
    const result = elementOf("compare-result", HTMLElement);
    const findings = elementOf("compare-findings", HTMLElement);
    this.#options.onChange();
    if (given.text.trim() === "") {
      result.hidden = true;
      return showFindings(findings, []);
    }
    const answer = await this.#options.ask({ kind: "compare", given });
    const isCompared = answer.kind === "compared";
    result.hidden = !isCompared;
    showFindings(
      findings,
      isCompared || answer.kind === "refused" ? answer.findings : [],
      (place) => this.#other.goTo(place),
    );
    if (!isCompared) return;
    elementOf("compare-verdict", HTMLElement).textContent = answer.isEqual
      ? "Equal: no call gets another answer"
      : "Different";
    elementOf("compare-subset", HTMLElement).textContent = answer.subset;
    elementOf("compare-superset", HTMLElement).textContent = answer.superset;
    elementOf("compare-subsets", HTMLElement).hidden = answer.isEqual;
    const text = elementOf("compare-text", HTMLElement);
    text.hidden = answer.isEqual;
    paintWords(text, answer.text);
  }

  async #costs(): Promise<void> {
    const body = elementOf("cost-rows", HTMLElement);
    body.replaceChildren(
      make("tr", {}, make("td", { colspan: "6" }, "Measuring…")),
    );
    const answer = await this.#options.ask({ kind: "cost" });
    body.replaceChildren();
    if (answer.kind !== "costs") return;
    let before = "";
    for (const row of answer.rows) {
      body.append(rowOf(row, row.filter === before));
      before = row.filter;
    }
  }

  async #digest(): Promise<void> {
    const answer = await this.#options.ask({ kind: "digest" });
    elementOf("digest", HTMLElement).textContent = answer.kind === "text"
      ? answer.text
      : answer.kind === "refused"
      ? answer.findings[0]?.message ?? ""
      : "";
  }

  async #copyDigest(): Promise<void> {
    const { say } = this.#options;
    const text = elementOf("digest", HTMLElement).textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      say("The digest is copied", "done");
    } catch {
      say("This browser does not let pages copy: select the digest", "error");
    }
  }

  async #save(format: SavedFormat): Promise<void> {
    await this.#options.whenRead();
    const answer = await this.#options.ask({ kind: "save", format });
    const preview = elementOf("preview", HTMLElement);
    if (answer.kind !== "saved") {
      const message = answer.kind === "refused"
        ? answer.findings[0]?.message ?? ""
        : "";
      return this.#options.say(message, "error");
    }
    const { name, bytes, isText } = answer;
    const url = URL.createObjectURL(
      new Blob([bytes], { type: "application/octet-stream" }),
    );
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    preview.textContent = isText
      ? new TextDecoder().decode(bytes)
      : dumpOf(bytes);
    elementOf("preview-name", HTMLElement).textContent =
      `${name}, ${bytes.length} bytes`;
    elementOf("preview-block", HTMLElement).hidden = false;
    this.#options.say(`Saved ${name}: ${bytes.length} bytes`, "done");
  }
}

const LABELS: Readonly<Record<SavedFormat, string>> = {
  raw: "Bytes",
  base64: "Base64",
  hex: "Hex",
  annotation: "Annotation for crun",
  c: "C",
  go: "Go",
  rust: "Rust",
  asm: "Assembly",
  json: "JSON",
};

function rowOf(row: CostRow, isSame: boolean): HTMLTableRowElement {
  const { filter, instructions, arch, mean, worst, cached } = row;
  return make(
    "tr",
    { class: isSame ? "same" : "first" },
    make("th", { scope: "row" }, filter),
    make("td", { class: "number" }, isSame ? "" : instructions),
    make("td", {}, arch),
    ...[mean, worst, cached].map((text) =>
      make("td", { class: "number" }, text)
    ),
  );
}

/** One instruction on each line. */
function dumpOf(bytes: Uint8Array): string {
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const lines: string[] = [];
  for (let at = 0; at < digits.length; at += 8) {
    lines.push(digits.slice(at, at + 8).join(" "));
  }
  return `${lines.join("\n")}\n`;
}
