import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { MachineError, UsageError } from "../../../cli/error.ts";
import { writeFileWhole } from "../../../cli/output/write.ts";
import { needs } from "../../machine.ts";
import { call, createFolder, FIXED, shell, SMALL_PROFILE } from "../harness.ts";

const test = needs("userns");

/** Names in a folder; what was temporary must be gone. */
function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("writeFileWhole() makes a new file, replaces an old one, keeps mode and owner", async () => {
  await using folder = await createFolder();
  const path = join(folder.path, "out");
  writeFileWhole(path, "one\n");
  assertEquals(await Deno.readTextFile(path), "one\n");
  assertEquals(
    ((await Deno.stat(path)).mode ?? 0) & 0o777,
    0o666 & ~Deno.umask(),
  );
  await Deno.chmod(path, 0o640);
  if (Deno.uid() === 0) await Deno.chown(path, 65534, 65534);
  writeFileWhole(path, new Uint8Array([1, 2, 3]));
  assertEquals([...await Deno.readFile(path)], [1, 2, 3]);
  const { mode, uid } = await Deno.stat(path);
  assertEquals((mode ?? 0) & 0o777, 0o640);
  if (Deno.uid() === 0) assertEquals(uid, 65534);
  assertEquals(namesIn(folder.path), ["out"]);
});

Deno.test("writeFileWhole() replaces the file that a link leads to, not the link", async () => {
  await using folder = await createFolder();
  const file = await folder.write("file", "old");
  const link = join(folder.path, "link");
  await Deno.symlink("file", link);
  writeFileWhole(link, "new");
  assertEquals(await Deno.readTextFile(file), "new");
  assert((await Deno.lstat(link)).isSymlink, "still a link");
  const dangling = join(folder.path, "dangling");
  await Deno.symlink("nothing", dangling);
  assertThrows(
    () => writeFileWhole(dangling, "x"),
    UsageError,
    "a link to a file that does not exist",
  );
  const loop = join(folder.path, "loop");
  await Deno.symlink("loop", loop);
  assertThrows(() => writeFileWhole(loop, "x"), MachineError, "symbolic links");
  assertEquals(namesIn(folder.path), ["dangling", "file", "link", "loop"]);
});

Deno.test("writeFileWhole() refuses folders, devices and pipes, and writes nothing", async () => {
  await using folder = await createFolder();
  assertThrows(
    () => writeFileWhole(folder.path, "x"),
    UsageError,
    "a directory",
  );
  assertThrows(
    () => writeFileWhole("/dev/full", "x"),
    UsageError,
    "not a regular file",
  );
  const fifo = join(folder.path, "fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  assertThrows(
    () => writeFileWhole(fifo, "x"),
    UsageError,
    "not a regular file",
  );
  assertThrows(
    () => writeFileWhole(join(folder.path, "no", "x"), "x"),
    UsageError,
    "there is no folder",
  );
  assertThrows(
    () => writeFileWhole(join(folder.path, "y".repeat(300)), "x"),
    MachineError,
    "too long",
  );
  assertEquals(namesIn(folder.path), ["fifo"]);
});

Deno.test("-O leaves the old file unchanged if anything fails", async () => {
  await using folder = await createFolder();
  const out = await folder.write("out", "old");
  const profile = await folder.write("p.json", SMALL_PROFILE);
  for (
    const [name, args] of [
      ["a wrong profile", ["-", "-O", out]],
      ["a wrong flag", [profile, "-O", out, "--caps", "CAP_NOPE"]],
      ["the source itself", [out, "-O", out]],
    ] as const
  ) {
    const { code } = await call(["compile", ...FIXED, ...args], {
      stdin: "{}",
    });
    assert(code === 2 || code === 3, `${name}: ${code}`);
    assertEquals(await Deno.readTextFile(out), "old", name);
  }
  const link = join(folder.path, "link.json");
  await Deno.symlink("p.json", link);
  const same = await call(["compile", ...FIXED, profile, "-O", link]);
  assertEquals(same.code, 2, "the source by another name");
  assertMatch(same.err, /it is the source/);
  const good = await call([
    "compile",
    ...FIXED,
    profile,
    "-O",
    out,
    "-f",
    "hex",
  ]);
  assertEquals([good.code, good.out], [0, ""]);
  assertMatch(await Deno.readTextFile(out), /^[0-9a-f]+\n$/);
  assertEquals(namesIn(folder.path), ["link.json", "out", "p.json"]);
});

test("-O on a full or read-only disk keeps the old file, exit 5", async () => {
  // A private mount namespace with a tiny file system, if the machine allows
  // one.
  const script = `
    unshare --mount --map-root-user bash -c '
      set -e
      mount -t tmpfs -o size=8k,mode=755 none "$DIR"
      cd "$DIR"
      printf old > out
      head -c 100000 /dev/zero > filler 2>/dev/null || true
      set +e
      $CLI compile -q -f asm -O out; echo "full $?"
      cat out; echo
      ls -A | tr "\\n" " "; echo
      rm filler
      mount -o remount,bind,ro "$DIR"
      $CLI compile -q -O out; echo "read-only $?"
      cat out; echo
    '`;
  await using folder = await createFolder();
  const { out, err } = await shell(script, { env: { DIR: folder.path } });
  assertEquals(out, "full 5\nold\nfiller out \nread-only 5\nold\n", err);
  assertMatch(err, /Cannot write "out": No space left on device/);
  assertMatch(err, /Cannot write "out": Read-only file system/);
});

test("-O keeps the owner of a file", async () => {
  // In its own user namespace, root may write here, but cannot give a file to
  // the owner of the old one.
  await using folder = await createFolder();
  const out = await folder.write("out", "old");
  if (Deno.uid() === 0) await Deno.chown(out, 65534, 65534);
  const result = await shell(
    `unshare --user --map-root-user $CLI compile ${FIXED.join(" ")} -O "$OUT"`,
    { env: { OUT: out } },
  );
  if (Deno.uid() !== 0) {
    assertEquals(result.code, 0, "it is ours");
    return;
  }
  assertEquals(result.code, 5, result.err);
  assertMatch(result.err, /^error: Cannot write ".*out": /);
  assertEquals(await Deno.readTextFile(out), "old");
  assertEquals(namesIn(folder.path), ["out"]);
});

Deno.test("an output path in no folder is refused with exit 2, before any work", async () => {
  await using folder = await createFolder();
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const missing = `${folder.path}/none/out`;
  const cases = [
    ["compile", "-q"],
    ["disasm", "-q", filter],
    ["asm", filter],
    ["dump", `pid:${Deno.pid}`],
    ["bench", "--quick"],
  ];
  for (const args of cases) {
    for (const out of [missing, `${filter}/out`]) {
      const { code, out: text, err } = await call([...args, "-O", out]);
      assertEquals([code, text], [2, ""], `${args}: ${err}`);
      assertMatch(
        err,
        /^error: Cannot write ".*out": there is no folder ".*"; create it, or give another path\n$/,
      );
    }
  }
  await Deno.symlink("nowhere", `${folder.path}/link`);
  const link = await call(["compile", "-q", "-O", `${folder.path}/link`]);
  assertEquals(link.code, 2, link.err);
});
