/**
 * Profiles and filters that the page reads, in Chromium.
 *
 * @module
 */

/// <reference lib="dom" />

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { compileProfile } from "../../mod.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { needs } from "../machine.ts";
import { CORPUS } from "../release/corpus.ts";
import {
  commandLine,
  give,
  openTab,
  PageBrowser,
  save,
  tryCall,
} from "./browser.ts";

needs("chromium")(
  "the page gives the command line's bytes: 30 profiles",
  async (t) => {
    await using browser = await PageBrowser.start();
    const page = await browser.open();
    await openTab(page, "Filter");
    for (const [i, profile] of CORPUS.profiles.entries()) {
      await t.step(`profile ${i}`, async () => {
        await give(page, profile);
        const saved = await save(page, "Bytes");
        assert(saved.length >= 8 && saved.length % 8 === 0);
        const shown = await page.textContent("#command-line") ?? "";
        const [program, ...words] = shown.split(" ").slice(0, -1);
        assertEquals(program, "seccomp-tree");
        assertEquals(await commandLine(words, profile), saved);
      });
    }
  },
);

needs("chromium")(
  "the page reads filters, files and what is dropped, and shows errors in their places",
  async (t) => {
    await using browser = await PageBrowser.start();
    const page = await browser.open();
    const filter = compileProfile('{"defaultAction": "SCMP_ACT_LOG"}', {
      arch: "aarch64",
    });
    assert(filter.kind === "proved");
    const { bytes, program } = filter;
    const asFilter = RegExp(
      `^a filter of ${program.length} instructions for aarch64`,
    );
    await t.step("base64, hex and assembly", async () => {
      for (const text of [bytes.toBase64(), bytes.toHex()]) {
        assertMatch(await give(page, text), asFilter);
      }
      assertMatch(
        await give(
          page,
          "ld [4]\njeq #0xc00000b7, a, b\na: ret #0x7ffc0000\nb: ret #0\n",
        ),
        /^a filter of 4 .* aarch64, as asm$/,
      );
    });
    await t.step("a file of bytes", async () => {
      await page.setInputFiles("#source-file", {
        name: "some.bpf",
        mimeType: "application/octet-stream",
        buffer: Buffer.from(bytes),
      });
      await page.getByText("some.bpf, bytes as base64").waitFor();
      await page.getByText(/as raw$/).waitFor();
      assertEquals(await tryCall(page, "openat"), "LOG");
    });
    await t.step("a dropped file", async () => {
      await page.evaluate((text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], "dropped.json"));
        document.getElementById("source-drop")
          ?.dispatchEvent(new DragEvent("drop", { dataTransfer }));
      }, '{"defaultAction": "SCMP_ACT_TRAP"}');
      await page.getByText("dropped.json", { exact: true }).waitFor();
      await page.locator('#call-verdict[data-action="TRAP"]').waitFor();
    });
    await t.step("errors name their places, and lead there", async () => {
      const text = '{\n  "defaultAction": "SCMP_ACT_ALOW",\n  "syscalls": 3\n}';
      assertMatch(await give(page, text), /^2 errors: nothing was compiled$/);
      const findings = await page.locator("#findings li").allInnerTexts();
      assertMatch(
        findings[0] ?? "",
        /^error 2:20 defaultAction .*did you mean "SCMP_ACT_ALLOW"$/,
      );
      await page.getByRole("button", { name: "go to line 2, column 20" })
        .click();
      const selected = await page.evaluate(() => {
        const field = document.getElementById("source");
        return field instanceof HTMLTextAreaElement
          ? field.value.slice(field.selectionStart, field.selectionEnd)
          : "";
      });
      assertEquals(selected, '"SCMP_ACT_ALOW"');
      assertEquals(await page.locator("#results").isVisible(), false);
      for (
        const [bad, message] of [["", /it is empty/], ["\x7fELF", /ELF/], [
          "ret x\n",
          /./,
        ], ["AAAAAAAAAAA=", /kernel refuses|byte order|Cannot/]] as const
      ) {
        assertMatch(await give(page, bad), /^\d+ errors?: nothing/);
        assertMatch(
          (await page.locator("#findings li").allInnerTexts()).join(),
          message,
        );
      }
    });
    await t.step("options of the machine", async () => {
      await give(page, DEFAULT_PROFILE);
      await page.getByText("Machine, runtime and cost").click();
      await page.selectOption("#arch", "s390x");
      await page.getByText(/on s390x, s390$/).waitFor();
      await page.check("#only");
      await page.getByText(/on s390x$/).waitFor();
      await page.selectOption("#semantics", "runc");
      await page.selectOption("#objective", "size");
      await page.fill("#caps", "all");
      await page.press("#caps", "Enter");
      await page.locator("#command-line").filter({
        hasText: "--semantics runc",
      }).waitFor({ state: "attached" });
      const line = await page.textContent("#command-line") ?? "";
      assertMatch(line, /--arch s390x .*--caps all .*--objective size/);
    });
  },
);
