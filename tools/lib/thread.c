// SPDX-License-Identifier: MIT
/*
 * Threads: each gets its magazines at its first allocation, and leaves what is in
 * them to the depots when it ends.
 *
 * Destructors of thread-specific data may allocate and free after ours, so that
 * ours stands back as often as it may. What a thread still does after that goes
 * through magazines that all such orphans share, with a lock.
 */
#include "internal.h"

#include <limits.h>
#include <stddef.h>

static struct privheap_thread nobody PH_SPARSE;
static struct ph_thread orphans PH_SPARSE;
static pthread_mutex_t orphans_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

__thread struct privheap_thread *privheap_self
	__attribute__((tls_model("initial-exec"))) = &nobody;
static __thread bool orphaned __attribute__((tls_model("initial-exec")));

/* All there ever were; those of threads that ended serve others. */
static struct ph_thread *threads;
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static bool have_key;

/* Some of it may be of a heap that another thread is just deleting. */
static void thread_leave(struct ph_thread *thread)
{
	pthread_mutex_lock(&ph_teardown_lock);
	for (unsigned int kind = 1; kind < thread->kinds; kind++)
		ph_magazine_leave(thread, kind);
	thread->kinds = 0;
	pthread_mutex_unlock(&ph_teardown_lock);
}

static void thread_end(void *arg)
{
	struct ph_thread *thread = arg;

	if (++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS &&
	    !pthread_setspecific(key, thread))
		return;
	orphaned = true;
	privheap_self = &nobody;
	thread_leave(thread);
	pthread_mutex_lock(&threads_lock);
	thread->used = false;
	pthread_mutex_unlock(&threads_lock);
}

static struct ph_thread *thread_find(void)
{
	struct ph_thread *thread;

	for (thread = threads; thread && thread->used; thread = thread->next)
		;
	if (thread)
		return thread;
	thread = ph_pages(sizeof(*thread));
	if (thread) {
		thread->shelf = threads ? (threads->shelf + 1) % PH_SHELVES : 0;
		thread->next = threads;
		threads = thread;
	}
	return thread;
}

static cold struct ph_thread *thread_begin(void)
{
	struct ph_thread *thread;

	pthread_mutex_lock(&threads_lock);
	if (!have_key)
		have_key = !pthread_key_create(&key, thread_end);
	thread = thread_find();
	if (thread) {
		thread->used = true;
		thread->rounds = 0;
	}
	pthread_mutex_unlock(&threads_lock);
	if (!thread)
		return NULL;
	/* The next call may allocate. */
	privheap_self = &thread->own;
	if (have_key)
		pthread_setspecific(key, thread);
	return thread;
}

/* The caller's magazines, until ph_thread_leave(). Never fails. */
struct ph_thread *ph_thread_enter(void)
{
	struct ph_thread *thread;

	if (likely(privheap_self != &nobody))
		return (struct ph_thread *)((char *)privheap_self -
					    offsetof(struct ph_thread, own));
	thread = orphaned ? NULL : thread_begin();
	if (thread)
		return thread;
	pthread_mutex_lock(&orphans_lock);
	return &orphans;
}

void ph_thread_leave(struct ph_thread *thread)
{
	if (unlikely(thread == &orphans))
		pthread_mutex_unlock(&orphans_lock);
}

static void magazine_forget(struct privheap_magazine *magazine)
{
	if (magazine->base)
		ph_box_put((struct privheap_box *)((char *)magazine->base -
						   sizeof(struct privheap_box)));
	ph_box_put(magazine->spare);
	memset(magazine, 0, sizeof(*magazine));
}

/* The heap of this kind goes, and nobody uses it any more; no thread ends meanwhile. */
void ph_thread_drop_kind(unsigned int kind)
{
	struct ph_thread *thread;

	pthread_mutex_lock(&threads_lock);
	for (thread = threads; thread; thread = thread->next)
		if (kind < __atomic_load_n(&thread->kinds, __ATOMIC_RELAXED))
			magazine_forget(&thread->own.magazine[kind]);
	pthread_mutex_unlock(&threads_lock);
	pthread_mutex_lock(&orphans_lock);
	magazine_forget(&orphans.own.magazine[kind]);
	pthread_mutex_unlock(&orphans_lock);
}

/* Each lock of this file, in their order, and before them the teardown's. */
void ph_threads_locks(ph_lock_fn visit)
{
	visit(&ph_teardown_lock);
	visit(&orphans_lock);
	visit(&threads_lock);
}

/*
 * In the child of a fork, with the locks: no other thread is left, and what
 * they had in their magazines cannot be told.
 */
void ph_threads_forked(void)
{
	struct ph_thread *thread;

	for (thread = threads; thread; thread = thread->next) {
		if (!thread->used || &thread->own == privheap_self)
			continue;
		memset(&thread->own, 0, thread->kinds * sizeof(struct privheap_magazine));
		thread->kinds = 0;
		thread->used = false;
	}
}
