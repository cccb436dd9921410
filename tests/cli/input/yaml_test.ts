import { assertEquals, assertMatch } from "@std/assert";
import { call, createFolder } from "../harness.ts";

const HEAD = (name: string): string =>
  `apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: {name: ${name}, namespace: nginx}
`;

/** Several objects, an anchor, numbers beyond doubles, both styles. */
const TWO = `# Two of them.
---
${HEAD("small")}spec:
  defaultAction: SCMP_ACT_ERRNO
  architectures: &all
  - SCMP_ARCH_X86_64
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: [read, "write", exit_group]
  - action: SCMP_ACT_ALLOW
    names:
    - personality
    args:
    - {index: 0, value: 0xffffffffffffffff, op: SCMP_CMP_EQ}
status: {}
---
apiVersion: v1
kind: ConfigMap
data: {a: "b"}
---
${HEAD("log")}spec:
  disabled: false
  defaultAction: SCMP_ACT_LOG
`;

const SMALL_JSON = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [
    {"names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}
  ]
}`;

Deno.test("a SeccompProfile in YAML is a source, one of several by its name", async () => {
  await using folder = await createFolder();
  const two = await folder.write("two.yaml", TWO);
  const one = await folder.write(
    "one.yml",
    TWO.slice(0, TWO.indexOf("---\napiVersion: v1")),
  );
  const json = await folder.write("small.json", SMALL_JSON);
  for (const source of [`${two}#small`, one]) {
    const { code, out, err } = await call(["prove", source, json]);
    assertEquals(code, 0, out + err);
    assertMatch(err, /\.ya?ml(?:#small)?:7:18: warning: defaultAction: /);
  }
  const log = await call(["simulate", `${two}#log`, "mkdir"]);
  assertMatch(log.out, /LOG/, log.err);
  const many = await call(["compile", two, "-f", "hex"]);
  assertEquals(many.code, 3);
  assertMatch(many.err, /among 2 profiles: small, log: write FILE\.yaml#NAME/);
  const none = await call(["compile", `${two}#tiny`, "-f", "hex"]);
  assertEquals(none.code, 3);
  assertMatch(none.err, /Cannot find the profile "tiny"/);
});

Deno.test("problems of a profile in YAML have their place in the file", async () => {
  await using folder = await createFolder();
  let number = 0;
  const complain = async (text: string): Promise<string> => {
    const path = await folder.write(`${++number}.yaml`, text);
    const { code, err } = await call(["compile", path, "-f", "hex"]);
    assertEquals(code, 3, err);
    return err.replaceAll(`${folder.path}/`, "");
  };
  const spec = (lines: string): string => `${HEAD("a")}spec:\n${lines}`;
  const aliases = Array.from(
    { length: 8 },
    (_, i) => `  a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`,
  ).join("\n");
  for (
    const [text, seen] of [
      [
        spec("  defaultAction: SCMP_ACT_ALOW\n"),
        /yaml:5:18: error: defaultAction: .*did you mean "SCMP_ACT_ALLOW"/,
      ],
      [
        spec("  defaultAction: SCMP_ACT_LOG\n  syscalls:\n  - names: [red]\n"),
        /yaml:7:5: error: syscalls\[0\].*action/,
      ],
      [
        spec("  defaultAction: SCMP_ACT_LOG\n  defaultAction: SCMP_ACT_LOG\n"),
        /yaml:6:3: error: Cannot read YAML: .*unique/,
      ],
      [spec("  defaultAction: [\n"), /yaml:\d+:\d+: error: Cannot read YAML/],
      [
        spec("  baseProfileName: runc\n"),
        /yaml:5:20: error: baseProfileName: .* with a base/,
      ],
      [spec(`  a0: &a0 [x]\n${aliases}\n`), /error: .*Too many/],
      [
        `${HEAD("a")}spec: &a {b: *a}\n`,
        /error: .*(?:deeply|Unresolved|Too many|anchor)/i,
      ],
      [HEAD("a"), /SeccompProfile without a spec/],
      [spec("  defaultAction: !!binary x\n"), /error: /],
    ] as const
  ) {
    assertMatch(await complain(text), seen, text);
  }
  // The message names any other YAML.
  assertMatch(
    await complain("apiVersion: v1\nkind: ConfigMap\n"),
    /Cannot read a profile from YAML/,
  );
});

Deno.test("store prime takes each profile of a YAML file", async () => {
  await using folder = await createFolder();
  const two = await folder.write("two.yaml", TWO);
  const store = `${folder.path}/store`;
  const { code, out, err } = await call([
    "store",
    "prime",
    two,
    "--store",
    store,
  ]);
  assertEquals(code, 0, err);
  assertMatch(out, /proved and stored: .*two\.yaml#small\n/);
  assertMatch(out, /proved and stored: .*two\.yaml#log\n/);
});
