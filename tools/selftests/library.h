/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heaps of libprivheap for the tests of the library, each test in two places:
 * on the module, and on the plain memory that stands in for it.
 */
#ifndef PRIVHEAP_SELFTESTS_LIBRARY_H
#define PRIVHEAP_SELFTESTS_LIBRARY_H

#include "common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "libprivheap.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)

/* Where a heap is, and how: the argument of each test. */
struct place_of_heap {
	const char *name;
	bool plain;
	unsigned int flags;
};

static const struct place_of_heap places[] = {
	{ "module", false, 0 },
	{ "module_hardened", false, PRIVHEAP_HARDENED },
	{ "plain", true, 0 },
	{ "plain_hardened", true, PRIVHEAP_HARDENED },
};

static inline struct privheap *library_heap(const void *arg)
{
	const struct place_of_heap *where = arg;
	struct privheap_options options = {
		.flags = where->flags | PRIVHEAP_FALLBACK,
	};
	struct privheap *heap;

	if (where->plain)
		setenv("PRIVHEAP_DEVICE", "/dev/privheap-is-not-here", 1);
	heap = privheap_new(&options);
	REQUIRE(heap);
	REQUIRE_EQ(privheap_fd(heap) < 0, where->plain);
	return heap;
}

/* Objects that the kernel has handed out; 0 in plain memory, which counts none. */
static inline __u64 library_handed(struct privheap *heap)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	if (privheap_fd(heap) < 0)
		return 0;
	REQUIRE(!privheap_cmd_heap_stat(privheap_fd(heap), &stat));
	return stat.handed_objects;
}

/* How many the kernel has ever handed out; 0 in plain memory. */
static inline __u64 library_taken(struct privheap *heap)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	if (privheap_fd(heap) < 0)
		return 0;
	REQUIRE(!privheap_cmd_heap_stat(privheap_fd(heap), &stat));
	return stat.taken;
}

static inline int library_kind(struct privheap *heap, __u32 type, size_t bytes)
{
	int kind = privheap_kind(heap, type, bytes);

	REQUIRE(kind > 0);
	return kind;
}

/* What was reported as corruption, in the test that says so. */
static char library_said[PRIVHEAP_MESSAGE_BYTES];
static const void *library_said_of;
static unsigned int library_reports;

static inline void library_note(const void *object, const char *message)
{
	library_reports++;
	library_said_of = object;
	strncpy(library_said, message, sizeof(library_said) - 1);
}

#define TEST_PLACES(fn) \
	for (size_t place = 0; place < ARRAY_SIZE(places); place++) \
		TEST_BARE_ARG(fn, &places[place], #fn "_%s", places[place].name)

#endif
