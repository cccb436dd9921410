import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** The parts of `deno doc --json` that are read. */
interface Documentation {
  readonly nodes: Readonly<Record<string, DocumentedModule>>;
}

interface DocumentedModule {
  readonly "module_doc"?: { readonly doc?: string };
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

interface Declaration {
  readonly kind: string;
  readonly location: { readonly filename: string };
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
  readonly def?: { readonly target?: { readonly filename: string } };
}

Deno.test("every export has a category, and every entry a description", async () => {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert(config.description.length <= 250, "JSR takes 250 characters");
  const read = async (
    entries: readonly string[],
  ): Promise<readonly (readonly [string, DocumentedModule])[]> => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", "--no-lock", ...entries],
      cwd: ROOT,
    }).output();
    // The shape is what `deno doc` of the pinned version prints.
    const { nodes } = JSON.parse(
      new TextDecoder().decode(stdout),
    ) as Documentation;
    return Object.entries(nodes);
  };
  const without = new Set<string>();
  /** Exports that another entry re-exports are documented in their own file. */
  const elsewhere = new Map<string, Set<string>>();
  for (const [url, module] of await read(Object.values(config.exports))) {
    assert(
      (module.module_doc?.doc ?? "").length > 40,
      `${url}: no description`,
    );
    for (const { name, declarations } of module.symbols) {
      for (const { kind, jsDoc, def } of declarations) {
        if (kind === "reference") {
          const file = def?.target?.filename ?? "";
          elsewhere.set(file, (elsewhere.get(file) ?? new Set()).add(name));
        } else if (!jsDoc?.tags?.some((tag) => tag.kind === "category")) {
          without.add(name);
        }
      }
    }
  }
  for (const [, { symbols }] of await read([...elsewhere.keys()])) {
    for (const { name, declarations: [first] } of symbols) {
      const file = first?.location.filename ?? "";
      if (elsewhere.get(file)?.has(name) !== true) continue;
      if (!first?.jsDoc?.tags?.some(({ kind }) => kind === "category")) {
        without.add(name);
      }
    }
  }
  assertEquals([...without], []);
});
