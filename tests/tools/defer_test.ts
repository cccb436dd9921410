import { assert, assertEquals, assertRejects } from "@std/assert";
import { bundle } from "../../tools/deno_bundle.ts";
import { deferOthers, type DeferredProgram } from "../../tools/defer.ts";

/** A program with two commands that share code, and one that is used often. */
const MODULES: Readonly<Record<string, string>> = {
  "main.ts": `
    import { label } from "./label.ts";
    let runs = 0;
    export function count(): number { return ++runs; }
    const load: Record<string, () => Promise<{ run: () => unknown }>> = {
      often: () => import("./often.ts"),
      first: () => import("./first.ts"),
      second: () => import("./second.ts"),
      text: async () => {
        const { default: text } = await import("./notes.txt", { with: { type: "text" } });
        return { run: () => text };
      },
    };
    for (const name of Deno.args) {
      console.log(label(name), await (await load[name]!()).run(), count());
    }`,
  "label.ts":
    `export const label = (name: string): string => "<" + name + ">";`,
  "often.ts": `export function run(): string { return "often"; }`,
  "first.ts": `
    import { basename } from "node:path";
    import { Counter, shared } from "./shared.ts";
    export async function run(): Promise<string> {
      const { run: second } = await import("./second.ts");
      return [shared(), Counter.next(), second(), basename("a/firstName")].join();
    }`,
  "second.ts": `
    import { Counter, shared, steps } from "./shared.ts";
    export { label } from "./label.ts";
    const place = import.meta.url.length > 0 ? "secondPlace" : "";
    export function run(): string {
      return [shared(), Counter.next(), ...steps(), place].join();
    }`,
  "shared.ts": `
    let value = 40;
    export class Counter { static next(): number { return ++value; } }
    export function shared(): string { return again(0); }
    function again(n: number): string { return n < 2 ? again(n + 1) : "sharedText"; }
    export function* steps(): Generator<number> { yield 1; yield 2; }`,
  "notes.txt": "notesText",
};

/** Bundles the program, and calls a function with its text. */
async function withBundle(
  work: (program: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "defer-" });
  try {
    for (const [name, text] of Object.entries(MODULES)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await work(await bundle(`${folder}/main.ts`, `${folder}/main.js`), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function outputOf(
  program: string,
  args: readonly string[],
  folder: string,
): Promise<string> {
  const file = `${folder}/program.js`;
  await Deno.writeTextFile(file, program);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", file, ...args],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Both parts of a program in one module. */
function joined({ program, deferred }: DeferredProgram): string {
  const texts = JSON.stringify(deferred);
  return `${program}\nasync function DEFERRED$(){return${texts}}`;
}

Deno.test("deferOthers() moves what only other uses need, and changes nothing else", async () => {
  await withBundle(async (program, folder) => {
    const split = await deferOthers(program, [{ args: ["often"] }]);
    const deferred = split.deferred.join("\n");
    for (
      const text of ["firstName", "secondPlace", "sharedText", "notesText"]
    ) {
      assert(
        deferred.includes(text),
        `${text} is not deferred: ${split.program}`,
      );
    }
    assert(!deferred.includes(`"often"`), deferred);
    assert(split.program.includes(`"often"`), split.program);
    for (
      const args of [
        [],
        ["often"],
        ["first", "second", "first"],
        ["second", "often", "text"],
      ]
    ) {
      assertEquals(
        await outputOf(joined(split), args, folder),
        await outputOf(program, args, folder),
      );
    }
  });
});

Deno.test("deferOthers() keeps what a use needs, called or not", async () => {
  await withBundle(async (program, folder) => {
    const split = await deferOthers(program, [{ args: ["second"] }]);
    const deferred = split.deferred.join("\n");
    assert(deferred.includes("firstName"), deferred);
    assert(!split.program.includes("firstName"), split.program);
    // steps() of shared.ts stays although first.ts does not call it.
    for (const text of ["secondPlace", "sharedText", "yield 1"]) {
      assert(!deferred.includes(text), `${text} is deferred: ${split.program}`);
    }
    const args = ["first", "text"];
    assertEquals(
      await outputOf(joined(split), args, folder),
      await outputOf(program, args, folder),
    );
  });
});

Deno.test("deferOthers() refuses a program that esbuild did not write", async () => {
  await assertRejects(
    () => deferOthers("console.log(1);", [{ args: [] }]),
    Error,
    "esbuild's own functions differ",
  );
  await assertRejects(
    () => deferOthers("var MAKE$=1;", [{ args: [] }]),
    Error,
    "already uses the names",
  );
});
