/**
 * A runtime as containerd 2.3 speaks NRI, written from its protocol and not from
 * nri/: frames, ttrpc and the messages have their own implementation here, the
 * messages by protobufjs.
 *
 * @module
 */

import protobuf from "protobufjs";

/** Fields of the messages: type, number. */
const MESSAGES: Readonly<
  Record<string, Readonly<Record<string, readonly [string, number]>>>
> = {
  Call: {
    service: ["string", 1],
    method: ["string", 2],
    payload: ["bytes", 3],
    timeoutNano: ["int64", 4],
  },
  Status: { code: ["int32", 1], message: ["string", 2] },
  Result: { status: ["Status", 1], payload: ["bytes", 2] },
  Registration: {
    name: ["string", 1],
    index: ["string", 2],
    version: ["string", 3],
  },
  Configure: {
    config: ["string", 1],
    runtimeName: ["string", 2],
    runtimeVersion: ["string", 3],
    registrationTimeout: ["int64", 4],
    requestTimeout: ["int64", 5],
    nriVersion: ["string", 6],
  },
  Events: { events: ["int32", 2] },
  Pod: {
    id: ["string", 1],
    name: ["string", 2],
    namespace: ["string", 4],
    annotations: ["map", 6],
    runtimeHandler: ["string", 7],
  },
  OptionalUInt32: { value: ["uint32", 1] },
  Arg: {
    index: ["uint32", 1],
    value: ["uint64", 2],
    valueTwo: ["uint64", 3],
    op: ["string", 4],
  },
  Syscall: {
    names: ["repeated string", 1],
    action: ["string", 2],
    errnoRet: ["OptionalUInt32", 3],
    args: ["repeated Arg", 4],
  },
  Policy: {
    defaultAction: ["string", 1],
    defaultErrno: ["OptionalUInt32", 2],
    architectures: ["repeated string", 3],
    flags: ["repeated string", 4],
    listenerPath: ["string", 5],
    listenerMetadata: ["string", 6],
    syscalls: ["repeated Syscall", 7],
  },
  Linux: { cgroupsPath: ["string", 5], seccompPolicy: ["Policy", 8] },
  Container: {
    id: ["string", 1],
    podSandboxId: ["string", 2],
    name: ["string", 3],
    annotations: ["map", 6],
    args: ["repeated string", 7],
    linux: ["Linux", 11],
  },
  Synchronize: {
    pods: ["repeated Pod", 1],
    containers: ["repeated Container", 2],
    more: ["bool", 3],
  },
  Synchronized: { more: ["bool", 2] },
  Create: { pod: ["Pod", 1], container: ["Container", 2] },
  LinuxAdjustment: { seccompPolicy: ["Policy", 6] },
  Adjustment: { annotations: ["map", 2], linux: ["LinuxAdjustment", 6] },
  Created: { adjust: ["Adjustment", 1] },
  Validate: {
    pod: ["Pod", 1],
    container: ["Container", 2],
    adjust: ["Adjustment", 3],
  },
  Validated: { reject: ["bool", 1], reason: ["string", 2] },
  StateChange: {
    event: ["int32", 1],
    pod: ["Pod", 2],
    container: ["Container", 3],
  },
  Empty: {},
};

const ROOT = new protobuf.Root();
for (const [name, fields] of Object.entries(MESSAGES)) {
  const type = new protobuf.Type(name);
  for (const [field, [kind, number]] of Object.entries(fields)) {
    const words = kind.split(" ");
    const rule = words.length > 1 ? words[0] : undefined;
    type.add(
      kind === "map"
        ? new protobuf.MapField(field, number, "string", "string")
        : new protobuf.Field(field, number, words.at(-1) ?? "", rule),
    );
  }
  ROOT.add(type);
}

/** A message as plain values. */
// deno-lint-ignore no-explicit-any -- as protobufjs returns them
export type Plain = Record<string, any>;

/** Encodes a message. */
export function encode(type: string, value: Plain): Uint8Array {
  const found = ROOT.lookupType(type);
  return found.encode(found.fromObject(value)).finish();
}

/** Decodes a message. */
export function decode(type: string, bytes: Uint8Array): Plain {
  const found = ROOT.lookupType(type);
  return found.toObject(found.decode(bytes), { longs: String });
}

/** Argument and result of the plugin's methods. */
const METHODS: Readonly<Record<string, readonly [string, string]>> = {
  Configure: ["Configure", "Events"],
  Synchronize: ["Synchronize", "Synchronized"],
  CreateContainer: ["Create", "Created"],
  ValidateContainerAdjustment: ["Validate", "Validated"],
  RemoveContainer: ["Create", "Empty"],
  StateChange: ["StateChange", "Empty"],
  Shutdown: ["Empty", "Empty"],
};

/** How the runtime behaves. */
export interface Behavior {
  readonly runtimeName?: string;
  readonly runtimeVersion?: string;
  /** Chooses the lengths of the pieces in which bytes are written. */
  readonly cut?: (length: number) => number;
  /** Answers the registration with this error. */
  readonly refuse?: string;
}

/** An answer of the plugin. */
export interface Answer {
  readonly result: Plain;
  /** The error, if it is one. */
  readonly status?: Plain;
  /** Lengths of the frames in which it came. */
  readonly frames: readonly number[];
}

