/**
 * Usage and two examples of each command, for its help.
 *
 * @module
 */

import { NAME } from "./program.ts";

/** What the definition of a command does not say. */
export interface Manual {
  /** The words after the command's name. */
  readonly usage: string;
  /** Two command lines without the program's name. */
  readonly examples: readonly [string, string];
}

/**
 * Returns the command line of a command, as its help shows it.
 *
 * @param command Its name; empty or unknown for the program.
 */
export function usageOf(command: string): string {
  const name = Object.hasOwn(MANUALS, command) ? command : "";
  const words = [NAME, name, MANUALS[name]?.usage ?? ""];
  return words.filter((word) => word !== "").join(" ");
}

/** By command; `""` is the program itself. */
export const MANUALS: Readonly<Record<string, Manual>> = {
  "": {
    usage: "COMMAND [OPTION...] [WORD...]",
    examples: [
      "compile -f annotation default:docker",
      "simulate default:docker openat",
    ],
  },
  compile: {
    usage: "[OPTION...] [SOURCE]",
    examples: [
      "compile profile.json -f c -O filter.h",
      "compile --arch aarch64,arm -f raw -O filter.bpf default:docker",
    ],
  },
  optimize: {
    usage: "[OPTION...] SOURCE...",
    examples: [
      "optimize runc.bpf -f raw -O best.bpf",
      "optimize pid:1234 -v -f annotation",
    ],
  },
  digest: {
    usage: "[OPTION...] [SOURCE...] | --check FILE",
    examples: ["digest default:docker pid:1234", "digest --check digests.txt"],
  },
  disasm: {
    usage: "[OPTION...] [SOURCE]",
    examples: ["disasm default:docker --arch x86_64", "disasm pid:1234"],
  },
  asm: {
    usage: "[OPTION...] FILE",
    examples: ["asm filter.s -f raw -O filter.bpf", "asm - -f hex < filter.s"],
  },
  simulate: {
    usage: "[OPTION...] SOURCE SYSCALL [ARG...]",
    examples: [
      "simulate default:docker socket 38 1 0",
      "simulate filter.bpf --vectors calls.jsonl",
    ],
  },
  prove: {
    usage: "[OPTION...] A B | bundle:DIR",
    examples: [
      "prove profile.json filter.bpf",
      "prove --semantics runc default:docker pid:1234",
    ],
  },
  diff: {
    usage: "[OPTION...] A B | --subset-of BASE A",
    examples: [
      "diff default:docker profile.json",
      "diff --subset-of default:docker profile.json",
    ],
  },
  stats: {
    usage: "[OPTION...] [SOURCE...]",
    examples: [
      "stats default:docker --optimum",
      "stats default:docker profile.json filter.bpf -o json",
    ],
  },
  syscalls: {
    usage: "[OPTION...] [NAME|NR]",
    examples: ["syscalls openat", "syscalls 59 --arch x86_64"],
  },
  demo: { usage: "", examples: ["demo", "demo --color never"] },
  run: {
    usage: "[OPTION...] SOURCE -- COMMAND [ARG...]",
    examples: [
      "run default:docker -- ls -l",
      "run filter.bpf -- python3 -c 'print(1)'",
    ],
  },
  dump: {
    usage: "[OPTION...] pid:N",
    examples: ["dump pid:1234", "dump pid:1234 -f raw -O filter.bpf"],
  },
  verify: {
    usage: "[OPTION...] pid:N --against SOURCE | --all",
    examples: [
      "verify pid:1234 --against default:docker --semantics runc",
      "verify --all",
    ],
  },
  selftest: {
    usage: "[OPTION...] [SOURCE]",
    examples: ["selftest", "selftest profile.json -o json"],
  },
  bench: {
    usage: "[OPTION...] [SOURCE...] | --compare A.json B.json",
    examples: ["bench --quick default:docker", "bench -o json -O run.json"],
  },
  install: {
    usage: "[OPTION...] podman|docker|containerd|crio",
    examples: [
      "install podman --dry-run",
      "install docker --mode wrapper --reload",
    ],
  },
  uninstall: {
    usage: "[OPTION...] [podman|docker|containerd|crio...]",
    examples: ["uninstall podman --dry-run", "uninstall docker"],
  },
  status: {
    usage: "[OPTION...]",
    examples: ["status", "status --user -o json"],
  },
  doctor: {
    usage: "[OPTION...]",
    examples: ["doctor", "doctor -o json"],
  },
  store: {
    usage: "[OPTION...] ls | show KEY | gc | prime PROFILE...",
    examples: [
      "store ls -o json",
      "store prime --semantics runc default:docker",
    ],
  },
  rewrite: {
    usage: "[OPTION...] BUNDLE",
    examples: ["rewrite /run/bundle", "rewrite --store none ."],
  },
  completions: {
    usage: "bash|zsh|fish",
    examples: [
      "completions bash > /etc/bash_completion.d/seccomp-tree",
      "completions fish > ~/.config/fish/completions/seccomp-tree.fish",
    ],
  },
};
