// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of an insertion fails, from the kernel's reading of the file's
 * parameters to the module's last own one; alone, and with all that follow. Then
 * the module is there and works, or nothing of it is.
 */
#include "calls.h"
#include "faults.h"
#include "loading.h"
#include "memory.h"

#define WITH_RESERVE	"reserve_mb=16"

/* More points than an insertion has. */
#define MANY_POINTS	1000000

/* The last ones, which are the module's own and those that make it known. */
#define LAST_POINTS	120

static struct faults faults;

/* How many points an insertion has; the module is out before and after. */
static unsigned int points_count(void)
{
	faults_choose(FAIL_ONCE);
	faults_begin(&faults, MANY_POINTS);
	REQUIRE_OK(module_insert(WITH_RESERVE));
	faults_end(&faults);
	REQUIRE_OK(module_remove());
	REQUIRE(faults.left < MANY_POINTS);
	return MANY_POINTS - faults.left;
}

static void nothing_is_there(void)
{
	EXPECT(access("/sys/module/privheap", F_OK) < 0);
	EXPECT(access("/sys/class/misc/privheap", F_OK) < 0);
	EXPECT(access("/sys/kernel/debug/privheap", F_OK) < 0);
}

static void module_works(void)
{
	__u64 handles[64];
	int heap = heap_open();

	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 20000, handles, 64);
	EXPECT(heap_stat(heap).pages_from_reserve > 0);
	heap_drain(heap, handles, 64);
	close(heap);
}

/* One point; whether the insertion failed for it. */
static bool point_try(unsigned int n, bool *hit)
{
	int err;

	faults_begin(&faults, n);
	err = module_insert(WITH_RESERVE);
	*hit = faults_end(&faults);
	if (err) {
		EXPECT(*hit);
		EXPECT_ERR(err, ENOMEM, EFAULT);
		nothing_is_there();
		return true;
	}
	/* The kernel may do without what it could not have, such as the node. */
	if (!access(PRIVHEAP_DEVICE, F_OK))
		module_works();
	REQUIRE_OK(module_remove());
	nothing_is_there();
	return false;
}

static void points_sweep(unsigned int first, enum fault_mode mode)
{
	unsigned int n = first, failed = 0;
	bool hit = true;

	faults_choose(mode);
	for (; hit && !test_failed(); n++)
		failed += point_try(n, &hit);
	if (test_failed())
		test_note("%s at point %u", fault_mode_names[mode], n - 1);
	test_note("%s: points %u to %u, of which %u failed the insertion",
		  fault_mode_names[mode], first, n - 2, failed);
	EXPECT(failed > 0);
}

static void insertions(const void *arg)
{
	unsigned int points, first;
	__u64 was;

	(void)arg;
	faults_make(&faults);
	REQUIRE_OK(module_remove());
	points = points_count();
	first = points > LAST_POINTS ? points - LAST_POINTS : 1;
	was = memory_free_kb();
	for (enum fault_mode mode = FAIL_ONCE; mode < FAULT_MODES; mode++)
		points_sweep(first, mode);
	/* As in module.c; a reserve that was lost once would be 16 MiB. */
	memory_expect_back(was, 1024 + 20 * 2 * LAST_POINTS);
	REQUIRE_OK(module_insert(WITH_RESERVE));
	module_works();
}

static void insertion_fails_at_each_point(int heap, const void *arg)
{
	(void)heap;
	restored_after(insertions, arg);
}

int main(void)
{
	parameters_save();
	TEST_BARE(insertion_fails_at_each_point);
	return tests_run();
}
