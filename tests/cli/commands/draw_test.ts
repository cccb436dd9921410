import { assert, assertEquals, assertMatch } from "@std/assert";
import { isConditionalJump } from "../../../bpf/opcode.ts";
import { decode } from "../../../bpf/encode.ts";
import { createRandom } from "../../oracle/random.ts";
import { needs } from "../../machine.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

const SEED = 2026;

/** A node of a picture. */
interface DrawnNode {
  readonly id: string;
  readonly pcs: readonly number[];
  readonly isMarked: boolean;
  readonly text: string;
}

/** Reads the nodes of an SVG, and fails if it is not well-formed XML. */
function readPicture(svg: string): readonly DrawnNode[] {
  const open: string[] = [];
  const nodes: DrawnNode[] = [];
  let at = 0;
  const tag =
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*)\s*(\/?)>/y;
  while (at < svg.length) {
    const text = /[^<]*/y;
    text.lastIndex = at;
    const [between = ""] = text.exec(svg) ?? [];
    assert(!/&(?!amp;|lt;|gt;|quot;)/.test(between), between);
    at += between.length;
    if (at === svg.length) break;
    tag.lastIndex = at;
    const match = tag.exec(svg);
    assert(match !== null, `not a tag: ${svg.slice(at, at + 80)}`);
    const [whole, slash, name = "", attributes = "", empty] = match;
    at += whole.length;
    if (slash === "/") assertEquals(open.pop(), name);
    else if (empty === "") open.push(name);
    const id = / id="([^"]+)"/.exec(attributes)?.[1];
    if (id === undefined) continue;
    const [, title = ""] = /^<title>([^<]+)<\/title>/.exec(svg.slice(at)) ?? [];
    assert(title.length > 3, `${id} has no title`);
    nodes.push({
      id,
      pcs: (/ data-pc="([^"]+)"/.exec(attributes)?.[1] ?? "").split(" ")
        .map(Number),
      isMarked: attributes.includes('class="on"'),
      text: title,
    });
  }
  assertEquals(open, []);
  return nodes;
}

Deno.test("draw makes one small picture of Docker's default, the same each time", async () => {
  const words = ["draw", "default:docker", "-q", "--kernel", "6.1"];
  const args = [...words, "--arch", "x86_64,x86,x32"];
  const first = await call(args);
  assertEquals(first.code, 0);
  assertEquals((await call(args)).out, first.out);
  assert(first.out.length <= 300_000, `${first.out.length} bytes`);
  assert(!/href|url\(|@import|<script|<image/.test(first.out));
  const nodes = readPicture(first.out);
  assertEquals(new Set(nodes.map(({ id }) => id)).size, nodes.length);
  const all = nodes.map(({ text }) => text).join("\n");
  assertMatch(all, /domain ≥ AF_ALG/);
  assertMatch(all, /ERRNO\(EPERM\)/);
  assertMatch(all, /read…sendfile \(41\)/);
});

Deno.test("draw --call highlights the path that simulate executes", async () => {
  await using folder = await createFolder();
  const filter = `${folder.path}/docker.bpf`;
  const target = ["-q", "--kernel", "6.1", "--arch", "x86_64,x86,x32"];
  await call([
    "compile",
    "default:docker",
    ...target,
    "-f",
    "raw",
    "-O",
    filter,
  ]);
  const program = decode(await Deno.readFile(filter));
  const random = createRandom(SEED);
  for (let i = 0; i < 12; i++) {
    const arch = random.pick(["x86_64", "x86", "aarch64"]);
    const nr = random.int(470);
    const args = [random.int(60), random.u32(), random.int(3)].join(" ");
    const words = `${arch}:${random.chance(0.3) ? 41 : nr} ${args}`;
    const { out } = await call(
      ["simulate", "-q", "-o", "json", filter, ...words.split(" ")],
    );
    const [path = []]: number[][] = JSON.parse(out).paths;
    const drawn = await call(["draw", "-q", filter, "--call", words]);
    const marked = readPicture(drawn.out).filter(({ isMarked }) => isMarked);
    const tests = path.filter((pc) => isConditionalJump(program[pc]?.op ?? 0));
    const shown = marked.flatMap(({ pcs }) => pcs);
    assert(
      tests.every((pc) => shown.includes(pc)),
      `seed ${SEED}: ${words}: ${shown}; ${path}`,
    );
    for (const { id, pcs } of marked) {
      assert(pcs.some((pc) => path.includes(pc)), `${words}: ${id}`);
    }
    assertEquals(
      marked.filter(({ pcs }) => pcs.includes(path.at(-1) ?? -1)).length,
      1,
    );
  }
});

Deno.test("draw puts two sources side by side, in every format", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const both = ["draw", ...FIXED, profile, filter];
  const nodes = readPicture((await call(both)).out);
  assert(nodes.some(({ id }) => id === "g1n0"));
  assert(nodes.some(({ id }) => id.startsWith("g0n")));
  const dot = await call([...both, "-f", "dot", "--call", "read"]);
  assertMatch(dot.out, /subgraph cluster_1 \{/);
  assertMatch(dot.out, /g0n\d+ -> g0n\d+/);
  const mermaid = await call([...both, "-f", "mermaid"]);
  assertMatch(mermaid.out, /^flowchart LR\n {2}subgraph g0 /);
  const text = await call([...both, "-f", "text", "--call", "read"]);
  assertMatch(text.out, /f\.s\n\* ALLOW/);
  assertMatch(text.out, /├─ yes /);
});

Deno.test("draw names a test of several numbers, masks and the other half", async () => {
  await using folder = await createFolder();
  const filter = await folder.write(
    "f.s",
    `
        ld [4]
        jeq #0xc000003e, 1
        ret #0x80000000
        ld [0]
        jeq #0, yes
        jeq #1, yes
        jeq #9, 0, no
        ld [32]
        jset #0xfffffffc, no
        ld [36]
        jeq #0, yes
   no:  ret #0x50026
   yes: ret #0x7fff0000
`,
  );
  const { out } = await call(["draw", filter, "-q", "-f", "text"]);
  assertMatch(out, /nr is one of read, write\?/);
  assertMatch(out, /prot has any of ~\(PROT_READ\|PROT_WRITE\)\?/);
  assertMatch(out, /prot \(high half\) = 0\?/);
  assertMatch(out, /no {2}KILL_PROCESS: other architectures/);
  assertMatch(out, /ERRNO\(ENOSYS\)/);
});

Deno.test("draw refuses what is not a call or a filter, and writes nothing", async () => {
  const wrong = await call(["draw", "default:docker", "-q", "--call", "opne"]);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertMatch(wrong.err, /did you mean "open"/);
  const seven = "read 1 2 3 4 5 6 7";
  assertEquals(
    (await call(["draw", "default:docker", "--call", seven])).code,
    2,
  );
  assertEquals((await call(["draw", "/nonexistent"])).code, 3);
  assertEquals((await call(["draw", "-", "-"])).code, 2);
});

needs("dot")("draw -f dot is read by Graphviz", async () => {
  const { out } = await call(
    [
      "draw",
      "default:docker",
      "-q",
      "-f",
      "dot",
      "--arch",
      "x86_64",
      "--call",
      "read",
    ],
  );
  const child = new Deno.Command("dot", {
    args: ["-Tcanon"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(out));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  assertMatch(new TextDecoder().decode(stdout), /AF_ALG/);
});
