import { assert, assertEquals } from "@std/assert";
import { compileAtOnce } from "../../tools/eager.ts";
import type { Use } from "../../tools/calls.ts";

/** Functions of every form, called before and after their place in the text. */
const PROGRAM = `
import { basename } from "node:path";
const out = [early(2)];
function early(n) { return n * inner(n); function inner(m) { return m + 1; } }
async function later() { return await Promise.resolve("later"); }
function* steps() { yield 1; yield 2; }
function once() { once = () => "again"; return "once"; }
const arrow = (a, b = (c => c + 1)(a)) => ({ a, b });
const object = {
  method(x) { return [x].map((y) => y * 2); },
  get value() { return "value"; },
  async late() { return "late"; },
  ["com" + "puted"]: function () { return this.value; },
};
class Shape {
  #side = (() => 3)();
  static make() { return new Shape(); }
  area() { return this.#side ** 2; }
}
function unused() { return "unused"; }
if (out.length > 0) { function block() { return "block"; } out.push(block()); }
export function named() { return "named"; }
export default function () { return "default"; }
out.push(await later(), [...steps()], once(), once(), arrow(1), named());
out.push(object.method(2), object.value, await object.late(), object.computed());
out.push(Shape.make().area(), early.name, later.name, basename("a/b"));
out.push(Deno.args, await new Response(Deno.stdin.readable).text());
if (Deno.args.includes("unused")) out.push(unused());
console.log(JSON.stringify(out));
function last() { return "last"; }
`;

async function outputOf(program: string, use: Use): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, program);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", file, ...use.args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(use.input ?? ""));
    await writer.close();
    const { success, stdout } = await child.output();
    assert(success, program);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("compileAtOnce() changes when functions are compiled and nothing else", async () => {
  const use = { args: ["a", "b c"], input: "text" };
  const other = { args: ["unused"] };
  const program = await compileAtOnce(PROGRAM, [use]);
  assertEquals(await outputOf(program, use), await outputOf(PROGRAM, use));
  assertEquals(await outputOf(program, other), await outputOf(PROGRAM, other));
  for (const name of ["early", "later", "steps", "once", "inner"]) {
    assert(program.includes(`var ${name}=(`), name);
  }
  assert(program.includes("function unused()"), program);
  assert(program.includes("function last()"), program);
  assert(program.includes("const arrow = ((a, b"), program);
});

Deno.test("compileAtOnce() does not change a program without uses", async () => {
  assertEquals(await compileAtOnce(PROGRAM, []), PROGRAM);
});

Deno.test("compileAtOnce() reports which use failed, and why", async () => {
  const error = await compileAtOnce("throw new Error('no luck')", [
    { args: ["first"] },
  ]).then(() => undefined, (error: unknown) => error);
  assert(error instanceof Error);
  assert(/with first: [^]*no luck/.test(error.message), error.message);
});
