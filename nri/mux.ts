/**
 * NRI's multiplexer: several connections on one socket.
 *
 * ```text
 * frame = u32be connection, u32be length, bytes
 * ```
 *
 * Source: github.com/containerd/nri, `pkg/net/multiplex`. A runtime reads each
 * connection through a buffer of 4096 bytes and drops a plugin that sends a
 * longer frame, so a message is cut into frames of at most that length.
 *
 * @module
 */

import { PacketCollector } from "./packets.ts";
import { joinBytes, WireError } from "./protobuf.ts";
import { MOST_MESSAGE } from "./ttrpc.ts";

/** The connection on which the runtime calls its plugin. */
export const PLUGIN_CONNECTION = 1;
/** The connection on which a plugin calls its runtime. */
export const RUNTIME_CONNECTION = 2;

const HEADER_LENGTH = 8;
/** Maximum number of bytes in a frame that is sent. */
const MOST_SENT = 4096;

/** A frame. */
export interface MuxFrame {
  /** {@linkcode PLUGIN_CONNECTION} or {@linkcode RUNTIME_CONNECTION}. */
  readonly connection: number;
  /** A part of the data of this connection. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Cuts a message into frames.
 *
 * @param connection Its connection.
 * @param bytes The message.
 * @returns The frames, joined.
 */
export function encodeFrames(
  connection: number,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += MOST_SENT) {
    const part = bytes.subarray(at, at + MOST_SENT);
    const header = new Uint8Array(HEADER_LENGTH);
    const view = new DataView(header.buffer);
    view.setUint32(0, connection);
    view.setUint32(4, part.length);
    parts.push(header, part);
  }
  return joinBytes(parts);
}

/** Reads frames from the bytes of a socket. */
export class FrameReader {
  readonly #packets = new PacketCollector({
    headerLength: HEADER_LENGTH,
    lengthAt: 4,
    most: MOST_MESSAGE,
    name: "a frame",
  });

  /**
   * Adds bytes from the socket.
   *
   * @param chunk Any number of bytes.
   * @returns The frames that are complete now.
   * @throws {WireError} if a frame is too long or has an unknown connection.
   */
  push(chunk: Uint8Array): readonly MuxFrame[] {
    return this.#packets.push(chunk).map((packet) => {
      const connection = new DataView(packet.buffer).getUint32(0);
      if (
        connection !== PLUGIN_CONNECTION && connection !== RUNTIME_CONNECTION
      ) {
        throw new WireError(`Cannot read a frame: connection ${connection}`);
      }
      return { connection, bytes: packet.subarray(HEADER_LENGTH) };
    });
  }
}
