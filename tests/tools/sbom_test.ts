import { assert, assertEquals, assertThrows } from "@std/assert";
import { LICENSE_TEXTS } from "../../cli/licenses/texts.ts";
import { makeSbom } from "../../tools/sbom.ts";
import { listShipped, shippedPackages } from "../../tools/shipped.ts";

const ROOT = new URL("../../", import.meta.url);
const RELEASE = { version: "1.2.3", date: "2026-01-02" };

/** The parts of `deno info --json` that are read. */
interface Info {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, InfoPackage>>;
}

interface InfoPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

/** Packages that Deno reaches from some modules, as `name@version`. */
async function reachedFrom(
  modules: readonly string[],
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const module of modules) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--lock=deno.lock", "--frozen", module],
      cwd: ROOT,
    }).output();
    // The shape is what `deno info` of the pinned version prints.
    const { modules, npmPackages } = JSON.parse(
      new TextDecoder().decode(stdout),
    ) as Info;
    const keys = new Set(modules.flatMap(({ npmPackage = [] }) => npmPackage));
    for (const key of keys) {
      const { name, version, dependencies } = npmPackages[key] ??
        { name: key, version: "?", dependencies: [] };
      names.add(`${name}@${version}`);
      for (const other of dependencies) keys.add(other);
    }
  }
  return [...names].sort();
}

Deno.test("shippedPackages(): what Deno itself finds", async () => {
  const shipped = await shippedPackages();
  assertEquals(
    shipped.map(({ name, version }) => `${name}@${version}`).sort(),
    await reachedFrom(["cli/whole.ts", "bench/report/draw_chart.ts"]),
  );
  const lock = { specifiers: {}, npm: {} };
  const config = { imports: { a: "npm:a@1.0.0" }, scopes: {} };
  assertThrows(() => listShipped(config, lock), Error, "Cannot find a in");
});

Deno.test("every package has a license text, and no other has one", async () => {
  const named = LICENSE_TEXTS.flatMap(({ packages }) => packages)
    .map((line) => line.split(" ").slice(0, 2).join("@"));
  const shipped = (await shippedPackages())
    .map(({ name, version }) => `${name}@${version}`);
  assertEquals(named.sort(), shipped.sort(), 'run "deno task licenses"');
  assert(LICENSE_TEXTS.every(({ text }) => text.length > 500));
});

Deno.test("makeSbom() refers only to components that it lists", async () => {
  const packages = await shippedPackages();
  const text = makeSbom(RELEASE, packages);
  assertEquals(makeSbom(RELEASE, packages), text);
  const { bomFormat, metadata, components, dependencies } = JSON.parse(text);
  assertEquals([bomFormat, metadata.component.version], ["CycloneDX", "1.2.3"]);
  const refs = new Set<string>([metadata.component["bom-ref"]]);
  for (const component of components) {
    const { "bom-ref": ref, purl, hashes = [], licenses } = component;
    assert(!refs.has(ref), ref);
    refs.add(ref);
    assert(licenses?.length > 0, `${ref} has no license`);
    if (component.type !== "library") continue;
    assert(/^pkg:npm\/(?:%40[\w-]+\/)?[\w.-]+@[\w.-]+$/.test(purl), purl);
    assertEquals(hashes.length, 1);
    assert(/^[0-9a-f]{128}$/.test(hashes[0].content));
  }
  const reached = new Set<string>();
  for (const { ref, dependsOn } of dependencies) {
    for (const each of [ref, ...dependsOn]) assert(refs.has(each), each);
    dependsOn.forEach((each: string) => reached.add(each));
  }
  assertEquals(reached.size, components.length);
  const stricli = components.find(({ name }: { name: string }) =>
    name === "core"
  );
  assertEquals([stricli.group, stricli.purl], [
    "@stricli",
    `pkg:npm/%40stricli/core@${stricli.version}`,
  ]);
});
