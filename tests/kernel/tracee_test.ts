import { assertEquals } from "@std/assert";
import { openLibc } from "../../ffi/libc.ts";
import { Tracee } from "../../ffi/live/tracee.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { statusField } from "./confined.ts";
import { until, waitsIn } from "./waiting.ts";

const test = needs("dump");

test("Tracee notifies the parent of a process that dies while it is read", async () => {
  // Stopped by job control, or in a call that a stop interrupts.
  for (const stop of ['kill -STOP "$!"', ":"]) {
    const parent = new Deno.Command("timeout", {
      args: [
        ...[String(PATIENCE_S), "sh", "-c"],
        `sleep 600 & ${stop}; echo "$!"; wait "$!"; echo "ended $?"`,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = parent.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const pid = Number((await lines.read()).value);
    try {
      new Tracee(openLibc(), pid).ask(() => {
        Deno.kill(pid, "SIGKILL");
        while (!statusField(pid, "State").startsWith("Z"));
        return [];
      });
    } catch {
      // It is gone.
    }
    assertEquals((await lines.read()).value, "ended 137\n", stop);
    await lines.cancel();
    await parent.status;
  }
});

test("Tracee passes on a signal that arrived before its stop", async () => {
  const shell = new Deno.Command("timeout", {
    args: [
      ...[String(PATIENCE_S), "sh", "-c"],
      `sleep 600 & trap 'echo got' USR1; echo "$$"; wait "$!"; kill "$!"`,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = shell.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await lines.read()).value);
  await until(() => waitsIn(pid) !== undefined);
  const tracee = new Tracee(openLibc(), pid);
  Deno.kill(pid, "SIGUSR1");
  await until(() => statusField(pid, "State").startsWith("t"));
  assertEquals(tracee.ask(() => []), []);
  assertEquals((await lines.read()).value, "got\n");
  await lines.cancel();
  await shell.status;
});
