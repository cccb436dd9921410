import { assert, assertEquals, assertMatch } from "@std/assert";
import { resolveProfile } from "../../pipeline/resolve_profile.ts";
import { decodeBase64 } from "../../bpf/base64.ts";
import { decode } from "../../bpf/encode.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { type Answer, FakeRuntime } from "./fake_runtime.ts";
import {
  creation,
  KEY,
  POLICY,
  type RunningPlugin,
  SECTION,
  startPlugin,
} from "./shared.ts";

/** The annotations that a container gets. */
function annotationsOf({ result, status }: Answer): Record<string, string> {
  assertEquals(status, undefined);
  return result.adjust?.annotations ?? {};
}

/** Creates a container and waits for its filter to be made. */
async function warm(
  plugin: RunningPlugin,
  runtime: FakeRuntime,
  policy = POLICY,
): Promise<string> {
  await runtime.call("CreateContainer", creation(policy));
  await plugin.filters.idle();
  const answer = await runtime.call("CreateContainer", creation(policy));
  return annotationsOf(answer)[KEY] ?? "";
}

/** Checks a filter against a section with the prover. */
function assertMeans(annotation: string, section: string): void {
  const { policy } = resolveProfile(section, {
    arch: "x86_64",
    semantics: "crun@1.28",
  });
  const program = decode(decodeBase64(annotation), { littleEndian: true });
  assertEquals(proveEquivalent(program, policy).kind, "equal");
}

Deno.test("the plugin registers last, for creations, removals and validation", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  const { registration, events } = await runtime.ready;
  assertEquals(registration.name, "seccomp-tree");
  assertEquals(registration.index, "99");
  assertEquals(events, 0x8 | 0x400 | 0x2000);
  const { result } = await runtime.call("Synchronize", {
    containers: [{ id: "old", annotations: { [KEY]: "AAAA" } }],
    more: true,
  });
  assertEquals(result.more, true);
  assertEquals(plugin.metrics.containers().tree, 1);
});

Deno.test("a new section is answered at once, and its next container has the proved filter", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  const first = await runtime.call("CreateContainer", creation(POLICY));
  assertEquals(annotationsOf(first), {});
  await plugin.filters.idle();
  const second = await runtime.call("CreateContainer", creation(POLICY));
  const { [KEY]: annotation = "" } = annotationsOf(second);
  assertMeans(annotation, SECTION);
  assertEquals(Object.keys(annotationsOf(second)), [KEY]);
});

Deno.test("a plugin that starts again takes the filter from the store", async () => {
  const folder = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "seccomp-tree-store-" }),
  );
  await Deno.chmod(folder, 0o700);
  try {
    let made = "";
    {
      await using plugin = await startPlugin({ store: folder });
      made = await warm(plugin, await plugin.connect());
    }
    await using plugin = await startPlugin({ store: folder });
    const runtime = await plugin.connect();
    const answer = await runtime.call("CreateContainer", creation(POLICY));
    assertEquals(annotationsOf(answer)[KEY], made);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a filter of over 4096 characters comes in frames of at most 4096 bytes", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  // Values without order: each needs its own tests.
  const args = Array.from({ length: 300 }, (_, i) => ({
    names: ["ioctl"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 1, value: 7919 * (i + 1), op: "SCMP_CMP_EQ" }],
  }));
  const policy = { ...POLICY, syscalls: args };
  await warm(plugin, runtime, policy);
  const { result, frames } = await runtime.call(
    "CreateContainer",
    creation(policy),
  );
  assert(result.adjust.annotations[KEY].length > 4096);
  assert(frames.length > 1);
  assert(frames.every((length) => length <= 4096), String(frames));
});

Deno.test("bytes may be cut anywhere, and calls may overlap", async () => {
  for (const cut of [() => 1, () => 7, (n: number) => Math.ceil(n / 3)]) {
    await using plugin = await startPlugin();
    const runtime = await plugin.connect({ cut });
    const annotation = await warm(plugin, runtime);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        runtime.call(
          "CreateContainer",
          creation(i % 2 === 0 ? POLICY : undefined, { id: `c${i}` }),
        )),
    );
    assertEquals(
      answers.map((answer) => annotationsOf(answer)[KEY]),
      answers.map((_, i) => i % 2 === 0 ? annotation : undefined),
    );
  }
});

