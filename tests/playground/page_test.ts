/**
 * The page in Chromium, from its file and without a network.
 *
 * @module
 */

/// <reference lib="dom" />

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { playgroundPage } from "../../tools/playground.ts";
import { needs } from "../machine.ts";
import {
  commandLine,
  openTab,
  PAGE_FILE,
  PageBrowser,
  save,
  tryCall,
} from "./browser.ts";

/** Most bytes of the page. */
const MOST_BYTES = 400_000;

Deno.test("the page in docs/playground is what deno task playground makes", async () => {
  const page = await Deno.readTextFile(PAGE_FILE);
  assert(page.length <= MOST_BYTES, `${page.length} bytes`);
  // Too long for a message that shows the difference.
  assert(
    page === await playgroundPage(),
    'docs/playground/index.html is old: run "deno task playground"',
  );
});

Deno.test("the page names no address, and its policy permits none", async () => {
  const page = await Deno.readTextFile(PAGE_FILE);
  const shown = page.replace(/<script[^]*?<\/script>/g, "");
  assertEquals(shown.match(/\b(?:href|src)="(?!#)[^"]*"/g), null);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
  assertMatch(
    policy ?? "",
    /^default-src 'none'; script-src 'sha256-[^']+' blob:; worker-src blob:; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'$/,
  );
});

