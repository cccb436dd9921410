import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import {
  ancestorsOf,
  doubtAboutFile,
  doubtAboutFolder,
} from "../../host/trust.ts";
import { needs } from "../machine.ts";

/** The owner, inside a user namespace, of everything without an owner there. */
const NOBODY = 65534;

Deno.test("ancestorsOf() lists every folder on the way, and takes plain paths only", () => {
  assertEquals(ancestorsOf("/"), ["/"]);
  assertEquals(ancestorsOf("/var/cache"), ["/", "/var", "/var/cache"]);
  for (const path of ["", "a", "./a", "/a/", "//a", "/a/../b", "/./a"]) {
    assertThrows(() => ancestorsOf(path), RangeError, "not an absolute path");
  }
});

Deno.test("doubtAboutFolder() and doubtAboutFile() see what others could change", async () => {
  // /tmp is sticky: no other user can replace this folder in it.
  const top = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "seccomp-tree-trust-" }),
  );
  try {
    const folder = join(top, "folder");
    const file = join(folder, "file");
    await Deno.mkdir(folder, { mode: 0o755 });
    await Deno.writeTextFile(file, "", { mode: 0o644 });
    assertEquals(await doubtAboutFolder(folder), undefined);
    assertEquals(await doubtAboutFile(file), undefined);
    await Deno.chmod(file, 0o664);
    assertEquals(
      await doubtAboutFile(file),
      "others may write to it (mode 664)",
    );
    await Deno.chmod(top, 0o777);
    const doubt = `"${top}": others may write to it (mode 777)`;
    assertEquals(await doubtAboutFolder(folder), doubt);
    assertEquals(await doubtAboutFile(file), doubt);
    await Deno.chmod(top, 0o1777);
    assertEquals(await doubtAboutFolder(folder), undefined, "sticky");
    await Deno.symlink(file, join(folder, "link"));
    assertEquals(
      await doubtAboutFile(join(folder, "link")),
      "it is a symbolic link",
    );
    await Deno.chmod(top, 0o700);
    assertEquals(await doubtAboutFile(folder), "it is not a file");
    await assertRejects(
      () => doubtAboutFile(join(folder, "none")),
      Deno.errors.NotFound,
    );
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});

needs("root", "userns")(
  "doubtAboutFolder() believes what has no owner only inside a user namespace",
  async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    try {
      await Deno.chown(folder, NOBODY, NOBODY);
      assertMatch(await doubtAboutFolder(folder) ?? "", /user 65534/);
      const module = new URL("../../host/trust.ts", import.meta.url).href;
      const program = `
      import { doubtAboutFolder } from ${JSON.stringify(module)};
      console.log(await doubtAboutFolder(Deno.args[0]));
    `;
      const { stdout, stderr } = await new Deno.Command("unshare", {
        args: [
          ...["--user", "--map-root-user", Deno.execPath(), "eval"],
          ...["--no-config", "--no-lock", program, folder],
        ],
      }).output();
      const text = new TextDecoder();
      assertEquals(text.decode(stdout), "undefined\n", text.decode(stderr));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
