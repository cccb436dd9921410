import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RefusedError } from "../../hook/error.ts";
import {
  DEFAULTS,
  loadSettings,
  parseSettings,
  semanticsSetting,
  type Settings,
  withSetting,
} from "../../hook/settings.ts";

type Row = readonly [
  name: keyof Settings,
  taken: readonly (readonly [text: string, value: unknown])[],
  refused: readonly string[],
];

const ROWS: readonly Row[] = [
  ["store", [["none", undefined], ["/x y", "/x y"]], [
    "",
    "x",
    "/x\n",
    "none ",
  ]],
  [
    "log",
    [["syslog", "syslog"], ["stderr", "stderr"], ["/l", { file: "/l" }]],
    ["", "l", "/\u007f"],
  ],
  ["semantics", [["runc", "runc"], ["crun@1.5", "crun@1.5"]], ["", "podman"]],
  [
    "names",
    [["auto", "auto"], ["host", "host"], ["builtin", "builtin"]],
    ["", "libseccomp"],
  ],
  [
    "reference",
    [["host", "host"], ["text", "text"]],
    ["", "auto"],
  ],
  ["strict", [["true", true], ["false", false]], ["", "1", "yes"]],
  ["requireCertificate", [["true", true], ["false", false]], ["", "1"]],
  ["verify", [["refuse", "refuse"], ["log", "log"]], ["", "warn"]],
  ["deadlineMs", [["1", 1], ["999999", 999_999]], [
    ...["", "0", "-1", "1000000", "1.5", "1e3", " 1", "01"],
  ]],
  ["runtime", [["/usr/bin/crun", "/usr/bin/crun"]], ["", "crun", "/a\0"]],
  [
    "runtimeKind",
    [["crun", "crun"], ["runc", "runc"], ["unknown", "unknown"]],
    ["", "youki"],
  ],
];

Deno.test("withSetting() takes what each setting can be, and refuses the rest", () => {
  assertEquals(ROWS.map(([name]) => name).sort(), Object.keys(DEFAULTS).sort());
  for (const [name, taken, refused] of ROWS) {
    for (const [text, value] of taken) {
      // All others stay.
      assertEquals(
        withSetting(DEFAULTS, name, text),
        { ...DEFAULTS, [name]: value } as Settings,
        `${name} = ${text}`,
      );
    }
    for (const text of refused) {
      const error = assertThrows(
        () => withSetting(DEFAULTS, name, text),
        RefusedError,
        `Cannot use setting "${name}" = ${JSON.stringify(text)}`,
      );
      assertEquals(error.code, "bad-settings");
    }
  }
  assertThrows(() => withSetting(DEFAULTS, "toString", "x"), RefusedError);
});

Deno.test("parseSettings() accepts only strings, numbers and booleans", () => {
  assertEquals(parseSettings("{}"), DEFAULTS);
  assertEquals(
    parseSettings('{"strict":true,"deadlineMs":500,"names":"host"}'),
    { ...DEFAULTS, strict: true, deadlineMs: 500, names: "host" },
  );
  assertEquals(parseSettings('{"strict":"true"}').strict, true);
  for (const value of ["null", "[]", "{}", '["host"]', "5"]) {
    assertThrows(() => parseSettings(`{"names":${value}}`), RefusedError);
  }
});

Deno.test("semanticsSetting() names the program if it is the runtime whose reading counts", () => {
  const of = (
    semantics: Settings["semantics"],
    runtimeKind: Settings["runtimeKind"],
    runtime?: string,
  ): unknown => semanticsSetting({ semantics, runtime, runtimeKind });
  assertEquals(of("crun", "crun", "/r"), { semantics: "crun", program: "/r" });
  assertEquals(of("runc@1.1.5", "runc", "/r"), {
    semantics: "runc@1.1.5",
    program: "/r",
  });
  assertEquals(of("crun", "runc", "/r"), { semantics: "crun" });
  assertEquals(of("crun", "unknown", "/r"), { semantics: "crun" });
  assertEquals(of("crun", "crun"), { semantics: "crun" });
});

Deno.test("loadSettings() refuses a path that depends on the folder of the caller", async () => {
  for (const path of ["settings.json", "./settings.json", "a/settings.json"]) {
    const error = await assertRejects(
      () => loadSettings(path),
      RefusedError,
      `Cannot read settings from "${path}": not an absolute path; give one`,
    );
    assertEquals(error.code, "bad-settings");
  }
});
