/**
 * What the container tests ask of the machine, and the program under test.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { addAnnotations } from "./config.ts";

/** The annotation that crun takes a filter from. */
const ANNOTATION = "run.oci.seccomp_bpf_data";

const MAIN = new URL("../../cli/main.ts", import.meta.url);

/**
 * Tells whether containers can be started here: root, x86_64, crun, runc and a
 * static busybox. Says what is missing where not; under CI that is an error.
 */
export async function canRunContainers(): Promise<boolean> {
  const missing: string[] = [];
  if (Deno.build.arch !== "x86_64") missing.push("an x86_64 machine");
  if (Deno.uid() !== 0) missing.push("root");
  for (const program of ["crun", "runc", "busybox", "timeout", "unshare"]) {
    if (!await isInstalled(program)) missing.push(program);
  }
  if (missing.length === 0) return true;
  const message = `Cannot run containers: no ${missing.join(", no ")}: ` +
    "see .ci/run for the packages";
  assert(Deno.env.get("CI") === undefined, message);
  say(message);
  return false;
}

/** What was said already. */
const said = new Set<string>();

/**
 * Tells people what is particular about this machine, once.
 *
 * @param message One line.
 */
export function say(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
}

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
  // What it prints is checked by the two lines that follow and by crun.
  const annotations = JSON.parse(new TextDecoder().decode(stdout)) as Readonly<
    Record<string, string>
  >;
  assertEquals(Object.keys(annotations), [ANNOTATION], "keys printed");
  const bytes = Uint8Array.fromBase64(annotations[ANNOTATION] ?? "");
  const text = await Deno.readTextFile(configPath);
  await Deno.writeTextFile(configPath, addAnnotations(text, annotations));
  return bytes;
}

async function isInstalled(program: string): Promise<boolean> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if ((await Deno.stat(`${directory}/${program}`)).isFile) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}