/** A runtime that waits for one plugin. */
export class FakeRuntime {
  readonly #listener: Deno.UnixListener;
  readonly #behavior: Behavior;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #connection: Deno.UnixConn | undefined;
  #stream = 1;
  #writing: Promise<void> = Promise.resolve();
  /** The plugin's registration and events, once it has registered. */
  readonly ready: Promise<{ registration: Plain; events: number }>;
  /** Settles when the plugin closed the connection. */
  readonly closed: Promise<void>;
  #resolveReady: (value: { registration: Plain; events: number }) => void =
    () => {};
  #resolveClosed: () => void = () => {};

  /** Listens on a socket. */
  constructor(path: string, behavior: Behavior = {}) {
    this.#behavior = behavior;
    this.#listener = Deno.listen({ transport: "unix", path });
    this.ready = new Promise((resolve) => this.#resolveReady = resolve);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    this.#accept();
  }

  /** Calls a method of the plugin. */
  async call(method: string, argument: Plain): Promise<Answer> {
    const [input = "Empty", output = "Empty"] = METHODS[method] ?? [];
    const answer = await this.callRaw(method, encode(input, argument));
    return {
      ...answer,
      result: decode(output, answer.result.payload ?? new Uint8Array()),
    };
  }

  /** Calls a method with any bytes as its argument. */
  async callRaw(method: string, payload: Uint8Array): Promise<Answer> {
    const stream = this.#stream;
    this.#stream += 2;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#pending.set(stream, resolve);
      this.closed.then(() => reject(new Error("the plugin is gone")));
    });
    const call = encode("Call", {
      service: "nri.pkg.api.v1alpha1.Plugin",
      method,
      payload,
      timeoutNano: 2_000_000_000,
    });
    await this.send(1, message(stream, 1, call));
    return await answer;
  }

  /** Sends bytes on a virtual connection, in frames of random lengths. */
  async send(connection: number, bytes: Uint8Array): Promise<void> {
    const { cut = (length: number): number => length } = this.#behavior;
    const frames: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + Math.max(1, cut(bytes.length - at)));
      frames.push(u32(connection), u32(part.length), part);
      at += part.length;
    }
    await this.sendRaw(joined(frames));
  }

  /** Sends any bytes. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    const { cut = (length: number): number => length } = this.#behavior;
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) {
        const end = at + Math.max(1, cut(bytes.length - at));
        let part = bytes.subarray(at, end);
        while (part.length > 0) {
          part = part.subarray(await this.#connection?.write(part) ?? 0);
        }
        at = end;
      }
    }).catch(() => {});
    await this.#writing;
  }

  /** Closes the connection and the socket. */
  close(): void {
    try {
      this.#connection?.close();
    } catch {
      // It is closed.
    }
    try {
      this.#listener.close();
    } catch {
      // It is closed.
    }
  }

  async #accept(): Promise<void> {
    try {
      this.#connection = await this.#listener.accept();
      await this.#read(this.#connection);
    } catch {
      // It was closed.
    }
    this.#resolveClosed();
  }

  async #read(connection: Deno.UnixConn): Promise<void> {
    let input = new Uint8Array();
    const streams = new Map<number, { bytes: Uint8Array; frames: number[] }>();
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      input = joined([input, buffer.subarray(0, count)]);
      while (input.length >= 8) {
        const view = new DataView(input.buffer, input.byteOffset);
        const [id, length] = [view.getUint32(0), view.getUint32(4)];
        if (input.length < 8 + length) break;
        const stream = streams.get(id) ??
          { bytes: new Uint8Array(), frames: [] };
        streams.set(id, stream);
        stream.bytes = joined([stream.bytes, input.subarray(8, 8 + length)]);
        stream.frames.push(length);
        input = input.slice(8 + length);
        this.#takeMessages(id, stream);
      }
    }
  }

  #takeMessages(
    id: number,
    stream: { bytes: Uint8Array; frames: number[] },
  ): void {
    while (stream.bytes.length >= 10) {
      const { bytes } = stream;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const length = view.getUint32(0);
      if (bytes.length < 10 + length) return;
      const data = bytes.slice(10, 10 + length);
      const number = view.getUint32(4);
      const type = view.getUint8(8);
      stream.bytes = bytes.slice(10 + length);
      const frames = stream.frames;
      stream.frames = [];
      if (id === 2 && type === 1) this.#register(number, data);
      else if (id === 1 && type === 2) {
        const result = decode("Result", data);
        this.#pending.get(number)?.({
          result,
          frames,
          ...(result.status === undefined ? {} : { status: result.status }),
        });
        this.#pending.delete(number);
      }
    }
  }

  async #register(stream: number, data: Uint8Array): Promise<void> {
    const { payload, method } = decode("Call", data);
    if (method !== "RegisterPlugin") return;
    const { refuse, runtimeName, runtimeVersion } = this.#behavior;
    const status = refuse === undefined
      ? {}
      : { status: { code: 2, message: refuse } };
    await this.send(
      2,
      message(
        stream,
        2,
        encode("Result", { payload: new Uint8Array(), ...status }),
      ),
    );
    if (refuse !== undefined) return;
    try {
      const { result } = await this.call("Configure", {
        runtimeName: runtimeName ?? "containerd",
        runtimeVersion: runtimeVersion ?? "v2.3.4",
        registrationTimeout: 5000,
        requestTimeout: 2000,
        nriVersion: "v0.12.0",
      });
      this.#resolveReady({
        registration: decode("Registration", payload),
        events: result.events ?? 0,
      });
    } catch {
      // The plugin is gone.
    }
  }
}

/** A ttrpc message. */
export function message(
  stream: number,
  type: number,
  data: Uint8Array,
): Uint8Array {
  return joined([
    u32(data.length),
    u32(stream),
    Uint8Array.of(type, 0),
    data,
  ]);
}

/** A number as four bytes, the highest first. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
