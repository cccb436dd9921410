import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../machine.ts";
import { call, createFolder, FIXED } from "./harness.ts";

/** Flags that make the output independent of this machine. */
const HERE: readonly string[] = FIXED.filter((flag) => flag !== "-q");

/** The output about a profile, without the note on assumptions. */
async function said(
  profile: string,
  ...flags: readonly string[]
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const here = flags.includes("--arch") ? [] : HERE;
  const args = ["compile", "-", ...here, ...flags];
  const { code, err } = await call(args, { stdin: profile });
  const lines = err.split("\n").filter((line) =>
    line !== "" && !line.startsWith("<stdin>: note: for ")
  );
  return { code, lines };
}

Deno.test("compile treats comment keys as warnings, and prints each once without -v", async () => {
  const profile = `{"_comment":"ours","defaultAction":"SCMP_ACT_ALLOW",
"syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","_comment":"too"}]}`;
  const ignored = 'Unknown field "_comment", which every runtime ignores';
  assertEquals(await said(profile), {
    code: 0,
    lines: [
      `<stdin>:1:2: warning: _comment: ${ignored}: remove it`,
      `<stdin>:2:58: warning: syscalls[0]._comment: ${ignored}: remove it`,
    ],
  });
  assertEquals(await said(profile, "-q"), { code: 0, lines: [] });
});

Deno.test("compile refuses a bundle whose section Go would find and C would not", async () => {
  await using folder = await createFolder();
  await folder.write(
    "config.json",
    '{"linux":{"\u017feccomp":{"defaultAction":"SCMP_ACT_KILL"}}}',
  );
  const { code, err } = await call(["compile", `bundle:${folder.path}`]);
  assertEquals(code, 3);
  assertStringIncludes(err, 'Unknown field "ſeccomp": did you mean "seccomp"');
});

const OLD_CALLS = `{"defaultAction":"SCMP_ACT_ALLOW",
"architectures":["SCMP_ARCH_AARCH64"],"syscalls":[
{"names":["chmod","open","fork","unlink","rename","mkdir"],"action":"SCMP_ACT_ERRNO"}]}`;

Deno.test("compile names the successors of calls that aarch64 does not have", async () => {
  const arm = (...flags: string[]): ReturnType<typeof said> =>
    said(OLD_CALLS, ...flags, "--arch", "aarch64");
  const lost = (severity: string): string =>
    `<stdin>:3:10: ${severity}: syscalls[0].names: Rule denies nothing: chmod, open, fork, unlink, rename, mkdir do not exist on aarch64: name the calls that replace them: fchmodat, fchmodat2, openat, openat2, clone, clone3, unlinkat, renameat, renameat2, mkdirat`;
  const nothing =
    "<stdin>:2:50: warning: syscalls: Filter denies nothing: every call may run on aarch64, although the profile has 1 rule that denies: correct their names and conditions, or remove the filter";
  const table: readonly (readonly [string, number, readonly string[]])[] = [
    ["--unknown=deny-error", 0, [lost("warning"), nothing]],
    ["--unknown=warn", 0, [lost("warning"), nothing]],
    ["--unknown=ignore", 0, [nothing]],
    ["--unknown=error", 3, [lost("error")]],
    ["--strict", 3, [lost("error")]],
  ];
  for (const [flag, code, lines] of table) {
    assertEquals(await arm(flag), { code, lines }, flag);
  }
});

Deno.test("compile --unknown error refuses every unknown name, its default those that deny", async () => {
  const profile = (action: string): string =>
    `{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["mkdir","pread"],"action":"${action}"}]}`;
  const codes = async (
    action: string,
  ): Promise<readonly (readonly [string, number, string | undefined])[]> => {
    const found: [string, number, string | undefined][] = [];
    for (const how of ["deny-error", "error", "warn", "ignore"]) {
      const { code, lines } = await said(profile(action), "--unknown", how);
      found.push([how, code, lines[0]?.split(" ")[1]]);
    }
    return found;
  };
  assertEquals(await codes("SCMP_ACT_ERRNO"), [
    ["deny-error", 3, "error:"],
    ["error", 3, "error:"],
    ["warn", 0, "warning:"],
    ["ignore", 0, undefined],
  ]);
  assertEquals(await codes("SCMP_ACT_ALLOW"), [
    ["deny-error", 0, "warning:"],
    ["error", 3, "error:"],
    ["warn", 0, "warning:"],
    ["ignore", 0, undefined],
  ]);
  assertEquals((await said(profile("SCMP_ACT_ERRNO"))).code, 3);
});

