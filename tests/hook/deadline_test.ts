import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Read, readWithin } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { main } from "../../hook/main.ts";
import { PATIENCE_S } from "../machine.ts";
import { createSetup } from "./shared.ts";

/** Gives some texts, one at a time, each a little later. */
function reader(texts: readonly string[]): Read {
  const left = [...texts];
  return async (buffer) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const text = left.shift();
    return text === undefined
      ? null
      : new TextEncoder().encodeInto(text, buffer).written;
  };
}

Deno.test("readWithin() reads to the end, even with a limit of months", async () => {
  for (const ms of [10_000, 2 ** 31, 1e13]) {
    const bytes = await readWithin(reader(["ab", "", "c"]), 3, ms);
    assertEquals(new TextDecoder().decode(bytes), "abc", `${ms} ms`);
  }
});

Deno.test("readWithin() refuses what is too long or too late", async () => {
  const long = await assertRejects(
    () => readWithin(reader(["ab", "cd"]), 3, 10_000),
    RefusedError,
  );
  assertEquals(long.code, "bad-input");
  // A stream that is open keeps the process alive, as standard input does.
  const timer = setInterval(() => {}, 1000);
  const late = await assertRejects(
    () => readWithin(() => new Promise(() => {}), 3, 20),
    RefusedError,
  );
  clearInterval(timer);
  assertEquals(late.code, "deadline");
});

Deno.test("main() leaves the kernel's timer for after its own deadline", async () => {
  await using setup = await createSetup({ names: "builtin" });
  const limits: number[] = [];
  const words = ["--settings", setup.settingsPath, "--deadlineMs", "7000"];
  await main(words, {
    read: () => Promise.resolve(null),
    write: () => {},
    limit: (ms) => limits.push(ms),
  });
  assertEquals(limits.length, 1);
  assert((limits[0] ?? 0) > 7000, String(limits));
});

Deno.test("armAlarm() sets the kernel's timer, including times of a second or more", async () => {
  const module = import.meta.resolve("../../hook/alarm.ts");
  // It reads the time that is left: struct itimerval, four longs.
  const script = `import { armAlarm } from ${JSON.stringify(module)};
const { symbols } = Deno.dlopen("libc.so.6", {
  getitimer: { parameters: ["i32", "buffer"], result: "i32" },
});
const left = (ms) => {
  const isArmed = armAlarm(ms);
  const timer = new BigInt64Array(4);
  symbols.getitimer(0, timer);
  return [isArmed, Number(timer[2]) + Number(timer[3]) / 1e6];
};
console.log(JSON.stringify([1e9 + 900, 2e9 + 100].map(left)));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", script],
  }).output();
  const answers = JSON.parse(new TextDecoder().decode(stdout));
  for (const [i, ms] of [1e9 + 900, 2e9 + 100].entries()) {
    const [isArmed, seconds] = answers[i];
    assert(isArmed, `${ms} ms`);
    assert(
      seconds <= ms / 1000 && seconds > ms / 1000 - PATIENCE_S,
      `${seconds} s`,
    );
  }
});
