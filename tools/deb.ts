/**
 * Makes a package for Debian.
 *
 * ```sh
 * deno task deb FILE   # for all architectures
 * ```
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { type Given, type Manual, start } from "./arguments.ts";
import type { Release } from "./release.ts";
import {
  NAME,
  runTool,
  type StagedFile,
  stagedFiles,
  withProgram,
  writeStaged,
} from "./stage.ts";

/**
 * Makes a package for Debian; the same files give the same bytes.
 *
 * @param path Path of the package.
 * @param program Path of the single file.
 * @param release The release.
 * @throws {Error} if `dpkg-deb` fails.
 */
export async function makeDeb(
  path: string,
  program: string,
  release: Release,
): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "deb-" });
  try {
    await Deno.chmod(scratch, 0o755);
    const files = await debFiles(await stagedFiles(program, release));
    await writeStaged(scratch, files);
    const size = files.reduce((sum, { content }) => sum + content.length, 0);
    await Deno.mkdir(join(scratch, "DEBIAN"), { mode: 0o755 });
    await Deno.writeTextFile(
      join(scratch, "DEBIAN/control"),
      control(release, Math.ceil(size / 1024)),
    );
    await Deno.mkdir(dirname(path), { recursive: true });
    const seconds = Date.parse(`${release.date}T00:00:00Z`) / 1000;
    await runTool(
      "dpkg-deb",
      ["--root-owner-group", "-Zxz", "--build", scratch, path],
      { SOURCE_DATE_EPOCH: `${seconds}` },
    );
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Files below /usr, compressed and named as Debian's policy requires. */
async function debFiles(
  staged: readonly StagedFile[],
): Promise<readonly StagedFile[]> {
  const files: StagedFile[] = [];
  for (const each of staged) {
    const path = `usr/${each.path}`
      .replace("/zsh/site-functions/", "/zsh/vendor-completions/")
      .replace(/\/LICENSE$/, "/copyright")
      .replace(/\/CHANGELOG\.md$/, "/changelog");
    const isPacked = /\/man\d\/|\/changelog$/.test(path);
    files.push({
      ...each,
      path: isPacked ? `${path}.gz` : path,
      content: isPacked ? await compress(each.content) : each.content,
    });
  }
  return files;
}

/** Compresses without a name or a time. */
async function compress(content: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([content.slice()]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function control({ version }: Release, kibibytes: number): string {
  return `Package: ${NAME}
Version: ${version}-1
Section: admin
Priority: optional
Architecture: all
Installed-Size: ${kibibytes}
Maintainer: The seccomp-tree authors <noreply@seccomp-tree.invalid>
Suggests: crun (>= 0.18), podman
Description: optimal, proved seccomp filters
 Compiles container seccomp profiles into optimal decision trees of classic
 BPF, and proves that each means exactly what its profile says.
 .
 It is started by Deno, which Debian does not have: the program deno has to be
 in PATH.
`;
}

const MANUAL: Manual = {
  usage: "deno task deb [OPTION...] [FILE]",
  brief: "Makes a package for Debian; needs dpkg-deb.",
  options: {
    program: {
      brief: "The single file (default: made now)",
      placeholder: "FILE",
    },
  },
  words: 1,
};

async function main(given: Given): Promise<void> {
  await withProgram(given, async (program, release) => {
    const name = `${NAME}_${release.version}-1_all.deb`;
    await makeDeb(given.words[0] ?? `dist/${name}`, program, release);
  });
}

if (import.meta.main) start(MANUAL, main);
