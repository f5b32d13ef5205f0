// SPDX-License-Identifier: GPL-2.0
/* Which branches of the module an input reached; see cover.h. */
#include "cover.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#define KCOV_FILE	"/sys/kernel/debug/kcov"
#define TEXT_FILE	"/sys/module/privheap/sections/.text"
#define RECORDS		(1UL << 15)
/* Each actor, and a child. */
#define BUFFERS		4

static int files[BUFFERS];
static uint64_t *buffers[BUFFERS];
static uint64_t text;
static bool ready;
static _Thread_local int mine = -1;

static uint64_t read_address(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long value = 0;

	if (file) {
		if (fscanf(file, "%llx", &value) != 1)
			value = 0;
		fclose(file);
	}
	return value;
}

bool cover_setup(void)
{
	text = read_address(TEXT_FILE);
	for (int i = 0; i < BUFFERS; i++) {
		files[i] = open(KCOV_FILE, O_RDWR | O_CLOEXEC);
		if (files[i] < 0 || ioctl(files[i], KCOV_INIT_TRACE, RECORDS))
			return false;
		buffers[i] = mmap(NULL, RECORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				  MAP_SHARED, files[i], 0);
		if (buffers[i] == MAP_FAILED)
			return false;
	}
	ready = text;
	return ready;
}

void cover_start(unsigned int actor)
{
	if (ready && actor < BUFFERS && !ioctl(files[actor], KCOV_ENABLE, KCOV_TRACE_PC))
		mine = actor;
}

void cover_stop(void)
{
	if (mine >= 0)
		ioctl(files[mine], KCOV_DISABLE, 0);
	mine = -1;
}

void cover_reset(void)
{
	for (int i = 0; ready && i < BUFFERS; i++)
		__atomic_store_n(buffers[i], 0, __ATOMIC_RELAXED);
}

static bool set_bit(uint64_t *bits, uint32_t at)
{
	bool was = bits[at / 64] >> at % 64 & 1;

	bits[at / 64] |= 1UL << at % 64;
	return !was;
}

static uint32_t records(int i)
{
	uint64_t nr = __atomic_load_n(buffers[i], __ATOMIC_RELAXED);

	return nr < RECORDS ? nr : RECORDS - 1;
}

uint32_t cover_add(struct cover *all, uint32_t *pairs)
{
	uint32_t sites = 0;

	*pairs = 0;
	for (int i = 0; ready && i < BUFFERS; i++) {
		uint32_t nr = records(i), last = 0;

		for (uint32_t j = 1; j <= nr && j < RECORDS; j++) {
			uint64_t at = buffers[i][j] - text;

			if (at >= COVER_TEXT)
				continue;
			sites += set_bit(all->sites, at);
			*pairs += set_bit(all->pairs, (last * 31 ^ (uint32_t)at) % COVER_PAIRS);
			last = at * 2654435761U >> 8;
		}
	}
	all->nr_sites += sites;
	all->nr_pairs += *pairs;
	return sites;
}

uint32_t cover_fresh(const struct cover *all, uint32_t *sites, uint32_t max)
{
	static struct cover one;
	uint32_t pairs, nr = 0;

	memset(&one, 0, sizeof(one));
	cover_add(&one, &pairs);
	for (uint32_t i = 0; i < COVER_TEXT / 64; i++) {
		uint64_t bits = one.sites[i] & ~all->sites[i];

		for (; bits && nr < max; bits &= bits - 1)
			sites[nr++] = i * 64 + __builtin_ctzl(bits);
	}
	return nr;
}

uint32_t cover_sites(uint32_t *sites, uint32_t max)
{
	static const struct cover none;

	return cover_fresh(&none, sites, max);
}

const char *cover_shrinker(void)
{
	static char path[128];
	glob_t found;

	if (!path[0] && !glob("/sys/kernel/debug/shrinker/privheap*/scan", 0, NULL, &found)) {
		snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
		globfree(&found);
	}
	return path;
}
