/**
 * Lays out the program for packagers, after the Filesystem Hierarchy Standard.
 *
 * ```sh
 * deno task stage --prefix /usr DIR   # writes below DIR/usr, prints the files
 * ```
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { type Given, type Manual, start } from "./arguments.ts";
import { manualPages } from "./man.ts";
import { readRelease, type Release } from "./release.ts";
import { makeSbom } from "./sbom.ts";
import { shippedPackages } from "./shipped.ts";

const ROOT = new URL("../", import.meta.url);
/** Name of the program and of its package. */
export const NAME = "seccomp-tree";

/** Prefix of files that an administrator installs manually. */
const LOCAL = "/usr/local";

/** A file to install. */
export interface StagedFile {
  /** Path below the prefix. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Mode: 0o755 or 0o644. */
  readonly mode: number;
}

/**
 * Lists the files of an installation.
 *
 * @param program Path of the single file.
 * @param release The release.
 */
export async function stagedFiles(
  program: string,
  release: Release,
): Promise<readonly StagedFile[]> {
  const encoder = new TextEncoder();
  const file = (path: string, content: Uint8Array | string): StagedFile => ({
    path,
    content: typeof content === "string" ? encoder.encode(content) : content,
    mode: path.startsWith("bin/") ? 0o755 : 0o644,
  });
  const copy = async (path: string, source: string): Promise<StagedFile> =>
    file(path, await Deno.readFile(new URL(source, ROOT)));
  const doc = `share/doc/${NAME}`;
  const completions = "cli/completions/seccomp_tree";
  const pages = await manualPages(release);
  return [
    file(`bin/${NAME}`, await Deno.readFile(program)),
    ...[...pages].map(([path, page]) => file(`share/man/${path}`, page)),
    await copy(
      `share/bash-completion/completions/${NAME}`,
      `${completions}.bash`,
    ),
    await copy(`share/zsh/site-functions/_${NAME}`, `${completions}.zsh`),
    await copy(
      `share/fish/vendor_completions.d/${NAME}.fish`,
      `${completions}.fish`,
    ),
    await copy(`${doc}/README.md`, "README.md"),
    await copy(`${doc}/CHANGELOG.md`, "CHANGELOG.md"),
    await copy(`${doc}/SECURITY.md`, "SECURITY.md"),
    await copy(`${doc}/LICENSE`, "LICENSE"),
    await copy(`${doc}/NOTICE`, "NOTICE"),
    await copy(`${doc}/install.md`, "docs/install.md"),
    file(
      `${doc}/${NAME}.cdx.json`,
      makeSbom(release, await shippedPackages()),
    ),
  ].sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Writes files below a folder; their folders have mode 0755. */
export async function writeStaged(
  folder: string,
  files: readonly StagedFile[],
): Promise<void> {
  for (const { path, content, mode } of files) {
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await Deno.writeFile(target, content);
    // Independent of the builder's umask.
    await Deno.chmod(target, mode);
  }
}

/**
 * Runs a program and ignores its output.
 *
 * @param program The program.
 * @param args Its arguments.
 * @param env Variables besides those of this process.
 * @throws {Error} if it fails.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
  }).output();
  if (success) return;
  const why = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot package: ${program} failed: ${why}`);
}

/** Makes the single file in a folder and returns its path. */
async function buildFile(folder: string): Promise<string> {
  const path = join(folder, NAME);
  const bundler = new URL("bundle.ts", import.meta.url).pathname;
  await runTool(Deno.execPath(), ["run", "-A", bundler, path]);
  return path;
}

const MANUAL: Manual = {
  usage: "deno task stage [OPTION...] DIR",
  brief:
    "Writes the program, its manual pages, completions and documents below DIR, and\nprints their paths.",
  options: {
    prefix: {
      brief: `Prefix of the installed files (default: ${LOCAL})`,
      placeholder: "PATH",
    },
    program: {
      brief: "The single file (default: made now)",
      placeholder: "FILE",
    },
  },
  words: 1,
};

/**
 * Calls a function with the given single file, or with one that is made for the
 * call.
 *
 * @param given The command line, which may have `--program`.
 * @param work Function that gets the path of the file.
 */
export async function withProgram(
  given: Given,
  work: (program: string, release: Release) => Promise<void>,
): Promise<void> {
  const release = await readRelease();
  const path = given.text("program");
  if (path !== undefined) return await work(path, release);
  const scratch = await Deno.makeTempDir({ prefix: "stage-" });
  try {
    await work(await buildFile(scratch), release);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function main(given: Given): Promise<void> {
  const [folder = "dist/root"] = given.words;
  const prefix = given.text("prefix") ?? LOCAL;
  if (!prefix.startsWith("/")) {
    throw new Error(`Cannot use the prefix "${prefix}": not absolute`);
  }
  await withProgram(given, async (program, release) => {
    const files = await stagedFiles(program, release);
    await writeStaged(join(folder, prefix), files);
    const list = files.map(({ path }) => `${join(prefix, path)}\n`).join("");
    await Deno.stdout.write(new TextEncoder().encode(list));
  });
}

if (import.meta.main) start(MANUAL, main);
