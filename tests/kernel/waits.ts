/**
 * Ways to wait, for a process whose filters are read: each makes one call.
 *
 * Calls that wait for a descriptor have an hour and end by an event. The others
 * have a short time limit, after which they are made again: no look can be too
 * late.
 *
 * @module
 */

import { addressOf, type Libc, openLibc } from "../../ffi/libc.ts";
import { openStub } from "../../ffi/stub.ts";
import { archByName } from "../../tables/arch.ts";

const EAGAIN = 11;
const ETIMEDOUT = 110;
const EPOLLIN = 1;
const POLLIN = 1;
const FUTEX_WAIT = 0n;
const FUTEX_WAIT_BITSET = 9n;
const CLOCK_MONOTONIC = 1n;
const SIGUSR2 = 12;
/** Seconds of an hour. */
const LONG = 3600n;
/** Nanoseconds of a second. */
const SECOND = 1_000_000_000n;

/** Makes calls of this thread. */
export interface Caller {
  /** Makes a call; returns its answer, −errno for an error. */
  call(name: string, ...args: readonly bigint[]): number;
  /** Returns the address of a copy of some bytes, which stays. */
  put(words: BigUint64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): bigint;
  readonly libc: Libc;
  /** The short time limit in nanoseconds. */
  readonly limit: bigint;
}

/** One call, prepared: made again until the event unless it ends with the event. */
export interface Prepared {
  readonly make: () => number;
  readonly endsWithEvent: boolean;
}

/** One way to wait. */
export interface WayToWait {
  /** Answer of the undisturbed call. */
  readonly answer: number;
  /** @param fd Readable from the event on. */
  readonly prepare: (caller: Caller, fd: number) => Prepared;
}

/** Name of a way to wait: that of the call, and its variant. */
export type Wait =
  | ("nanosleep" | "nanosleep in place" | "clock_nanosleep" | "poll" | "ppoll")
  | ("select" | "futex" | "futex until" | "epoll_wait" | "epoll_pwait")
  | ("semtimedop" | "rt_sigtimedwait" | "recvfrom");

