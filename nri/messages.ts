/**
 * The messages of NRI that a seccomp plugin reads and writes.
 *
 * Source: github.com/containerd/nri, `pkg/api/api.proto`, package
 * `nri.pkg.api.v1alpha1`; the numbers are those of version 0.12. Fields that do
 * not matter here are ignored.
 *
 * @module
 */

import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
} from "../profile/formats/oci.ts";
import { formatSection } from "../hook/format_section.ts";
import { MessageReader, MessageWriter } from "./protobuf.ts";

/** The service that a runtime provides. */
export const RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime";
/** The service that a plugin provides. */
export const PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin";

/** Version of the protocol that these messages are from. */
const NRI_VERSION = "v0.12.0";

/** Events that a plugin subscribes to, as bits of its mask. */
export const EVENTS = {
  createContainer: 0x8,
  removeContainer: 0x400,
  validateAdjustment: 0x2000,
} as const;

/** Number of the event `REMOVE_CONTAINER`. */
export const REMOVE_CONTAINER = 11;

/** A runtime's first message. */
export interface Configuration {
  /** `containerd` or `cri-o`. */
  readonly runtime: string;
  /** Its version, such as `v2.3.4`. */
  readonly version: string;
}

/** A container that a runtime creates, or already has. */
export interface Container {
  readonly id: string;
  /** Its name within the pod. */
  readonly name: string;
  /** Pod as `NAMESPACE/NAME`; empty if it is unknown. */
  readonly pod: string;
  /** The pod's runtime handler; empty for the default one. */
  readonly handler: string;
  readonly annotations: ReadonlyMap<string, string>;
  /**
   * Its `linux.seccomp` as the runtime will write it; absent if it has none, or
   * if the runtime does not report it.
   */
  readonly section?: string;
}

/** The changes of all plugins to a container. */
export interface Validation {
  readonly container: Container;
  /** Annotations that they add; a key with `-` before it is removed. */
  readonly annotations: ReadonlyMap<string, string>;
  /** The `linux.seccomp` that a plugin replaced; absent if none did. */
  readonly section?: string;
}

/** A container that is gone. */
export interface StateChange {
  /** Number of the event. */
  readonly event: number;
  /** The container's id. */
  readonly id: string;
}

/** Containers that exist when a plugin connects. */
export interface Inventory {
  readonly containers: readonly Container[];
  /** True if another message with more of them follows. */
  readonly more: boolean;
}

/** Encodes `RegisterPluginRequest`. */
export function encodeRegistration(
  name: string,
  index: string,
): Uint8Array<ArrayBuffer> {
  return new MessageWriter().text(1, name).text(2, index).text(3, NRI_VERSION)
    .finish();
}

/** Decodes `ConfigureRequest`. */
export function decodeConfiguration(
  payload: Uint8Array<ArrayBuffer>,
): Configuration {
  const message = new MessageReader(payload);
  return { runtime: message.text(2), version: message.text(3) };
}

/** Encodes `ConfigureResponse`. */
export function encodeSubscription(events: number): Uint8Array<ArrayBuffer> {
  return new MessageWriter().uint(2, events).finish();
}

/** Decodes `SynchronizeRequest`. */
export function decodeInventory(payload: Uint8Array<ArrayBuffer>): Inventory {
  const message = new MessageReader(payload);
  return {
    containers: message.all(2).map((bytes) =>
      containerOf(new MessageReader(bytes), undefined)
    ),
    more: message.uint(3) !== 0n,
  };
}

/** Encodes `SynchronizeResponse`. */
export function encodeInventoryAnswer(
  { more }: Inventory,
): Uint8Array<ArrayBuffer> {
  return new MessageWriter().uint(2, more ? 1 : 0).finish();
}

/** Decodes `CreateContainerRequest`. */
export function decodeCreation(payload: Uint8Array<ArrayBuffer>): Container {
  const message = new MessageReader(payload);
  return containerOf(message.message(2), message.message(1));
}

