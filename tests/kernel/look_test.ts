/**
 * Reading filters is harmless: after any command reads the filters of a
 * process, the process answers and ends as if nothing had happened.
 *
 * `LOOKS=1000 deno test -A tests/kernel/look_test.ts` runs that number of
 * reads.
 */

import { assert, assertEquals } from "@std/assert";
import { decodeBase64 } from "../../bpf/base64.ts";
import { rewriteConfig, type RewriteContext } from "../../hook/precreate.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { openLog } from "../../hook/log.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { verifyContainer } from "../../hook/state.ts";
import { findContainers } from "../../install/containers.ts";
import { InstallError } from "../../install/error.ts";
import { judgeFilter } from "../../install/trial.ts";
import { call, spawn } from "../cli/harness.ts";
import { needs } from "../machine.ts";
import { statusField } from "./confined.ts";
import { startWaiter, until, waitsIn } from "./waiting.ts";
import {
  I386_WAITS,
  i386NumberOf,
  numberOf,
  type Wait,
  WAITS,
} from "./waits.ts";

const test = needs("dump");

/** Possible answers of a filter to `restart_syscall`. */
const ACTIONS = ["SCMP_ACT_ERRNO", "SCMP_ACT_TRAP", "SCMP_ACT_KILL_PROCESS"];

/** All ways to wait that this machine has. */
const EVERY = (Object.keys(WAITS) as Wait[])
  .filter((wait) => numberOf(wait) !== undefined);

/**
 * A bundle whose filter denies `restart_syscall`, and other inputs of the
 * reads.
 */
interface Bundle extends AsyncDisposable {
  readonly directory: string;
  readonly profile: string;
  readonly filter: Uint8Array<ArrayBuffer>;
  readonly context: RewriteContext;
}

