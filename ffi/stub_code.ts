/**
 * Machine code for x86_64: makes system calls in a cloned child, under a filter.
 *
 * It is code and not a sequence of calls by FFI because between the load of
 * the filter and the end of the child nothing but the calls under test may
 * run, and because the parent may not run at all while they share memory and
 * the thread's own storage. One argument in rdi, a context of 136 bytes:
 *
 * ```text
 *   0  rows: nr and six arguments, u64 each      64  clock after the load
 *   8  number of rows                            72  flags of the filter
 *  16  results: i64 for each row                 80  clock at the end
 *  24  struct sock_fprog, or 0                   88  child, or -errno of clone
 *  32  top of the child's stack                  96  signals to block: all
 *  40  result of seccomp                        104  signals blocked before
 *  48  status of the child                      112  0: syscall, 1: int $0x80
 *  56  clock before the load                    120  flags of clone
 *                                               128  1: the child is done
 * ```
 *
 * The parent blocks all signals, clones a child without an exit signal, awaits
 * its end and restores the signals. The child sets no_new_privs, loads the
 * filter and makes the calls. Where there are none to make, it makes none at
 * all, not even `exit`, which the filter may deny: it waits to be killed. (Up to
 * Linux 5.15 a child that shares memory and dies with a core dump takes its
 * parent along: fs/coredump.c: zap_threads().) Clocks are ticks of rdtsc.
 * Assembled with GNU as 2.40.
 *
 * @module
 */

