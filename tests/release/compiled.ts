/**
 * A stand-in for the binary that `deno compile` makes, because its runtime
 * cannot be fetched everywhere: a program for which `Deno.execPath()` and
 * `Deno.build.standalone` have the values of that binary, and which may fetch
 * nothing.
 *
 * @module
 */

/** Name of the binary in its folder. */
export const BINARY = "seccomp-tree";

/**
 * Makes the files of such a program.
 *
 * @param folder Their folder: an absolute path.
 * @param file The text of the single file.
 * @returns Texts by name; {@linkcode BINARY} is the one to start.
 */
export function compiledFiles(
  folder: string,
  file: string,
): Readonly<Record<string, string>> {
  const words = [
    ...[Deno.execPath(), "run", "-A", "--no-prompt", "--no-config"],
    ...["--no-lock", "--no-remote", "--no-npm"],
    ...["--preload", `${folder}/preload.js`, `${folder}/program.js`],
  ];
  return {
    [BINARY]: `#!/bin/sh\nexec ${
      words.map((word) => `'${word}'`).join(" ")
    } "$@"\n`,
    "preload.js":
      `Object.defineProperty(Deno, "execPath", { value: () => "${folder}/${BINARY}" });
Object.defineProperty(Deno, "build", {
  value: Object.freeze({ ...Deno.build, standalone: true }),
});
`,
    "program.js": file,
  };
}
