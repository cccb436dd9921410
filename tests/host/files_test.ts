import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { isTemporary, writeWhole } from "../../host/files.ts";

async function withFolder(work: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-files-" });
  try {
    work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function modeOf(path: string): number {
  return (Deno.lstatSync(path).mode ?? 0) & 0o7777;
}

Deno.test("writeWhole() creates a file with the requested mode, whatever the umask", async () => {
  await withFolder((folder) => {
    const umask = Deno.umask(0o027);
    try {
      const cases = [[0o644, 0o644], [0o600, 0o600], [0o755, 0o755], [
        undefined,
        0o640,
      ]] as const;
      for (const [mode, expected] of cases) {
        const path = join(folder, `new-${mode}`);
        writeWhole(path, "text", mode === undefined ? {} : { mode });
        assertEquals(modeOf(path), expected, String(mode));
        assertEquals(Deno.readTextFileSync(path), "text");
      }
    } finally {
      Deno.umask(umask);
    }
  });
});

Deno.test("writeWhole() replaces a file and keeps its mode; open descriptors keep the old one", async () => {
  await withFolder((folder) => {
    const path = join(folder, "file");
    Deno.writeTextFileSync(path, "old");
    Deno.chmodSync(path, 0o4750);
    using reader = Deno.openSync(path);
    writeWhole(path, new Uint8Array([1, 2, 3]), { mode: 0o600 });
    assertEquals(modeOf(path), 0o4750);
    assertEquals(Deno.readFileSync(path), new Uint8Array([1, 2, 3]));
    const seen = new Uint8Array(8);
    assertEquals(reader.readSync(seen), 3);
    assertEquals(new TextDecoder().decode(seen.subarray(0, 3)), "old");
    assertEquals(names(folder), ["file"]);
  });
});

Deno.test("writeWhole() replaces a link, not what it leads to", async () => {
  await withFolder((folder) => {
    const [link, target] = [join(folder, "link"), join(folder, "target")];
    Deno.writeTextFileSync(target, "kept");
    Deno.symlinkSync(target, link);
    writeWhole(link, "new", { mode: 0o600 });
    assertEquals(Deno.readTextFileSync(target), "kept");
    assert(Deno.lstatSync(link).isFile);
  });
});

Deno.test("writeWhole() leaves no file if it cannot write", async () => {
  await withFolder((folder) => {
    const path = join(folder, "folder");
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(join(path, "file"), "kept");
    assertThrows(() => writeWhole(path, "new"), Error, "not a regular file");
    assertThrows(() => writeWhole(join(folder, "no/file"), "new"));
    assertEquals(names(folder), ["folder"]);
    assertEquals(names(path), ["file"]);
  });
});

Deno.test("isTemporary() knows the names that writeWhole() writes under", async () => {
  assert(!isTemporary("file") && !isTemporary(".seccomp-tree.x.tmp"));
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-files-" });
  const seen = new Set<string>();
  try {
    using watcher = Deno.watchFs(folder);
    writeWhole(join(folder, "file"), "text");
    for await (const { paths } of watcher) {
      for (const path of paths) seen.add(path.slice(folder.length + 1));
      if (seen.has("file")) break;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const others = [...seen].filter((name) => name !== "file" && name !== "");
  assertEquals(others.map(isTemporary), [true]);
});