/** For each way, how the call is made so that it waits. */
export const WAITS: Readonly<Record<Wait, WayToWait>> = {
  nanosleep: {
    answer: 0,
    prepare: ({ call, put, limit }): Prepared => {
      const time = put(timespec(limit / SECOND, limit % SECOND));
      return again(() => call("nanosleep", time, 0n));
    },
  },
  // C libraries pass the same place for what is left: sleep(3).
  "nanosleep in place": {
    answer: 0,
    prepare: ({ call, put, limit }): Prepared => {
      const time = timespec(limit / SECOND, limit % SECOND);
      const place = put(time);
      return again(() => {
        time[1] = limit;
        return call("nanosleep", place, place);
      });
    },
  },
  "clock_nanosleep": {
    answer: 0,
    prepare: ({ call, put, limit }): Prepared => {
      const time = put(timespec(limit / SECOND, limit % SECOND));
      return again(() =>
        call("clock_nanosleep", CLOCK_MONOTONIC, 0n, time, 0n)
      );
    },
  },
  poll: {
    answer: 1,
    prepare: ({ call, put }, fd): Prepared => {
      const set = put(pollfd(fd));
      return once(() => call("poll", set, 1n, LONG * 1000n));
    },
  },
  ppoll: {
    answer: 1,
    prepare: ({ call, put }, fd): Prepared => {
      const set = put(pollfd(fd));
      const time = put(timespec(LONG, 0n));
      return once(() => call("ppoll", set, 1n, time, 0n, 0n));
    },
  },
  select: {
    answer: 1,
    prepare: ({ call, put }, fd): Prepared => {
      const set = put(fdSet(fd));
      const time = put(timespec(LONG, 0n));
      return once(() => call("select", BigInt(fd + 1), set, 0n, 0n, time));
    },
  },
  futex: {
    answer: -ETIMEDOUT,
    prepare: ({ call, put, limit }): Prepared => {
      const word = put(new Uint8Array(8));
      const time = put(timespec(limit / SECOND, limit % SECOND));
      return again(() => call("futex", word, FUTEX_WAIT, 0n, time));
    },
  },
  "futex until": {
    answer: -ETIMEDOUT,
    prepare: ({ call, put, limit }): Prepared => {
      const word = put(new Uint8Array(8));
      const now = timespec(0n, 0n);
      const time = put(now);
      return again(() => {
        call("clock_gettime", CLOCK_MONOTONIC, time);
        now[1] = (now[1] ?? 0n) + limit;
        now[0] = (now[0] ?? 0n) + (now[1] ?? 0n) / SECOND;
        now[1] = (now[1] ?? 0n) % SECOND;
        return call(
          ...["futex", word, FUTEX_WAIT_BITSET, 0n, time, 0n] as const,
          0xffff_ffffn,
        );
      });
    },
  },
  "epoll_wait": {
    answer: 1,
    prepare: (caller, fd): Prepared => {
      const [set, events] = epoll(caller, fd);
      return once(() =>
        caller.call("epoll_wait", set, events, 1n, LONG * 1000n)
      );
    },
  },
  "epoll_pwait": {
    answer: 1,
    prepare: (caller, fd): Prepared => {
      const [set, events] = epoll(caller, fd);
      return once(() =>
        caller.call("epoll_pwait", set, events, 1n, LONG * 1000n, 0n, 8n)
      );
    },
  },
  semtimedop: {
    answer: -EAGAIN,
    prepare: ({ call, put, limit }): Prepared => {
      const IPC_PRIVATE = 0n;
      const set = BigInt(call("semget", IPC_PRIVATE, 1n, 0o600n));
      // struct sembuf { num: 0, op: -1, flg: 0 }
      const operation = put(new Uint8Array([0, 0, 0xff, 0xff, 0, 0]));
      const time = put(timespec(limit / SECOND, limit % SECOND));
      return again(() => call("semtimedop", set, operation, 1n, time));
    },
  },
  "rt_sigtimedwait": {
    answer: -EAGAIN,
    prepare: ({ call, put, limit }): Prepared => {
      const set = put(new BigUint64Array([1n << BigInt(SIGUSR2 - 1)]));
      const time = put(timespec(limit / SECOND, limit % SECOND));
      return again(() => call("rt_sigtimedwait", set, 0n, time, 8n));
    },
  },
  recvfrom: {
    answer: -EAGAIN,
    prepare: ({ call, put, libc, limit }): Prepared => {
      const pair = new Int32Array(2);
      libc.symbols.socketpair(1, 1, 0, pair);
      const fd = pair[0] ?? -1;
      const SOL_SOCKET = 1;
      const SO_RCVTIMEO = 20;
      const time = timespec(limit / SECOND, limit % SECOND / 1000n);
      libc.symbols.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time, 16);
      const buffer = put(new Uint8Array(8));
      return again(() => call("recvfrom", BigInt(fd), buffer, 8n, 0n, 0n, 0n));
    },
  },
};

/** Number of the call that a way to wait makes, undefined when this machine has none. */
export function numberOf(wait: Wait): number | undefined {
  const [name = ""] = wait.split(" ");
  return archByName(Deno.build.arch)?.syscalls.get(name);
}

function once(make: () => number): Prepared {
  return { make, endsWithEvent: true };
}

function again(make: () => number): Prepared {
  return { make, endsWithEvent: false };
}

function timespec(
  seconds: bigint,
  nanoseconds: bigint,
): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array([seconds, nanoseconds]);
}

function pollfd(fd: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([fd, 0, 0, 0, POLLIN, 0, 0, 0]);
}

function fdSet(fd: number): BigUint64Array<ArrayBuffer> {
  const set = new BigUint64Array(16);
  set[fd >> 6] = 1n << BigInt(fd & 63);
  return set;
}

/** An epoll set with one descriptor, and room for its events. */
function epoll({ call, put }: Caller, fd: number): readonly [bigint, bigint] {
  const EPOLL_CTL_ADD = 1n;
  const set = BigInt(call("epoll_create1", 0n));
  // struct epoll_event; packed on x86_64, and padding elsewhere is 0 as well.
  const event = new Uint8Array(16);
  event[0] = EPOLLIN;
  call("epoll_ctl", set, EPOLL_CTL_ADD, BigInt(fd), put(event));
  return [set, put(new Uint8Array(16))];
}

