import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { gatherContext } from "../../../hook/context.ts";
import { startDeadline } from "../../../hook/deadline.ts";
import { openLog } from "../../../hook/log.ts";
import { rewriteConfig } from "../../../hook/precreate.ts";
import { DEFAULTS } from "../../../hook/settings.ts";
import { PATIENCE_S } from "../../machine.ts";
import { annotated, prime, stubbedHook } from "../primed.ts";
import {
  createSetup,
  NAMES,
  runProgram,
  SMALL_SECTION,
  smallConfig,
  toolSets,
} from "../shared.ts";

const SEED = 20260102;

const HITS: readonly string[] = [
  smallConfig(),
  smallConfig({ tail: "\n" }),
  smallConfig({ head: '"annotations":{},' }),
  smallConfig({ head: '"annotations": { } ,' }),
  smallConfig({ head: '"annotations":{"a":"b"},' }),
  smallConfig({ tail: ',"annotations":{"a":"b","c":""}' }),
  smallConfig({ tail: ',"annotations":{}, "z":[[],{},[{"q":[1,2.5e-3,-0]}]]' }),
  smallConfig({
    head:
      '"hard":18446744073709551615,"f":1E400,"n":[true,false,null,""],"e":"\\"\\\\\\u003c\\n\\\\",',
  }),
  smallConfig({ head: '"x":{"linux":{"a":1},"annotations":[]},' }),
  smallConfig({ head: '"seccomp":"seccomp","env":["\\"seccomp\\":{"],' }),
  smallConfig().replaceAll(":", " :\t").replaceAll(",", "\r\n,  ").replace(
    /.*"seccomp" :\t(.*)/s,
    (all, section) => all.replace(section, `${SMALL_SECTION}}}`),
  ),
];

/** More than the awk program reads at once, with its ends at any place. */
const LONG_HITS: readonly string[] = [
  ...['\\"', "\\\\", "\\u003c", '\\"x', "x"].map((part) =>
    smallConfig({ head: `"e":["${part.repeat(0x2_0000 / part.length)}"],` })
  ),
  ...["1", "-1.5e3 ", "true", '"a"', " []", '{"a":1}'].map((value) => {
    const values = Array(0x2_0000 / 8).fill(value);
    return smallConfig({ tail: `,"n":[${values}]` });
  }),
  smallConfig({ head: " ".repeat(0x2_0000) }),
  ...["[]", "[[]]", "[[1,2],[true,[null]]]", "[ [ ] , [-1e3 ] ]"].map((value) =>
    smallConfig({ tail: `,"n":[${Array(9000).fill(value)}]` })
  ),
  smallConfig({ tail: `,"n":[${"[".repeat(90)}${"]".repeat(90)}]` }),
  ...[['","'], ['"a","b"', '"x":1'], ['"a"', "1"], ['"]"', '"["', '":"']].map((
    values,
  ) => {
    const list = Array.from(
      { length: 9000 },
      (_, i) => values[i % values.length],
    )
      .map((value) => value?.includes(":1") ? `{${value}}` : value);
    return smallConfig({
      tail: `,"n":{"a":[${list}],"b":",","c":[${list},""]}`,
    });
  }),
  ...Array.from({ length: 12 }, (_, i) =>
    smallConfig({
      head: `"e":"${"x".repeat(185 + i)}\\u003c\\\\\\\\\\"","n":[${
        "1,".repeat(90)
      }${" ".repeat(i)}12345,1],`,
    })),
];

