/**
 * Everybody can use the page: in both themes, on a screen and on a phone.
 *
 * @module
 */

/// <reference lib="dom" />

import axe from "axe-core";
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { needs } from "../machine.ts";
import { give, openTab, PageBrowser, save, tryCall } from "./browser.ts";

/** The parts of axe-core's result that are read. */
interface Found {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly unknown[] }[];
  }[];
}

/** Lists what axe-core finds. */
async function violations(page: Page): Promise<readonly string[]> {
  const found = await page.evaluate(`(() => {
    const module = undefined, exports = undefined;
    if (globalThis.axe === undefined) { ${axe.source} }
    return axe.run(document, { resultTypes: ["violations"] });
  })()`) as Found;
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => `${id}: ${target.join(" ")}`)
  );
}

/** Views of the page, each with what fills it. */
const VIEWS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  Tree: (page) => tryCall(page, "socket AF_VSOCK"),
  Policy: (page) => page.locator("#policy-text .verdict").first().waitFor(),
  Compare: async (page) => {
    await page.selectOption("#other-example", "preset:no-vsock");
    await page.getByText("Different", { exact: true }).waitFor();
  },
  Cost: (page) => page.locator("#cost-rows .number").first().waitFor(),
  Filter: (page) => save(page, "C"),
  errors: (page) => give(page, "{"),
};

needs("chromium")(
  "axe-core finds nothing in either theme, on a screen or a phone",
  async (t) => {
    await using browser = await PageBrowser.start();
    const page = await browser.open();
    for (const [view, fill] of Object.entries(VIEWS)) {
      await t.step(view, async () => {
        if (view !== "errors") await openTab(page, view);
        await fill(page);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          for (const width of [1300, 360]) {
            await page.setViewportSize({ width, height: 900 });
            const place = `${view}, ${colorScheme}, ${width} pixels`;
            assertEquals(await violations(page), [], place);
            const wide = await page.evaluate(() =>
              document.documentElement.scrollWidth
            );
            assert(wide <= width, `${place}: ${wide} pixels wide`);
          }
        }
      });
    }
    await t.step("the reader chooses a theme", async () => {
      const themeOf = (): Promise<string | undefined> =>
        page.evaluate(() => document.documentElement.dataset["theme"]);
      assertEquals(await themeOf(), "dark");
      await page.getByRole("button", { name: "Light theme" }).click();
      assertEquals(await themeOf(), "light");
    });
  },
);
