/**
 * Finds NOTIFY on calls that hand over a listener: until they finish, no
 * supervisor answers.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { type Diagnostic, ProfileError } from "../../profile/diagnostic.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import * as uapi from "../../tables/uapi.ts";
import { NEVER } from "../../verify/core/diagram.ts";
import { returnedAction } from "../answers.ts";
import type { FindingDraft } from "../finding.ts";
import {
  callOn,
  type LintView,
  listWords,
  pathInSection,
  type ProfileRules,
} from "../view.ts";

const NOTIFY = "SCMP_ACT_NOTIFY";

/** sendmsg(2) sends a descriptor, and fcntl(2) makes it inheritable. */
const HAND_OVER_CALLS: readonly string[] = ["sendmsg", "fcntl"];

/** Checks NOTIFY on such calls. */
export function notifiedCalls(view: LintView): readonly FindingDraft[] {
  const { rules } = view;
  if (rules === undefined) return [];
  return [...notifiedWrite(view, rules), ...notifiedHandOver(view)];
}

/** runc writes the number of the listener to a pipe, and refuses the profile. */
function notifiedWrite(
  view: LintView,
  rules: ProfileRules,
): readonly FindingDraft[] {
  const { profile, target, resolved: { seccomp }, runtimes } = rules;
  if (!runtimes.includes("runc")) return [];
  const places = new Set([
    ...seccomp.defaultAction === NOTIFY ? ["defaultAction"] : [],
    ...seccomp.syscalls.flatMap(({ action, names, path }) =>
      action === NOTIFY && names.includes("write") ? [path] : []
    ),
  ].map((path) => pathInSection(rules, path)));
  if (places.size === 0) return [];
  const refusal = refusalsOf(profile, { ...target, semantics: "runc" })
    .find(({ code, path }) =>
      code === "runtime-refuses" && places.has(pathInSection(rules, path))
    );
  if (refusal === undefined) return [];
  const { message, path, fix } = refusal;
  return [{
    id: "notify-before-listener",
    at: pathInSection(rules, path),
    about: "write",
    message: fix === undefined ? message : `${message}; ${fix}`,
    witnesses: notified(view, ["write"]).map(({ data }) => data),
    proof: "runc refuses the profile",
  }];
}

/** Errors of a runtime that does not accept a profile. */
function refusalsOf(
  profile: ParsedProfile,
  target: ProfileTarget,
): readonly Diagnostic[] {
  try {
    resolveParsed(profile, target);
    return [];
  } catch (error) {
    if (error instanceof ProfileError) return error.diagnostics;
    throw error;
  }
}

/** NOTIFY on calls by which some programs hand over a listener. */
function notifiedHandOver(view: LintView): readonly FindingDraft[] {
  const found = notified(view, HAND_OVER_CALLS);
  const [first] = found;
  if (first === undefined) return [];
  const names = found.map(({ name }) => name);
  return [{
    id: "notify-before-listener",
    at: first.data,
    about: names.join(","),
    severity: "note",
    message:
      `Programs that hand over the listener under this filter wait for themselves at ${
        listWords(names)
      }; crun 1.8.1 and runc 1.1.5 make neither call before that, and start`,
    witnesses: found.map(({ data }) => data),
  }];
}

/** Calls of the machine's own architecture that may get NOTIFY. */
function notified(
  { answers, native }: LintView,
  names: readonly string[],
): readonly { readonly name: string; readonly data: SeccompData }[] {
  return names.flatMap((name) => {
    const call = callOn(native, name);
    if (call === undefined) return [];
    const where = answers.where(
      answers.of(call),
      (value) => returnedAction(value) === uapi.SECCOMP_RET_USER_NOTIF,
    );
    return where === NEVER ? [] : [{ name, data: answers.input(call, where) }];
  });
}