Deno.test("compile does not suggest read(2) for pread in a rule that denies", async () => {
  const { code, lines } = await said(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["pread"],"action":"SCMP_ACT_ERRNO"}]}',
  );
  assertEquals([code, lines], [3, [
    '<stdin>:1:57: error: syscalls[0].names[0]: System call "pread" is unknown: this rule would deny nothing: did you mean "pread64", the system call of pread()',
  ]]);
});

const NEW_KERNEL =
  '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":9,"includes":{"minKernel":"99.0"}}]}';

Deno.test("--from podman applies a rule whose minKernel Docker waits for", async () => {
  const differ =
    "<stdin>:1:47: warning: syscalls[0]: Docker skips this rule on kernel 6.1, Podman ignores minKernel and applies it: read as";
  const table = [
    [[], "ALLOW", [
      `${differ} Docker takes it: name the reader: --from docker or --from podman`,
    ]],
    [["--from=docker"], "ALLOW", []],
    [["--from=podman"], "ERRNO(EBADF)", [
      `${differ} Podman takes it: remove the rule, or its minKernel`,
    ]],
  ] as const;
  for (const [flags, verdict, expected] of table) {
    const { code, out, err } = await call(
      ["simulate", ...HERE, "--kernel=6.1", ...flags, "-", "mkdir"],
      { stdin: NEW_KERNEL },
    );
    const lines = err.split("\n").filter((line) => line.includes("warning"));
    assertEquals([code, out.split("\n")[0], lines], [0, verdict, [
      ...expected,
    ]]);
  }
  // There is no difference on a recent kernel or in a profile with Docker's
  // name.
  const silent = [
    ["compile", "--kernel=99.1", "-"],
    ["compile", "--kernel=4.7", "default:docker"],
  ];
  for (const words of silent) {
    const { err } = await call([...words, "--arch=x86_64"], {
      stdin: NEW_KERNEL,
    });
    assertEquals(err.includes("minKernel"), false, err);
  }
});

Deno.test("--from podman gives a container Podman's capabilities by default", async () => {
  const profile =
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_MKNOD"]}}]}';
  const verdict = async (...flags: readonly string[]): Promise<string> => {
    const words = ["simulate", ...FIXED, ...flags, "-", "mkdir"];
    const { out } = await call(words, { stdin: profile });
    return out.split("\n")[0] ?? "";
  };
  assertEquals(await verdict(), "ALLOW");
  assertEquals(await verdict("--from=podman"), "ERRNO(EPERM)");
  assertEquals(
    await verdict("--from=podman", "--caps=default,CAP_MKNOD"),
    "ALLOW",
  );
  assertEquals(await verdict("--from=podman", "--caps=all"), "ALLOW");
});

Deno.test("compile --weights refuses a count that is hidden by another", async () => {
  await using folder = await createFolder();
  const file = await folder.write("w.json", '{"read": 3,\n "read": 100}');
  const { code, err } = await call([
    ...["compile", ...FIXED, "default:docker", "--weights", file],
  ]);
  assertEquals([code, err], [
    3,
    `${file}:2:2: error: read: Cannot read weights: Key is repeated, first at 1:2: keep one of the two: some readers take the first, some the last\n`,
  ]);
});

/** Warnings from reading, from names and from a rule without a call. */
const DOUBTFUL = `{"_comment":"x","defaultAction":"SCMP_ACT_ERRNO","syscalls":[
{"names":["read","execve","exit_group","pread"],"action":"SCMP_ACT_ALLOW"},
{"names":["umount"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"1.0"}}]}`;
const DOUBTS: readonly string[] = [
  ':1:2: warning: _comment: Unknown field "_comment", which every runtime ignores: remove it',
  ':2:40: warning: syscalls[0].names[3]: System call "pread" is unknown: this rule has no effect: did you mean "pread64", the system call of pread()',
  ":3:10: warning: syscalls[1].names: Rule has no effect: umount does not exist on x86_64: name the calls that replace them: umount2",
];

