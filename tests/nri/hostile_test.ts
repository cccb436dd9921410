import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  decode,
  encode,
  FakeRuntime,
  message,
  type Plain,
  u32,
} from "./fake_runtime.ts";
import { creation, KEY, POLICY, startPlugin } from "./shared.ts";

/** Number of random conversations; `NRI_FUZZ=1000` for more. */
const CONVERSATIONS = Number(Deno.env.get("NRI_FUZZ") ?? 40);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A call of the plugin in one frame. */
function callBytes(method: string, payload: Uint8Array): Uint8Array {
  const data = message(
    4001,
    1,
    encode("Call", {
      service: "nri.pkg.api.v1alpha1.Plugin",
      method,
      payload,
    }),
  );
  return joined(u32(1), u32(data.length), data);
}

const VALID = encode("Create", creation(POLICY));

/** Invalid bytes of a runtime, each with the reason in the plugin's log. */
const FAULTS: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "a frame of 4 GiB": [
    joined(u32(1), u32(0xffff_ffff)),
    /a frame: 4294967295 bytes, at most/,
  ],
  "an unknown connection": [
    joined(u32(7), u32(1), Uint8Array.of(0)),
    /connection 7/,
  ],
  "a message of 4 GiB": [
    joined(u32(1), u32(10), u32(0xffff_ffff), u32(1), Uint8Array.of(1, 0)),
    /a ttrpc message: 4294967295 bytes/,
  ],
  "a stream of data": [
    joined(u32(1), u32(10), u32(0), u32(1), Uint8Array.of(3, 0)),
    /type 3/,
  ],
  "an even stream": [
    joined(u32(1), u32(10), u32(0), u32(2), Uint8Array.of(1, 0)),
    /not a call of the runtime/,
  ],
  "a second answer to the registration": [
    joined(u32(2), u32(10), message(1, 2, new Uint8Array())),
    /an answer to no call/,
  ],
  "half of a container": [
    callBytes("CreateContainer", VALID.subarray(0, VALID.length / 2)),
    /bytes announced|ends within/,
  ],
  "a number where text belongs": [
    callBytes("CreateContainer", Uint8Array.of(0x10, 5)),
    /a number, not bytes/,
  ],
  "a name that is not UTF-8": [
    callBytes("CreateContainer", Uint8Array.of(0x12, 3, 0x0a, 1, 0xff)),
    /not UTF-8/,
  ],
  "a number without end": [
    callBytes("CreateContainer", new Uint8Array(20).fill(0xff)),
    /over 10 bytes/,
  ],
};

Deno.test("an invalid message ends the conversation with a reason, and the next one works", async () => {
  await using plugin = await startPlugin();
  for (const [name, [bytes, reason]] of Object.entries(FAULTS)) {
    const before = plugin.messages.length;
    const runtime = await plugin.connect();
    await runtime.sendRaw(bytes);
    await runtime.closed;
    const said = plugin.messages.slice(before).join("\n");
    assertMatch(said, reason, name);
  }
  const runtime = await plugin.connect();
  const answer = await runtime.call("CreateContainer", creation(POLICY));
  assertEquals(answer.status, undefined);
});

Deno.test("a refused registration is tried again", async () => {
  await using plugin = await startPlugin();
  const refusing = new FakeRuntime(plugin.socket, { refuse: "index in use" });
  await refusing.closed;
  refusing.close();
  await plugin.connect();
  assert(plugin.messages.some((text) => /"index in use"/.test(text)));
});

Deno.test("methods of other versions are answered, not fatal", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  const { status } = await runtime.callRaw("BrewCoffee", new Uint8Array());
  assertEquals(status?.code, 12);
  const { status: later } = await runtime.call("Shutdown", {});
  assertEquals(later, undefined);
});

Deno.test("removed containers are not counted, in either form of the event", async () => {
  await using plugin = await startPlugin();
  const runtime = await plugin.connect();
  for (const id of ["a", "b"]) {
    await runtime.call("CreateContainer", creation(undefined, { id }));
  }
  assertEquals(plugin.metrics.containers().none, 2);
  await runtime.call("StateChange", { event: 11, container: { id: "a" } });
  await runtime.call("RemoveContainer", { container: { id: "b" } });
  assertEquals(plugin.metrics.containers().none, 0);
});

/** Mulberry32: numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let t = Math.imul(state ^ state >>> 15, state | 1);
    t = t + Math.imul(t ^ t >>> 7, t | 61) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

Deno.test("random conversations never crash the plugin or get a wrong annotation", async () => {
  await using plugin = await startPlugin();
  const first = await plugin.connect();
  await first.call("CreateContainer", creation(POLICY));
  await plugin.filters.idle();
  const warm = await first.call("CreateContainer", creation(POLICY));
  const right: string = warm.result.adjust.annotations[KEY];
  first.close();
  for (let seed = 1; seed <= CONVERSATIONS; seed++) {
    const random = randomFrom(seed);
    const runtime = await plugin.connect({
      cut: (length) => 1 + Math.floor(random() * Math.min(length, 3000)),
    });
    const payload = Uint8Array.from(VALID);
    const isChanged = random() < 0.7;
    for (let n = isChanged ? 1 + Math.floor(random() * 3) : 0; n > 0; n--) {
      payload[Math.floor(random() * payload.length)] = random() * 256;
    }
    const end = random() < 0.2
      ? Math.floor(random() * payload.length)
      : payload.length;
    const answer = await runtime.callRaw(
      "CreateContainer",
      payload.subarray(0, end),
    ).catch(() => undefined);
    if (answer !== undefined) {
      const given = answer.result.payload ?? new Uint8Array();
      assertRight(given, payload.subarray(0, end), right, seed);
    }
    runtime.close();
  }
  const last = await plugin.connect();
  const answer = await last.call("CreateContainer", creation(POLICY));
  assertEquals(answer.result.adjust.annotations[KEY], right);
});

/** The filter of POLICY is for containers with exactly POLICY. */
function assertRight(
  given: Uint8Array,
  asked: Uint8Array,
  right: string,
  seed: number,
): void {
  if (!new TextDecoder("latin1").decode(given).includes(right)) return;
  const policyOf = (bytes: Uint8Array): Plain =>
    decode("Create", bytes).container?.linux?.seccompPolicy;
  assertEquals(policyOf(asked), policyOf(VALID), `seed ${seed}`);
}
