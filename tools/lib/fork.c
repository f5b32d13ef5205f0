// SPDX-License-Identifier: MIT
/*
 * fork(): no mapping of a heap is there in the child. All locks of the library
 * are held while it happens, so that the child finds whole lists.
 */
#include "internal.h"

struct ph_fork_hooks ph_fork_hooks;

static void lock_heaps(void)
{
	for (struct privheap *heap = ph_heaps; heap; heap = heap->next) {
		pthread_mutex_lock(&heap->spans.lock);
		if (heap->plain)
			ph_plain_lock(heap->plain);
	}
}

static void unlock_heaps(void)
{
	for (struct privheap *heap = ph_heaps; heap; heap = heap->next) {
		if (heap->plain)
			ph_plain_unlock(heap->plain);
		pthread_mutex_unlock(&heap->spans.lock);
	}
}

static void lock_depots(void)
{
	for (unsigned int kind = 1; kind < ph_kinds_end; kind++)
		if (ph_kinds[kind].heap)
			pthread_mutex_lock(&ph_kinds[kind].lock);
}

static void unlock_depots(void)
{
	for (unsigned int kind = 1; kind < ph_kinds_end; kind++)
		if (ph_kinds[kind].heap)
			pthread_mutex_unlock(&ph_kinds[kind].lock);
}

static void prepare(void)
{
	/* One fork at a time from here on. */
	ph_threads_lock();
	if (ph_fork_hooks.prepare)
		ph_fork_hooks.prepare();
	pthread_mutex_lock(&ph_heaps_lock);
	pthread_mutex_lock(&ph_kinds_lock);
	lock_depots();
	lock_heaps();
	pthread_mutex_lock(&ph_arena_lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&ph_arena_lock);
	unlock_heaps();
	unlock_depots();
	pthread_mutex_unlock(&ph_kinds_lock);
	pthread_mutex_unlock(&ph_heaps_lock);
	ph_threads_unlock();
}

static void parent(void)
{
	if (ph_fork_hooks.parent)
		ph_fork_hooks.parent();
	unlock();
}

static void child(void)
{
	ph_threads_forked();
	unlock();
	if (ph_fork_hooks.child) {
		ph_fork_hooks.child();
		return;
	}
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

static void fork_register(void)
{
	pthread_atfork(prepare, parent, child);
}

/* Once. What registers later finds the library at rest in the child. */
void ph_fork_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fork_register);
}
