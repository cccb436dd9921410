/**
 * OCI image layouts: every command and skopeo read the output of `compile
 * --oci`; damaged layouts are refused.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../../machine.ts";
import { call } from "../harness.ts";

const PROFILE = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [{ "names": ["read", "write"], "action": "SCMP_ACT_ALLOW" }]
}
`;
const OTHER = PROFILE.replace('"write"', '"openat"');
const TARGET = ["--arch", "x86_64", "--kernel", "6.1"];

interface Layout {
  readonly directory: string;
  /** Path of a file of the profile outside of the layout. */
  readonly profile: string;
  /** The digest that `compile` printed. */
  readonly digest: string;
}

async function withLayout(
  work: (layout: Layout) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const [profile, directory] = [join(folder, "p.json"), join(folder, "oci")];
    await Deno.writeTextFile(profile, PROFILE);
    const compiled = await call([
      ...["compile", profile, ...TARGET, "--oci", directory],
    ]);
    assertEquals(compiled.code, 0, compiled.err);
    assertMatch(compiled.out, /^oci:\/.*\/oci@sha256:[0-9a-f]{64}\n$/);
    const digest = compiled.out.trim().replace(/.*@/, "");
    await work({ directory, profile, digest });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All blobs of a layout. */
async function blobsOf(directory: string): Promise<readonly string[]> {
  const folder = join(directory, "blobs/sha256");
  const names = await Array.fromAsync(Deno.readDir(folder));
  return names.map(({ name }) => join(folder, name)).sort();
}

/** Digest of the manifest of the filter. */
async function filterOf(directory: string): Promise<string> {
  const index = await Deno.readTextFile(join(directory, "index.json"));
  const { manifests } = JSON.parse(index);
  return manifests.find((one: { artifactType?: string }) =>
    one.artifactType === "application/vnd.seccomp-tree.filter.v1"
  ).digest;
}

Deno.test("compile --oci writes what check, prove and disasm read", () =>
  withLayout(async ({ directory, profile, digest }) => {
    for (const word of [`oci:${directory}`, `oci:${directory}@${digest}`]) {
      const checked = await call(["check", word, ...TARGET]);
      assertEquals(checked.code, 0, checked.out + checked.err);
      assertMatch(checked.out, /^accepted: .* are equal for every input\n/);
      const proved = await call(["prove", word, profile, ...TARGET]);
      assertEquals(proved.code, 0, proved.err);
    }
    const filter = `oci:${directory}@${await filterOf(directory)}`;
    assertEquals((await call(["check", filter, ...TARGET])).code, 0);
    assertEquals((await call(["prove", filter, profile, ...TARGET])).code, 0);
    assertMatch((await call(["disasm", filter])).out, /ret/i);
    // A policy for another target is another policy.
    const other = await call([
      "check",
      `oci:${directory}`,
      "--arch",
      "aarch64",
    ]);
    assertEquals(other.code, 1);
    assertMatch(other.out, /something else.*compiled with --arch x86_64/s);
  }));

Deno.test("damaged or missing blobs are not read", () =>
  withLayout(async ({ directory, digest }) => {
    const word = `oci:${directory}`;
    for (const blob of await blobsOf(directory)) {
      const bytes = await Deno.readFile(blob);
      const changed = bytes.slice();
      changed[0] = (changed[0] ?? 0) ^ 1;
      for (const damage of [changed, bytes.slice(1), undefined]) {
        if (damage === undefined) await Deno.remove(blob);
        else await Deno.writeFile(blob, damage);
        const { code, err } = await call(["check", word, ...TARGET]);
        // The configurations `{}` are not needed.
        assertEquals(code, bytes.length === 2 ? 0 : 3, err);
        if (code === 0 || damage === undefined) continue;
        assertMatch(err, /is damaged/);
        assertEquals(/bytes instead of/.test(err), damage !== changed, err);
      }
      await Deno.writeFile(blob, bytes);
    }
    const exits: readonly (readonly [string, number, RegExp])[] = [
      ["oci:", 2, /no folder/],
      [`${word}@sha256:12`, 2, /64 hexadecimal digits/],
      [`${word}@sha512:12`, 2, /only digests of sha256/],
      [`${word}@sha256:${"0".repeat(64)}`, 3, /does not name a manifest/],
      [`oci:${directory}/blobs`, 3, /oci-layout/],
    ];
    for (const [source, code, message] of exits) {
      const done = await call(["prove", source, "default:docker", ...TARGET]);
      assertEquals(done.code, code, source);
      assertMatch(done.err, message);
    }
    const path = join(directory, "index.json");
    const index = await Deno.readTextFile(path);
    const outside = index.replaceAll(digest, "sha256:../../../p.json");
    for (const text of [outside, "{}", "[", "null"]) {
      await Deno.writeTextFile(path, text);
      assertEquals((await call(["check", word, ...TARGET])).code, 3, text);
    }
  }));

Deno.test("a layout can hold several profiles, selected by digest", () =>
  withLayout(async ({ directory, profile, digest }) => {
    await Deno.writeTextFile(profile, OTHER);
    const args = ["compile", profile, ...TARGET, "--oci", directory];
    const second = await call(args);
    assertEquals(second.code, 0, second.err);
    assertEquals((await call(args)).out, second.out, "again");
    const both = await call(["check", `oci:${directory}`, ...TARGET]);
    assertEquals(both.code, 3);
    assert(both.err.includes(`oci:${directory}@${digest}`), both.err);
    for (const word of [`oci:${directory}@${digest}`, second.out.trim()]) {
      assertEquals((await call(["check", word, ...TARGET])).code, 0);
    }
    const folder = await call([...args.slice(0, -1), join(directory, "blobs")]);
    assertEquals(folder.code, 2);
    assertMatch(folder.err, /has other files/);
  }));

needs("skopeo")(
  "skopeo copies the profile and the filter out of a layout",
  () =>
    withLayout(async ({ directory, digest }) => {
      for (const name of ["profile", "filter"]) {
        const from = `oci:${directory}:${name}`;
        const wanted = name === "profile" ? digest : await filterOf(directory);
        const hex = wanted.replace("sha256:", "");
        const raw = await run("skopeo", "inspect", "--raw", from);
        assertEquals(
          raw,
          await Deno.readTextFile(join(directory, "blobs/sha256", hex)),
        );
        // A copy compares the digest of every blob.
        const copy = join(directory, "..", `copy-${name}`);
        await run("skopeo", "copy", "-q", from, `oci:${copy}:${name}`);
        const { manifests: [only] } = JSON.parse(
          await Deno.readTextFile(join(copy, "index.json")),
        );
        assertEquals(only.digest, wanted);
        const source = `oci:${copy}@${wanted}`;
        const proved = await call([
          ...["prove", source, `oci:${directory}@${digest}`, ...TARGET],
        ]);
        assertEquals(proved.code, 0, proved.err);
      }
    }),
);

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}