async function createBundle(action: string): Promise<Bundle> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-look-" });
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "builtin" },
    startDeadline(600_000),
    openLog("stderr"),
  );
  const seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: Deno.build.arch === "x86_64"
      ? ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
      : ["SCMP_ARCH_AARCH64"],
    syscalls: [{ names: ["restart_syscall"], action }],
  };
  const rewritten = await rewriteConfig(
    JSON.stringify({ ociVersion: "1.0.2", process: {}, linux: { seccomp } }),
    context,
  );
  assert(rewritten.kind === "added");
  await Deno.writeTextFile(`${directory}/config.json`, rewritten.text);
  const profile = `${directory}/profile.json`;
  await Deno.writeTextFile(profile, JSON.stringify(seccomp));
  const { annotations } = JSON.parse(rewritten.text);
  return {
    directory,
    profile,
    context,
    filter: decodeBase64(annotations["run.oci.seccomp_bpf_data"]),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

/** All ways to read the filters of a process that was started elsewhere. */
const WAYS: Readonly<
  Record<string, (pid: number, bundle: Bundle) => Promise<void>>
> = {
  dump: async (pid, { filter }) => {
    const { code, bytes, err } = await call([
      "dump",
      `pid:${pid}`,
      "-f",
      "raw",
    ]);
    assertEquals([code, err], [0, ""]);
    assertEquals(bytes, filter);
  },
  verify: async (pid, { profile }) => {
    const words = ["verify", "-q", `pid:${pid}`, "--against", profile];
    const { code, out, err } = await call(words);
    assertEquals([code, err], [0, ""], out);
  },
  "verify --all": async (pid) => {
    const { out } = await spawn(["verify", "--all", "-q", "-o", "json"]);
    const { processes }: { processes: { pid: number; reason?: string }[] } =
      JSON.parse(out);
    const row = processes.find((row) => row.pid === pid);
    assertEquals([row?.pid, row?.reason], [pid, undefined]);
  },
  status: async (pid, { directory, filter }) => {
    const state = `${directory}/run/id`;
    await Deno.mkdir(state, { recursive: true });
    await Deno.writeTextFile(`${state}/status`, JSON.stringify({ pid }));
    const [found] = await findContainers([`${directory}/run`], []);
    assertEquals([found?.pid, found?.instructions, found?.detail], [
      pid,
      filter.length / 8,
      "",
    ]);
  },
  hook: async (pid, { directory, context }) => {
    const state = { id: "id", status: "running", pid, bundle: directory };
    const { live } = await verifyContainer(state, context);
    assertEquals(live, "same");
  },
  trial: async (pid, { directory }) => {
    // There is no store, so the look ends with that.
    const error = await judgeFilter(pid, `${directory}/store`)
      .then(() => undefined, (error: unknown) => error);
    assert(error instanceof InstallError, String(error));
    assert(error.message.includes("is not in"), error.message);
  },
};

/** Number of looks that the caller requested. */
const LOOKS = Number(Deno.env.get("LOOKS") ?? "0");

/** Looks of each way at each call. */
const ROUNDS = Math.max(
  1,
  Math.ceil(
    LOOKS / (ACTIONS.length * EVERY.length * Object.keys(WAYS).length),
  ),
);

/**
 * Actions for a call: every third way, another one for each call and action,
 * unless more is requested.
 */
function waysFor(
  action: string,
  at: number,
): readonly (readonly [string, typeof WAYS[string]])[] {
  return Object.entries(WAYS).filter((_, i) =>
    LOOKS > 0 || (i + at + ACTIONS.indexOf(action)) % 3 === 0
  );
}

/** Answers of undisturbed calls. */
function answersOf(waits: readonly Wait[]): Readonly<Record<string, number[]>> {
  return Object.fromEntries(waits.map((wait) => [wait, [WAITS[wait].answer]]));
}

for (const action of ACTIONS) {
  test(`a look harms no thread that waits where restart_syscall is ${action}`, async () => {
    await using bundle = await createBundle(action);
    await using waiting = startWaiter({
      filter: bundle.filter.toBase64(),
      first: EVERY,
      others: EVERY,
    });
    const { pid } = waiting;
    const failures: unknown[] = [];
    for (const [at, wait] of EVERY.entries()) {
      for (const [way, look] of waysFor(action, at)) {
        for (let i = 0; i < ROUNDS && failures.length === 0; i++) {
          try {
            await until(() => waitsIn(pid) === numberOf(wait));
            await look(pid, bundle);
          } catch (error) {
            failures.push(`${way}, ${wait}: ${error}`);
          }
        }
      }
      await waiting.next();
    }
    const { status, waited } = await waiting.end();
    const expected = answersOf(EVERY);
    assertEquals([status.signal, waited, failures], [
      null,
      { first: expected, others: expected, i386: {} },
      [],
    ]);
  });
}

/** Processes whose parent is another one. */
function childrenOf(pid: number): readonly number[] {
  return [...Deno.readDirSync("/proc")]
    .map(({ name }) => Number(name))
    .filter((child) => child > 0 && parentOf(child) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(text.slice(text.lastIndexOf(")")).split(" ")[2]);
  } catch {
    // It has ended.
    return undefined;
  }
}

function hasEnded(pid: number): boolean {
  try {
    return statusField(pid, "State").startsWith("Z");
  } catch {
    return true;
  }
}

/** Looks at one of some processes that waits in a call. */
async function lookAtChild(
  parent: number,
  number: number | undefined,
  look: (pid: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    const pid = childrenOf(parent).find((child) => {
      try {
        return waitsIn(child) === number;
      } catch {
        return false;
      }
    });
    try {
      if (pid !== undefined) return await look(pid);
      if (hasEnded(parent)) throw new Error("it has ended");
    } catch (error) {
      // Its time limit has passed: the next process makes the call again.
      if (pid === undefined || parentOf(pid) === parent) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const action of ACTIONS) {
  needs("dump", "i386")(
    `a look harms no call of x86 where restart_syscall is ${action}`,
    async () => {
      await using bundle = await createBundle(action);
      await using waiting = startWaiter({
        filter: bundle.filter.toBase64(),
        first: ["poll"],
        others: [],
        i386: I386_WAITS,
      });
      for (const [at, wait] of I386_WAITS.entries()) {
        for (const [way, look] of waysFor(action, at)) {
          await lookAtChild(
            waiting.pid,
            i386NumberOf(wait),
            (pid) => look(pid, bundle),
          ).catch((error) => {
            throw new Error(`${way}, ${wait}: ${error}`);
          });
        }
      }
      await waiting.next();
      const { status, waited } = await waiting.end();
      assertEquals([status.signal, waited], [null, {
        first: answersOf(["poll"]),
        others: {},
        i386: answersOf(I386_WAITS),
      }]);
    },
  );
}