needs("chromium")(
  "the page compiles, explains, compares, measures and saves",
  async (t) => {
    await using browser = await PageBrowser.start();
    const page = await browser.open();
    await t.step("an example is compiled and proved", async () => {
      assertMatch(
        await page.textContent("#status") ?? "",
        /^\d+ instructions, \d+ bytes, proved equal .* on x86_64, x86, x32$/,
      );
    });
    await t.step(
      "every key works in the tree",
      async () => {
        const selected = (): Promise<string | null> =>
          page.getAttribute(
            '[role=treeitem][aria-selected="true"]',
            "aria-label",
          );
        const count = (): Promise<number> =>
          page.locator("[role=treeitem]").count();
        await page.locator('[role=treeitem][tabindex="0"]').focus();
        assertEquals(await selected(), "arch = x86_64+x32?");
        await page.keyboard.press("ArrowRight");
        assertMatch(await selected() ?? "", /^yes: nr /);
        const before = await count();
        await page.keyboard.press("ArrowLeft");
        assert(await count() < before, "it closes");
        await page.keyboard.press("ArrowLeft");
        assertEquals(await selected(), "arch = x86_64+x32?");
        await page.keyboard.press("Enter");
        await page.keyboard.press("*");
        assert(await count() > 100, `${await count()} nodes`);
        await page.keyboard.press("End");
        assertMatch(
          await selected() ?? "",
          /^no: KILL_THREAD other architectures$/,
        );
        await page.keyboard.press("Home");
        const width = (): Promise<number> =>
          page.evaluate(() =>
            document.querySelector("#tree-view svg")?.clientWidth ?? 0
          );
        const wide = await width();
        await page.keyboard.press("+");
        assert(await width() > wide);
        await page.getByRole("button", { name: "Fit" }).click();
        assert(await width() < wide);
        await page.getByRole("button", { name: "Open few" }).click();
      },
    );
    await t.step("a call is answered, and its way is marked", async () => {
      assertEquals(await tryCall(page, "socket AF_VSOCK"), "ERRNO(EPERM)");
      assertMatch(
        await page.textContent("#call-text") ?? "",
        /no rule matches \(defaultAction, default-docker\.json:2:19\)/,
      );
      const way = page.locator("[role=treeitem].on");
      assertEquals(await way.first().getAttribute("aria-level"), "1");
      assertEquals(await way.last().textContent(), "ERRNO(EPERM) socket");
      assert(await way.count() > 5);
      assertEquals(await tryCall(page, "aarch64:read"), "KILL_THREAD");
      assertEquals(await tryCall(page, "getpid"), "ALLOW");
      await page.fill("#call", "getpidd");
      await page.keyboard.press("Enter");
      await page.getByText('did you mean "getpid"').waitFor();
      await page.fill("#call", "socket AF_VSOCK");
    });
    await t.step(
      "the policy is explained in names, whole or in part",
      async () => {
        await openTab(page, "Policy");
        await page.waitForFunction(() =>
          document.getElementById("policy-text")?.textContent?.includes(
            "accept4",
          )
        );
        await page.fill("#only-words", "personality");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() =>
          !document.getElementById("policy-text")?.textContent?.includes(
            "accept4",
          )
        );
        const text = await page.textContent("#policy-text") ?? "";
        const args = ["explain", "--only", "personality", "--kernel", "6.1"];
        const arches = ["--arch", "x86_64,x86,x32"];
        const wanted = await commandLine([...args, ...arches], DEFAULT_PROFILE);
        assertEquals(text, new TextDecoder().decode(wanted));
      },
    );
    await t.step("two are compared, with witnesses both ways", async () => {
      await openTab(page, "Compare");
      await page.fill("#other", DEFAULT_PROFILE.replace('"getpid",', ""));
      await page.getByText("Different", { exact: true }).waitFor();
      const text = await page.textContent("#compare-result") ?? "";
      assertMatch(
        text,
        /tighter: ALLOW -> ERRNO\(EPERM\) on x86, x86_64 and x32\n {2}calls getpid\n/,
      );
      assertMatch(
        text,
        /profile\.json permits nothing that default-docker\.json denies/,
      );
      assertMatch(
        text,
        /default-docker\.json permits more than profile\.json: getpid\(/,
      );
      await page.fill("#other", DEFAULT_PROFILE.replace(/\s+/g, " "));
      await page.getByText("Equal: no call gets another answer", {
        exact: true,
      }).waitFor();
      await page.fill("#other", "{");
      await page.locator("#compare-findings .error").first().waitFor();
    });
    await t.step("costs are measured beside those of a list", async () => {
      await openTab(page, "Cost");
      await page.locator("#cost-rows .number").first().waitFor();
      const rows = await page.locator("#cost-rows tr").allInnerTexts();
      assertEquals(rows.length, 6);
      assertMatch(
        rows[0] ?? "",
        /^decision tree\t\d{3}\tx86_64\t\d\.\d\d\t\d\d\t\d{3}$/,
      );
      assertMatch(
        rows[3] ?? "",
        /^list of rules\t\d{4}\tx86_64\t\d{3}\.\d\d\t\d{3}\t\d{3}$/,
      );
    });
    await t.step(
      "the digest, and every format, are those of the command line",
      async () => {
        await openTab(page, "Filter");
        await page.getByText(/^st1:[0-9a-f]{64}$/).waitFor();
        const digest = await page.textContent("#digest");
        const arches = ["--arch", "x86_64,x86,x32", "--kernel", "6.1"];
        const wanted = await commandLine(
          ["digest", ...arches],
          DEFAULT_PROFILE,
        );
        assertMatch(new TextDecoder().decode(wanted), RegExp(`^${digest}`));
        for (
          const [button, format] of [["Annotation for crun", "annotation"], [
            "C",
            "c",
          ]] as const
        ) {
          assertEquals(
            await save(page, button),
            await commandLine(
              ["compile", ...arches, "--objective", "balanced", "-f", format],
              DEFAULT_PROFILE,
            ),
          );
        }
        for (
          const button of ["Base64", "Hex", "Go", "Rust", "Assembly", "JSON"]
        ) {
          assert((await save(page, button)).length > 1000, button);
        }
        assertEquals(
          await page.textContent("#command-line"),
          "seccomp-tree compile --arch x86_64,x86,x32 --kernel 6.1 --objective balanced -f raw default-docker.json",
        );
      },
    );
    await t.step(
      "the address has everything, and nothing else is needed",
      async () => {
        await page.getByRole("button", { name: "Copy link" }).click();
        await page.getByText("The link is copied").waitFor();
        const link = await page.evaluate(() => navigator.clipboard.readText());
        const other = await browser.open({ fragment: new URL(link).hash });
        assertEquals(await other.inputValue("#source"), DEFAULT_PROFILE);
        assertEquals(await other.inputValue("#call"), "socket AF_VSOCK");
        const tab = other.getByRole("tab", { selected: true });
        assertEquals(await tab.textContent(), "Filter");
        await other.context().close();
        const damaged = await browser.open({ fragment: "#1,AAAA" });
        assertMatch(await damaged.textContent("#status") ?? "", /proved/);
        await damaged.context().close();
      },
    );
    await t.step("another address in the same tab is shown, too", async () => {
      const hash = await page.evaluate(() => location.hash);
      await page.fill("#source", '{"defaultAction": "SCMP_ACT_ALLOW"}');
      await page.getByText(/^7 instructions/).waitFor();
      await page.evaluate((hash) => location.hash = hash, hash);
      await page.getByText(/^2\d\d instructions/).waitFor();
      assertEquals(await page.inputValue("#source"), DEFAULT_PROFILE);
    });
    await t.step("a browser without workers has the same answers", async () => {
      const plain = await browser.open({ isWithoutWorkers: true });
      assertEquals(await plain.evaluate("typeof Worker"), "undefined");
      assertEquals(await tryCall(plain, "socket AF_VSOCK"), "ERRNO(EPERM)");
      await openTab(plain, "Filter");
      const bytes = await save(plain, "Hex");
      await openTab(page, "Filter");
      assertEquals(bytes, await save(page, "Hex"));
    });
  },
);
