/**
 * A pair of datagram sockets whose receiving end has a filter: the transport of
 * `ffi/socket_filter.ts`.
 *
 * @module
 */

import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../bpf/seccomp_data.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import { SyscallError } from "./error.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";

/** Length of a packet that the filter dropped. */
export const DROPPED = 0;

/** asm-generic/socket.h, linux/socket.h. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
const EINTR = 4;
const EAGAIN = 11;

/**
 * Number of packets in one call; the buffer of a socket has room for about 200.
 */
const BATCH = 128;

/** `struct mmsghdr`: a 56-byte msghdr (iov at 16, iovlen at 24) and the length at 56. */
const MMSGHDR_SIZE = 64;
const IOVEC_SIZE = 16;

/** A pair of sockets. */
export interface SocketPair {
  /** Attaches a filter to the receiving end, replacing the previous one. */
  attach(program: Program): void;
  /**
   * Sends inputs and returns the lengths of the packets that arrive, 0 for a
   * dropped one.
   */
  measure(inputs: readonly Uint32Array[]): number[];
  /** Closes both ends. */
  close(): void;
}

/**
 * All memory whose address the kernel gets, in one buffer that lives as long as
 * the module, so no part of it can be collected during a call.
 */
interface Memory {
  readonly view: DataView;
  readonly sends: Uint8Array<ArrayBuffer>;
  readonly receives: Uint8Array<ArrayBuffer>;
  readonly packets: DataView;
  readonly code: Uint8Array<ArrayBuffer>;
  readonly fprog: Uint8Array<ArrayBuffer>;
  readonly fds: Int32Array<ArrayBuffer>;
}

let memory: Memory | undefined;

/** Offsets into the buffer. */
const AT_SENDS = 0;
const AT_RECEIVES = AT_SENDS + BATCH * MMSGHDR_SIZE;
const AT_IOVECS = AT_RECEIVES + BATCH * MMSGHDR_SIZE;
const AT_PACKETS = AT_IOVECS + (BATCH + 1) * IOVEC_SIZE;
const AT_SINK = AT_PACKETS + BATCH * SECCOMP_DATA_SIZE;
const AT_FPROG = AT_SINK + SECCOMP_DATA_SIZE;
const AT_FDS = AT_FPROG + 16;
const AT_CODE = AT_FDS + 16;
const MEMORY_SIZE = AT_CODE + BPF_MAXINSNS * 8;

function createMemory(): Memory {
  const buffer = new ArrayBuffer(MEMORY_SIZE);
  const view = new DataView(buffer);
  const base = addressOf(buffer);
  const putU64 = (at: number, value: bigint): void =>
    view.setBigUint64(at, value, true);
  const putIovec = (at: number, address: number): void => {
    putU64(at, base + BigInt(address));
    putU64(at + 8, BigInt(SECCOMP_DATA_SIZE));
  };
  const sink = AT_IOVECS + BATCH * IOVEC_SIZE;
  putIovec(sink, AT_SINK);
  for (let i = 0; i < BATCH; i++) {
    const iovec = AT_IOVECS + i * IOVEC_SIZE;
    putIovec(iovec, AT_PACKETS + i * SECCOMP_DATA_SIZE);
    putU64(AT_SENDS + i * MMSGHDR_SIZE + 16, base + BigInt(iovec));
    putU64(AT_SENDS + i * MMSGHDR_SIZE + 24, 1n);
    putU64(AT_RECEIVES + i * MMSGHDR_SIZE + 16, base + BigInt(sink));
    putU64(AT_RECEIVES + i * MMSGHDR_SIZE + 24, 1n);
  }
  // struct sock_fprog { u16 len; struct sock_filter *filter; }
  putU64(AT_FPROG + 8, base + BigInt(AT_CODE));
  return {
    view,
    sends: new Uint8Array(buffer, AT_SENDS, BATCH * MMSGHDR_SIZE),
    receives: new Uint8Array(buffer, AT_RECEIVES, BATCH * MMSGHDR_SIZE),
    packets: new DataView(buffer, AT_PACKETS, BATCH * SECCOMP_DATA_SIZE),
    code: new Uint8Array(buffer, AT_CODE),
    fprog: new Uint8Array(buffer, AT_FPROG, 16),
    fds: new Int32Array(buffer, AT_FDS, 2),
  };
}

