/**
 * Reading the filters of real containers is harmless: crun's container sleeps
 * under a filter that kills it for `restart_syscall`, and continues to sleep
 * after `status`, after the hook at `poststart`, and after the trial of
 * `install`.
 *
 * tests/kernel/look_test.ts has every kind of call, without containers.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { rewriteBundle } from "../../hook/bundle.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { openLog } from "../../hook/log.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { judgeFilter } from "../../install/trial.ts";
import { spawn } from "../cli/harness.ts";
import { createSetup, HOOK_WORDS, type Setup } from "../hook/shared.ts";
import { statusField } from "../kernel/confined.ts";
import { until, waitsIn } from "../kernel/waiting.ts";
import { CONTAINERS, needs, PATIENCE_S } from "../machine.ts";
import { writeJson } from "./config.ts";
import { type Bundle, createBundle } from "./harness.ts";

const test = needs(...CONTAINERS);

/** nanosleep and clock_nanosleep of x86_64. */
const SLEEPS: readonly (number | undefined)[] = [35, 230];

const DEADLY = {
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [{ names: ["restart_syscall"], action: "SCMP_ACT_KILL_PROCESS" }],
};

/** Waits until a container sleeps; passes the state on standard input to a hook. */
const ASLEEP = `state=$(cat)
pid=$(echo $state | sed 's/.*"pid": *\\([0-9]*\\).*/\\1/')
until grep -qE '^(35|230) ' /proc/$pid/syscall; do
  [ -e /proc/$pid/syscall ] || exit 1
  sleep 0.1
done
echo "$state" | "$@"`;

/** A bundle that is optimized and whose container sleeps. */
async function deadlyBundle(setup: Setup, hooks?: unknown): Promise<Bundle> {
  const bundle = await createBundle({
    args: ["/bin/busybox", "sleep", "100000"],
    seccomp: DEADLY,
  });
  if (hooks !== undefined) {
    const config = JSON.parse(await Deno.readTextFile(bundle.configPath));
    const text = writeJson({ ...config, hooks });
    await Deno.writeTextFile(bundle.configPath, text);
  }
  const context = await gatherContext(
    { ...DEFAULTS, store: setup.store, names: "host" },
    startDeadline(1000 * PATIENCE_S),
    openLog({ file: setup.logPath }),
  );
  const rewrite = await rewriteBundle(dirname(bundle.configPath), context);
  assertEquals(rewrite.kind, "added");
  return bundle;
}

async function startAsleep(bundle: Bundle): Promise<number> {
  const pid = await bundle.create("crun");
  await bundle.start("crun");
  await until(() => SLEEPS.includes(waitsIn(pid)));
  return pid;
}

/** A process that a look has released runs until it sleeps again, or ends. */
async function assertSleepsOn(pid: number): Promise<void> {
  await until(() => hasEnded(pid) || SLEEPS.includes(waitsIn(pid)));
  assert(!hasEnded(pid), "the look has killed the container");
}

function hasEnded(pid: number): boolean {
  try {
    return statusField(pid, "State").startsWith("Z");
  } catch {
    return true;
  }
}

test("a container keeps sleeping after status has read its filter", async () => {
  await using setup = await createSetup();
  await using bundle = await deadlyBundle(setup);
  const pid = await startAsleep(bundle);
  const state = join(dirname(bundle.configPath), "state-crun");
  const { out, err } = await spawn(
    ["status", "--state", state, "-o", "json"],
  );
  const { containers } = JSON.parse(out);
  assertEquals(containers.length, 1, err);
  assertEquals([containers[0].pid, containers[0].filter], [pid, "annotation"]);
  await assertSleepsOn(pid);
});

test("a container keeps sleeping after the poststart hook has read its filter", async () => {
  await using setup = await createSetup();
  const words = [...HOOK_WORDS, "hook", "--settings", setup.settingsPath];
  await using bundle = await deadlyBundle(setup, {
    poststart: [{
      path: "/bin/sh",
      args: ["sh", "-c", ASLEEP, "sh", ...words],
      env: ["PATH=/usr/bin:/bin"],
    }],
  });
  const pid = await startAsleep(bundle);
  assertStringIncludes(await setup.log(), "Verified (optimized, live: same)");
  await assertSleepsOn(pid);
});

test("a container keeps sleeping after the trial of install has read its filter", async () => {
  await using setup = await createSetup();
  await using bundle = await deadlyBundle(setup);
  const pid = await startAsleep(bundle);
  const trial = await judgeFilter(pid, setup.store);
  assertEquals(trial.kind, "verified");
  await assertSleepsOn(pid);
});
