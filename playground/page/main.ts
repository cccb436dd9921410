/**
 * The page: what is given, the answers of the engine, and the address.
 *
 * @module
 */

/// <reference lib="dom" />

import { ARCH_NAMES } from "../choices.ts";
import type { Given, Loaded, PageChoice } from "../messages.ts";
import { type Ask, startEngine } from "./client.ts";
import { elementOf } from "./elements.ts";
import { showFindings } from "./findings.ts";
import { type PageState, readFragment, writeFragment } from "./fragment.ts";
import { GivenField } from "./given_field.ts";
import { Panels } from "./panels.ts";
import { startTabs } from "./tabs.ts";
import { startTheme } from "./theme.ts";
import { TreeView } from "./tree_view.ts";

/** Pause in typing after which the text is read, in milliseconds. */
const PAUSE_MS = 350;
/** Longest address that browsers keep whole, and programs pass on. */
const MOST_ADDRESS = 60_000;

const EMPTY: Given = { name: "", text: "", isBinary: false };

/** The page before anything is given. */
const USUAL: PageState = {
  given: EMPTY,
  other: EMPTY,
  choice: {
    arch: "x86_64",
    only: false,
    kernel: "6.1",
    caps: "",
    semantics: "crun",
    objective: "balanced",
  },
  call: "",
  tab: "panel-tree",
};

/** The fields of a choice, by the identifiers of their elements. */
const FIELDS = ["arch", "kernel", "caps", "semantics", "objective"] as const;

class Page {
  readonly #ask: Ask;
  readonly #status = elementOf("status", HTMLElement);
  readonly #given: GivenField;
  readonly #tree = new TreeView();
  readonly #panels: Panels;
  readonly #tabs;
  #loads = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
    this.#given = new GivenField("source", ask, () => this.#later());
    this.#panels = new Panels({
      ask,
      tree: this.#tree,
      onChange: () => this.#keep(),
      whenRead: async () => {
        if (this.#pause !== undefined) await this.load();
      },
      say: (text) => this.#say(text),
    });
    this.#tabs = startTabs(elementOf("tabs", HTMLElement), (panel) => {
      this.#panels.open(panel);
      this.#keep();
    });
    for (const id of FIELDS) {
      elementOf(id, HTMLElement).addEventListener("change", () => this.load());
    }
    elementOf("only", HTMLInputElement)
      .addEventListener("change", () => this.load());
    elementOf("link", HTMLButtonElement)
      .addEventListener("click", () => this.#copyLink());
  }

  /** Shows the state of the address, or an example. */
  async start(): Promise<void> {
    const state = await readFragment(location.hash, USUAL);
    if (state === undefined) {
      await this.#given.showExample("default:docker");
    } else {
      this.#given.show(state.given);
      this.#panels.show(state);
      this.#tabs.select(state.tab);
      this.#showChoice(state.choice);
    }
    await this.load();
  }

  /** Reads what is given, and shows it. */
  async load(): Promise<void> {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const load = ++this.#loads;
    const main = elementOf("results", HTMLElement);
    main.setAttribute("aria-busy", "true");
    this.#say("Compiling and proving…");
    const given = this.#given.value();
    const answer = await this.#ask({
      kind: "load",
      given,
      choice: this.#choice(),
    });
    if (load !== this.#loads) return;
    const loaded = answer.kind === "loaded" ? answer : undefined;
    const findings = answer.kind === "loaded" || answer.kind === "refused"
      ? answer.findings
      : [];
    showFindings(elementOf("findings", HTMLElement), findings, (place) => {
      this.#given.goTo(place);
    });
    const errors = findings.filter(({ severity }) => severity === "error");
    this.#say(
      loaded?.summary ??
        `${errors.length} ${
          errors.length === 1 ? "error" : "errors"
        }: nothing was compiled`,
      loaded === undefined ? "error" : "done",
    );
    main.hidden = loaded === undefined;
    main.removeAttribute("aria-busy");
    if (loaded === undefined) this.#tree.clear();
    else this.#show(loaded);
    this.#keep();
  }

  #show(loaded: Loaded): void {
    this.#tree.show(loaded.tree);
    this.#panels.loaded(loaded, this.#tabs.selected());
  }

  #later(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.load(), PAUSE_MS);
  }

  #say(text: string, state = "busy"): void {
    this.#status.textContent = text;
    this.#status.dataset["state"] = state;
  }

  #choice(): PageChoice {
    const text = (id: string): string => {
      const field = elementOf(id, HTMLElement);
      return field instanceof HTMLInputElement ||
          field instanceof HTMLSelectElement
        ? field.value
        : "";
    };
    const semantics = text("semantics");
    const objective = text("objective");
    const arch = text("arch");
    const { choice: usual } = USUAL;
    return {
      arch: ARCH_NAMES.find((name) => name === arch) ?? usual.arch,
      only: elementOf("only", HTMLInputElement).checked,
      kernel: text("kernel"),
      caps: text("caps"),
      semantics: semantics === "runc" ? "runc" : "crun",
      objective: (["uncached", "cached", "size"] as const)
        .find((name) => name === objective) ?? usual.objective,
    };
  }

  #showChoice(choice: PageChoice): void {
    for (const id of FIELDS) {
      const field = elementOf(id, HTMLElement);
      if (
        field instanceof HTMLInputElement || field instanceof HTMLSelectElement
      ) field.value = choice[id];
    }
    elementOf("only", HTMLInputElement).checked = choice.only;
  }

  /** Keeps the state in the address. */
  async #keep(): Promise<string> {
    const hash = await writeFragment({
      given: this.#given.value(),
      other: this.#panels.other(),
      choice: this.#choice(),
      call: this.#panels.call(),
      tab: this.#tabs.selected(),
    });
    const isShort = hash.length <= MOST_ADDRESS;
    try {
      history.replaceState(null, "", isShort ? hash : "#");
    } catch {
      // Some browsers refuse it for files; the link button still works.
    }
    return isShort ? hash : "";
  }

  async #copyLink(): Promise<void> {
    const hash = await this.#keep();
    if (hash === "") {
      return this.#say("The profile is too long for an address", "error");
    }
    const link = `${location.href.replace(/#.*$/, "")}${hash}`;
    try {
      await navigator.clipboard.writeText(link);
      this.#say("The link is copied: it has the profile in it", "done");
    } catch {
      this.#say("The address of this page is the link: copy it", "done");
    }
  }
}

startTheme(elementOf("theme", HTMLButtonElement));
startEngine().then((ask) => {
  const page = new Page(ask);
  // Another link in the same tab.
  addEventListener("hashchange", () => page.start());
  return page.start();
}).catch((error) => {
  const status = elementOf("status", HTMLElement);
  status.textContent = `Cannot start: ${
    error instanceof Error ? error.message : error
  }`;
  status.dataset["state"] = "error";
});
