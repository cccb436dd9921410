/**
 * Makes the page in the browser: one HTML file that works without a server.
 *
 * ```sh
 * deno task playground          # writes docs/playground/index.html
 * deno task playground FILE
 * ```
 *
 * The engine is packed, because it is most of the page, and starts from a Blob.
 * A policy in the page permits only its own scripts and styles.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import { deflateRawSync } from "node:zlib";
import { ARCH_NAMES } from "../playground/choices.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { bundle } from "./deno_bundle.ts";
import { shrink } from "./npm/shrink.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
/** The page in the repository. */
export const PAGE = "docs/playground/index.html";

const MANUAL: Manual = {
  usage: "deno task playground [FILE]",
  brief:
    `Makes the page in the browser (default: ${PAGE}): one HTML file that\nneeds no server.`,
  words: 1,
};

/** Makes the text of the page. */
export async function playgroundPage(): Promise<string> {
  const scratch = await Deno.makeTempDir({ prefix: "playground-" });
  try {
    const code = async (entry: string): Promise<string> =>
      await shrink(
        await bundle(entry, join(scratch, "module.js"), "browser"),
      );
    const read = (path: string): Promise<string> =>
      Deno.readTextFile(join(ROOT, path));
    const engine = await code("playground/engine/main.ts");
    const script = inScript(await code("playground/page/main.ts"));
    const style = shortStyle(await read("playground/style.css"));
    const { version } = JSON.parse(await read("deno.json"));
    const policy = [
      "default-src 'none'",
      `script-src '${await hashOf(script)}' blob:`,
      "worker-src blob:",
      `style-src '${await hashOf(style)}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; ");
    const parts: Readonly<Record<string, string>> = {
      POLICY: policy,
      STYLE: style,
      SCRIPT: script,
      ENGINE: deflateRawSync(`(()=>{${engine}})()`, { level: 9 })
        .toString("base64"),
      VERSION: version,
      ARCHES: ARCH_NAMES.map((name) => `<option>${name}</option>`).join(""),
    };
    const html = await read("playground/index.html");
    return html.replace(/@([A-Z]+)@/g, (_, key) => parts[key] ?? "")
      .replace(/^ +/gm, "");
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Escapes code so that it does not end its element. */
function inScript(code: string): string {
  const text = code.replaceAll("</script", "<\\/script").trim();
  if (/^ /m.test(text)) throw new Error("Unreachable: an indented line");
  return text;
}

function shortStyle(text: string): string {
  return text.replace(/\s+/g, " ").replace(/ ?([{};,]) ?/g, "$1").trim();
}

/** The source expression of a policy that permits a text. */
async function hashOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256-${new Uint8Array(hash).toBase64()}`;
}

async function main({ words: [path] }: Given): Promise<void> {
  const file = path ?? join(ROOT, PAGE);
  const text = await playgroundPage();
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text);
  // deno-lint-ignore no-console -- a program for people
  console.log(`${path ?? PAGE}: ${text.length} bytes`);
}

if (import.meta.main) start(MANUAL, main);
