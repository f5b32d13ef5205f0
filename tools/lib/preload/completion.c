// SPDX-License-Identifier: MIT
/*
 * The parent of a fork waits until the child has its copy: by a pipe, whose end
 * closes also if the child dies; or, where no more files are to be had, by a word
 * in a page of both, in which the child counts.
 */
#include "../internal.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "preload.h"

/* In the word; the rest of it counts steps. */
#define DONE	1u
#define LEFT	2u
#define STEP	4u

/* Without a step for so long the child is dead. */
#define PATIENCE_SECONDS	10

/* Of the fork that is under way. */
static int ends[2] = { -1, -1 };
static uint32_t *word;

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

static long futex(int operation, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void word_drop(void)
{
	munmap(word, sizeof(*word));
	word = NULL;
}

void ph_completion_begin(void)
{
	if (!pipe2(ends, O_CLOEXEC))
		return;
	ends[0] = ends[1] = -1;
	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (word == MAP_FAILED)
		word = NULL;
}

static void word_wait(void)
{
	const struct timespec patience = { .tv_sec = PATIENCE_SECONDS };
	uint32_t seen, is = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	bool late;

	do {
		seen = is;
		if (seen & DONE)
			return;
		late = futex(FUTEX_WAIT, seen, &patience) && errno == ETIMEDOUT;
		is = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	} while (!late || is != seen);
	__atomic_fetch_or(word, LEFT, __ATOMIC_RELAXED);
}

/* In the parent; @forked: there is a child. */
void ph_completion_wait(bool forked)
{
	char byte;

	close_end(&ends[1]);
	while (ends[0] >= 0 && read(ends[0], &byte, 1) < 0 && errno == EINTR)
		;
	close_end(&ends[0]);
	if (!word)
		return;
	if (forked)
		word_wait();
	word_drop();
}

/* In the child: it is alive. */
void ph_completion_step(void)
{
	if (word)
		__atomic_fetch_add(word, STEP, __ATOMIC_RELAXED);
}

/* In the child. False: the parent did not wait, and may have changed what was copied. */
bool ph_completion_end(void)
{
	bool waits = ends[0] >= 0;

	close_end(&ends[0]);
	close_end(&ends[1]);
	if (word) {
		waits = !(__atomic_fetch_or(word, DONE, __ATOMIC_ACQ_REL) & LEFT);
		futex(FUTEX_WAKE, 1, NULL);
		word_drop();
	}
	return waits;
}
