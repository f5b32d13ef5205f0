// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS		25
#define ROUNDS_SHORT	3

bool bench_short;

static uint64_t clock_cost;
static double loop_cost;

static uint64_t clock_read(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t bench_now(void)
{
	uint64_t now = clock_read();

	bench_mark(BENCH_MARK_START);
	return now;
}

uint64_t bench_since(uint64_t start)
{
	uint64_t spent;

	bench_mark(BENCH_MARK_STOP);
	spent = clock_read() - start;
	return spent > clock_cost ? spent - clock_cost : 0;
}

void bench_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

uint64_t bench_kilobytes(const char *path, const char *name)
{
	static char text[4096];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(file, text, sizeof(text) - 1);
	const char *line;

	if (length <= 0)
		bench_die(path);
	close(file);
	text[length] = '\0';
	line = strstr(text, name);
	if (!line)
		bench_die(name);
	return strtoull(line + strlen(name), NULL, 10) * 1024;
}

/* Not by malloc: the allocator may be what is being measured. */
void *bench_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		bench_die("memory for the benchmark itself");
	return memory;
}

unsigned int bench_times(unsigned int full, unsigned int brief)
{
	return bench_short ? brief : full;
}

static unsigned int rounds(void)
{
	return bench_times(ROUNDS, ROUNDS_SHORT);
}

static uint64_t one_round(bench_body body, void *arg, unsigned int times)
{
	uint64_t start = bench_now();

	body(arg, times);
	return bench_since(start);
}

static double best_round(bench_body body, void *arg, unsigned int times)
{
	uint64_t best = UINT64_MAX;

	body(arg, times);
	for (unsigned int i = 0; i < rounds(); i++) {
		uint64_t spent = one_round(body, arg, times);

		if (spent < best)
			best = spent;
	}
	return (double)best / times;
}

double bench_cost(bench_body body, void *arg, unsigned int times)
{
	return best_round(body, arg, times) - loop_cost;
}

double bench_mean(bench_body body, void *arg, unsigned int times)
{
	uint64_t sum = 0;

	body(arg, times);
	for (unsigned int i = 0; i < rounds(); i++)
		sum += one_round(body, arg, times);
	return (double)sum / rounds() / times - loop_cost;
}

static void empty_loop(void *arg, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		bench_use(arg);
}

void bench_init(void)
{
	const char *brief = getenv("SHORT");
	uint64_t least = UINT64_MAX;

	bench_short = brief && *brief && *brief != '0';
	for (int i = 0; i < 100; i++) {
		uint64_t spent = bench_since(bench_now());

		if (spent < least)
			least = spent;
	}
	clock_cost = least;
	loop_cost = best_round(empty_loop, NULL, 1000);
	bench_mark(BENCH_MARK_ROW);
}

void bench_row(const char *name, const char *who, double value,
	       const char *unit)
{
	printf("measure\t%s\t%s\t%.3f\t%s\n", name, who, value, unit);
	fflush(stdout);
	bench_mark(BENCH_MARK_ROW);
}

uint32_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}
