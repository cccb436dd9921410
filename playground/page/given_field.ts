/**
 * A field for a profile or a filter: paste, drop, open a file, or an example.
 *
 * @module
 */

/// <reference lib="dom" />

import type { Given } from "../messages.ts";
import type { Ask } from "./client.ts";
import { elementOf, make } from "./elements.ts";
import type { PagePlace } from "./findings.ts";

/** Most bytes of a file. */
const MOST_BYTES = 16 * 2 ** 20;
const UNNAMED = "profile.json";

/** The field with a name, `source` or `other`. */
export class GivenField {
  readonly #ask: Ask;
  readonly #onChange: () => void;
  readonly #text: HTMLTextAreaElement;
  readonly #name: HTMLElement;
  readonly #examples: HTMLSelectElement;
  #fileName = "";
  /** Bytes of a file that is not text, in base64. */
  #binary: string | undefined;

  /**
   * Makes the elements of the field work.
   *
   * @param id Identifier of its text; other identifiers begin with it.
   * @param ask Gives the examples.
   * @param onChange Called after a change.
   */
  constructor(id: string, ask: Ask, onChange: () => void) {
    this.#ask = ask;
    this.#onChange = onChange;
    this.#text = elementOf(id, HTMLTextAreaElement);
    this.#name = elementOf(`${id}-name`, HTMLElement);
    this.#examples = elementOf(`${id}-example`, HTMLSelectElement);
    const file = elementOf(`${id}-file`, HTMLInputElement);
    this.#text.addEventListener("input", () => {
      this.#binary = undefined;
      this.#examples.value = "";
      if (this.#fileName === "") this.#showName(UNNAMED);
      onChange();
    });
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) this.#open(chosen);
      file.value = "";
    });
    this.#examples.addEventListener("change", async () => {
      if (this.#examples.value === "") return;
      await this.showExample(this.#examples.value);
      onChange();
    });
    this.#acceptDrops(elementOf(`${id}-drop`, HTMLElement));
    this.#fillExamples();
  }

  /** Returns what is given. */
  value(): Given {
    return {
      name: this.#fileName || UNNAMED,
      text: this.#binary ?? this.#text.value,
      isBinary: this.#binary !== undefined,
    };
  }

  /** Shows something else. */
  show({ name, text, isBinary }: Given): void {
    this.#binary = isBinary ? text : undefined;
    this.#text.value = text;
    this.#showName(name);
  }

  /** Shows an example. */
  async showExample(name: string): Promise<void> {
    const answer = await this.#ask({ kind: "example", name });
    if (answer.kind !== "example") return;
    this.show(answer.given);
    this.#examples.value = name;
  }

  /** Selects a place of the text. */
  goTo({ line, column }: PagePlace): void {
    const lines = this.#text.value.split("\n");
    const before = lines.slice(0, line - 1)
      .reduce((sum, { length }) => sum + length + 1, 0);
    const at = before + column - 1;
    const rest = lines[line - 1]?.slice(column - 1) ?? "";
    const length = /^(?:"[^"]*"|[\w.-]+|.)/.exec(rest)?.[0].length ?? 0;
    this.#text.focus();
    this.#text.setSelectionRange(at, at + length);
    const height = this.#text.scrollHeight / lines.length;
    this.#text.scrollTop = Math.max(0, (line - 4) * height);
  }

  #showName(name: string): void {
    this.#fileName = name;
    this.#name.textContent = this.#binary === undefined
      ? name
      : `${name}, bytes as base64`;
  }

  async #fillExamples(): Promise<void> {
    const answer = await this.#ask({ kind: "example", name: "" });
    if (answer.kind !== "example") return;
    const { value } = this.#examples;
    for (const name of answer.names) {
      this.#examples.append(make("option", { value: name }, name));
    }
    this.#examples.value = value;
  }

  #acceptDrops(place: HTMLElement): void {
    place.addEventListener("dragover", (event) => {
      event.preventDefault();
      place.classList.add("dropping");
    });
    place.addEventListener("dragleave", () => {
      place.classList.remove("dropping");
    });
    place.addEventListener("drop", (event) => {
      place.classList.remove("dropping");
      const [file] = event.dataTransfer?.files ?? [];
      if (file === undefined) return;
      event.preventDefault();
      this.#open(file);
    });
  }

  async #open(file: File): Promise<void> {
    if (file.size > MOST_BYTES) {
      this.#name.textContent =
        `${file.name} is longer than ${MOST_BYTES} bytes`;
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const text = textOf(bytes);
    this.#examples.value = "";
    this.show({
      name: file.name,
      text: text ?? base64Of(bytes),
      isBinary: text === undefined,
    });
    this.#onChange();
  }
}

/** Text without NUL; undefined if the bytes are not text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
