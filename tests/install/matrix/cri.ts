/**
 * A client of the Container Runtime Interface, like the kubelet: gRPC over a
 * unix socket. It has the calls and the fields that a pod without a separate
 * network needs; the numbers are those of `runtime.v1` in the interface's
 * api.proto.
 *
 * @module
 */

import { Client, credentials } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** Fields of the messages: type, number. */
const MESSAGES: Readonly<
  Record<string, Readonly<Record<string, readonly [string, number]>>>
> = {
  VersionRequest: { version: ["string", 1] },
  VersionResponse: {
    runtimeName: ["string", 2],
    runtimeVersion: ["string", 3],
  },
  NamespaceOption: {
    network: ["int32", 1],
    pid: ["int32", 2],
    ipc: ["int32", 3],
  },
  SecurityProfile: { profileType: ["int32", 1], localhostRef: ["string", 2] },
  SandboxSecurity: {
    namespaceOptions: ["NamespaceOption", 1],
    seccomp: ["SecurityProfile", 9],
  },
  LinuxSandbox: { securityContext: ["SandboxSecurity", 2] },
  SandboxMetadata: {
    name: ["string", 1],
    uid: ["string", 2],
    namespace: ["string", 3],
    attempt: ["uint32", 4],
  },
  Sandbox: { metadata: ["SandboxMetadata", 1], linux: ["LinuxSandbox", 8] },
  RunPodSandboxRequest: {
    config: ["Sandbox", 1],
    runtimeHandler: ["string", 2],
  },
  RunPodSandboxResponse: { podSandboxId: ["string", 1] },
  ContainerMetadata: { name: ["string", 1], attempt: ["uint32", 2] },
  ImageSpec: { image: ["string", 1] },
  ContainerSecurity: {
    namespaceOptions: ["NamespaceOption", 3],
    noNewPrivs: ["bool", 11],
    seccomp: ["SecurityProfile", 15],
  },
  LinuxContainer: { securityContext: ["ContainerSecurity", 2] },
  Container: {
    metadata: ["ContainerMetadata", 1],
    image: ["ImageSpec", 2],
    command: ["repeated string", 3],
    linux: ["LinuxContainer", 15],
  },
  CreateContainerRequest: {
    podSandboxId: ["string", 1],
    config: ["Container", 2],
    sandboxConfig: ["Sandbox", 3],
  },
  CreateContainerResponse: { containerId: ["string", 1] },
  StartContainerRequest: { containerId: ["string", 1] },
  StartContainerResponse: {},
  ExecSyncRequest: {
    containerId: ["string", 1],
    cmd: ["repeated string", 2],
    timeout: ["int64", 3],
  },
  ExecSyncResponse: { stdout: ["bytes", 1], exitCode: ["int32", 3] },
  StopPodSandboxRequest: { podSandboxId: ["string", 1] },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: ["string", 1] },
  RemovePodSandboxResponse: {},
};

/** `NamespaceMode` NODE: the pod is in the network of the machine. */
const NODE = 2;
/** `ProfileType` RuntimeDefault. */
const RUNTIME_DEFAULT = 0;
/** Longer than any call takes on a busy machine. */
const DEADLINE_MS = 60_000;

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(MESSAGES).map(([name, fields]) => [name, {
      fields: Object.fromEntries(
        Object.entries(fields).map(([field, [type, id]]) => {
          const [last = "", rule] = type.split(" ").reverse();
          return [field, {
            id,
            type: last,
            ...(rule === undefined ? {} : { rule }),
          }];
        }),
      ),
    }]),
  ),
});

/** A pod with one container. */
export interface Pod {
  /** Identifier of the sandbox. */
  readonly sandbox: string;
  /** Identifier of the container. */
  readonly container: string;
}

/** Request for a pod. */
export interface PodRequest {
  /** Name of the pod and of its container. */
  readonly name: string;
  /** Handler of the runtime, as a RuntimeClass names it; empty for the default. */
  readonly handler: string;
  /** Image of the container. */
  readonly image: string;
  /** Its command line. */
  readonly command: readonly string[];
}

/** A connection to a runtime. */
export interface Cri extends Disposable {
  /** Name and version of the runtime. */
  version(): Promise<string>;
  /**
   * Starts a pod under the runtime's default seccomp profile, in the machine's
   * network.
   */
  run(request: PodRequest): Promise<Pod>;
  /** Runs a command in the container; returns its output. */
  exec(pod: Pod, command: readonly string[]): Promise<string>;
  /** Stops and removes a pod. */
  remove(pod: Pod): Promise<void>;
}

type Message = Record<string, unknown>;

/**
 * Connects to a runtime.
 *
 * @param socket Path of its socket.
 */
export function openCri(socket: string): Cri {
  const client = new Client(`unix://${socket}`, credentials.createInsecure());
  const call = (method: string, request: Message): Promise<Message> => {
    const input = root.lookupType(`${method}Request`);
    const output = root.lookupType(`${method}Response`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/runtime.v1.RuntimeService/${method}`,
        (value: Message) => Buffer.from(input.encode(value).finish()),
        (bytes: Buffer) =>
          output.toObject(output.decode(bytes), { defaults: true }),
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error, value) =>
          error === null
            ? resolve(value ?? {})
            : reject(new Error(`${method}: ${error.message}`)),
      );
    });
  };
  return {
    version: async () => {
      const { runtimeName, runtimeVersion } = await call("Version", {});
      return `${runtimeName} ${runtimeVersion}`;
    },
    run: async ({ name, handler, image, command }) => {
      const namespaceOptions = { network: NODE };
      const seccomp = { profileType: RUNTIME_DEFAULT };
      const sandboxConfig = {
        metadata: { name, uid: name, namespace: "default", attempt: 0 },
        linux: { securityContext: { namespaceOptions, seccomp } },
      };
      const { podSandboxId } = await call("RunPodSandbox", {
        config: sandboxConfig,
        runtimeHandler: handler,
      });
      const { containerId } = await call("CreateContainer", {
        podSandboxId,
        sandboxConfig,
        config: {
          metadata: { name, attempt: 0 },
          image: { image },
          command,
          linux: {
            securityContext: { namespaceOptions, seccomp, noNewPrivs: true },
          },
        },
      });
      await call("StartContainer", { containerId });
      return { sandbox: String(podSandboxId), container: String(containerId) };
    },
    exec: async ({ container }, cmd) => {
      const { stdout, exitCode } = await call("ExecSync", {
        containerId: container,
        cmd,
        timeout: 0,
      });
      if (exitCode !== 0) throw new Error(`ExecSync: exit ${exitCode}`);
      return new TextDecoder().decode(stdout as Uint8Array);
    },
    remove: async ({ sandbox }) => {
      await call("StopPodSandbox", { podSandboxId: sandbox });
      await call("RemovePodSandbox", { podSandboxId: sandbox });
    },
    [Symbol.dispose]: () => client.close(),
  };
}
