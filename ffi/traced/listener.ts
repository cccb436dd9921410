/**
 * The listener of a filter: the kernel's questions about calls, and the
 * answers.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { addressOf, type Libc } from "../libc.ts";

/** linux/seccomp.h, as _IOC() of asm-generic/ioctl.h makes them. */
const NOTIF_RECV = 0xc050_2100n;
const NOTIF_SEND = 0xc018_2101n;
const NOTIF_ID_VALID = 0x4008_2102n;
/** Wakes the other side on the same processor; Linux 6.6. */
const NOTIF_SET_FLAGS = 0x4008_2104n;
const SYNC_WAKE_UP = 1n;
const USER_NOTIF_FLAG_CONTINUE = 1;

/** struct seccomp_notif, struct seccomp_notif_resp. */
const NOTIF_BYTES = 80;
const RESPONSE_BYTES = 24;
const NOTIF = { id: 0, tid: 8, nr: 16, arch: 20, ip: 24, args: 32 };
const RESPONSE = { id: 0, error: 16, flags: 20 };

const POLLIN = 1;
const POLLHUP = 16;

/** A question about one call, whose thread waits for the answer. */
export interface KernelQuestion {
  readonly id: bigint;
  /** Thread. */
  readonly tid: number;
  readonly data: SeccompData;
}

/** A listener. */
export class Listener {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #notif: DataView<ArrayBuffer> = new DataView(
    new ArrayBuffer(NOTIF_BYTES),
  );
  readonly #response: DataView<ArrayBuffer> = new DataView(
    new ArrayBuffer(RESPONSE_BYTES),
  );
  readonly #poll: Int16Array<ArrayBuffer>;
  readonly #notifAddress: bigint;
  readonly #responseAddress: bigint;

  /** Takes a descriptor. */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#notifAddress = addressOf(this.#notif);
    this.#responseAddress = addressOf(this.#response);
    // struct pollfd: fd, events, revents.
    this.#poll = new Int16Array([fd & 0xffff, fd >>> 16, POLLIN, 0]);
    libc.symbols.ioctl(fd, NOTIF_SET_FLAGS, SYNC_WAKE_UP);
  }

  /**
   * Waits for a question.
   *
   * @param milliseconds Maximum time to wait.
   * @returns "ended" if no thread has the filter, "none" if none asks yet.
   */
  wait(milliseconds: number): "ready" | "none" | "ended" {
    this.#poll[3] = 0;
    const found = this.#libc.symbols.poll(this.#poll, 1n, milliseconds);
    if (found <= 0) return "none";
    const events = this.#poll[3] ?? 0;
    return (events & POLLIN) !== 0
      ? "ready"
      : (events & POLLHUP) !== 0
      ? "ended"
      : "none";
  }

  /**
   * Takes a question.
   *
   * @returns It; `undefined` if its thread no longer asks.
   */
  receive(): KernelQuestion | undefined {
    const notif = this.#notif;
    // The kernel requires zeros.
    new Uint8Array(notif.buffer).fill(0);
    const { ioctl } = this.#libc.symbols;
    if (ioctl(this.#fd, NOTIF_RECV, this.#notifAddress) !== 0) return undefined;
    return {
      id: notif.getBigUint64(NOTIF.id, true),
      tid: notif.getUint32(NOTIF.tid, true),
      data: {
        nr: notif.getUint32(NOTIF.nr, true),
        arch: notif.getUint32(NOTIF.arch, true),
        instructionPointer: notif.getBigUint64(NOTIF.ip, true),
        args: [0, 1, 2, 3, 4, 5].map((i) =>
          notif.getBigUint64(NOTIF.args + 8 * i, true)
        ),
      },
    };
  }

  /** Reports whether the thread still waits for this answer. */
  isValid(id: bigint): boolean {
    const word = new BigUint64Array([id]);
    const { ioctl } = this.#libc.symbols;
    return ioctl(this.#fd, NOTIF_ID_VALID, addressOf(word)) === 0;
  }

  /**
   * Answers.
   *
   * @param id The question.
   * @param errno Errno of the call, 0 for a result of 0; "continue" lets the
   * call happen.
   * @returns False if the thread no longer waits.
   */
  answer(id: bigint, errno: number | "continue"): boolean {
    const response = this.#response;
    const goes = errno === "continue";
    response.setBigUint64(RESPONSE.id, id, true);
    response.setInt32(RESPONSE.error, goes ? 0 : -errno, true);
    response.setUint32(
      RESPONSE.flags,
      goes ? USER_NOTIF_FLAG_CONTINUE : 0,
      true,
    );
    const { ioctl } = this.#libc.symbols;
    return ioctl(this.#fd, NOTIF_SEND, this.#responseAddress) === 0;
  }

  /** Closes it: all waiting threads get ENOSYS. */
  close(): void {
    this.#libc.symbols.close(this.#fd);
  }
}
