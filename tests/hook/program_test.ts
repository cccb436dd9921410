import { assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readProgram } from "../../hook/program.ts";

Deno.test("readProgram() copies nothing of a hook that Deno cannot list", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const deno = join(folder, "deno");
    await Deno.writeTextFile(
      deno,
      "#!/bin/sh\necho '{\"modules\":[]}'\necho 'first' >&2\necho 'no cache' >&2\nexit 3\n",
    );
    await Deno.chmod(deno, 0o755);
    await assertRejects(
      () => readProgram(deno, "modules"),
      Error,
      "Cannot read the hook's program: deno info ended with status 3: no cache",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
