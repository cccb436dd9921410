/**
 * Memory that the arguments of a call point to: paths and socket addresses.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { openLibc } from "../../ffi/libc.ts";
import { readCText, readMemory } from "../../ffi/live/proc.ts";
import { argumentsOf } from "../../tables/arguments.ts";
import { archOfNumber, syscallName } from "../output/names.ts";

/** The memory that arguments point to, by index of the argument. */
export type CallMemory = Readonly<Record<number, string>>;

/** Pointers to text; the names are those of the kernel's declarations. */
const TEXTS: ReadonlySet<string> = new Set([
  ...["description", "filesystemtype", "from_pathname", "fsname", "key"],
  ...["linkpath", "name", "new_root", "newpath", "oldpath", "path", "pathname"],
  ...["put_old", "source", "special", "target", "to_pathname", "type"],
]);

/** Calls that take a socket address as input, followed by its length. */
const SOCKET_CALLS: ReadonlySet<string> = new Set([
  "bind",
  "connect",
  "sendto",
]);

/** Length of the longest address in bytes: struct sockaddr_un. */
const MAX_ADDRESS = 110;

/** An argument to read, and its kind. */
type Step = readonly [index: number, kind: "text" | "address"];

/** Arguments to read, by architecture and number. */
const plans = new Map<string, readonly Step[]>();

/**
 * Reads the memory of a call.
 *
 * @param data The call.
 * @param tid Its thread, which waits.
 */
export function readCallMemory(data: SeccompData, tid: number): CallMemory {
  const memory: Record<number, string> = {};
  const libc = openLibc();
  for (const [index, kind] of planOf(data)) {
    const address = data.args[index] ?? 0n;
    if (address === 0n) continue;
    if (kind === "text") {
      const text = readCText(libc, tid, address);
      if (text !== undefined) memory[index] = JSON.stringify(text);
      continue;
    }
    const length = Number(data.args[index + 1] ?? 0n);
    if (length < 2 || length > MAX_ADDRESS) continue;
    const bytes = readMemory(libc, tid, address, length);
    if (bytes !== undefined) memory[index] = socketAddress(bytes);
  }
  return memory;
}

function planOf({ arch, nr }: SeccompData): readonly Step[] {
  const key = `${arch}:${nr}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const call = syscallName(arch, nr) ?? "";
  const owner = archOfNumber(arch, nr);
  const parameters = owner === undefined ? [] : argumentsOf(owner, call) ?? [];
  const plan = parameters.flatMap(({ name, kind }, i): readonly Step[] => {
    if (kind !== "pointer") return [];
    if (SOCKET_CALLS.has(call) && name === "addr") return [[i, "address"]];
    return TEXTS.has(name) ? [[i, "text"]] : [];
  });
  plans.set(key, plan);
  return plan;
}

/** Writes a `struct sockaddr`; its families are those of linux/socket.h. */
function socketAddress(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const family = view.getUint16(0, true);
  if (family === 1) {
    const path = new TextDecoder().decode(bytes.subarray(2));
    const [text = ""] = path.startsWith("\0")
      ? [`@${path.slice(1)}`]
      : path.split("\0");
    return `AF_UNIX ${JSON.stringify(text)}`;
  }
  if (family === 2 && bytes.length >= 8) {
    return `AF_INET ${bytes.subarray(4, 8).join(".")}:${view.getUint16(2)}`;
  }
  if (family === 10 && bytes.length >= 24) {
    const groups = Array.from(
      { length: 8 },
      (_, i) => view.getUint16(8 + 2 * i).toString(16),
    );
    return `AF_INET6 [${groups.join(":")}]:${view.getUint16(2)}`;
  }
  return `family ${family}`;
}