Deno.test("only containers of crun with rules that a filter can hold get one", async () => {
  await using plugin = await startPlugin({ handlers: ["crun", "default"] });
  const runtime = await plugin.connect();
  const annotation = await warm(plugin, runtime);
  const ask = async (
    ...given: Parameters<typeof creation>
  ): Promise<Record<string, string>> =>
    annotationsOf(await runtime.call("CreateContainer", creation(...given)));
  assertEquals(await ask(POLICY, { handler: "" }), { [KEY]: annotation });
  assertEquals(await ask(POLICY, { handler: "runc" }), {});
  assertEquals(await ask(undefined), {});
  const annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" };
  assertEquals(await ask(POLICY, { annotations }), {});
  const notify = { ...POLICY, defaultAction: "SCMP_ACT_NOTIFY" };
  assertEquals(await ask(notify), {});
  await plugin.filters.idle();
  assertEquals(await ask(notify), {});
});

Deno.test("the annotation of a pod never takes effect", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  const annotations = { [KEY]: "BgAAAAAA/38=" };
  const ask = async (
    policy: typeof POLICY | undefined,
  ): Promise<Record<string, string>> =>
    annotationsOf(
      await runtime.call("CreateContainer", creation(policy, { annotations })),
    );
  assertEquals(await ask(POLICY), { [`-${KEY}`]: "" });
  assertEquals(await ask(undefined), { [`-${KEY}`]: "" });
  await plugin.filters.idle();
  const after = await ask(POLICY);
  assertEquals(after[`-${KEY}`], "");
  assertMeans(after[KEY] ?? "", SECTION);
});

Deno.test("a container is rejected unless its annotation is the proved filter of its final rules", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  const annotation = await warm(plugin, runtime);
  const tighter = { ...POLICY, syscalls: POLICY.syscalls.slice(0, 1) };
  const validate = async (
    adjust: Record<string, unknown>,
    before: Readonly<Record<string, string>> = {},
  ): Promise<string | undefined> => {
    const container = creation(POLICY, { annotations: before });
    const { result } = await runtime.call("ValidateContainerAdjustment", {
      ...container,
      adjust,
    });
    return result.reject === true ? result.reason : undefined;
  };
  assertEquals(await validate({}), undefined);
  assertEquals(
    await validate({ annotations: { [KEY]: annotation } }),
    undefined,
  );
  assertEquals(
    await validate({
      annotations: { [KEY]: annotation },
      linux: { seccompPolicy: POLICY },
    }),
    undefined,
  );
  assertMatch(
    await validate({
      annotations: { [KEY]: annotation },
      linux: { seccompPolicy: tighter },
    }) ?? "",
    /another plugin changed the seccomp rules/,
  );
  assertMatch(
    await validate({ annotations: { [KEY]: "BgAAAAAA/38=" } }) ?? "",
    /not the proved filter/,
  );
  const foreign = { [KEY]: "BgAAAAAA/38=" };
  assertMatch(await validate({}, foreign) ?? "", /not the proved filter/);
  assertEquals(
    await validate({ annotations: { [`-${KEY}`]: "" } }, foreign),
    undefined,
  );
});

Deno.test("a containerd without rules is reported once, and nothing is changed", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect({ runtimeVersion: "2.1.9~ds1" });
  assertEquals((await runtime.ready).events, 0x8);
  const annotations = { [KEY]: "BgAAAAAA/38=" };
  for (let i = 0; i < 3; i++) {
    const answer = await runtime.call(
      "CreateContainer",
      creation(undefined, { annotations }),
    );
    assertEquals(annotationsOf(answer), {});
  }
  const said = plugin.messages.filter((text) => /no seccomp rules/.test(text));
  assertEquals(said.length, 1);
});

Deno.test("CRI-O is refused with the way that works there", async () => {
  await using plugin = await startPlugin();
  const runtime = new FakeRuntime(plugin.socket, { runtimeName: "cri-o" });
  try {
    const message = await plugin.finished.then(() => "", (e) => e.message);
    assertMatch(message, /install crio --mode cache/);
  } finally {
    runtime.close();
  }
});

Deno.test("a runtime that starts again is served again", async () => {
  await using plugin = await startPlugin();
  const first = await plugin.connect();
  const annotation = await warm(plugin, first);
  first.close();
  const second = await plugin.connect();
  const answer = await second.call("CreateContainer", creation(POLICY));
  assertEquals(annotationsOf(answer)[KEY], annotation);
});
