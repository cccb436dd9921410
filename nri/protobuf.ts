/**
 * The protobuf wire format, as far as NRI uses it.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/. A message is a
 * list of fields, each with a number and a value: a varint, or bytes that are
 * text, another message or opaque. Unknown fields are ignored. For any input,
 * reading ends with a message or a {@linkcode WireError}.
 *
 * @module
 */

/** Input that violates its protocol. */
export class WireError extends Error {
  /** Name of the class. */
  override readonly name = "WireError";
}

/** A value on the wire. */
type Value = bigint | Uint8Array<ArrayBuffer>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The fields of a message. */
export class MessageReader {
  readonly #fields = new Map<number, Value[]>();

  /**
   * Reads a message.
   *
   * @param bytes Its encoding, which is not copied.
   * @throws {WireError} if this is not a message.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const cursor = { bytes, at: 0 };
    while (cursor.at < bytes.length) {
      const tag = readVarint(cursor);
      const number = Number(tag >> 3n);
      if (number < 1 || number > 0x1fff_ffff) {
        throw new WireError(`Cannot read a message: field number ${tag >> 3n}`);
      }
      const value = readValue(cursor, Number(tag & 7n));
      const values = this.#fields.get(number);
      if (values === undefined) this.#fields.set(number, [value]);
      else values.push(value);
    }
  }

  /** True if a field is present, even if it is empty. */
  has(number: number): boolean {
    return this.#fields.has(number);
  }

  /** An unsigned number of up to 64 bits; 0 if absent. The last one counts. */
  uint(number: number): bigint {
    const value = this.#fields.get(number)?.at(-1) ?? 0n;
    if (typeof value === "bigint") return value;
    throw new WireError(`Cannot read field ${number}: bytes, not a number`);
  }

  /** A signed number of 32 bits; 0 if absent. */
  int32(number: number): number {
    return Number(BigInt.asIntN(32, this.uint(number)));
  }

  /** Text; empty if absent. */
  text(number: number): string {
    return this.texts(number).at(-1) ?? "";
  }

  /** Every occurrence of a text. */
  texts(number: number): readonly string[] {
    return this.#bytes(number).map((bytes) => {
      try {
        return UTF8.decode(bytes);
      } catch {
        throw new WireError(`Cannot read field ${number}: not UTF-8`);
      }
    });
  }

  /** Every occurrence of a message, or opaque bytes. */
  all(number: number): readonly Uint8Array<ArrayBuffer>[] {
    return this.#bytes(number);
  }

  /** A message; absent if the field is. Occurrences are merged. */
  message(number: number): MessageReader | undefined {
    const parts = this.#bytes(number);
    const [first] = parts;
    if (first === undefined) return undefined;
    return new MessageReader(parts.length === 1 ? first : joinBytes(parts));
  }

  /** A map from text to text, whose last entry for a key counts. */
  map(number: number): ReadonlyMap<string, string> {
    return new Map(
      this.#bytes(number).map((bytes) => {
        const entry = new MessageReader(bytes);
        return [entry.text(1), entry.text(2)];
      }),
    );
  }

  #bytes(number: number): readonly Uint8Array<ArrayBuffer>[] {
    return (this.#fields.get(number) ?? []).map((value) => {
      if (typeof value !== "bigint") return value;
      throw new WireError(`Cannot read field ${number}: a number, not bytes`);
    });
  }
}

/** A position in bytes. */
interface Cursor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at: number;
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) {
      throw new WireError("Cannot read a message: it ends within a number");
    }
    cursor.at++;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new WireError("Cannot read a message: a number has over 10 bytes");
}

function readValue(cursor: Cursor, type: number): Value {
  switch (type) {
    case VARINT:
      return readVarint(cursor);
    case BYTES:
      return take(cursor, readVarint(cursor));
    case FIXED64:
      return take(cursor, 8n);
    case FIXED32:
      return take(cursor, 4n);
    default:
      throw new WireError(`Cannot read a message: wire type ${type}`);
  }
}

function take(cursor: Cursor, length: bigint): Uint8Array<ArrayBuffer> {
  const { bytes, at } = cursor;
  if (length > BigInt(bytes.length - at)) {
    throw new WireError(
      `Cannot read a message: ${length} bytes announced, ${
        bytes.length - at
      } left`,
    );
  }
  cursor.at = at + Number(length);
  return bytes.subarray(at, cursor.at);
}

/** Builds a message, field by field. */
export class MessageWriter {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];

  /** Adds an unsigned number, which is omitted if it is 0. */
  uint(number: number, value: bigint | number): this {
    if (BigInt(value) === 0n) return this;
    this.#parts.push(varint(BigInt(number << 3 | VARINT)));
    this.#parts.push(varint(BigInt.asUintN(64, BigInt(value))));
    return this;
  }

  /** Adds text, which is omitted if it is empty. */
  text(number: number, value: string): this {
    if (value === "") return this;
    return this.bytes(number, new TextEncoder().encode(value));
  }

  /** Adds bytes or a message, even if it is empty. */
  bytes(number: number, value: Uint8Array<ArrayBuffer> | MessageWriter): this {
    const bytes = value instanceof MessageWriter ? value.finish() : value;
    this.#parts.push(varint(BigInt(number << 3 | BYTES)));
    this.#parts.push(varint(BigInt(bytes.length)), bytes);
    return this;
  }

  /** Adds a map from text to text. */
  map(number: number, entries: Iterable<readonly [string, string]>): this {
    for (const [key, value] of entries) {
      this.bytes(number, new MessageWriter().text(1, key).text(2, value));
    }
    return this;
  }

  /** The encoding. */
  finish(): Uint8Array<ArrayBuffer> {
    return joinBytes(this.#parts);
  }
}

function varint(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Joins parts to one array.
 *
 * @param parts The parts in order.
 * @returns A new array.
 */
export function joinBytes(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
