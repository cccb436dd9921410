import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeRuntime } from "./fake_runtime.ts";
import { creation, KEY, POLICY, SECTION } from "./shared.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The program's command in a process of its own. */
function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, MAIN, "nri", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Reads the log of a process up to a line. */
async function readUntil(
  lines: AsyncIterableIterator<string>,
  wanted: RegExp,
): Promise<RegExpExecArray> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the log ended without ${wanted}`);
    const found = wanted.exec(value);
    if (found !== null) return found;
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncIterableIterator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const text = rest + decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

Deno.test("nri primes a profile, serves a runtime and its metrics, survives kill -9, and ends at SIGTERM", async () => {
  const folder = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "seccomp-tree-nri-" }),
  );
  await Deno.chmod(folder, 0o700);
  const socket = `${folder}/nri.sock`;
  const profile = `${folder}/profile.json`;
  await Deno.writeTextFile(profile, SECTION);
  const args = [
    ...["--socket", socket, "--store", `${folder}/store`],
    ...["--semantics", "crun@1.28", "--metrics", "127.0.0.1:0"],
    ...["--prime", profile],
  ];
  try {
    let answered = "";
    for (const end of ["SIGKILL", "SIGTERM"] as const) {
      const child = start(args);
      const output = new Response(child.stdout).text();
      const lines = linesOf(child.stderr);
      const [, address = ""] = await readUntil(
        lines,
        /Metrics: http:\/\/([^/]+)\/metrics/,
      );
      const early = await fetch(`http://${address}/healthz`);
      assertEquals([early.status, await early.text()], [
        503,
        "not connected to a runtime\n",
      ]);
      const runtime = new FakeRuntime(socket);
      await runtime.ready;
      // The filter is made beside; no container waits for it.
      let annotation = "";
      while (annotation === "") {
        const { result } = await runtime.call(
          "CreateContainer",
          creation(POLICY),
        );
        annotation = result.adjust?.annotations?.[KEY] ?? "";
      }
      if (answered !== "") assertEquals(annotation, answered);
      answered = annotation;
      const healthy = await fetch(`http://${address}/healthz`);
      assertEquals(await healthy.text(), "ok\n");
      const text = await (await fetch(`http://${address}/metrics`)).text();
      assertMatch(text, /^seccomp_tree_nri_containers\{filter="tree"\} 1$/m);
      assertMatch(text, /^seccomp_tree_nri_store_entries 1$/m);
      assertMatch(text, /^seccomp_tree_nri_answers_total\{answer="hit"\} 1$/m);
      child.kill(end);
      const rest = Array.fromAsync(lines);
      const { code, signal } = await child.status;
      if (end === "SIGTERM") assertEquals([code, signal], [0, null]);
      await runtime.closed;
      runtime.close();
      await Deno.remove(socket).catch(() => {});
      await rest;
      assertEquals(await output, "");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("nri refuses CRI-O with 5, and what it cannot read with 2", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-nri-" });
  const socket = `${folder}/nri.sock`;
  const runtime = new FakeRuntime(socket, { runtimeName: "cri-o" });
  try {
    const child = start(["--socket", socket, "--store", "none"]);
    const { code, stderr } = await child.output();
    assertEquals(code, 5);
    assertMatch(new TextDecoder().decode(stderr), /cache mode|--mode cache/);
  } finally {
    runtime.close();
    await Deno.remove(folder, { recursive: true });
  }
  const wrong = [["--index", "5"], ["--handlers", "a,,b"], [
    "--metrics",
    "localhost",
  ]];
  for (const args of wrong) {
    const { code, stderr } = await start(args).output();
    assertEquals(code, 2);
    assert(new TextDecoder().decode(stderr).includes(args[1] ?? ""), args[0]);
  }
});
