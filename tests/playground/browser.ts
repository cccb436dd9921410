/**
 * The page in a real browser, without a network.
 *
 * @module
 */

/// <reference lib="dom" />

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Browser, chromium, type Page } from "playwright-core";
import { PAGE } from "../../tools/playground.ts";
import { call } from "../cli/harness.ts";
import { pathOf } from "../machine.ts";

/** Address of the page in the repository. */
const ADDRESS = new URL(`../../${PAGE}`, import.meta.url).href;

/** Milliseconds after which the page is taken for hung. */
const MOST_WAIT_MS = 60_000;

/** How the page is shown. */
export interface Surroundings {
  readonly width?: number;
  readonly theme?: "dark" | "light";
  /** Part of the address from `#` on. */
  readonly fragment?: string;
  /** True if the browser lets pages start no workers. */
  readonly isWithoutWorkers?: boolean;
}

/** A running browser. */
export class PageBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  /** Requests for anything but the page itself, and errors in it. */
  readonly faults: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts the browser of Debian's package. */
  static async start(): Promise<PageBrowser> {
    const executablePath = pathOf("chromium") ?? "";
    const args = ["--no-sandbox"];
    return new PageBrowser(await chromium.launch({ executablePath, args }));
  }

  /** Opens the page from its file, and waits for its first result. */
  async open(
    {
      width = 1300,
      theme = "light",
      fragment = "",
      isWithoutWorkers = false,
    }: Surroundings = {},
  ): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: theme,
      offline: true,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    // Machines that run tests may be slow.
    context.setDefaultTimeout(MOST_WAIT_MS);
    if (isWithoutWorkers) {
      await context.addInitScript("delete globalThis.Worker");
    }
    const page = await context.newPage();
    page.on("request", (request) => {
      const url = request.url();
      const isOwn = url.replace(/#.*/, "") === ADDRESS ||
        url.startsWith("blob:");
      if (!isOwn) this.faults.push(`request: ${url}`);
    });
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
    await page.goto(`${ADDRESS}${fragment}`);
    await settled(page);
    return page;
  }

  /** Closes the browser; nothing may have gone wrong. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    assertEquals(this.faults, []);
  }
}

/** Waits until what is given is compiled or refused. */
export async function settled(page: Page): Promise<string> {
  const done = '#status[data-state="done"], #status[data-state="error"]';
  await page.waitForSelector(done);
  return await page.textContent("#status") ?? "";
}

/** Gives the page another text, and waits for its result. */
export async function give(page: Page, text: string): Promise<string> {
  await page.fill("#source", text);
  await page.evaluate(() => {
    const status = document.getElementById("status");
    if (status !== null) status.dataset["state"] = "busy";
  });
  return await settled(page);
}

/** Saves the filter in a format, by the name on its button. */
export async function save(page: Page, button: string): Promise<Uint8Array> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return await Deno.readFile(await download.path());
}

/** Path of the page in the repository. */
export const PAGE_FILE: string = fromFileUrl(ADDRESS);

/**
 * Runs the command line on a text.
 *
 * @param args Words of the command, without the source.
 * @param text The source.
 * @returns Its results.
 */
export async function commandLine(
  args: readonly string[],
  text: string,
): Promise<Uint8Array> {
  const { code, bytes, err } = await call([...args, "-"], { stdin: text });
  assertEquals(code, 0, err);
  return bytes;
}

/** Opens a tab. */
export async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole("tab", { name, exact: true }).click();
}

/** Tries a call; returns the answer. */
export async function tryCall(page: Page, words: string): Promise<string> {
  await page.fill("#call", words);
  await page.evaluate(() => {
    document.getElementById("call-text")?.replaceChildren();
  });
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.waitForFunction(() =>
    document.getElementById("call-text")?.textContent
  );
  return await page.textContent("#call-verdict") ?? "";
}
