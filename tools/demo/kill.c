// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../privheap/debugfs.h"
#include "../privheap/units.h"
#include "index.h"
#include "kill.h"

#define ROUNDS		8
#define CLIENT_WORDS	20000

/* What the module as a whole has: a heap that is gone leaves it as it was. */
struct counters {
	uint64_t heaps;
	uint64_t pages;
	uint64_t metadata_bytes;
	uint64_t reserve_free_pages;
};

static int counters_take(struct counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	if (module_counter("heaps", &counters->heaps) < 0 ||
	    module_counter("pages", &counters->pages) < 0 ||
	    module_counter("metadata_bytes", &counters->metadata_bytes) < 0 ||
	    module_counter("reserve_free_pages", &counters->reserve_free_pages) < 0)
		return -1;
	return 0;
}

/* Never ends by itself: it builds an index, drops half, builds again. */
_Noreturn static void client(int ready)
{
	char *bytes = take(CLIENT_WORDS, 8);
	struct text text = { .bytes = bytes };
	struct index index;
	struct heap heap;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < CLIENT_WORDS; i++)
		text.length += (size_t)sprintf(bytes + text.length, "w%d ", i);
	heap_open(&heap);
	index_create(&index, &heap);
	if (write(ready, "", 1) != 1)
		fail("pipe");
	for (;;) {
		index_add(&index, &text);
		index_drop_half(&index);
	}
}

/* The client is at work when this returns. */
static pid_t start_client(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	fflush(stdout);
	if (pipe(ready) < 0)
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		close(ready[0]);
		client(ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void work_for(unsigned int milliseconds)
{
	const struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}

static bool came_back(const struct counters *before, const struct counters *after)
{
	return !memcmp(before, after, sizeof(*before));
}

static void print_counters(const char *when, const struct counters *counters)
{
	char pages[UNIT_BYTES], metadata[UNIT_BYTES], reserve[UNIT_BYTES];

	printf("  %-20s %6" PRIu64 " %10s %14s %14s\n", when, counters->heaps,
	       unit_count(pages, counters->pages),
	       unit_bytes(metadata, counters->metadata_bytes),
	       unit_count(reserve, counters->reserve_free_pages));
}

/* Kills one client at some moment of its work, and looks right afterwards. */
static int kill_one(unsigned int round, struct counters *while_alive, struct counters *after)
{
	pid_t pid = start_client();
	int status;

	if (pid < 0)
		return -1;
	work_for(20 + 37 * round);
	if (counters_take(while_alive) < 0)
		fail("counters of the module");
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return -1;
	return counters_take(after);
}

int kill_clients(void)
{
	struct counters before, alive, after;
	char when[UNIT_BYTES];
	unsigned int round;

	if (counters_take(&before) < 0) {
		table_complain("module", errno);
		puts("  Left out: only root can see the counters of the module.");
		return -1;
	}
	printf("  %-20s %6s %10s %14s %14s\n", "", "heaps", "pages", "metadata", "reserve pages");
	print_counters("before", &before);
	for (round = 0; round < ROUNDS; round++) {
		if (kill_one(round, &alive, &after) < 0) {
			fprintf(stderr, "privheap-demo: the client ended before it was killed\n");
			return 1;
		}
		snprintf(when, sizeof(when), "client %u at work", round + 1);
		print_counters(when, &alive);
		if (!came_back(&before, &after)) {
			print_counters("after kill -9", &after);
			fprintf(stderr, "privheap-demo: not all memory of the client came back\n");
			return 1;
		}
	}
	snprintf(when, sizeof(when), "after %d x kill -9", ROUNDS);
	print_counters(when, &after);
	puts("  Everything came back, to the page, each time.");
	return 0;
}
