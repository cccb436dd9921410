/**
 * The program under test: puts the filter of a bundle into its annotations.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { addAnnotations } from "./config.ts";

/** The annotation from which crun takes a filter. */
const ANNOTATION = "run.oci.seccomp_bpf_data";

const MAIN = new URL("../../cli/main.ts", import.meta.url);

/**
 * Compiles the filter of a bundle by the command line and adds it to the
 * bundle's config.
 *
 * @param configPath Its `config.json`.
 * @param options Further words for `compile`, such as `--semantics`.
 * @returns The filter, as `struct sock_filter[]`.
 */
export async function annotateBundle(
  configPath: string,
  options: readonly string[],
): Promise<Uint8Array> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", fromFileUrl(MAIN), "compile", "-f", "annotation"],
      ...["--names", "host", ...options, configPath],
    ],
    stdin: "null",
  }).output();
  assertEquals(code, 0, `compile, after "${new TextDecoder().decode(stderr)}"`);
  // The two lines that follow, and crun, check the output.
  const annotations = JSON.parse(new TextDecoder().decode(stdout)) as Readonly<
    Record<string, string>
  >;
  assertEquals(Object.keys(annotations), [ANNOTATION], "keys printed");
  const bytes = Uint8Array.fromBase64(annotations[ANNOTATION] ?? "");
  const text = await Deno.readTextFile(configPath);
  await Deno.writeTextFile(configPath, addAnnotations(text, annotations));
  return bytes;
}
