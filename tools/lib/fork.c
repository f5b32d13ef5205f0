// SPDX-License-Identifier: MIT
/*
 * fork(): no mapping of a heap is there in the child. All locks of the library
 * are held while it happens, so that the child finds whole lists, and are new
 * ones there.
 *
 * Where there is but one thread none is taken: that thread may be in a handler of
 * a signal that came while it had some of them.
 */
#include "internal.h"

#include <signal.h>
#include <sys/single_threaded.h>

struct ph_fork_hooks ph_fork_hooks;

/* Of the thread that forks, as it was before; written with the locks. */
static struct forking {
	sigset_t blocked;
	int cancel, err;
	bool locked;
} forking;

/* They say which locks there are below: taken before those, released after them. */
static void visit_lists(ph_lock_fn visit)
{
	ph_threads_locks(visit);
	visit(&ph_heaps_lock);
	visit(&ph_kinds_lock);
}

static void visit_others(ph_lock_fn visit)
{
	visit(&ph_aligned_lock);
	for (unsigned int kind = 1; kind < ph_kinds_end; kind++)
		visit(&ph_kinds[kind].lock);
	for (struct privheap *heap = ph_heaps; heap; heap = heap->next) {
		visit(&heap->spans.lock);
		if (heap->plain)
			visit(ph_plain_lock(heap->plain));
	}
	visit(&ph_arena_lock);
}

/* Free, and of the kind that it was; whoever had it. */
static int renew(pthread_mutex_t *lock)
{
	int kind = lock->__data.__kind;

	*lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	lock->__data.__kind = kind;
	return 0;
}

/*
 * No handler runs in the child before it has what it needs, or forks while this
 * does; and nothing here is a point of cancellation.
 */
static struct forking forking_begin(void)
{
	struct forking begun = { .err = errno, .locked = !__libc_single_threaded };
	sigset_t all;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &begun.cancel);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &begun.blocked);
	return begun;
}

static void forking_end(const struct forking *begun, int err)
{
	pthread_sigmask(SIG_SETMASK, &begun->blocked, NULL);
	pthread_setcancelstate(begun->cancel, NULL);
	errno = err;
}

static void prepare(void)
{
	struct forking begun = forking_begin();

	/* One fork at a time from here on. */
	if (begun.locked) {
		visit_lists(pthread_mutex_lock);
		visit_others(pthread_mutex_lock);
	}
	forking = begun;
	if (ph_fork_hooks.prepare)
		ph_fork_hooks.prepare();
	/* Nothing else tells parent() that there is no child. */
	errno = 0;
}

static void parent(void)
{
	struct forking begun = forking;
	int err = errno;

	if (ph_fork_hooks.parent)
		ph_fork_hooks.parent(!err);
	if (begun.locked) {
		visit_others(pthread_mutex_unlock);
		visit_lists(pthread_mutex_unlock);
	}
	forking_end(&begun, err ? err : begun.err);
}

static void heaps_gone(void)
{
	for (struct privheap *heap = ph_heaps; heap; heap = heap->next) {
		if (heap->plain)
			continue;
		heap->gone = true;
		/* Nothing is at any address of it. */
		heap->bytes = 0;
		heap->spans.count = 0;
		ph_kinds_forget(heap);
	}
}

static void child(void)
{
	struct forking begun = forking;

	visit_lists(renew);
	visit_others(renew);
	if (begun.locked)
		ph_threads_forked();
	if (ph_fork_hooks.child)
		ph_fork_hooks.child();
	else
		heaps_gone();
	forking_end(&begun, begun.err);
}

static void fork_register(void)
{
	pthread_atfork(prepare, parent, child);
}

/*
 * Once. What registers later finds the library at rest in the child. Early, for
 * the first allocation may be the C library's, while it registers somebody else.
 */
__attribute__((constructor)) void ph_fork_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fork_register);
}
