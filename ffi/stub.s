# Machine code for x86_64 that makes system calls in a cloned child, under a
# filter. `deno task embed` assembles it into stub_code.ts.
#
# It is machine code, not a sequence of FFI calls, for two reasons. Between the
# load of the filter and the end of the child, only the calls under test may
# run. And the parent must not run while both share memory and thread-local
# storage.
#
# One argument in rdi: the address of a context, whose fields have the names and
# offsets below. stub_code.ts takes them and the two labels afterSyscall and
# afterInt80 from here: these are the instruction pointers that a filter sees.
#
# The parent blocks all signals, clones a child without an exit signal, awaits
# its end and restores the signals. The child sets no_new_privs, loads the
# filter and makes the calls. If there are no calls to make, it does not even
# call `exit`, which the filter may deny; it waits to be killed. (Up to Linux
# 5.15 a child that shares memory and dies with a core dump takes its parent
# along: fs/coredump.c: zap_threads().) Clocks are ticks of rdtsc.
#
# The code is position independent and keeps the registers of its caller.

	# Fields of the context: offsets in bytes.
	.set context.rows, 0		# rows of nr and six arguments, u64 each
	.set context.count, 8		# number of rows
	.set context.results, 16	# i64 for each row
	.set context.fprog, 24		# struct sock_fprog, or 0
	.set context.stack, 32		# top of the child's stack
	.set context.loadResult, 40	# result of seccomp
	.set context.waitStatus, 48	# status of the child
	.set context.beforeLoad, 56	# clock before the load
	.set context.afterLoad, 64	# clock after the load
	.set context.flags, 72		# flags of the filter
	.set context.end, 80		# clock at the end
	.set context.child, 88		# child, or -errno of clone
	.set context.blocked, 96	# signals to block: all
	.set context.unblocked, 104	# signals blocked before
	.set context.compat, 112	# 0: syscall, 1: int $0x80
	.set context.cloneFlags, 120	# flags of clone
	.set context.finished, 128	# 1: the child is done
	.set context.size, 136

	# asm/unistd_64.h
	.set NR_rt_sigprocmask, 14
	.set NR_sched_yield, 24
	.set NR_clone, 56
	.set NR_exit, 60
	.set NR_wait4, 61
	.set NR_kill, 62
	.set NR_prctl, 157
	.set NR_seccomp, 317

	.set SIG_SETMASK, 2
	.set SIGNAL_BYTES, 8
	.set SIGKILL, 9
	.set EINTR, 4
	.set WALL, 0x80000000		# __WALL: children without an exit signal, too
	.set WNOHANG, 1
	.set PR_SET_NO_NEW_PRIVS, 38
	.set SECCOMP_SET_MODE_FILTER, 1
	.set ROW_BYTES, 56

	.text
stub:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, %r15
	mov $NR_rt_sigprocmask, %eax
	mov $SIG_SETMASK, %edi
	lea context.blocked(%r15), %rsi
	lea context.unblocked(%r15), %rdx
	mov $SIGNAL_BYTES, %r10d
	syscall
	mov $NR_clone, %eax
	mov context.cloneFlags(%r15), %rdi
	mov context.stack(%r15), %rsi
	xor %edx, %edx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	test %rax, %rax
	je child
	mov %rax, context.child(%r15)
	js done
	cmpq $0, context.count(%r15)
	jne wait
poll:
	mov context.child(%r15), %rdi
	lea context.waitStatus(%r15), %rsi
	mov $(WALL | WNOHANG), %edx
	xor %r10d, %r10d
	mov $NR_wait4, %eax
	syscall
	test %rax, %rax
	jne done
	cmpq $0, context.finished(%r15)
	je yield
	mov context.child(%r15), %rdi
	mov $SIGKILL, %esi
	mov $NR_kill, %eax
	syscall
	jmp wait
yield:
	mov $NR_sched_yield, %eax
	syscall
	jmp poll
wait:
	mov context.child(%r15), %rdi
	lea context.waitStatus(%r15), %rsi
	mov $WALL, %edx
	xor %r10d, %r10d
	mov $NR_wait4, %eax
	syscall
	cmp $-EINTR, %rax
	je wait
done:
	mov $NR_rt_sigprocmask, %eax
	mov $SIG_SETMASK, %edi
	lea context.unblocked(%r15), %rsi
	xor %edx, %edx
	mov $SIGNAL_BYTES, %r10d
	syscall
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

child:
	mov $NR_prctl, %eax
	mov $PR_SET_NO_NEW_PRIVS, %edi
	mov $1, %esi
	xor %edx, %edx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, context.beforeLoad(%r15)
	mov context.fprog(%r15), %rdx
	xor %eax, %eax
	test %rdx, %rdx
	je loaded
	mov $NR_seccomp, %eax
	mov $SECCOMP_SET_MODE_FILTER, %edi
	mov context.flags(%r15), %rsi
	syscall
loaded:
	mov %rax, context.loadResult(%r15)
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, context.afterLoad(%r15)
	cmpq $0, context.loadResult(%r15)
	jne exit
	mov context.rows(%r15), %r12
	mov context.count(%r15), %r13
	mov context.results(%r15), %r14
	test %r13, %r13
	je spin
	cmpq $0, context.compat(%r15)
	jne compat
native:
	mov (%r12), %rax
	mov 8(%r12), %rdi
	mov 16(%r12), %rsi
	mov 24(%r12), %rdx
	mov 32(%r12), %r10
	mov 40(%r12), %r8
	mov 48(%r12), %r9
	syscall
afterSyscall:
	mov %rax, (%r14)
	add $ROW_BYTES, %r12
	add $8, %r14
	dec %r13
	jne native
	jmp exit
compat:
	mov (%r12), %rax
	mov 8(%r12), %rbx
	mov 16(%r12), %rcx
	mov 24(%r12), %rdx
	mov 32(%r12), %rsi
	mov 40(%r12), %rdi
	mov 48(%r12), %rbp
	int $0x80
afterInt80:
	cltq
	mov %rax, (%r14)
	add $ROW_BYTES, %r12
	add $8, %r14
	dec %r13
	jne compat
exit:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, context.end(%r15)
	mov $NR_exit, %eax
	xor %edi, %edi
	syscall
	ud2
spin:
	movq $1, context.finished(%r15)
again:
	pause
	jmp again
