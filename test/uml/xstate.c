/*
 * xstate - lets Debian 12's linux.uml run on processors whose register state is larger than it knows.
 *
 * User-mode-linux 6.1 keeps 2,696 bytes of a process's extended registers. The host refuses to set
 * them unless they are given whole, and with AMX they are 11,008 bytes: the guest ends at its very
 * first return to user space ("ptrace set fp regs failed, errno = 14"). What is known is laid over
 * what the host has: only AMX lies behind, which nobody in the guest can have asked for. Where the
 * host takes what it is given, this does nothing.
 *
 *   cc -shared -fPIC -o xstate.so xstate.c; LD_PRELOAD=xstate.so linux.uml ...
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

static long (*real_ptrace)(enum __ptrace_request request, ...);

/* Not on the stack, which is the guest kernel's. Nothing in there sets registers while it sets some. */
static _Alignas(64) char whole[65536];

__attribute__((constructor)) static void find_real_ptrace(void)
{
	real_ptrace = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
}

static long set_whole(pid_t pid, void *type, const struct iovec *known)
{
	struct iovec io = { whole, sizeof whole };

	if (real_ptrace(PTRACE_GETREGSET, pid, type, &io) < 0)
		return -1;
	if (io.iov_len <= known->iov_len || io.iov_len == sizeof whole) {
		errno = EFAULT;
		return -1;
	}
	memcpy(whole, known->iov_base, known->iov_len);
	return real_ptrace(PTRACE_SETREGSET, pid, type, &io);
}

long ptrace(enum __ptrace_request request, ...)
{
	void *address, *data;
	va_list arguments;
	pid_t pid;
	long r;

	va_start(arguments, request);
	pid = va_arg(arguments, pid_t);
	address = va_arg(arguments, void *);
	data = va_arg(arguments, void *);
	va_end(arguments);
	r = real_ptrace(request, pid, address, data);
	if (r < 0 && errno == EFAULT && request == PTRACE_SETREGSET &&
	    address == (void *)NT_X86_XSTATE)
		r = set_whole(pid, address, data);
	return r;
}
