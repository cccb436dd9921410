/**
 * ttrpc, the remote procedure calls of containerd.
 *
 * ```text
 * message = u32be length, u32be stream, u8 type, u8 flags, bytes
 * ```
 *
 * Source: github.com/containerd/ttrpc, `PROTOCOL.md`. NRI has only unary calls:
 * one request and one response with the same stream number. Requests may
 * overlap.
 *
 * @module
 */

import { PacketCollector } from "./packets.ts";
import { MessageReader, MessageWriter, WireError } from "./protobuf.ts";

const HEADER_LENGTH = 10;
/** Maximum length of the data of a message, in bytes. */
const MOST_DATA = 4 * 1024 * 1024;
/** Maximum length of a message with its header, in bytes. */
export const MOST_MESSAGE: number = MOST_DATA + HEADER_LENGTH;

const REQUEST = 1;
const RESPONSE = 2;

/** The status code of gRPC for a method that does not exist. */
export const UNIMPLEMENTED = 12;

/** A call. */
export interface CallRequest {
  readonly kind: "request";
  /** Odd number that identifies the call. */
  readonly stream: number;
  /** Such as `nri.pkg.api.v1alpha1.Plugin`. */
  readonly service: string;
  /** Such as `Configure`. */
  readonly method: string;
  /** The argument, a message. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A result. */
export interface CallResponse {
  readonly kind: "response";
  /** That of the request. */
  readonly stream: number;
  /** The error; absent if the call succeeded. */
  readonly status?: CallStatus;
  /** The result, a message. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** An error of a call. */
export interface CallStatus {
  /** A status code of gRPC, not 0. */
  readonly code: number;
  readonly message: string;
}

/** Reads messages from the bytes of one connection. */
export class CallReader {
  readonly #packets = new PacketCollector({
    headerLength: HEADER_LENGTH,
    lengthAt: 0,
    most: MOST_DATA,
    name: "a ttrpc message",
  });

  /**
   * Adds bytes of the connection.
   *
   * @param chunk Any number of bytes.
   * @returns The calls and results that are complete now.
   * @throws {WireError} if they are invalid.
   */
  push(chunk: Uint8Array): readonly (CallRequest | CallResponse)[] {
    return this.#packets.push(chunk).map(decode);
  }
}

function decode(packet: Uint8Array<ArrayBuffer>): CallRequest | CallResponse {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const stream = view.getUint32(4);
  const type = view.getUint8(8);
  const message = new MessageReader(packet.subarray(HEADER_LENGTH));
  if (type === REQUEST) {
    return {
      kind: "request",
      stream,
      service: message.text(1),
      method: message.text(2),
      payload: message.all(3).at(-1) ?? new Uint8Array(0),
    };
  }
  if (type !== RESPONSE) {
    throw new WireError(`Cannot read a ttrpc message: type ${type}`);
  }
  const status = message.message(1);
  const code = status?.int32(1) ?? 0;
  return {
    kind: "response",
    stream,
    payload: message.all(2).at(-1) ?? new Uint8Array(0),
    ...(status === undefined || code === 0
      ? {}
      : { status: { code, message: status.text(2) } }),
  };
}

/**
 * Encodes a call.
 *
 * @param request The call.
 * @returns One message.
 */
export function encodeRequest(
  { stream, service, method, payload }: Omit<CallRequest, "kind">,
): Uint8Array<ArrayBuffer> {
  const message = new MessageWriter().text(1, service).text(2, method)
    .bytes(3, payload);
  return encode(REQUEST, stream, message);
}

/**
 * Encodes a result.
 *
 * @param response The result.
 * @returns One message.
 */
export function encodeResponse(
  { stream, status, payload }: Omit<CallResponse, "kind">,
): Uint8Array<ArrayBuffer> {
  const message = new MessageWriter();
  if (status !== undefined) {
    const { code, message: text } = status;
    message.bytes(1, new MessageWriter().uint(1, code).text(2, text));
  }
  return encode(RESPONSE, stream, message.bytes(2, payload));
}

function encode(
  type: number,
  stream: number,
  message: MessageWriter,
): Uint8Array<ArrayBuffer> {
  const data = message.finish();
  const bytes = new Uint8Array(HEADER_LENGTH + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(4, stream);
  view.setUint8(8, type);
  bytes.set(data, HEADER_LENGTH);
  return bytes;
}
