/**
 * Two examples for each command, printed at the end of its help.
 *
 * @module
 */

/** Examples by command; `""` is the program itself. */
export const EXAMPLES: Readonly<Record<string, readonly [string, string]>> = {
  "": [
    "seccomp-tree compile -f annotation default:docker",
    "seccomp-tree simulate default:docker openat",
  ],
  compile: [
    "seccomp-tree compile profile.json -f c -O filter.h",
    "seccomp-tree compile --arch aarch64,arm -f raw -O filter.bpf default:docker",
  ],
  disasm: [
    "seccomp-tree disasm default:docker --arch x86_64",
    "seccomp-tree disasm pid:1234",
  ],
  asm: [
    "seccomp-tree asm filter.s -f raw -O filter.bpf",
    "seccomp-tree disasm filter.bpf | seccomp-tree asm - -f hex",
  ],
  simulate: [
    "seccomp-tree simulate default:docker socket 38 1 0",
    "seccomp-tree simulate filter.bpf --vectors calls.jsonl",
  ],
  stats: [
    "seccomp-tree stats default:docker",
    "seccomp-tree stats default:docker profile.json filter.bpf -o json",
  ],
  syscalls: [
    "seccomp-tree syscalls openat",
    "seccomp-tree syscalls 59 --arch x86_64",
  ],
  demo: ["seccomp-tree demo", "npx -y deno@2.9.6 task demo"],
};
