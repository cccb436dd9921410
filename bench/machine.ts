/**
 * The machine line: facts on which figures depend.
 *
 * @module
 */

import { kernelRelease, processorName, readFact } from "../host/machine.ts";
import {
  ALLOW_CACHE_SINCE,
  isAtLeast,
  parseKernelRelease,
} from "../profile/host.ts";
import type { MachineReport } from "./report.ts";

const VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities";

/** Facts from the caller. */
export interface MachineOptions {
  readonly clock: string;
  readonly libseccomp: string | undefined;
  /** Load before the run; the function adds the current load. */
  readonly loadBefore: number;
}

/** Describes this machine. */
export async function describeMachine(
  { clock, libseccomp, loadBefore }: MachineOptions,
): Promise<MachineReport> {
  const kernel = kernelRelease();
  const version = parseKernelRelease(kernel);
  return {
    cpu: processorName(),
    cpus: navigator.hardwareConcurrency,
    kernel,
    clock,
    jit: readAll("/proc/sys/net/core", [
      "bpf_jit_enable",
      "bpf_jit_harden",
      "bpf_jit_limit",
    ]),
    allowCache: version !== undefined &&
      isAtLeast(version, ALLOW_CACHE_SINCE),
    mitigations: readAll(VULNERABILITIES, ["spec_store_bypass", "spectre_v2"]),
    load: [loadBefore, loadNow()],
    libseccomp,
    deno: Deno.version.deno,
    runtimes: await runtimeVersions(),
  };
}

/** Load of the last minute. */
export function loadNow(): number {
  return Deno.loadavg()[0] ?? NaN;
}

/**
 * Writes a machine as one line.
 *
 * @param machine The machine.
 */
export function machineLine(machine: MachineReport): string {
  const { cpu, cpus, kernel, jit, mitigations, libseccomp, deno } = machine;
  return [
    `${cpu}, ${cpus} processors`,
    `Linux ${kernel}`,
    `JIT ${jit["bpf_jit_enable"] === "1" ? "on" : "off or unknown"}`,
    `hardening ${jit["bpf_jit_harden"] ?? "unknown"}`,
    `allow cache ${machine.allowCache ? "yes" : "no"}`,
    `SSB ${mitigations["spec_store_bypass"] ?? "unknown"}`,
    `Spectre v2 ${mitigations["spectre_v2"] ?? "unknown"}`,
    libseccomp === undefined ? "no libseccomp" : `libseccomp ${libseccomp}`,
    `Deno ${deno}`,
    ...Object.entries(machine.runtimes).map(([name, v]) => `${name} ${v}`),
    machine.clock,
    `load ${machine.load.map((load) => load.toFixed(1)).join(" to ")}`,
  ].join("; ");
}

function readAll(
  directory: string,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = readFact(`${directory}/${name}`);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

async function runtimeVersions(): Promise<Readonly<Record<string, string>>> {
  const versions: Record<string, string> = {};
  for (const name of ["crun", "runc", "podman"]) {
    try {
      const { stdout } = await new Deno.Command(name, {
        args: ["--version"],
        stderr: "null",
      }).output();
      const text = new TextDecoder().decode(stdout);
      const version = /\d+(?:\.\d+)+/.exec(text)?.[0];
      if (version !== undefined) versions[name] = version;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return versions;
}
