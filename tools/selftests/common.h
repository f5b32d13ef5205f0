/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness of the selftests: a program adds its tests and runs them.
 *
 * Each test runs in a child process on a heap of its own. When the child and
 * all of its descendants are gone the harness compares the module-wide
 * counters with those from before: a closed heap must leave nothing.
 */
#ifndef PRIVHEAP_SELFTESTS_COMMON_H
#define PRIVHEAP_SELFTESTS_COMMON_H

/* The C11 programs want POSIX and Linux beside the standard library. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>

#include <linux/privheap.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))

/* All that a bad handle may earn; which of them is the subject of handles.c. */
#define HANDLE_ERRNOS	EXDEV, ESTALE, EREMCHG, EPROTOTYPE, EBADSLT, ENXIO

typedef void (*test_fn)(int heap, const void *arg);

/* A test: its name is the function's, or what the format says. */
#define TEST(fn)		test_add(fn, NULL, true, "%s", #fn)
#define TEST_ARG(fn, arg, ...)	test_add(fn, arg, true, __VA_ARGS__)
/* The same without a heap and without the check of what it left. */
#define TEST_BARE(fn)		test_add(fn, NULL, false, "%s", #fn)
#define TEST_BARE_ARG(fn, arg, ...) test_add(fn, arg, false, __VA_ARGS__)

void test_add(test_fn run, const void *arg, bool on_heap, const char *name, ...)
	__attribute__((format(printf, 4, 5)));
int tests_run(void);

/* Ends the running test, from any of its processes and threads. */
void test_abort(void) __attribute__((noreturn));
void test_skip(const char *why, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
/* Ends a test that has to be root, where it is not. */
void test_needs_root(void);
/* Runs @work in a process of its own, so that whatever comes of it this one goes on. */
void test_in_a_child(void (*work)(const void *), const void *arg);
/* A diagnostic line; it does not fail the test. */
void test_note(const char *what, ...) __attribute__((format(printf, 1, 2)));
/* Counts a row of hostile input. */
void test_row(void);
/* The verdict so far, of all processes of the test. */
bool test_failed(void);

/* A loop count, smaller where PRIVHEAP_SCALE=small says that time is dear. */
unsigned long scaled(unsigned long loops);
/* The same; and @full where PRIVHEAP_SCALE=full says that it is not. */
unsigned long scaled_to(unsigned long loops, unsigned long full);

struct place {
	const char *file;
	int line;
};

#define HERE	((struct place){ __FILE__, __LINE__ })

/* Returns false. */
bool expect_failed(struct place at, const char *what);
bool expect_eq(struct place at, const char *left, const char *right,
	       unsigned long long a, unsigned long long b);
/* @want ends with -1. */
bool expect_errno(struct place at, const char *call, int got, const int *want);

/* In line, so that whoever reads the code, an analyzer too, sees what it returns. */
static inline bool expect_true(struct place at, const char *what, bool is)
{
	return is || expect_failed(at, what);
}

#define EXPECT(cond)		expect_true(HERE, #cond, (cond))
#define EXPECT_EQ(a, b) \
	expect_eq(HERE, #a, #b, (unsigned long long)(a), (unsigned long long)(b))
/* A call gives 0 or an errno; with several listed, any of them will do. */
#define EXPECT_ERR(call, ...) \
	expect_errno(HERE, #call, (call), (const int[]){ __VA_ARGS__, -1 })
#define EXPECT_OK(call)		EXPECT_ERR(call, 0)

/* A row of hostile input: counted, and the sum is printed in the end. */
#define EXPECT_ROW(call, ...) \
	(test_row(), EXPECT_ERR(call, __VA_ARGS__))

#define REQUIRE(cond)		do { if (!EXPECT(cond)) test_abort(); } while (0)
#define REQUIRE_EQ(a, b)	do { if (!EXPECT_EQ(a, b)) test_abort(); } while (0)
#define REQUIRE_OK(call)	do { if (!EXPECT_OK(call)) test_abort(); } while (0)

/* The module-wide counters of debugfs. */
struct counters {
	__u64 heaps;
	__u64 pages;
	__u64 metadata_bytes;
	__u64 reserve_pages;
	__u64 reserve_free_pages;
};

int counters_read(struct counters *c);
bool counters_equal(const struct counters *was, const struct counters *is);

/* Content that tells object, position and a wrong order of bytes. */
void pattern_fill(void *to, size_t bytes, __u64 seed);
/* Index of the first byte that is not the pattern's; -1 if all are. */
long pattern_check(const void *from, size_t bytes, __u64 seed);
/* Index of the first byte that is not zero; -1 if all are. */
long zero_check(const void *from, size_t bytes);

/* A cheap pseudo-random number; the same sequence on every run. */
__u64 random_next(__u64 *state);

/* One number of a "name: value" or "name value" file; ~0 if there is none. */
__u64 file_number(const char *path, const char *name);
int file_write(const char *path, const char *text);

static inline __u64 user_ptr(const void *p)
{
	return (uintptr_t)p;
}

#endif
