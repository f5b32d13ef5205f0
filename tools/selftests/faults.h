/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing allocations and copies on purpose, where the kernel can do that
 * (Documentation/fault-injection): the n-th one of the calling thread, or all
 * from the n-th one on.
 *
 * Whatever the thread does between faults_begin() and faults_end() is counted
 * and may fail, so a second thread, which is never hit, has the switch.
 */
#ifndef PRIVHEAP_SELFTESTS_FAULTS_H
#define PRIVHEAP_SELFTESTS_FAULTS_H

#include "common.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

enum fault {
	FAULT_SLAB,
	FAULT_PAGE,
	FAULT_COPY,
	FAULTS
};

static const char *const fault_names[FAULTS] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

/* How a call is made to fail at its n-th point. */
enum fault_mode {
	FAIL_ONCE,
	FAIL_ON,		/* and at all that follow */
	FAULT_MODES
};

static const char *const fault_mode_names[FAULT_MODES] = {
	"failing once", "failing from there on",
};

/* More than any call has. */
#define FAULT_TIMES	1000000

struct faults {
	unsigned int n;
	int nth;		/* the thread's own knobs */
	int filter;
	pthread_t switcher;
	sem_t asked, answered;
	bool hit;
	unsigned int left;	/* of the count, when it was over */
	long times[FAULTS];	/* as last seen */
};

static inline const char *fault_path(int fault, const char *knob)
{
	static _Thread_local char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault_names[fault], knob);
	return path;
}

static inline void fault_set(int fault, const char *knob, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	REQUIRE_OK(file_write(fault_path(fault, knob), text));
}

static inline long fault_get(int fault, const char *knob)
{
	FILE *file = fopen(fault_path(fault, knob), "re");
	long value = 0;

	REQUIRE(file && fscanf(file, "%ld", &value) == 1);
	fclose(file);
	return value;
}

static inline void thread_set(int knob, unsigned int value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%u", value);

	REQUIRE(pwrite(knob, text, len, 0) == len);
}

/* What is left of a thread's count; 0 if it was hit. */
static inline unsigned int thread_get(int knob)
{
	char text[24] = "";

	REQUIRE(pread(knob, text, sizeof(text) - 1, 0) > 0);
	return strtoul(text, NULL, 10);
}

/* It counts first; only when it is through does the mode apply. */
static inline void faults_on(struct faults *f)
{
	thread_set(f->nth, f->n);
	thread_set(f->filter, 1);
}

static inline void faults_off(struct faults *f)
{
	thread_set(f->filter, 0);
	f->left = thread_get(f->nth);
	f->hit = !f->left;
	thread_set(f->nth, 0);
}

/* By turns on and off, as it is asked. */
static inline void *faults_switch(void *arg)
{
	struct faults *f = arg;

	for (bool on = true;; on = !on) {
		while (sem_wait(&f->asked))
			;
		if (on)
			faults_on(f);
		else
			faults_off(f);
		sem_post(&f->answered);
	}
	return NULL;
}

/* All faults by hand, of this thread alone, and without a word in the log. */
static inline void faults_tune(void)
{
	static const char *const knobs[][2] = {
		{ "verbose", "0" }, { "task-filter", "Y" }, { "interval", "1" },
		{ "space", "0" },
		/* Not every fault has these. */
		{ "ignore-gfp-wait", "N" }, { "ignore-gfp-highmem", "N" },
		{ "cache-filter", "N" }, { "min-order", "0" },
	};

	for (int i = 0; i < FAULTS; i++) {
		if (access(fault_path(i, "times"), W_OK))
			test_skip("the kernel cannot fail by %s", fault_names[i]);
		for (size_t k = 0; k < ARRAY_SIZE(knobs); k++)
			file_write(fault_path(i, knobs[k][0]), knobs[k][1]);
	}
}

static inline void faults_make(struct faults *f)
{
	test_needs_root();
	memset(f, 0, sizeof(*f));
	f->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	f->filter = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	if (f->nth < 0 || f->filter < 0)
		test_skip("the kernel cannot inject faults");
	faults_tune();
	REQUIRE(!sem_init(&f->asked, 0, 0) && !sem_init(&f->answered, 0, 0));
	REQUIRE(!pthread_create(&f->switcher, NULL, faults_switch, f));
	/* A page fault of our own is not to be hit. */
	REQUIRE(!mlockall(MCL_CURRENT | MCL_FUTURE));
}

static inline void faults_ask(struct faults *f)
{
	sem_post(&f->asked);
	while (sem_wait(&f->answered))
		;
}

/* What happens from the n-th point on. */
static inline void faults_choose(enum fault_mode mode)
{
	for (int i = 0; i < FAULTS; i++) {
		fault_set(i, "times", FAULT_TIMES);
		fault_set(i, "probability", mode == FAIL_ON ? 100 : 0);
	}
}

/* From here on the thread calls nothing but what is to fail. */
static inline void faults_begin(struct faults *f, unsigned int n)
{
	f->n = n;
	faults_ask(f);
}

/* Whether anything was hit. */
static inline bool faults_end(struct faults *f)
{
	faults_ask(f);
	return f->hit;
}

/* Whether one of this kind was, since the last look at it. */
static inline bool fault_was(struct faults *f, enum fault kind)
{
	long was = f->times[kind];

	f->times[kind] = fault_get(kind, "times");
	return f->times[kind] != was;
}

#endif