const LONG_MISSES: readonly string[] = [
  ...[
    `{"a":${'"b",'.repeat(9000)}"c":1}`,
    `{${'"b",'.repeat(9000)}"c":1}`,
    `[${"[[],1],".repeat(3000)}[1,],2]`,
    `[${"[[],1],".repeat(3000)}[1 1],2]`,
    `[${"[[],1],".repeat(3000)}]`,
    `[${"[[],1],".repeat(3000)}[01]]`,
    `{${"[[],1],".repeat(3000)}"a":1}`,
    `${"[".repeat(99)}${"[[],1],".repeat(3000)}1${"]".repeat(99)}`,
    `[${'"b",'.repeat(9000)}]`,
    `[${'"b",'.repeat(9000)},1]`,
    `[1 ${'"b",'.repeat(9000)}1]`,
    `[${'"b",'.repeat(9000)}"c":1]`,
    `[${'"b",'.repeat(9000)}"c]`,
    `${'"b",'.repeat(9000)}1`,
  ].map((value) => smallConfig({ tail: `,"n":${value}` })),
  ...Array.from({ length: 12 }, (_, i) => [
    `"e":"${"x".repeat(185 + i)}\\u003",`,
    `"e":"${"x".repeat(185 + i)}\\\\\\q",`,
    `"e":"${"\\\\".repeat(90 + i)}\\",`,
    `"n":[${"1,".repeat(90 + i)}01,${"1,".repeat(90)}1],`,
    `"n":[${"1,".repeat(90 + i)},${"1,".repeat(90)}1],`,
    `"n":[${"1,".repeat(190 + i)}],`,
    `"n":{"a":${"1,".repeat(190 + i)}1},`,
    `"n":[${"1,".repeat(90 + i)}1 1,${"1,".repeat(90)}1],`,
    `"n":[${"1".repeat(i + 1)}${" ".repeat(201 - i)}1],`,
    `"n":${"1,".repeat(190 + i)}1,`,
  ]).flat().map((head) => smallConfig({ head })),
];

const NONE: readonly string[] = [
  "{}",
  '{"ociVersion":"1.0.0","linux":{}}',
  ' {"linux":{"resources":{"seccomp2":[1]}},"annotations":{"a":"b"}}\n',
];

const MISSES: readonly string[] = [
  "",
  " ",
  "[]",
  "{",
  '{"a":1',
  '{"a":"b',
  '{"a":"b\\"',
  '{"a":1}}',
  '{"a":1}{}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a" 1}',
  '{"a":}',
  '{"a":1 2}',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1}',
  "{1:2}",
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":1e}',
  '{"a":nul}',
  '{"a":True}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"a":"\t"}',
  '{"a":"\u007f"}',
  '{"a":"é"}',
  '{"a":1} // no',
  '{"a":1,"a":1}',
  '{"x":{"b":1,"b":1}}',
  '{"\\u0061":1}',
  '{"Linux":{}}',
  '{"Annotations":{}}',
  '{"linux":{"Seccomp":1}}',
  '{"linux":{"\u017feccomp":{}}}',
  '{"linux":{"\\u017feccomp":{}}}',
  '{"annotation\u017f":{}}',
  '{"linux":[]}',
  '{"linux":null}',
  '{"annotations":null,"linux":{}}',
  '{"annotations":["a"]}',
  '{"annotations":{"a":1}}',
  '{"annotations":{"a":{}}}',
  '{"linux":{"seccomp":null}}',
  '{"linux":{"seccomp":"x"}}',
  '{"linux":{"seccomp":[]}}',
  '{"linux":{"seccomp":{}}}',
  smallConfig({ section: `${SMALL_SECTION} ` }).replace("} }", "} ,}"),
  smallConfig({ section: SMALL_SECTION.replace("read", "open") }),
  smallConfig({ section: SMALL_SECTION.replace("[", "[ ") }),
  smallConfig({ section: SMALL_SECTION.replace(",", ", ") }),
  smallConfig({ tail: `,"linux":{"seccomp":${SMALL_SECTION}}` }),
  smallConfig({ head: `"linux":{},` }),
  smallConfig({ head: `"x":{"seccomp":${SMALL_SECTION}},` }),
  `{"x":{"seccomp":${SMALL_SECTION}}}`,
  `{"seccomp":${SMALL_SECTION}}`,
  `{"linux":{"x":{"seccomp":${SMALL_SECTION}}}}`,
  `{"linux":[{"seccomp":${SMALL_SECTION}}]}`,
  `{"a":"\\"seccomp\\":{","linux":{"Seccomp":{},"seccomp":${SMALL_SECTION}}}`,
  smallConfig({
    head: '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
  }),
  smallConfig({ head: '"annotations":{"run.oci.seccomp.receiver":"/s"},' }),
  smallConfig({ head: '"annotations":{"run.oci.seccomp\\u005fbpf_data":""},' }),
  smallConfig({ head: '"annotations":null,' }),
  smallConfig({ head: `"a":${"[".repeat(101)}${"]".repeat(101)},` }),
];

