import { assert, assertEquals, assertMatch } from "@std/assert";
import { decode, encode } from "../../bpf/encode.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { compareWithHost } from "../../hook/host_reference.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig, type RewriteContext } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import {
  annotationOf,
  createSetup,
  dockerConfig,
  HOOK_WORDS,
  runProgram,
  SMALL_SECTION,
  smallConfig,
} from "./shared.ts";

const test = needs("libseccomp", "x86_64");

test("compareWithHost() proves filters equal to those of the host's libseccomp, and names a call that differs", async () => {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "host" },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
  const { environment } = context;
  const masked = SMALL_SECTION.replace(
    "[{",
    '[{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"valueTwo":7,"op":"SCMP_CMP_MASKED_EQ"}]},{',
  );
  for (const text of [dockerConfig(), smallConfig({ section: masked })]) {
    const rewrite = await rewriteConfig(text, context);
    assert(rewrite.kind === "added");
    assertEquals(await compareWithHost(rewrite.entry, environment), {
      kind: "equal",
    });
  }
  const allow = encode([{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }]);
  const entry = { bytes: allow, section: SMALL_SECTION };
  const found = await compareWithHost(entry, environment);
  assert(found.kind === "different");
  assertMatch(found.detail, /gets ALLOW, from the host's libseccomp /);
  // The same as the section, except for ptrace on x86_64.
  const rewrite = await rewriteConfig(smallConfig(), context);
  assert(rewrite.kind === "added");
  const bytes = encode([
    { op: "ld.abs", jt: 0, jf: 0, k: 4 },
    { op: "jeq.k", jt: 0, jf: 3, k: 0xc000_003e },
    { op: "ld.abs", jt: 0, jf: 0, k: 0 },
    { op: "jeq.k", jt: 0, jf: 1, k: 101 },
    { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
    ...decode(rewrite.entry.bytes),
  ]);
  const one = await compareWithHost({ ...rewrite.entry, bytes }, environment);
  assert(one.kind === "different");
  assertMatch(
    one.detail,
    /^number 101 on architecture 0xc000003e gets ALLOW, from the host's libseccomp ERRNO/,
  );
});

test("compareWithHost() knows the filter that a version of runc loads, with its ENOSYS stub", async () => {
  const contextOf = (semantics: Semantics): Promise<RewriteContext> =>
    gatherContext(
      { ...DEFAULTS, store: undefined, names: "host", semantics },
      startDeadline(1000 * PATIENCE_S),
      openLog("stderr"),
    );
  const crun = await contextOf("crun@1.8.1");
  // Without architectures, the stub of the native one came with runc 1.1.15.
  const bare = SMALL_SECTION.replace(
    '"architectures":["SCMP_ARCH_X86_64"],',
    "",
  );
  for (const text of [dockerConfig(), smallConfig({ section: bare })]) {
    const rewrite = await rewriteConfig(text, crun);
    assert(rewrite.kind === "added");
    const withoutStub = rewrite.entry;
    for (const semantics of ["runc@1.1.5", "runc@1.3.6"] as const) {
      const context = await contextOf(semantics);
      const { environment } = context;
      const own = await rewriteConfig(text, context);
      assert(own.kind === "added");
      assertEquals(await compareWithHost(own.entry, environment), {
        kind: "equal",
      });
      const other = await compareWithHost(withoutStub, environment);
      const hasStub = text !== smallConfig({ section: bare }) ||
        semantics === "runc@1.3.6";
      assertEquals(other.kind, hasStub ? "different" : "equal", semantics);
      if (other.kind === "equal") continue;
      assertMatch(
        other.detail,
        /gets ERRNO.*, from the host's libseccomp ERRNO.*ENOSYS/,
      );
    }
  }
});

test("compareWithHost() reports why it does not ask the library", async () => {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "builtin" },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
  const entry = { bytes: new Uint8Array(), section: SMALL_SECTION };
  const { kind } = await compareWithHost(entry, context.environment);
  assertEquals(kind, "not-asked");
});

/** A libseccomp that is the host's, but for one rule that it forgets. */
const FORGETFUL = `
#include <dlfcn.h>
static void *real(const char *name) {
  static void *handle;
  if (!handle) handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  return dlsym(handle, name);
}
#define FORWARD(name) long name(long a, long b, long c, long d, long e) { \\
  return ((long (*)(long, long, long, long, long)) real(#name))(a, b, c, d, e); }
FORWARD(seccomp_version)
FORWARD(seccomp_arch_native)
FORWARD(seccomp_syscall_resolve_name_arch)
FORWARD(seccomp_syscall_resolve_num_arch)
FORWARD(seccomp_syscall_resolve_name)
FORWARD(seccomp_init)
FORWARD(seccomp_arch_add)
FORWARD(seccomp_attr_set)
FORWARD(seccomp_release)
FORWARD(seccomp_export_bpf)
int seccomp_rule_add_array(void *a, unsigned b, int nr, unsigned d, void *e) {
  if (nr == 1) return 0;
  return ((int (*)(void *, unsigned, int, unsigned, void *))
    real("seccomp_rule_add_array"))(a, b, nr, d, e);
}
`;

needs("libseccomp", "x86_64", "gcc")(
  "the hook leaves a section to its runtime that the host's libseccomp builds otherwise",
  async () => {
    await using setup = await createSetup({ names: "host" });
    const maps = await new Deno.Command("/sbin/ldconfig", { args: ["-p"] })
      .output();
    const library = /libseccomp\.so\.2 \(libc6,x86-64\) => (\S+)/.exec(
      new TextDecoder().decode(maps.stdout),
    )?.[1];
    assert(library !== undefined);
    const source = `${setup.directory}/forgetful.c`;
    await Deno.writeTextFile(source, FORGETFUL);
    const { success, stderr } = await new Deno.Command("gcc", {
      args: [
        ...["-shared", "-fPIC", "-O1", `-DLIBRARY="${library}"`, source],
        ...["-o", `${setup.directory}/libseccomp.so.2`, "-ldl"],
      ],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const start = async (
      env: Record<string, string>,
      ...more: readonly string[]
    ): Promise<string> => {
      const { code, stdout, stderr } = await runProgram(
        [...HOOK_WORDS, "hook", "--settings", setup.settingsPath, ...more],
        smallConfig(),
        { env },
      );
      assertEquals(code, 0, stderr);
      return new TextDecoder().decode(stdout);
    };
    const other = { LD_LIBRARY_PATH: setup.directory };
    assertEquals(await start(other), smallConfig());
    const [error] = await setup.errors();
    assertMatch(
      error?.msg ?? "",
      /number 1 on .* gets ALLOW, from the host's libseccomp ERRNO/,
    );
    // Remembered, so the library is not called again.
    assertEquals(await start(other), smallConfig());
    assertMatch(await setup.log(), /not optimized, as before: reference/);
    const alone = ["--reference", "text", "--store", "none"];
    annotationOf(await start(other, ...alone));
    annotationOf(await start({}));
  },
);
