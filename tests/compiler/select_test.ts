import { assertEquals } from "@std/assert";
import { type Branch, createDecisionGraph } from "../../compiler/decision.ts";
import { select } from "../../compiler/select.ts";
import { ALLOW, EPERM, KILL } from "./shared.ts";

const FULL = 0xffff_ffff;
const { leaf, branch } = createDecisionGraph();

function test(
  offset: number,
  k: number,
  mask = FULL,
): Pick<Branch, "offset" | "mask" | "op" | "k"> {
  return { offset, mask, op: "eq", k };
}

Deno.test("select() says where each test is entered", () => {
  const masks = { plain: FULL, low: 6, other: 9 };
  // From one test of the same word to another: the contents of the accumulator
  // decide.
  const table:
    readonly (readonly [number, number, "load" | "word" | "masked"])[] = [
      [masks.plain, masks.plain, "masked"],
      [masks.plain, masks.low, "word"],
      [masks.low, masks.low, "masked"],
      [masks.low, masks.plain, "load"],
      [masks.low, masks.other, "load"],
    ];
  for (const [from, to, entry] of table) {
    const inner = branch(test(16, 4, to), leaf(ALLOW), leaf(EPERM));
    const root = branch(test(16, 2, from), inner, leaf(KILL));
    const { blocks, root: start } = select(root);
    assertEquals(start.entry, "load");
    const block = root.kind === "branch" ? blocks.get(root) : undefined;
    assertEquals(block?.yes.entry, entry, `${from} to ${to}`);
    const below = inner.kind === "branch" ? blocks.get(inner) : undefined;
    assertEquals(below?.loads, entry === "load", `${from} to ${to}`);
    assertEquals(
      below?.masks,
      to !== FULL && entry !== "masked",
      `${from} to ${to}`,
    );
  }
});

Deno.test("select() loads a word again after another one", () => {
  const inner = branch(test(16, 4), leaf(ALLOW), leaf(EPERM));
  const middle = branch(test(20, 4), inner, leaf(EPERM));
  const root = branch(test(16, 9), middle, inner);
  const { blocks } = select(root);
  const shared = inner.kind === "branch" ? blocks.get(inner) : undefined;
  // One path needs the load, the other enters after it.
  assertEquals([shared?.loads, shared?.masks], [true, false]);
  const block = root.kind === "branch" ? blocks.get(root) : undefined;
  assertEquals([block?.yes.entry, block?.no.entry], ["load", "masked"]);
});

Deno.test("select() of a leaf has no blocks", () => {
  const { blocks, root } = select(leaf(ALLOW));
  assertEquals(blocks.size, 0);
  assertEquals(root, { node: leaf(ALLOW), entry: "masked" });
});
