// SPDX-License-Identifier: MIT
/*
 * fork() on a stack that is in the heap, as coroutines and threads may have it. The
 * child gets what is there a moment later, when the parent must not have used it:
 * so both are on another one until the child has its copy.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "../internal.h"
#include "preload.h"

#define STACK_BYTES	((size_t)256 << 10)	/* for the program's handlers, too */

/* The C library's own name of it. */
pid_t __fork(void);

/* On the stack that is none of the heap's. */
struct away {
	ucontext_t here, there;
	pid_t pid;
};

static __thread struct away *away __attribute__((tls_model("initial-exec")));

static void fork_away(void)
{
	struct away *own = away;

	own->pid = __fork();
}

static pid_t fork_on(struct away *own)
{
	if (getcontext(&own->there))
		return -1;
	own->there.uc_stack.ss_sp = own + 1;
	own->there.uc_stack.ss_size = STACK_BYTES - sizeof(*own);
	own->there.uc_link = &own->here;
	makecontext(&own->there, fork_away, 0);
	away = own;
	return swapcontext(&own->here, &own->there) ? -1 : own->pid;
}

PUBLIC pid_t fork(void)
{
	struct away *own;
	pid_t pid;
	int err;

	if (ph_process_heap.plain ||
	    ph_offset(&ph_process_heap, __builtin_frame_address(0)) >= ph_process_heap.bytes)
		return __fork();
	own = ph_pages(STACK_BYTES);
	if (!own)
		return -1;
	pid = fork_on(own);
	err = errno;
	munmap(own, STACK_BYTES);
	errno = err;
	return pid;
}
