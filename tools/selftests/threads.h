/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: threads that do the same to one heap at the same time.
 */
#ifndef PRIVHEAP_SELFTESTS_THREADS_H
#define PRIVHEAP_SELFTESTS_THREADS_H

#include "calls.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS	4

struct worker {
	pthread_t thread;
	int heap;
	unsigned int number;
	__u64 *handles;		/* shared by all workers, as is what they point to */
	size_t count;
	atomic_uint *done;
};

static inline void workers_run(struct worker *workers, void *(*run)(void *))
{
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].number = i;
		REQUIRE(!pthread_create(&workers[i].thread, NULL, run, &workers[i]));
	}
}

static inline void workers_join(struct worker *workers)
{
	for (unsigned int i = 0; i < THREADS; i++)
		REQUIRE(!pthread_join(workers[i].thread, NULL));
}

#endif
