import { assertEquals } from "@std/assert";
import * as uapi from "../../tables/uapi.ts";

Deno.test("uapi.ts has the numbers of the kernel's headers", () => {
  // EM_X86_64, EM_386 and EM_AARCH64 of linux/elf-em.h, and the two flags of
  // linux/audit.h: 64 bits, little-endian.
  const [bits64, little] = [0x8000_0000, 0x4000_0000];
  assertEquals({ ...uapi }, {
    // linux/seccomp.h
    SECCOMP_RET_KILL_PROCESS: 2 ** 31,
    SECCOMP_RET_KILL_THREAD: 0,
    SECCOMP_RET_TRAP: 3 * 2 ** 16,
    SECCOMP_RET_ERRNO: 5 * 2 ** 16,
    SECCOMP_RET_USER_NOTIF: 0x7fc0 * 2 ** 16,
    SECCOMP_RET_TRACE: 0x7ff0 * 2 ** 16,
    SECCOMP_RET_LOG: 0x7ffc * 2 ** 16,
    SECCOMP_RET_ALLOW: 0x7fff * 2 ** 16,
    SECCOMP_RET_ACTION_FULL: 0xffff * 2 ** 16,
    SECCOMP_RET_DATA: 2 ** 16 - 1,
    // linux/audit.h
    AUDIT_ARCH_X86_64: 62 + bits64 + little,
    AUDIT_ARCH_I386: 3 + little,
    AUDIT_ARCH_AARCH64: 183 + bits64 + little,
    // linux/bpf_common.h, linux/filter.h, linux/err.h
    BPF_MAXINSNS: 2 ** 12,
    BPF_MEMWORDS: 2 ** 4,
    MAX_ERRNO: 2 ** 12 - 1,
  });
});
