/**
 * `store prime`: compiles filters before the first container needs them.
 *
 * A filter is stored under the exact text of its section, so the section must
 * be written as a container manager would write it: Podman, Docker, containerd
 * and CRI-O all use Go's `encoding/json` to write the struct of runtime-spec,
 * `specs-go/config.go: LinuxSeccomp`. The section of a complete `config.json`
 * is used as it is. If a manager writes different text, its containers miss the
 * entry and a filter is compiled for them; nothing else changes.
 *
 * @module
 */

import { printable, quoteText } from "../../tables/printable.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { decode } from "../../bpf/encode.ts";
import type { Environment } from "../../hook/environment.ts";
import { rememberLeft } from "../../hook/filter.ts";
import { formatSection } from "../../hook/format_section.ts";
import { compareWithHost } from "../../hook/host_reference.ts";
import { rewriteConfig, type RewriteContext } from "../../hook/precreate.ts";
import { readConfigText } from "../../hook/rewrite.ts";
import { readSection } from "../../hook/section.ts";
import type { Entry } from "../../hook/store/entry.ts";
import {
  InputError,
  MachineError,
  ReportedError,
  UnprovenError,
} from "../error.ts";
import { EXIT, forEachInput, messageLine } from "../exit.ts";
import { tellAssumed, tellFindings } from "../input/resolve_source.ts";
import { type Io, readInput } from "../io.ts";
import { readYamlProfiles } from "../yaml/read_yaml.ts";
import {
  type BareFilters,
  loadProfile,
  tellingProfile,
} from "../input/source.ts";
import {
  logTo,
  MOST_MS,
  refusing,
  settingsOf,
  type StoreFlags,
  targetOf,
  tellSection,
} from "./store_open.ts";
import { assumedWords, targetFor } from "../input/target.ts";

/**
 * Compiles profiles, proves their filters and stores them.
 *
 * @param io Streams.
 * @param flags Options of the containers.
 * @param words Source words, each of a profile.
 * @returns The exit code: 4 if one of them cannot be optimized.
 */
export async function primeStore(
  io: Io,
  flags: StoreFlags,
  named: readonly string[],
): Promise<number> {
  const words = [...named, ...await wordsOfMachine(flags)];
  if (words.length === 0 && !flags.quiet) {
    const text =
      "No profile found: no container runs with one, or the kubelet has none";
    io.err(messageLine(io, "note", text));
  }
  const settings = await settingsOf(flags);
  const log = logTo(io, flags);
  const gathered = await gatherContext(settings, startDeadline(MOST_MS), log);
  const { store, obstacle, environment } = gathered;
  if (store === undefined || obstacle !== undefined) {
    throw new MachineError(
      `Cannot prime the store: ${
        obstacle ?? `no store at "${settings.store ?? "none"}"`
      }; run this as the user whose containers it is for, or pass --store`,
    );
  }
  const primeOne = async (word: string): Promise<number> => {
    const section = await sectionOf(io, word, flags, gathered.environment);
    const context = {
      ...gathered,
      strict: false,
      retry: true,
      // Entries that already exist are compared as well, below.
      reference: "text" as const,
      deadline: startDeadline(MOST_MS),
    };
    const text = `{"linux":{"seccomp":${section}}}`;
    const rewrite = await rewriteConfig(text, context);
    if (rewrite.kind === "unchanged") {
      const why = `Cannot optimize the filter: ${rewrite.detail}`;
      io.err(messageLine(io, "error", why, word));
      return EXIT.unproven;
    }
    for (const warning of rewrite.warnings) log.write("warning", warning);
    const { entry: { key, bytes }, from } = rewrite;
    if (await store.lookup(gathered.environment.id, section) === undefined) {
      throw new MachineError(
        `Cannot keep the filter of ${
          quoteText(word)
        }: it is not in "${store.directory}"; free some space there`,
      );
    }
    if (flags.reference !== "text") {
      const compared = await compareWithHost(rewrite.entry, environment);
      if (compared.kind === "different") {
        const left = { reason: "reference", detail: compared.detail } as const;
        await rememberLeft(section, left, gathered);
        const why =
          `Cannot use the filter: ${compared.detail}; the section is left to its runtime`;
        io.err(messageLine(io, "error", why, word));
        return EXIT.unproven;
      }
      if (compared.kind === "not-asked") {
        log.write("info", `Not compared: ${compared.detail}`);
      }
    }
    if (flags.certificate) await keepCertificate(rewrite.entry, gathered, word);
    const how = from === "store" ? "already there" : "proved and stored";
    io.out(
      `${key}  ${bytes.length / 8} instructions, ${how}: ${printable(word)}\n`,
    );
    return EXIT.ok;
  };
  const { code } = await forEachInput(
    io,
    await eachProfile(io, words),
    async (word) => {
      const code = await refusing(io, () => primeOne(word));
      if (code !== EXIT.ok) throw new ReportedError("profile", { code });
    },
  );
  return code;
}

