/**
 * Live filters of containers and the contents of the store, read without the
 * code under test except for ptrace and base64.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { PATIENCE_S } from "../machine.ts";
import type { Sandbox } from "./sandbox.ts";

/** Folder of filters. */
const STORE = "/var/cache/seccomp-tree";

/** The filters of the store by the section that they are for. */
export async function storedFilters(
  box: Sandbox,
  store: string = STORE,
): Promise<ReadonlyMap<string, string>> {
  const filters = new Map<string, string>();
  for await (const { name } of Deno.readDir(`${box.root}${store}`)) {
    if (!name.endsWith(".0")) continue;
    const text = await box.read(`${store}/${name}`);
    const filter = /^filter (\S+)$/m.exec(text)?.[1] ?? "";
    const section = text.slice(
      text.indexOf("\n{") + 1,
      text.lastIndexOf("\nfilter "),
    );
    filters.set(Uint8Array.fromBase64(filter).toHex(), section);
  }
  return filters;
}

/**
 * Asserts that a process has one filter, which is in the store.
 *
 * @param box Location of the store.
 * @param pid The process.
 * @param message Its description.
 * @param store Folder of the store.
 * @returns The section from which the filter was made.
 */
export async function assertStored(
  box: Sandbox,
  pid: number,
  message: string,
  store: string = STORE,
): Promise<string> {
  const live = dumpFilters(pid);
  assertEquals(live.length, 1, `${message}: filters of process ${pid}`);
  const [filter] = live;
  assert(filter !== undefined);
  const section = (await storedFilters(box, store)).get(filter.toHex());
  assert(
    section !== undefined,
    `${message}: the filter of ${
      filter.length / 8
    } instructions is not in the store`,
  );
  return section;
}

/** Finds `sleep SECONDS`. */
export async function findSleep(seconds: string): Promise<number> {
  for (let i = 0; i < 100 * PATIENCE_S; i++) {
    for await (const { name } of Deno.readDir("/proc")) {
      if (/^[0-9]+$/.test(name) && await isSleep(name, seconds)) {
        return Number(name);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot find a process "sleep ${seconds}"`);
}

/** A runtime has the words among its arguments too, but is not called so. */
async function isSleep(pid: string, seconds: string): Promise<boolean> {
  try {
    const words = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
    return /^(?:\/bin\/)?sleep$/.test(words[0] ?? "") && words[1] === seconds;
  } catch {
    return false;
  }
}

/** A number of seconds that no other process sleeps. */
export function uniqueSeconds(): string {
  return String(100_000 + Math.floor(Math.random() * 1e9));
}
