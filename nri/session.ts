/**
 * One conversation with a runtime, from registration to the end.
 *
 * @module
 */

import {
  decodeConfiguration,
  decodeCreation,
  decodeInventory,
  decodeRemoval,
  decodeStateChange,
  decodeValidation,
  encodeAdjustment,
  encodeInventoryAnswer,
  encodeRegistration,
  encodeSubscription,
  encodeVerdict,
  PLUGIN_SERVICE,
  REMOVE_CONTAINER,
  RUNTIME_SERVICE,
} from "./messages.ts";
import {
  encodeFrames,
  FrameReader,
  PLUGIN_CONNECTION,
  RUNTIME_CONNECTION,
} from "./mux.ts";
import { type SeccompPlugin, UnsupportedRuntime } from "./plugin.ts";
import { WireError } from "./protobuf.ts";
import {
  CallReader,
  type CallRequest,
  type CallResponse,
  type CallStatus,
  encodeRequest,
  encodeResponse,
  UNIMPLEMENTED,
} from "./ttrpc.ts";

/** Name under which the plugin registers. */
export const PLUGIN_NAME = "seccomp-tree";

/** Milliseconds within which the runtime must register the plugin. */
const REGISTRATION_MS = 5000;
/** Maximum number of calls that are answered at once. */
const MOST_CALLS = 256;

/** A connected socket. */
export interface Socket {
  /** Reads into a buffer; returns the number of bytes, `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; returns their number. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends reading and writing. */
  close(): void;
}

/** Options of a conversation. */
export interface SessionOptions {
  /** Two digits: plugins are called in ascending order. */
  readonly index: string;
  readonly plugin: SeccompPlugin;
  /** Called once, when the runtime has accepted the plugin. */
  readonly onReady?: () => void;
}

/**
 * Talks to a runtime until it ends the conversation. The socket is closed.
 *
 * @param socket A socket of the runtime.
 * @param options Index and plugin.
 * @throws {WireError} if the runtime sends something invalid or refuses the
 * plugin.
 * @throws {UnsupportedRuntime} if this runtime cannot be served.
 */
export async function runSession(
  socket: Socket,
  options: SessionOptions,
): Promise<void> {
  await new Session(socket, options).run();
}

class Session {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  #writing: Promise<void> = Promise.resolve();
  #calls = 0;
  #isRegistered = false;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  async run(): Promise<void> {
    const timer = setTimeout(() => {
      this.#fail(new WireError("Cannot register: the runtime did not answer"));
    }, REGISTRATION_MS);
    try {
      this.#register();
      await this.#readAll(() => clearTimeout(timer));
    } catch (error) {
      // Closing the socket makes a pending read fail; the cause counts.
      if (this.#failure === undefined) throw error;
    } finally {
      clearTimeout(timer);
      this.#close();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #readAll(onRegistered: () => void): Promise<void> {
    const frames = new FrameReader();
    const incoming = new CallReader();
    const answers = new CallReader();
    const buffer = new Uint8Array(0x1_0000);
    for (;;) {
      const count = await this.#socket.read(buffer);
      if (count === null || this.#failure !== undefined) return;
      for (const frame of frames.push(buffer.subarray(0, count))) {
        if (frame.connection === PLUGIN_CONNECTION) {
          for (const call of incoming.push(frame.bytes)) this.#take(call);
          continue;
        }
        for (const answer of answers.push(frame.bytes)) {
          this.#finishRegistration(answer);
          onRegistered();
        }
      }
    }
  }

  #register(): void {
    const payload = encodeRegistration(PLUGIN_NAME, this.#options.index);
    this.#send(
      RUNTIME_CONNECTION,
      encodeRequest({
        stream: 1,
        service: RUNTIME_SERVICE,
        method: "RegisterPlugin",
        payload,
      }),
    );
  }

  #finishRegistration(answer: CallRequest | CallResponse): void {
    if (
      answer.kind !== "response" || answer.stream !== 1 || this.#isRegistered
    ) {
      throw new WireError("Cannot register: an answer to no call");
    }
    if (answer.status !== undefined) {
      throw new WireError(
        `Cannot register: the runtime answers ${
          JSON.stringify(answer.status.message)
        }`,
      );
    }
    this.#isRegistered = true;
    this.#options.onReady?.();
  }

  /** Answers a call of the runtime, concurrently with others. */
  #take(call: CallRequest | CallResponse): void {
    if (call.kind !== "request" || call.stream % 2 === 0) {
      throw new WireError("Cannot answer: not a call of the runtime");
    }
    if (this.#calls >= MOST_CALLS) {
      throw new WireError(`Cannot answer: over ${MOST_CALLS} calls at once`);
    }
    this.#calls++;
    this.#answer(call).then((response) => {
      this.#calls--;
      if (response === undefined) return;
      const { stream } = call;
      this.#send(PLUGIN_CONNECTION, encodeResponse({ stream, ...response }));
    });
  }

  /**
   * Answers a call. An error as the answer would prevent the container's start,
   * so a fault ends the conversation instead, and the container starts with its
   * runtime's own filter.
   */
  async #answer(
    call: CallRequest,
  ): Promise<Omit<CallResponse, "kind" | "stream"> | undefined> {
    try {
      return { payload: await this.#dispatch(call) };
    } catch (error) {
      if (error instanceof UnsupportedRuntime) {
        this.#fail(error);
        return refusalOf(error);
      }
      if (error instanceof UnknownMethod) {
        return refusalOf(error);
      }
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  async #dispatch(
    { service, method, payload }: CallRequest,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { plugin } = this.#options;
    const nothing = new Uint8Array(0);
    if (service !== PLUGIN_SERVICE) throw new UnknownMethod(service, method);
    switch (method) {
      case "Configure":
        return encodeSubscription(
          plugin.configure(decodeConfiguration(payload)),
        );
      case "Synchronize": {
        const inventory = decodeInventory(payload);
        plugin.synchronize(inventory);
        return encodeInventoryAnswer(inventory);
      }
      case "CreateContainer":
        return encodeAdjustment(await plugin.create(decodeCreation(payload)));
      case "ValidateContainerAdjustment":
        return encodeVerdict(await plugin.validate(decodeValidation(payload)));
      case "RemoveContainer":
        plugin.remove(decodeRemoval(payload));
        return nothing;
      case "StateChange": {
        const { event, id } = decodeStateChange(payload);
        if (event === REMOVE_CONTAINER) plugin.remove(id);
        return nothing;
      }
      case "Shutdown":
        return nothing;
      default:
        throw new UnknownMethod(service, method);
    }
  }

  #send(connection: number, message: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    const frames = encodeFrames(connection, message);
    this.#writing = this.#writing.then(async () => {
      let rest = frames;
      while (rest.length > 0 && !this.#isClosed) {
        rest = rest.subarray(await this.#socket.write(rest));
      }
    }).catch((error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Ends the conversation because of an error. */
  #fail(error: Error): void {
    this.#failure ??= error;
    // The last answer is still sent.
    this.#writing.finally(() => this.#close());
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#socket.close();
    } catch {
      // The runtime closed it.
    }
  }
}

/** A call that plugins do not need. */
class UnknownMethod extends Error {
  constructor(service: string, method: string) {
    super(`Unknown method ${service}/${method}`);
  }
}

function refusalOf(
  { message }: Error,
): { readonly status: CallStatus; readonly payload: Uint8Array<ArrayBuffer> } {
  return {
    status: { code: UNIMPLEMENTED, message },
    payload: new Uint8Array(0),
  };
}