/**
 * Writes the sections of profiles as container managers would. A profile that
 * cannot be read is reported and left out.
 *
 * @param io Stream for messages.
 * @param named Source words.
 * @param options True in `kubelet` for the profiles that pods can refer to.
 * @param environment Machine, semantics, names.
 * @returns The sections.
 */
export async function primedSections(
  io: Io,
  named: readonly string[],
  options: Pick<StoreFlags, "kubelet" | "quiet">,
  environment: Environment,
): Promise<readonly string[]> {
  const flags: StoreFlags = {
    ...options,
    ...{ certificate: false, live: false, user: false, output: "text" },
  };
  const words = [...named, ...await wordsOfMachine(flags)];
  const sections: string[] = [];
  await forEachInput(io, await eachProfile(io, words), async (word) => {
    sections.push(await sectionOf(io, word, flags, environment));
  });
  return sections;
}

/** Keeps the certificate that a stored filter is equal to its section. */
async function keepCertificate(
  { key, bytes, section }: Entry,
  { environment, store }: RewriteContext,
  word: string,
): Promise<void> {
  const { makeCertificate, Uncertified } = await import(
    "../../verify/certificate/make.ts"
  );
  const { littleEndian } = environment.native;
  const reading = readSection(section, environment);
  if (reading.kind !== "section") {
    throw new Error("Unreachable: a stored section cannot be read");
  }
  try {
    const program = decode(bytes, { littleEndian });
    const { policy } = reading.section;
    const text = await makeCertificate(program, policy, { littleEndian });
    store?.putCertificate(key, text);
  } catch (error) {
    if (!(error instanceof Uncertified)) throw error;
    throw new UnprovenError(
      `Cannot keep the certificate of ${quoteText(word)}: ${error.message}`,
    );
  }
}

/** Names each profile of a YAML file that has several. */
async function eachProfile(
  io: Io,
  words: readonly string[],
): Promise<readonly string[]> {
  const all: string[] = [];
  for (const word of words) {
    if (!/\.ya?ml$/.test(word)) {
      all.push(word);
      continue;
    }
    const profiles = await readYamlProfiles(await readInput(io, word))
      // Its problems are reported by the reader of the profile.
      .catch(() => []);
    if (profiles.length < 2) all.push(word);
    else all.push(...profiles.map(({ name }) => `${word}#${name}`));
  }
  return all;
}

/** The sections of running containers, and the profiles of the kubelet. */
async function wordsOfMachine(flags: StoreFlags): Promise<readonly string[]> {
  if (!flags.live && !flags.kubelet) return [];
  const { findBundles, kubeletProfiles } = await import(
    "../../install/bundles.ts"
  );
  const bundles = flags.live ? await findBundles() : [];
  const sections = new Map(
    bundles.map(({ path, config }) => [readConfigText(config).section, path]),
  );
  return [
    ...[...sections.values()].map((path) => `bundle:${path}`),
    ...(flags.kubelet ? await kubeletProfiles() : []),
  ];
}

async function sectionOf(
  io: Io,
  word: string,
  flags: StoreFlags,
  environment: Environment,
): Promise<string> {
  const source = await loadProfile(io, word, flags, notPrimed);
  const { profile, name } = source;
  if (profile.kind === "config") {
    const { text } = profile.document;
    const { section } = readConfigText(text);
    if (section !== undefined) {
      tellSection(io, { name, text }, environment, flags);
      return section;
    }
  }
  const target = {
    semantics: environment.semantics,
    names: "builtin",
    unknown: "warn",
    strict: false,
    ...(flags.caps === undefined ? {} : { caps: flags.caps }),
    ...(flags.kernel === undefined ? {} : { kernel: flags.kernel }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
  } as const;
  const host = await targetFor(target);
  const { seccomp, assumed, diagnostics } = await tellingProfile(
    io,
    name,
    () => resolveParsed(profile, { ...host, ...targetOf(environment) }),
  );
  tellFindings(io, name, diagnostics, { ...flags, verbose: false });
  const words = assumedWords(assumed, target);
  tellAssumed(io, name, flags, [words.replace(/, names builtin/, "")]);
  return formatSection(seccomp);
}

function notPrimed({ form, name }: BareFilters): InputError {
  return new InputError(
    `Cannot prime the store with a filter (${form}); give the profile that containers get`,
    { place: name },
  );
}
