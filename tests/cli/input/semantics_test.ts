import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  semanticsWord,
  withOwnSemantics,
} from "../../../cli/input/semantics.ts";
import type { Io } from "../../../cli/io.ts";
import { ownSemantics } from "../../../hook/own_semantics.ts";
import { call, createFolder } from "../harness.ts";

/** An output that keeps messages. */
function createIo(): Io & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    out: () => {},
    err: (text) => {
      told.push(text);
    },
    stdin: async function* (): AsyncGenerator<Uint8Array> {},
    outIsTerminal: false,
    outColor: false,
    color: false,
  };
}

Deno.test("withOwnSemantics() queries the runtime only for sources that it made or will run", async () => {
  const crun = (await ownSemantics({ semantics: "crun" })).semantics;
  const runc = (await ownSemantics({ semantics: "runc" })).semantics;
  const cases = [
    [undefined, ["p.json", "-", "default:docker"], undefined],
    ["runc", ["p.json", undefined], "runc"],
    [undefined, ["bundle:/b"], crun],
    [undefined, ["p.json", "bundle:/b"], crun],
    ["runc", ["bundle:/b"], runc],
    ["runc@1.1.5", ["bundle:/b"], "runc@1.1.5"],
    ["crun@1.21", [`pid:${Deno.pid}`], "crun@1.21"],
    // This process is not in a container that crun or runc know.
    [undefined, [`pid:${Deno.pid}`, "p.json"], crun],
    ["runc", [`pid:${Deno.pid}`], runc],
    [undefined, ["pid:none"], crun],
  ] as const;
  for (const [semantics, words, expected] of cases) {
    const flags = semantics === undefined ? {} : { semantics };
    const own = await withOwnSemantics(createIo(), flags, words);
    assertEquals(own.semantics, expected, `${semantics} ${words}`);
  }
});

Deno.test("commands print the reading that they used, with its version", async () => {
  await using folder = await createFolder();
  const section =
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}';
  await folder.write("config.json", `{"linux":{"seccomp":${section}}}`);
  const file = await folder.write("p.json", section);
  const own = (await ownSemantics({ semantics: "crun" })).semantics;
  const taken = async (...words: readonly string[]): Promise<string> =>
    /semantics ([^,]+),/.exec((await call(["compile", ...words])).err)?.[1] ??
      "";
  assertEquals(await taken(file), "crun 1.30");
  assertEquals(await taken(file, "--semantics", "runc"), "runc 1.5.1");
  assertEquals(await taken(`bundle:${folder.path}`), own.replace("@", " "));
  assertEquals(
    await taken(`bundle:${folder.path}`, "--semantics", "runc@1.1.5"),
    "runc 1.1.5",
  );
});

Deno.test("semanticsWord() takes names of readings only", () => {
  assertEquals(semanticsWord("runc@1.1.5+ds1"), "runc@1.1.5");
  const error = assertThrows(() => semanticsWord("podman"));
  assertMatch(String(error), /not crun or runc/);
});
