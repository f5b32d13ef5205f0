// SPDX-License-Identifier: GPL-2.0
/*
 * The allocators of others: the same program, linked once with each library.
 *
 * None of them checks what free() is given beyond what its makers ship: that
 * is what a program gets that calls them, and the table says so.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "stream.h"

/* Ours is a library like the others, but its rows have a goal. */
#define MINE(row)	(strcmp(PEER, "privheap") ? row : "user." row)

#define OBJECT		32
#define INT_OBJECT	28
#define BURST		64
#define CROWD		100000

struct crowd {
	void **objects;
	unsigned int count;
};

static void pair(void *arg, unsigned int times)
{
	(void)arg;
	for (unsigned int i = 0; i < times; i++) {
		void *object = malloc(OBJECT);

		bench_use(object);
		free(object);
	}
}

static void crowd(void *arg, unsigned int times)
{
	const struct crowd *crowd = arg;
	void **objects = crowd->objects, **end = objects + crowd->count, **at;

	while (times--) {
		for (at = objects; at < end; at++)
			*at = malloc(OBJECT);
		for (at = objects; at < end; at++)
			free(*at);
	}
}

/* The loops of crowd() without the calls: what is not the allocator's. */
static void crowd_loops(void *arg, unsigned int times)
{
	const struct crowd *crowd = arg;
	void **objects = crowd->objects, **end = objects + crowd->count, **at;

	while (times--) {
		for (at = objects; at < end; at++) {
			void *object = NULL;

			bench_use(object);
			*at = object;
		}
		for (at = objects; at < end; at++) {
			void *object = *at;

			bench_use(object);
		}
	}
}

static double crowd_cost(struct crowd *what, unsigned int times)
{
	return (bench_cost(crowd, what, times) -
		bench_cost(crowd_loops, what, times)) / what->count;
}

static void run_speed(void)
{
	struct crowd burst = { bench_memory(BURST * sizeof(void *)), BURST };
	struct crowd large = { bench_memory(CROWD * sizeof(void *)), CROWD };

	bench_row(MINE("malloc.pair"), PEER, bench_cost(pair, NULL, 1000), "ns");
	bench_row(MINE("malloc.burst64"), PEER, crowd_cost(&burst, 50), "ns");
	large.count = bench_times(CROWD, CROWD / 10);
	bench_row(MINE("malloc.burst100k"), PEER, crowd_cost(&large, 1), "ns");
}

/* The pages that this process has of its own, in bytes. */
static uint64_t anonymous_bytes(void)
{
	return bench_kilobytes("/proc/self/smaps_rollup", "\nAnonymous:");
}

/* Writes to all of it, as its user would: untouched pages do not exist. */
static void *make(size_t bytes)
{
	void *object = malloc(bytes);

	if (!object)
		bench_die("malloc");
	memset(object, 1, bytes);
	bench_use(object);
	return object;
}

static void run_waste(const char *path)
{
	struct stream stream;
	uint64_t before;

	stream_read(&stream, path, bench_times(200000, 20000));
	before = anonymous_bytes();
	for (unsigned int i = 0; i < stream.count; i++)
		make(stream.sizes[i]);
	bench_row("malloc.waste", PEER,
		  (double)(anonymous_bytes() - before) / (double)stream.bytes,
		  "ratio");
}

static void run_ints(void)
{
	unsigned int count = bench_times(1000000, 100000);
	uint64_t before = anonymous_bytes();

	for (unsigned int i = 0; i < count; i++)
		make(INT_OBJECT);
	bench_row("malloc.int", PEER,
		  (double)(anonymous_bytes() - before) / count, "bytes");
}

/*
 * glibc marks a block that has pages of its own in the word before it, and
 * such a block grows by mremap: pages move, no byte is copied. The others
 * have no such block; whenever theirs moved, it was copied.
 */
static bool grows_by_mremap(void *block)
{
	return !strcmp(PEER, "glibc") && block && (((size_t *)block)[-1] & 2);
}

/* Doubles as vectors do, and counts what realloc had to copy. */
static void *grow(void *list, size_t slots, uint64_t *copied)
{
	size_t usable = malloc_usable_size(list);
	bool moves_pages = grows_by_mremap(list);
	uintptr_t before = (uintptr_t)list;

	list = realloc(list, slots * 8);
	if (!list)
		bench_die("realloc");
	if ((uintptr_t)list != before && !moves_pages)
		*copied += usable;
	return list;
}

/* @crowded: each slot gets an int of its own, as a list of ints would. */
static void run_growth(bool crowded)
{
	size_t slots = bench_times(1000000, 100000), room = 1;
	uint64_t copied = 0, spent = 0;
	void *list = make(8);

	for (size_t used = 1; used <= slots; used++) {
		if (crowded)
			make(INT_OBJECT);
		if (used <= room)
			continue;
		uint64_t start = bench_now();

		room *= 2;
		list = grow(list, room, &copied);
		spent += bench_since(start);
	}
	bench_row(crowded ? "realloc.crowded" : "realloc.alone", PEER,
		  (double)copied, "bytes");
	bench_row(crowded ? "realloc.crowded.slot" : "realloc.alone.slot",
		  PEER, (double)spent / (double)slots, "ns");
}

#define SMALL		(64 << 10)
#define HUGE_LIST	(256 << 20)

/* One object that grows by half each time: what is copied after the first 64 KiB. */
static void run_huge(void)
{
	uint64_t copied = 0, ignored = 0;
	size_t bytes = 4096;
	void *list = make(bytes);

	while (bytes < HUGE_LIST) {
		bytes += bytes / 2;
		list = grow(list, bytes / 8, bytes > SMALL ? &copied : &ignored);
		memset(list, 1, 8);
	}
	bench_row("realloc.huge", PEER, (double)copied, "bytes");
}

/* A peer that is another library than its name says is no peer. */
static void check_library(void)
{
	Dl_info info;

	if (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) ||
	    !strstr(info.dli_fname, PEER_LIBRARY))
		bench_die("linked with another malloc than " PEER_LIBRARY);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	check_library();
	bench_init();
	if (!strcmp(what, "speed"))
		run_speed();
	else if (!strcmp(what, "waste") && argc > 2)
		run_waste(argv[2]);
	else if (!strcmp(what, "ints"))
		run_ints();
	else if (!strcmp(what, "alone"))
		run_growth(false);
	else if (!strcmp(what, "crowded"))
		run_growth(true);
	else if (!strcmp(what, "huge"))
		run_huge();
	else
		bench_die("usage: speed | waste TEXT | ints | alone | crowded | huge");
	return 0;
}
