// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that allocate and free, for whatever malloc() is preloaded: time and
 * memory of one of three workloads of well-known shapes.
 *
 *   workload NAME WHO	prints the rows of NAME for WHO
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "bench.h"

#define THREADS		2
#define SLOTS		1000
#define BATCH		100
#define QUEUE		64
#define BUNCH		400

struct worker {
	pthread_t thread;
	uint64_t random;
	void **slots;
	unsigned int rounds;
	unsigned int number;
};

static void *fresh(size_t bytes)
{
	char *object = malloc(bytes);

	if (!object)
		bench_die("malloc");
	object[0] = object[bytes - 1] = 1;
	return object;
}

static void run_workers(struct worker *workers, void *(*run)(void *))
{
	for (unsigned int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, run, &workers[i]))
			bench_die("pthread_create");
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

/*
 * A server: each thread replaces objects of 8 to 1000 bytes at random places,
 * then ends, and its objects go on with another thread.
 */
static void *larson_worker(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < 20 * SLOTS; i++) {
		unsigned int slot = bench_random(&w->random) % SLOTS;

		free(w->slots[slot]);
		w->slots[slot] = fresh(8 + bench_random(&w->random) % 993);
	}
	return NULL;
}

static void larson(void)
{
	struct worker workers[THREADS];
	void **slots;

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .random = i + 1 };
		workers[i].slots = bench_memory(SLOTS * sizeof(void *));
	}
	for (unsigned int round = bench_times(20, 2); round; round--) {
		run_workers(workers, larson_worker);
		slots = workers[0].slots;
		for (unsigned int i = 1; i < THREADS; i++)
			workers[i - 1].slots = workers[i].slots;
		workers[THREADS - 1].slots = slots;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			free(workers[i].slots[slot]);
}

/* One thread allocates batches of objects of one to 128 bytes, another frees them. */
static void *queue[QUEUE];
static unsigned int queue_in, queue_out, queue_rounds;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_moved = PTHREAD_COND_INITIALIZER;

static void queue_put(void *batch)
{
	pthread_mutex_lock(&queue_lock);
	while (queue_in - queue_out == QUEUE)
		pthread_cond_wait(&queue_moved, &queue_lock);
	queue[queue_in++ % QUEUE] = batch;
	pthread_cond_signal(&queue_moved);
	pthread_mutex_unlock(&queue_lock);
}

static void *queue_get(void)
{
	void *batch;

	pthread_mutex_lock(&queue_lock);
	while (queue_in == queue_out)
		pthread_cond_wait(&queue_moved, &queue_lock);
	batch = queue[queue_out++ % QUEUE];
	pthread_cond_signal(&queue_moved);
	pthread_mutex_unlock(&queue_lock);
	return batch;
}

static void batch_make(struct worker *w)
{
	void **batch = fresh(BATCH * sizeof(void *));

	for (unsigned int i = 0; i < BATCH; i++)
		batch[i] = fresh(1 + bench_random(&w->random) % 128);
	queue_put(batch);
}

static void batch_free(void)
{
	void **batch = queue_get();

	for (unsigned int i = 0; i < BATCH; i++)
		free(batch[i]);
	free(batch);
}

static void *xmalloc_worker(void *arg)
{
	struct worker *w = arg;

	for (unsigned int round = queue_rounds; round; round--) {
		if (w->number)
			batch_free();
		else
			batch_make(w);
	}
	return NULL;
}

static void xmalloc(void)
{
	struct worker workers[THREADS];

	queue_rounds = bench_times(6000, 600);
	for (unsigned int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .random = i + 1, .number = i };
	run_workers(workers, xmalloc_worker);
}

/* Bunches of objects, small ones more often, freed in part forwards, then backwards. */
static size_t skewed(uint64_t *random)
{
	uint32_t n = bench_random(random);

	if (n % 100 < 75)
		return 8 + n / 128 % 56;
	if (n % 100 < 97)
		return 64 + n / 128 % 448;
	return 512 + n / 128 % 3584;
}

static void *sh8bench_worker(void *arg)
{
	struct worker *w = arg;
	void *bunch[BUNCH], *kept[BUNCH / 4] = { NULL };

	for (unsigned int round = w->rounds; round; round--) {
		for (unsigned int i = 0; i < BUNCH; i++)
			bunch[i] = fresh(skewed(&w->random));
		for (unsigned int i = 0; i < BUNCH; i += 2)
			free(bunch[i]);
		for (unsigned int i = 0; i < BUNCH; i += 2)
			bunch[i] = fresh(skewed(&w->random));
		/* A quarter lives on until the next round. */
		for (unsigned int i = 0; i < BUNCH / 4; i++) {
			free(kept[i]);
			kept[i] = bunch[4 * i];
			bunch[4 * i] = NULL;
		}
		for (unsigned int i = BUNCH; i--;)
			free(bunch[i]);
	}
	for (unsigned int i = 0; i < BUNCH / 4; i++)
		free(kept[i]);
	return NULL;
}

static void sh8bench(void)
{
	struct worker workers[THREADS];

	for (unsigned int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .random = i + 1, .rounds = bench_times(600, 60) };
	run_workers(workers, sh8bench_worker);
}

/* Bytes of a line "NAME: N kB"; the sum of such lines in mappings of @path. */
static uint64_t kilobytes(const char *file, const char *name, const char *path)
{
	FILE *from = fopen(file, "re");
	bool inside = !path;
	uint64_t sum = 0;
	char line[512];

	while (from && fgets(line, sizeof(line), from)) {
		if (path && strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
			inside = strstr(line, path);
		if (inside && !strncmp(line, name, strlen(name)))
			sum += strtoull(line + strlen(name), NULL, 10) * 1024;
	}
	if (from)
		fclose(from);
	return sum;
}

/* The most that a private heap of this process held; 0 if it has none. */
static uint64_t heap_peak(void)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	for (int fd = 3; fd < 64; fd++)
		if (!ioctl(fd, PRIVHEAP_HEAP_STAT, &stat))
			return stat.peak_bytes;
	return 0;
}

/*
 * The process's largest resident size. Of a private heap counts what it held at
 * its peak, whether it was mapped or not, in the place of what is mapped now.
 */
static uint64_t peak_bytes(void)
{
	uint64_t heap = heap_peak();

	if (!heap)
		return kilobytes("/proc/self/status", "VmHWM:", NULL);
	return heap + kilobytes("/proc/self/status", "VmRSS:", NULL) -
	       kilobytes("/proc/self/smaps", "Rss:", PRIVHEAP_DEVICE);
}

static const struct {
	const char *name;
	void (*run)(void);
} loads[] = {
	{ "larson", larson }, { "xmalloc", xmalloc }, { "sh8bench", sh8bench },
};

int main(int argc, char **argv)
{
	char row[64];
	uint64_t start;

	bench_init();
	for (size_t i = 0; argc == 3 && i < sizeof(loads) / sizeof(*loads); i++) {
		if (strcmp(argv[1], loads[i].name))
			continue;
		start = bench_now();
		loads[i].run();
		start = bench_since(start);
		snprintf(row, sizeof(row), "user.threads.%s", argv[1]);
		bench_row(row, argv[2], (double)start / 1e6, "ms");
		snprintf(row, sizeof(row), "user.rss.%s", argv[1]);
		bench_row(row, argv[2], (double)peak_bytes() / 1024, "KiB");
		return 0;
	}
	bench_die("usage: workload larson|xmalloc|sh8bench WHO");
}
