/**
 * The functions of libseccomp in use, as seccomp.h declares them.
 *
 * @module
 */

/** Signatures; in C `scmp_filter_ctx` is `void *`. */
export const LIBSECCOMP_SYMBOLS = {
  // const struct scmp_version *seccomp_version(void)
  seccomp_version: { parameters: [], result: "pointer" },
  // uint32_t seccomp_arch_native(void)
  seccomp_arch_native: { parameters: [], result: "u32" },
  // scmp_filter_ctx seccomp_init(uint32_t def_action)
  seccomp_init: { parameters: ["u32"], result: "pointer" },
  // void seccomp_release(scmp_filter_ctx ctx)
  seccomp_release: { parameters: ["pointer"], result: "void" },
  // int seccomp_arch_add(scmp_filter_ctx ctx, uint32_t arch_token)
  seccomp_arch_add: { parameters: ["pointer", "u32"], result: "i32" },
  // int seccomp_attr_set(scmp_filter_ctx ctx, enum scmp_filter_attr attr, uint32_t value)
  seccomp_attr_set: { parameters: ["pointer", "u32", "u32"], result: "i32" },
  // int seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action, int syscall,
  //                            unsigned int arg_cnt, const struct scmp_arg_cmp *arg_array)
  seccomp_rule_add_array: {
    parameters: ["pointer", "u32", "i32", "u32", "buffer"],
    result: "i32",
  },
  // int seccomp_export_bpf(const scmp_filter_ctx ctx, int fd)
  seccomp_export_bpf: { parameters: ["pointer", "i32"], result: "i32" },
  // int seccomp_syscall_resolve_name(const char *name)
  seccomp_syscall_resolve_name: { parameters: ["buffer"], result: "i32" },
  // int seccomp_syscall_resolve_name_arch(uint32_t arch_token, const char *name)
  seccomp_syscall_resolve_name_arch: {
    parameters: ["u32", "buffer"],
    result: "i32",
  },
  // char *seccomp_syscall_resolve_num_arch(uint32_t arch_token, int num); the caller frees
  seccomp_syscall_resolve_num_arch: {
    parameters: ["u32", "i32"],
    result: "pointer",
  },
} as const;
