/**
 * Makes the single file: `dist/seccomp-tree`, one executable script that needs
 * deno on the machine and nothing else.
 *
 * ```sh
 * deno task bundle && dist/seccomp-tree demo
 * ```
 *
 * @module
 */

const SHEBANG =
  "#!/usr/bin/env -S deno run -A --ext=js --no-config --no-lock --no-remote\n";

function main(): void {
  Deno.mkdirSync("dist", { recursive: true });
  const bundle = "dist/seccomp-tree.js";
  const { success } = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--minify", "--platform", "deno", "-o", bundle]
      .concat("cli/main.ts"),
  }).outputSync();
  if (!success) throw new Error("Cannot bundle: deno bundle failed");
  const path = "dist/seccomp-tree";
  Deno.writeTextFileSync(path, SHEBANG + Deno.readTextFileSync(bundle));
  Deno.chmodSync(path, 0o755);
  Deno.removeSync(bundle);
}

if (import.meta.main) main();