Deno.test("the hook's dispatcher adds what is certain, hands on the rest byte for byte", async (t) => {
  await using setup = await createSetup();
  await prime(setup, [smallConfig()]);
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools);
      const decoder = new TextDecoder();
      const ask = async (text: string | Uint8Array): Promise<string> => {
        const { code, stdout, stderr } = await runProgram([hook], text);
        assertEquals([code, stderr], [0, ""]);
        return decoder.decode(stdout);
      };
      for (const text of HITS) {
        assertEquals(await ask(text), await annotated(text), text);
      }
      for (const text of LONG_HITS) {
        assert(await ask(text) === await annotated(text), text.slice(0, 300));
      }
      for (const text of LONG_MISSES) {
        assertEquals(await ask(text), `SLOW:${text}`, text);
      }
      for (const text of NONE) assertEquals(await ask(text), text);
      for (const text of MISSES) {
        assertEquals(await ask(text), `SLOW:${text}`, text);
      }
      const high = Uint8Array.from({ length: 255 }, (_, i) => i + 1);
      for (const bytes of [high.slice(1), high.slice(127)]) {
        const { stdout } = await runProgram([hook], bytes);
        assertEquals(
          stdout.slice("SLOW:".length),
          bytes,
          "every byte but 0, 1",
        );
      }
      // A NUL would vanish in a shell: the rest must not be taken for the whole
      // text.
      for (const text of ["\0", `${smallConfig()}\0`, '{"a":"\0"}', "{\0}"]) {
        const answer = await ask(text);
        assert(answer.startsWith("SLOW:"), JSON.stringify(text));
        assert(answer.includes("\u0001"), JSON.stringify(text));
      }
      for (const text of [`${smallConfig()}\u0001`, "{}\u0001", "{}\u0002"]) {
        assertEquals(await ask(text), `SLOW:${text}`, JSON.stringify(text));
      }
      assertEquals(
        (await runProgram([hook, "--strict"], smallConfig())).stdout,
        new TextEncoder().encode(`SLOW:${smallConfig()}`),
        "arguments are for Deno",
      );
    });
  }
});

Deno.test("the hook's dispatcher agrees with Deno for any changed byte", async (t) => {
  await using setup = await createSetup();
  const base = smallConfig({
    head: '"a":["x\\\\",{"b":-1.5e3}],"annotations":{"k":"v"},',
    tail: ',"z":[[],null]',
  });
  await prime(setup, [base]);
  const context = await gatherContext(
    { ...DEFAULTS, store: setup.store, names: NAMES },
    startDeadline(1000 * PATIENCE_S),
    openLog({ file: setup.logPath }),
  );
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const letters = '{}[],:"\\ \n01-.etrunlasxAL';
  const mutants = Array.from({ length: 60 }, () => {
    const at = random(base.length);
    const letter = letters[random(letters.length)] ?? "";
    const cut = random(3);
    return base.slice(0, at) + (cut === 0 ? "" : letter) +
      base.slice(at + (cut === 2 ? 0 : 1));
  });
  for (const tools of toolSets()) {
    await t.step(`${tools.name}, seed ${SEED}`, async () => {
      const hook = await stubbedHook(setup, tools);
      let certain = 0;
      for (const text of mutants) {
        const { stdout } = await runProgram([hook], text);
        const answer = new TextDecoder().decode(stdout);
        if (answer.startsWith("SLOW:")) {
          assertEquals(answer, `SLOW:${text}`);
          continue;
        }
        certain++;
        // Throws if the configuration must be refused.
        const { text: expected } = await rewriteConfig(text, context);
        assertEquals(answer, expected, text);
      }
      assertNotEquals(certain, 0, "some mutants are harmless");
    });
  }
});
