/**
 * The context of a rewrite: names and store, within the permissions of this
 * process.
 *
 * @module
 */

import type { Deadline } from "./deadline.ts";
import {
  builtinNames,
  describeEnvironment,
  hostNames,
  mayCallLibraries,
} from "./environment.ts";
import { RefusedError } from "./error.ts";
import type { Log } from "./log.ts";
import { ownSemantics } from "./own_semantics.ts";
import type { RewriteContext } from "./precreate.ts";
import { semanticsSetting, type Settings } from "./settings.ts";
import { openStore, type Store } from "./store/store.ts";

/**
 * Collects the environment, the store and the time limit. If something is
 * forbidden or missing, the log reports it and the work continues without it;
 * for example, without a store each filter is compiled again.
 *
 * @param settings The settings.
 * @param deadline Time limit.
 * @param log Log of messages.
 * @returns The context.
 * @throws {RefusedError} `doubtful-store` if others could change the store.
 * @category Containers
 */
export async function gatherContext(
  settings: Settings,
  deadline: Deadline,
  log: Log,
): Promise<RewriteContext> {
  const { strict, names, reference, requireCertificate } = settings;
  const host = names === "builtin" ? undefined : await hostNames();
  if (host === undefined && names === "auto") {
    log.write(
      "warning",
      `Syscall names are resolved by the built-in table: ${whyNoNames()}`,
    );
  }
  const setting = semanticsSetting(settings);
  const { semantics, files, note } = await ownSemantics(setting);
  if (note !== undefined) log.write("info", note);
  const environment = await describeEnvironment({
    semantics,
    setting,
    files,
    names: host ?? await builtinNames(),
  });
  const isExact = environment.names.exact;
  if (!isExact && settings.store !== undefined) {
    log.write(
      "warning",
      "Every filter is compiled again: the library of names cannot be identified without -A",
    );
  }
  const store = settings.store === undefined || !isExact
    ? undefined
    : await findStore(settings.store, log);
  await store?.putEnvironment(environment);
  return {
    environment,
    deadline,
    strict,
    reference,
    requireCertificate,
    ...(store === undefined ? {} : { store }),
    ...(host === undefined && names === "host"
      ? { obstacle: `the host's names are not available: ${whyNoNames()}` }
      : {}),
  };
}

function whyNoNames(): string {
  return mayCallLibraries()
    ? "libseccomp.so.2 is not installed"
    : "this process runs without --allow-ffi";
}

async function findStore(
  directory: string,
  log: Log,
): Promise<Store | undefined> {
  let reason = "the folder does not exist and cannot be created";
  try {
    const store = await openStore(directory, { create: true, log });
    if (store !== undefined) return store;
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    if (!(error instanceof Error)) throw error;
    reason = error.message;
  }
  log.write(
    "warning",
    `Every filter is compiled again: cannot use the store "${directory}": ${reason}`,
  );
  return undefined;
}
