import { assert, assertEquals } from "@std/assert";
import { type Arch, ARCHES, isKnownName } from "../../tables/arch.ts";
import { callsOfLibc } from "../../tables/libc_names.ts";
import { successorsOf } from "../../tables/successors.ts";

/** Every name of a table, including multiplexed calls. */
const NAMES: ReadonlySet<string> = new Set(
  ARCHES.flatMap((arch) => [
    ...arch.syscalls.keys(),
    ...arch.multiplexed.map((call) => call.name),
  ]),
);

function has(arch: Arch, name: string): boolean {
  return arch.syscalls.has(name) ||
    arch.multiplexed.some((call) => call.name === name);
}

/**
 * Calls that some architecture does not have and nothing replaces: those of one
 * architecture, those that the kernel never had or removed, the multiplexers,
 * and those that only some architectures got.
 */
const WITHOUT: readonly string[] = [
  ...["_sysctl", "afs_syscall", "arch_prctl", "bdflush", "break", "breakpoint"],
  ...["cachectl", "cacheflush", "create_module", "ftime", "get_kernel_syms"],
  ...["get_thread_area", "get_tls", "getpmsg", "gtty", "idle", "ioperm"],
  ...["iopl", "ipc", "kexec_file_load", "listns", "lock", "memfd_secret"],
  ...["modify_ldt", "mpx", "multiplexer", "nfsservctl", "pciconfig_iobase"],
  ...["pciconfig_read", "pciconfig_write", "prof", "profil", "putpmsg"],
  ...["query_module", "riscv_flush_icache", "riscv_hwprobe"],
  ...["rseq_slice_yield", "rtas", "s390_guarded_storage"],
  ...["s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"],
  ...["s390_sthyi", "security", "set_thread_area", "set_tls", "socketcall"],
  ...["spu_create", "spu_run", "stty", "subpage_prot", "swapcontext"],
  ...["switch_endian", "sys_debug_setcontext", "syscall", "sysfs", "sysmips"],
  ...["tuxcall", "uprobe", "uretprobe", "uselib", "usr26", "usr32", "vm86"],
  ...["vm86old", "vserver"],
];

Deno.test("successorsOf() exist on every architecture without the call", () => {
  const without: string[] = [];
  for (const name of NAMES) {
    const successors = successorsOf(name);
    for (const successor of successors) assert(isKnownName(successor), name);
    const missing = ARCHES.filter((arch) => !has(arch, name));
    if (successors.length === 0) {
      if (missing.length > 0) without.push(name);
      continue;
    }
    for (const arch of missing) {
      assert(
        successors.some((successor) => has(arch, successor)),
        `${name} on ${arch.name}`,
      );
    }
  }
  assertEquals(without.sort(), [...WITHOUT].sort());
});

Deno.test("successorsOf() names what the C library calls on aarch64", () => {
  const table = {
    open: "openat",
    chmod: "fchmodat",
    fork: "clone",
    unlink: "unlinkat",
    rename: "renameat2",
    mkdir: "mkdirat",
    stat: "newfstatat",
    pipe: "pipe2",
    dup2: "dup3",
    poll: "ppoll",
    select: "pselect6",
    umount: "umount2",
    waitpid: "wait4",
  };
  for (const [name, successor] of Object.entries(table)) {
    assert(successorsOf(name).includes(successor), name);
  }
});

Deno.test("callsOfLibc() maps C library functions that are not system calls", () => {
  const functions = ["pread", "pwrite", "fstatat", "posix_fadvise", "wait"];
  for (const name of functions) {
    assert(!isKnownName(name), name);
    const calls = callsOfLibc(name);
    for (const arch of ARCHES) {
      assert(calls.some((call) => has(arch, call)), `${name} on ${arch.name}`);
    }
  }
  for (const name of NAMES) {
    assertEquals(callsOfLibc(name), [], `${name} is a call itself`);
  }
});
