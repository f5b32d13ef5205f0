/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's free memory, for tests that ask whether it came back.
 */
#ifndef PRIVHEAP_SELFTESTS_MEMORY_H
#define PRIVHEAP_SELFTESTS_MEMORY_H

#include "common.h"

#include <glob.h>

/*
 * Free pages that each CPU keeps for itself: thousands after a large free, and
 * not part of MemFree. In zoneinfo they are the "count" of each page set.
 */
static inline __u64 memory_cpu_kb(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	__u64 pages = 0;
	char line[256];
	unsigned long n;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lu", &n) == 1)
			pages += n;
	if (file)
		fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/*
 * Slabs that are empty, and objects that KASAN keeps for a while after they were
 * freed: up to a thirty-second of the memory.
 */
static inline void memory_shrink_caches(void)
{
	glob_t caches;

	if (glob("/sys/kernel/slab/*/shrink", GLOB_NOSORT, NULL, &caches))
		return;
	for (size_t i = 0; i < caches.gl_pathc; i++)
		file_write(caches.gl_pathv[i], "1");
	globfree(&caches);
}

/* What is free once the kernel has dropped what it can drop at once. */
static inline __u64 memory_free_kb(void)
{
	__u64 free;

	test_needs_root();
	sync();
	file_write("/proc/sys/vm/drop_caches", "3");
	memory_shrink_caches();
	/* Counts of pages are kept per CPU, too, and summed up now and then. */
	file_write("/proc/sys/vm/stat_refresh", "1");
	free = file_number("/proc/meminfo", "MemFree");
	REQUIRE(free != ~0ULL);
	return free + memory_cpu_kb();
}

/*
 * Expects what was free to be free again but for @tolerance. What is freed
 * after a grace period comes a little later; a leak does not go away by
 * looking again.
 */
static inline void memory_expect_back(__u64 was, __u64 tolerance)
{
	__u64 is = 0;

	for (int looks = 0; looks < 50; looks++) {
		is = memory_free_kb();
		if (is + tolerance >= was)
			break;
		usleep(100000);
	}
	test_note("%llu kB were free before, %llu kB are now",
		  (unsigned long long)was, (unsigned long long)is);
	EXPECT(is + tolerance >= was);
}

#endif