needs("x86_64")(
  "every command that reads a profile shows its warnings without -v, each once",
  async () => {
    await using folder = await createFolder();
    const file = await folder.write("p.json", DOUBTFUL);
    const root = join(folder.path, "root");
    const store = join(folder.path, "store");
    await Deno.mkdir(root);
    const names = ["--names", "builtin"];
    const commands: readonly (readonly string[])[] = [
      ["compile", file],
      ["prove", file, file],
      ["prove", "default:docker", file],
      ["diff", file, "default:docker"],
      ["diff", "--subset-of", "default:docker", file],
      ["stats", file],
      ["simulate", file, "read"],
      [
        ...["install", "podman", "--mode=static", "--profile", file],
        ...["--dry-run", "--root", root],
      ],
      ["store", "prime", file, "--store", store],
      // From the store.
      ["store", "prime", file, "--store", store],
    ];
    const warnings = (err: string): readonly string[] =>
      err.split("\n").filter((line) =>
        line.includes("warning: ") &&
        !/^warning: (?:This|Containers)/.test(line)
      );
    for (const command of commands) {
      const { err } = await call([...command, ...names]);
      assertEquals(
        warnings(err),
        DOUBTS.map((line) => `${file}${line}`),
        `${command.join(" ")}: ${err}`,
      );
      const quiet = command[0] === "install"
        ? undefined
        : await call([...command, ...names, "-q"]);
      assertEquals(warnings(quiet?.err ?? ""), [], command.join(" "));
    }
    // A bundle's section is OCI's; its places are those of the configuration.
    const section = DOUBTFUL.replace(/,"includes":.*?\}/, "");
    const bundle = join(folder.path, "bundle");
    for (const round of ["compiler", "store"]) {
      await Deno.mkdir(bundle, { recursive: true, mode: 0o700 });
      const config = await folder.write(
        "bundle/config.json",
        `{"linux":\n{"seccomp":\n\n${section}}}`,
      );
      await Deno.chmod(config, 0o600);
      const words = ["rewrite", bundle, "--store", store, ...names];
      const { code, out, err } = await call(words);
      assertEquals([code, out.includes(`(${round})`)], [0, true], err);
      assertEquals(
        warnings(err),
        DOUBTS.map((line) =>
          `${config}${
            line.replace(/^:(\d)/, (_, at) => `:${Number(at) + 3}`)
              .replace("warning: ", "warning: linux.seccomp.")
          }`
        ),
      );
    }
  },
);

Deno.test("compile reports the flags and the listener that the filter does not contain, once", async () => {
  const path = "/run/a*/\\\\\\n#include \u202e.sock";
  const profile = (fields: string): string =>
    `{"defaultAction":"SCMP_ACT_ALLOW",${fields}"syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}`;
  const both = profile(
    `"flags":["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW"],"listenerPath":"${path}",`,
  );
  const held =
    'flags SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW and listenerPath "/run/a*/\\\\\\n#include \\u202e.sock"';
  const load =
    "pass the flags to seccomp(2), load it with SECCOMP_FILTER_FLAG_NEW_LISTENER and send the listener to that path";
  const note = (advice: string): string =>
    `<stdin>: note: The filter does not contain ${held}: ${advice}`;
  for (const form of ["raw", "base64", "hex", "annotation"]) {
    const advice = form === "annotation"
      ? "keep them in linux.seccomp, which crun reads for them"
      : load;
    assertEquals(await said(both, "-f", form), {
      code: 0,
      lines: [note(advice)],
    });
    assertEquals(await said(both, "-f", form, "-q"), { code: 0, lines: [] });
    assertEquals(await said(profile(""), "-f", form), { code: 0, lines: [] });
    assertEquals(
      await said(profile('"flags":[],'), "-f", form),
      { code: 0, lines: [] },
    );
  }
  const starts = { c: "// ", go: "// ", rust: "/// ", asm: "; " };
  for (const [form, start] of Object.entries(starts)) {
    const { out, err } = await call(["compile", ...FIXED, "-", "-f", form], {
      stdin: both,
    });
    const line = `${start}The filter does not contain ${held}: ${load}`;
    assertEquals(out.split("\n").filter((l) => l === line).length, 1, out);
    assertEquals(
      out.split("\n").filter((l) => l.includes("#include")).length,
      form === "c" ? 2 : 1,
    );
    assertEquals(err, "");
    const plain = await call(["compile", ...FIXED, "-", "-f", form], {
      stdin: profile(""),
    });
    assertEquals(out.replace(`${line}\n`, ""), plain.out);
  }
  const json = await call(["compile", ...FIXED, "-", "-f", "json"], {
    stdin: both,
  });
  assertEquals(
    JSON.parse(json.out).flags,
    ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
  );
  assertEquals(JSON.parse(json.out).listenerPath, JSON.parse(`"${path}"`));
  // The comment is one for asm, too.
  const text = await call(["compile", ...FIXED, "-", "-f", "asm"], {
    stdin: both,
  });
  const again = await call(["asm", "-", "-f", "base64"], { stdin: text.out });
  const bytes = await call(["compile", ...FIXED, "-"], { stdin: both });
  assertEquals(again.out, bytes.out);
});