/** Calls of x86 that take the times of x86_64. */
const TIME64: Readonly<Partial<Record<string, string>>> = {
  "clock_nanosleep": "clock_nanosleep_time64",
  ppoll: "ppoll_time64",
  select: "_newselect",
  futex: "futex_time64",
  semtimedop: "semtimedop_time64",
  "rt_sigtimedwait": "rt_sigtimedwait_time64",
};

/** Ways to wait that can be tried by calls of x86, with what they need below 4 GiB. */
export const I386_WAITS: readonly Wait[] = [
  ...["clock_nanosleep", "poll", "ppoll", "select", "futex"] as const,
  ...["epoll_wait", "epoll_pwait", "semtimedop", "rt_sigtimedwait"] as const,
  "recvfrom",
];

/** Number of the call of x86 that a way to wait makes. */
export function i386NumberOf(wait: Wait): number | undefined {
  return archByName("x86")?.syscalls.get(TIME64[wait] ?? wait);
}

/** Answer of a call whose process was killed by a signal. */
const KILLED = -1000;

/**
 * Makes the call that waits in a process of its own, by `int $0x80`, and all
 * others as usual.
 */
export function createI386Caller(wait: Wait): Caller {
  const caller = createCaller();
  const stub = openStub();
  const MAP_32BIT_PRIVATE_ANONYMOUS = 0x62;
  const page = caller.libc.symbols.mmap(
    ...[null, 4096n, 3, MAP_32BIT_PRIVATE_ANONYMOUS, -1, 0n] as const,
  );
  if (stub === undefined || page === null) throw new Error("no i386 here");
  const memory = new Uint8Array(
    Deno.UnsafePointerView.getArrayBuffer(page, 4096),
  );
  let used = 0;
  return {
    libc: caller.libc,
    // Each time it is a different process, which must be found.
    limit: 2n * SECOND,
    call(name, ...args): number {
      const nr = i386NumberOf(wait);
      if (name !== wait || nr === undefined) return caller.call(name, ...args);
      const { results, signal } = stub.run({
        calls: [
          // prctl(PR_SET_PDEATHSIG, SIGKILL): nothing outlives the test.
          { nr: 172, args: [1n, 9n] },
          { nr, args },
        ],
        entry: "int80",
      });
      return results[1] ?? KILLED - signal;
    },
    put(words): bigint {
      const { buffer, byteOffset, byteLength } = words;
      memory.set(new Uint8Array(buffer, byteOffset, byteLength), used);
      const address = Deno.UnsafePointer.value(page) + BigInt(used);
      used += 16 * Math.ceil(byteLength / 16);
      return address;
    },
  };
}

/** Opens the C library for this thread. */
export function createCaller(): Caller {
  const libc = openLibc();
  const numbers = archByName(Deno.build.arch)?.syscalls;
  const kept: ArrayBufferView[] = [];
  return {
    libc,
    limit: SECOND / 8n,
    call(name, ...args): number {
      const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args;
      const nr = BigInt(numbers?.get(name) ?? -1);
      const result = libc.symbols.syscall(nr, a, b, c, d, e, f);
      return result === -1 ? -libc.errno() : result;
    },
    put(bytes): bigint {
      kept.push(bytes);
      return addressOf(bytes);
    },
  };
}

/**
 * Makes a call until the event.
 *
 * @param fd Readable from the event on.
 * @returns Each answer once, −errno for an error.
 */
export function wait(
  name: Wait,
  caller: Caller,
  fd: number,
): readonly number[] {
  const answers = new Set<number>();
  const { make, endsWithEvent } = WAITS[name].prepare(caller, fd);
  const set = caller.put(pollfd(fd));
  const time = caller.put(timespec(0n, 0n));
  do answers.add(make()); while (
    !endsWithEvent && caller.call("ppoll", set, 1n, time, 0n, 0n) === 0
  );
  return [...answers];
}
