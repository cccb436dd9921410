/**
 * Cuts a stream of bytes into packets that begin with their length.
 *
 * @module
 */

import { WireError } from "./protobuf.ts";

/** The header of a packet. */
export interface Header {
  /** Length of the header in bytes. */
  readonly headerLength: number;
  /** Position of the length, an unsigned number of 32 bits, in the header. */
  readonly lengthAt: number;
  /** Maximum length of the data after the header, in bytes. */
  readonly most: number;
  /** Name of a packet in messages. */
  readonly name: string;
}

/** Collects bytes until packets are complete. */
export class PacketCollector {
  readonly #header: Header;
  #bytes = new Uint8Array(0);
  #length = 0;

  /**
   * Begins a stream.
   *
   * @param header The header of its packets.
   */
  constructor(header: Header) {
    this.#header = header;
  }

  /** Number of bytes of an incomplete packet. */
  get pending(): number {
    return this.#length;
  }

  /**
   * Adds bytes of the stream.
   *
   * @param chunk Any number of bytes.
   * @returns The packets that are complete now, with their headers.
   * @throws {WireError} if a packet is too long.
   */
  push(chunk: Uint8Array): readonly Uint8Array<ArrayBuffer>[] {
    this.#reserve(this.#length + chunk.length);
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    const packets: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    for (;;) {
      const end = this.#endOf(at);
      if (end === undefined || end > this.#length) break;
      packets.push(this.#bytes.slice(at, end));
      at = end;
    }
    this.#bytes.copyWithin(0, at, this.#length);
    this.#length -= at;
    return packets;
  }

  /** The end of the packet at a position; absent if its header is incomplete. */
  #endOf(at: number): number | undefined {
    const { headerLength, lengthAt, most, name } = this.#header;
    if (this.#length - at < headerLength) return undefined;
    const view = new DataView(this.#bytes.buffer);
    const length = view.getUint32(at + lengthAt);
    if (length > most) {
      throw new WireError(
        `Cannot read ${name}: ${length} bytes, at most ${most} are allowed`,
      );
    }
    return at + headerLength + length;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