/**
 * Opens a pair of sockets.
 *
 * @throws {SyscallError} if the kernel refuses.
 * @returns The pair; close it after use.
 */
export function openSocketPair(): SocketPair {
  const libc = openLibc();
  const mem = memory ??= createMemory();
  if (
    libc.symbols.socketpair(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0, mem.fds) !== 0
  ) {
    throw failure("socketpair", libc.errno(), "check the limit on open files");
  }
  const [sender = -1, receiver = -1] = mem.fds;
  return {
    attach: (program): void => attach(libc, mem, receiver, program),
    measure(inputs): number[] {
      const lengths: number[] = [];
      for (let from = 0; from < inputs.length; from += BATCH) {
        const batch = inputs.slice(from, from + BATCH);
        lengths.push(...measureBatch(libc, mem, [sender, receiver], batch));
      }
      return lengths;
    },
    close(): void {
      libc.symbols.close(sender);
      libc.symbols.close(receiver);
    },
  };
}

function attach(
  libc: Libc,
  mem: Memory,
  receiver: number,
  program: Program,
): void {
  mem.code.set(encode(program));
  mem.view.setUint16(AT_FPROG, program.length, true);
  const result = libc.symbols.setsockopt(
    receiver,
    SOL_SOCKET,
    SO_ATTACH_FILTER,
    mem.fprog,
    mem.fprog.length,
  );
  if (result !== 0) {
    throw failure(
      "setsockopt(SO_ATTACH_FILTER)",
      libc.errno(),
      `a filter of ${program.length} instructions may be above net.core.optmem_max`,
    );
  }
}

function measureBatch(
  libc: Libc,
  mem: Memory,
  fds: readonly [number, number],
  inputs: readonly Uint32Array[],
): number[] {
  const lengths: number[] = [];
  while (lengths.length < inputs.length) {
    const rest = inputs.slice(lengths.length);
    const sent = send(libc, mem, fds[0], rest);
    const received = receive(libc, mem, fds[1], sent);
    if (received.length === sent) {
      lengths.push(...received);
      continue;
    }
    for (const input of rest.slice(0, sent)) {
      send(libc, mem, fds[0], [input]);
      lengths.push(receive(libc, mem, fds[1], 1)[0] ?? DROPPED);
    }
  }
  return lengths;
}

/** Sends at least one packet; returns how many. */
function send(
  libc: Libc,
  mem: Memory,
  fd: number,
  inputs: readonly Uint32Array[],
): number {
  for (const [i, words] of inputs.entries()) {
    for (const [j, word] of words.entries()) {
      mem.packets.setUint32(i * SECCOMP_DATA_SIZE + j * 4, word, false);
    }
  }
  for (;;) {
    const sent = libc.symbols.sendmmsg(
      fd,
      mem.sends,
      inputs.length,
      MSG_DONTWAIT,
    );
    if (sent > 0) return sent;
    const errno = libc.errno();
    if (errno !== EINTR) {
      throw failure("sendmmsg", errno, "the buffer of the socket is full");
    }
  }
}

/**
 * Receives the packets that have arrived, at most `count`; returns their
 * lengths.
 */
function receive(
  libc: Libc,
  mem: Memory,
  fd: number,
  count: number,
): number[] {
  const lengths: number[] = [];
  while (lengths.length < count) {
    const got = libc.symbols.recvmmsg(
      fd,
      mem.receives,
      count - lengths.length,
      MSG_DONTWAIT,
      null,
    );
    if (got < 0) {
      const errno = libc.errno();
      if (errno === EAGAIN) break;
      if (errno === EINTR) continue;
      throw failure("recvmmsg", errno, "");
    }
    for (let i = 0; i < got; i++) {
      lengths.push(
        mem.view.getUint32(AT_RECEIVES + i * MMSGHDR_SIZE + 56, true),
      );
    }
  }
  return lengths;
}

function failure(syscall: string, errno: number, hint: string): SyscallError {
  return new SyscallError("Cannot run program as a socket filter", {
    syscall,
    errno,
    hint,
  });
}