const LISTING = [
  // stub:
  "53", // push %rbx
  "55", // push %rbp
  "4154", // push %r12
  "4155", // push %r13
  "4156", // push %r14
  "4157", // push %r15
  "4989ff", // mov %rdi,%r15
  "b80e000000", // mov $0xe,%eax
  "bf02000000", // mov $0x2,%edi
  "498d7760", // lea 0x60(%r15),%rsi
  "498d5768", // lea 0x68(%r15),%rdx
  "41ba08000000", // mov $0x8,%r10d
  "0f05", // syscall
  "b838000000", // mov $0x38,%eax
  "498b7f78", // mov 0x78(%r15),%rdi
  "498b7720", // mov 0x20(%r15),%rsi
  "31d2", // xor %edx,%edx
  "4531d2", // xor %r10d,%r10d
  "4531c0", // xor %r8d,%r8d
  "0f05", // syscall
  "4885c0", // test %rax,%rax
  "0f848e000000", // je child
  "49894758", // mov %rax,0x58(%r15)
  "7865", // js done
  "49837f0800", // cmpq $0x0,0x8(%r15)
  "7541", // jne wait
  // poll:
  "498b7f58", // mov 0x58(%r15),%rdi
  "498d7730", // lea 0x30(%r15),%rsi
  "ba01000080", // mov $0x80000001,%edx
  "4531d2", // xor %r10d,%r10d
  "b83d000000", // mov $0x3d,%eax
  "0f05", // syscall
  "4885c0", // test %rax,%rax
  "7542", // jne done
  "4983bf80000000", // cmpq $0x0,0x80(%r15)
  "00",
  "7412", // je yield
  "498b7f58", // mov 0x58(%r15),%rdi
  "be09000000", // mov $0x9,%esi
  "b83e000000", // mov $0x3e,%eax
  "0f05", // syscall
  "eb09", // jmp wait
  // yield:
  "b818000000", // mov $0x18,%eax
  "0f05", // syscall
  "ebbf", // jmp poll
  // wait:
  "498b7f58", // mov 0x58(%r15),%rdi
  "498d7730", // lea 0x30(%r15),%rsi
  "ba00000080", // mov $0x80000000,%edx
  "4531d2", // xor %r10d,%r10d
  "b83d000000", // mov $0x3d,%eax
  "0f05", // syscall
  "4883f8fc", // cmp $0xfffffffffffffffc,%rax
  "74e3", // je wait
  // done:
  "b80e000000", // mov $0xe,%eax
  "bf02000000", // mov $0x2,%edi
  "498d7768", // lea 0x68(%r15),%rsi
  "31d2", // xor %edx,%edx
  "41ba08000000", // mov $0x8,%r10d
  "0f05", // syscall
  "415f", // pop %r15
  "415e", // pop %r14
  "415d", // pop %r13
  "415c", // pop %r12
  "5d", // pop %rbp
  "5b", // pop %rbx
  "c3", // ret
  // child:
  "b89d000000", // mov $0x9d,%eax
  "bf26000000", // mov $0x26,%edi
  "be01000000", // mov $0x1,%esi
  "31d2", // xor %edx,%edx
  "4531d2", // xor %r10d,%r10d
  "4531c0", // xor %r8d,%r8d
  "0f05", // syscall
  "0f31", // rdtsc
  "48c1e220", // shl $0x20,%rdx
  "4809d0", // or %rdx,%rax
  "49894738", // mov %rax,0x38(%r15)
  "498b5718", // mov 0x18(%r15),%rdx
  "31c0", // xor %eax,%eax
  "4885d2", // test %rdx,%rdx
  "7410", // je 0x116
  "b83d010000", // mov $0x13d,%eax
  "bf01000000", // mov $0x1,%edi
  "498b7748", // mov 0x48(%r15),%rsi
  "0f05", // syscall
  "49894728", // mov %rax,0x28(%r15)
  "0f31", // rdtsc
  "48c1e220", // shl $0x20,%rdx
  "4809d0", // or %rdx,%rax
  "49894740", // mov %rax,0x40(%r15)
  "49837f2800", // cmpq $0x0,0x28(%r15)
  "0f8587000000", // jne exit
  "4d8b27", // mov (%r15),%r12
  "4d8b6f08", // mov 0x8(%r15),%r13
  "4d8b7710", // mov 0x10(%r15),%r14
  "4d85ed", // test %r13,%r13
  "0f848b000000", // je spin
  "49837f7000", // cmpq $0x0,0x70(%r15)
  "7536", // jne compat
  // native:
  "498b0424", // mov (%r12),%rax
  "498b7c2408", // mov 0x8(%r12),%rdi
  "498b742410", // mov 0x10(%r12),%rsi
  "498b542418", // mov 0x18(%r12),%rdx
  "4d8b542420", // mov 0x20(%r12),%r10
  "4d8b442428", // mov 0x28(%r12),%r8
  "4d8b4c2430", // mov 0x30(%r12),%r9
  "0f05", // syscall
  // afterSyscall:
  "498906", // mov %rax,(%r14)
  "4983c438", // add $0x38,%r12
  "4983c608", // add $0x8,%r14
  "49ffcd", // dec %r13
  "75cc", // jne native
  "eb36", // jmp exit
  // compat:
  "498b0424", // mov (%r12),%rax
  "498b5c2408", // mov 0x8(%r12),%rbx
  "498b4c2410", // mov 0x10(%r12),%rcx
  "498b542418", // mov 0x18(%r12),%rdx
  "498b742420", // mov 0x20(%r12),%rsi
  "498b7c2428", // mov 0x28(%r12),%rdi
  "498b6c2430", // mov 0x30(%r12),%rbp
  "cd80", // int $0x80
  // afterInt80:
  "4898", // cltq
  "498906", // mov %rax,(%r14)
  "4983c438", // add $0x38,%r12
  "4983c608", // add $0x8,%r14
  "49ffcd", // dec %r13
  "75ca", // jne compat
  // exit:
  "0f31", // rdtsc
  "48c1e220", // shl $0x20,%rdx
  "4809d0", // or %rdx,%rax
  "49894750", // mov %rax,0x50(%r15)
  "b83c000000", // mov $0x3c,%eax
  "31ff", // xor %edi,%edi
  "0f05", // syscall
  "0f0b", // ud2
  // spin:
  "49c78780000000", // movq $0x1,0x80(%r15)
  "01000000",
  "f390", // pause
  "ebfc", // jmp 0x1dc
] as const;

/** The code; position independent. */
export const STUB_CODE: string = LISTING.join("");

/** Offset behind `syscall`: the instruction pointer that the filter sees. */
export const AFTER_SYSCALL = 0x171;

/** Offset behind `int $0x80`. */
export const AFTER_INT80 = 0x1a7;

/** Offsets of the fields of the context, in bytes. */
export const CONTEXT = {
  rows: 0,
  count: 8,
  results: 16,
  fprog: 24,
  stack: 32,
  loadResult: 40,
  waitStatus: 48,
  beforeLoad: 56,
  afterLoad: 64,
  flags: 72,
  end: 80,
  child: 88,
  blocked: 96,
  compat: 112,
  cloneFlags: 120,
  finished: 128,
  size: 136,
} as const;
