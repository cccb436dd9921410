/**
 * Command lines of every command, for a form of the program that must behave
 * like the sources: fetched from a registry, compiled, installed.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { COMMANDS } from "../../cli/registry.ts";
import { has } from "../machine.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const DECODER = new TextDecoder();

/** A use of a command. */
interface Use {
  /** Words, the command first. */
  readonly line: string;
  /** The exit code; 0 if omitted. */
  readonly code?: number;
  /** Pattern of standard output; the sources' output if omitted. */
  readonly says?: RegExp;
  /** Standard input; empty if omitted. */
  readonly input?: string;
  /** True if it needs a tracer's privileges. */
  readonly traces?: true;
}

/** A container without a store. */
const CONFIG = JSON.stringify({
  ociVersion: "1.0.0",
  linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW" } },
});

/** Uses that depend on files of `prepareUses`, in an order in which they work. */
export const USES: readonly Use[] = [
  { line: "compile profile.json -f raw -O p.bpf --certificate p.cert" },
  { line: "compile default:docker -f annotation" },
  { line: "compile pod.yaml -f hex" },
  { line: "compile few.json -f raw -O few.bpf" },
  { line: "optimize few.bpf" },
  { line: "combine --allow close few.json" },
  { line: "minimize few.json" },
  { line: "convert --to spo few.json" },
  { line: "convert --to oci unit.service" },
  { line: "lint few.json", code: 1 },
  { line: "digest p.bpf default:docker" },
  { line: "draw few.bpf" },
  { line: "disasm p.bpf" },
  { line: "asm text.asm -f hex" },
  { line: "simulate p.bpf openat" },
  { line: "explain profile.json socket AF_VSOCK" },
  { line: "test profile.json cases.txt" },
  { line: "prove p.bpf profile.json" },
  { line: "check p.cert p.bpf profile.json" },
  { line: "diff p.bpf allow.json", code: 1 },
  { line: "decode audit.log" },
  { line: "stats p.bpf default:docker" },
  { line: "run allow.json -- echo started", says: /^started$/m },
  { line: "nri --index 5", code: 2 },
  { line: "dump -f hex -- true", code: 1, traces: true },
  { line: "why allow.json -- true", traces: true },
  { line: "verify pid:PID --against p.bpf", code: 1, traces: true },
  { line: "selftest few.bpf", says: /equal|agree|verdicts/i },
  { line: "bench --report bench.json" },
  { line: "install podman --root HERE/image", says: /./ },
  { line: "status --root HERE/image", says: /podman/ },
  { line: "doctor --root HERE/image", code: 1, says: /./ },
  { line: "uninstall --root HERE/image", says: /./ },
  { line: "cache status --root crun" },
  {
    line: "store prime --store store --reference text profile.json",
    says: /./,
  },
  { line: "store ls --store store", says: /./ },
  { line: "rewrite --store none bundle", says: /^/ },
  { line: "hook --store none --log stderr", input: CONFIG },
  {
    line: "runtime --store none --runtime-kind crun -- create -b HERE/other x",
  },
  { line: "syscalls openat" },
  { line: "demo", says: /proved equal to the profile/ },
  { line: "completions bash" },
  { line: "licenses" },
  { line: "__complete compile --form" },
  { line: "--help" },
  { line: "--version" },
];

/** Fails if a command of the program has no use here. */
export function assertComplete(): void {
  const used = new Set(USES.map(({ line }) => line.split(" ")[0]));
  const missing = COMMANDS.map(({ name }) => name)
    .filter((name) => !used.has(name));
  assertEquals(missing, [], "commands without a use in tests/release/uses.ts");
}

/** Writes the files that the uses read. */
export async function prepareUses(folder: string): Promise<void> {
  const allow = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW" });
  const pod = [
    "apiVersion: security-profiles-operator.x-k8s.io/v1beta1",
    "kind: SeccompProfile",
    "metadata: {name: one}",
    "spec: {defaultAction: SCMP_ACT_ALLOW}",
  ];
  const files: Readonly<Record<string, string>> = {
    "profile.json": DEFAULT_PROFILE,
    "allow.json": allow,
    "few.json": JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [{ names: ["read", "openat"], action: "SCMP_ACT_ALLOW" }],
    }),
    "pod.yaml": `${pod.join("\n")}\n`,
    "unit.service": "[Service]\nSystemCallFilter=@system-service\n",
    "text.asm": "ret #0x7fff0000\n",
    "cases.txt": "allow openat\n",
    "audit.log":
      'type=SECCOMP msg=audit(1.001:1): auid=0 uid=0 gid=0 ses=1 pid=7 comm="a" exe="/a" sig=0 arch=c000003e syscall=41 compat=0 ip=0x1 code=0x50000\n',
    "bench.json": await Deno.readTextFile(join(ROOT, "docs/charts/bench.json")),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  for (const name of ["image", "crun", "bundle", "other"]) {
    await Deno.mkdir(join(folder, name));
  }
  for (const name of ["bundle", "other"]) {
    await Deno.writeTextFile(join(folder, name, "config.json"), CONFIG);
  }
}

/** Starts a form of the program. */
export interface Form {
  /** The words before the command. */
  readonly words: readonly string[];
  /** Variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the program of the repository. */
export const SOURCES: Form = {
  words: [Deno.execPath(), "run", "-A", join(ROOT, "cli/main.ts")],
};

/**
 * Uses every command in a form of the program, and compares with the sources.
 *
 * @param t The test; each use is a step.
 * @param form The form.
 */
export async function useAll(t: Deno.TestContext, form: Form): Promise<void> {
  assertComplete();
  const [ours, theirs] = [await scratch(), await scratch()];
  try {
    await Promise.all([prepareUses(ours), prepareUses(theirs)]);
    const traces = has("dump", "uses of commands that trace");
    for (const { line, code = 0, says, input, traces: traced } of USES) {
      if (traced === true && !traces) continue;
      await t.step(line, async () => {
        const [output, expected] = await Promise.all([
          use(form, line, ours, input),
          use(SOURCES, line, theirs, input),
        ]);
        const context = `${output.text}\n${output.errors}`;
        assertEquals([output.code, expected.code], [code, code], context);
        if (says === undefined) assertEquals(output.text, expected.text);
        else assertMatch(output.text, says, context);
      });
    }
  } finally {
    await Deno.remove(ours, { recursive: true });
    await Deno.remove(theirs, { recursive: true });
  }
}

function scratch(): Promise<string> {
  return Deno.makeTempDir({ prefix: "seccomp-tree-uses-" });
}

/** Output of a run. */
interface Output {
  readonly code: number;
  readonly text: string;
  readonly errors: string;
}

/**
 * Runs one command line.
 *
 * @param form The form of the program.
 * @param line Words after the program's name; `PID` stands for this process and `HERE` for
 * the folder.
 * @param cwd The folder.
 * @param input Standard input.
 */
export async function use(
  { words: [program = "", ...words], env }: Form,
  line: string,
  cwd: string,
  input = "",
): Promise<Output> {
  const given = line.replace("PID", `${Deno.pid}`).replace("HERE", cwd);
  const child = new Deno.Command(program, {
    args: [...words, ...given.split(" ")],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...(env === undefined ? {} : { env }),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return {
    code,
    text: DECODER.decode(stdout).replaceAll(cwd, "HERE"),
    errors: DECODER.decode(stderr),
  };
}
