/**
 * Compares the digests of a headless Chromium with those of Deno, `deno task
 * chromium`. Not a test: the browser is a package of 300 MB.
 *
 * ```sh
 * apt-get install chromium-headless-shell
 * deno task chromium
 * ```
 *
 * @module
 */

import { join } from "@std/path";
import { type Given, type Manual, start } from "../../../tools/arguments.ts";
import { pathOf } from "../../machine.ts";
import { bundleForBrowsers } from "./bundle.ts";
import { digests } from "./digests.ts";

const MANUAL: Manual = {
  usage: "deno task chromium [OPTION...]",
  brief:
    "Compares the digests that a headless Chromium computes with those of Deno.\nExits with 1 if they differ.",
  options: {
    browser: {
      placeholder: "PATH",
      brief: "Program (default: chromium-headless-shell, chromium)",
    },
  },
};

async function main(given: Given): Promise<number> {
  const browser = given.text("browser") ?? pathOf("chromium-headless-shell") ??
    pathOf("chromium");
  if (browser === undefined) {
    say("no Chromium here; install chromium-headless-shell");
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-page-" });
  try {
    const page = join(directory, "page.html");
    const script = (await bundleForBrowsers()).replaceAll(
      "</script",
      "<\\/script",
    );
    await Deno.writeTextFile(
      page,
      `<!doctype html><pre id="out">wait</pre><script type="module">${script}
document.getElementById("out").textContent = await digests().catch(String);
</script>`,
    );
    const { stdout } = await new Deno.Command(browser, {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"],
        ...["--virtual-time-budget=60000", `file://${page}`],
      ],
      stderr: "null",
    }).output();
    const dom = new TextDecoder().decode(stdout);
    const shown = /<pre id="out">([^<]*)<\/pre>/.exec(dom)?.[1] ?? "nothing";
    const expected = await digests();
    const isEqual = shown.replaceAll("&quot;", '"') === expected;
    say(
      isEqual
        ? `${expected.split("\n").length} digests are those of Deno`
        : `Chromium shows ${shown}`,
    );
    return isEqual ? 0 : 1;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