/**
 * Encodes `CreateContainerResponse`.
 *
 * @param annotations Annotations to add; a key with `-` before it is removed.
 */
export function encodeAdjustment(
  annotations: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const message = new MessageWriter();
  if (annotations.size > 0) {
    message.bytes(1, new MessageWriter().map(2, annotations));
  }
  return message.finish();
}

/** Decodes `ValidateContainerAdjustmentRequest`. */
export function decodeValidation(
  payload: Uint8Array<ArrayBuffer>,
): Validation {
  const message = new MessageReader(payload);
  const adjust = message.message(3);
  const policy = adjust?.message(6)?.message(6);
  return {
    container: containerOf(message.message(2), message.message(1)),
    annotations: adjust?.map(2) ?? new Map(),
    ...(policy === undefined ? {} : { section: sectionOf(policy) }),
  };
}

/** Encodes `ValidateContainerAdjustmentResponse`; no reason accepts. */
export function encodeVerdict(
  reason: string | undefined,
): Uint8Array<ArrayBuffer> {
  if (reason === undefined) return new Uint8Array(0);
  return new MessageWriter().uint(1, 1).text(2, reason).finish();
}

/** Decodes `RemoveContainerRequest`: the container's id. */
export function decodeRemoval(payload: Uint8Array<ArrayBuffer>): string {
  return new MessageReader(payload).message(2)?.text(1) ?? "";
}

/** Decodes `StateChangeEvent`, by which NRI before 0.13 reports a removal. */
export function decodeStateChange(
  payload: Uint8Array<ArrayBuffer>,
): StateChange {
  const message = new MessageReader(payload);
  return {
    event: message.int32(1),
    id: message.message(3)?.text(1) ?? "",
  };
}

function containerOf(
  container: MessageReader | undefined,
  pod: MessageReader | undefined,
): Container {
  const policy = container?.message(11)?.message(8);
  const [namespace = "", name = ""] = [pod?.text(4), pod?.text(2)];
  return {
    id: container?.text(1) ?? "",
    name: container?.text(3) ?? "",
    pod: namespace === "" ? name : `${namespace}/${name}`,
    handler: pod?.text(7) ?? "",
    annotations: container?.map(6) ?? new Map(),
    ...(policy === undefined ? {} : { section: sectionOf(policy) }),
  };
}

/**
 * Writes `LinuxSeccomp` as the runtime will write it. Whatever it contains, the
 * hook's reader decides if it is valid.
 */
function sectionOf(policy: MessageReader): string {
  const errno = optional(policy, 2);
  const flags = policy.texts(4);
  return formatSection({
    defaultAction: policy.text(1) as LinuxSeccomp["defaultAction"],
    ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
    architectures: policy.texts(3),
    ...(flags.length === 0 ? {} : { flags }),
    ...(policy.text(5) === "" ? {} : { listenerPath: policy.text(5) }),
    ...(policy.text(6) === "" ? {} : { listenerMetadata: policy.text(6) }),
    syscalls: policy.all(7).map((bytes) => syscallOf(new MessageReader(bytes))),
  });
}

function syscallOf(message: MessageReader): LinuxSyscall {
  const errno = optional(message, 3);
  return {
    names: message.texts(1),
    action: message.text(2) as LinuxSyscall["action"],
    ...(errno === undefined ? {} : { errnoRet: errno }),
    args: message.all(4).map((bytes) => argumentOf(new MessageReader(bytes))),
    path: "",
  };
}

function argumentOf(message: MessageReader): LinuxSeccompArg {
  return {
    index: Number(message.uint(1)),
    value: message.uint(2),
    valueTwo: message.uint(3),
    op: message.text(4) as LinuxSeccompArg["op"],
  };
}

/** `OptionalUInt32`, whose 0 has no bytes. */
function optional(message: MessageReader, number: number): number | undefined {
  const value = message.message(number)?.uint(1);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value));
}
