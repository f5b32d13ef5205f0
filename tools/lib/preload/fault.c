// SPDX-License-Identifier: MIT
/*
 * Whoever touches the heap in the child of a fork before the child's handler has
 * run: the C library, which has there the streams that it visits, a long list of
 * handlers, or all that it knows of the thread. The SIGSEGV of that has the heap's
 * content put in place, on a stack of the library's own.
 */
#include "../internal.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include "preload.h"

#define STACK_BYTES	((size_t)64 << 10)

/* In a page that is zeroes in the child, whatever number it has as a process. */
struct told {
	bool parent;
	bool sent;		/* a SIGSEGV that nobody's access caused */
};

static char *stack;		/* and that page behind it */
static struct told *told;
static bool (*rescue)(void);

/* Of the fork that is under way. */
static struct sigaction action_before;
static stack_t stack_before;
static bool watching, stack_taken, in_heap;

/* Who faults otherwise gets what he would have got. */
static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (info->si_code <= 0)
		told->sent = true;
	else if (told->parent || !rescue())
		sigaction(SIGSEGV, &action_before, NULL);
}

static bool have_stack(void)
{
	size_t page = (size_t)getpagesize();
	char *pages;

	if (stack)
		return true;
	pages = ph_pages(STACK_BYTES + page);
	if (!pages)
		return false;
	if (madvise(pages + STACK_BYTES, page, MADV_WIPEONFORK)) {
		munmap(pages, STACK_BYTES + page);
		return false;
	}
	told = (struct told *)(void *)(pages + STACK_BYTES);
	stack = pages;
	return true;
}

#if defined(RSEQ_SIG) && defined(SYS_rseq)
#define RSEQ_BYTES	32	/* what the C library registers */

static void rseq(int flags)
{
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			RSEQ_BYTES, flags, RSEQ_SIG);
}
#else
#define RSEQ_FLAG_UNREGISTER	1

static void rseq(int flags)
{
	(void)flags;
}
#endif

/*
 * Where a thread's own variables are on its stack, and that in the heap, the kernel
 * has no place for its number in the child; and it kills who has a restartable
 * sequence registered where nothing is.
 */
static void number_again(void)
{
	pid_t *number = NULL;

	if (!prctl(PR_GET_TID_ADDRESS, &number) && number)
		*number = (pid_t)syscall(SYS_gettid);
}

/* @saves puts the heap's content in place, once, and tells whether it did. */
void ph_fault_watch(const struct privheap *heap, bool (*saves)(void))
{
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t own;
	sigset_t segv;

	if (!have_stack())
		return;
	own = (stack_t){ .ss_sp = stack, .ss_size = STACK_BYTES };
	/* Not while an alternate stack is in use; but that is not in the heap: fork(). */
	stack_taken = !sigaltstack(&own, &stack_before);
	*told = (struct told){ .parent = true };
	rescue = saves;
	watching = true;
	in_heap = ph_offset(heap, &privheap_self) < heap->bytes;
	if (in_heap)
		rseq(RSEQ_FLAG_UNREGISTER);
	sigfillset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &action_before);
	sigemptyset(&segv);
	sigaddset(&segv, SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &segv, NULL);
}

void ph_fault_unwatch(void)
{
	sigset_t segv;

	if (!watching)
		return;
	watching = false;
	sigemptyset(&segv);
	sigaddset(&segv, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &segv, NULL);
	sigaction(SIGSEGV, &action_before, NULL);
	if (stack_taken)
		sigaltstack(&stack_before, NULL);
	if (in_heap && !told->parent)
		number_again();
	if (in_heap)
		rseq(0);
	/* Until the program's own mask is back it waits. */
	if (told->sent)
		raise(SIGSEGV);
}
