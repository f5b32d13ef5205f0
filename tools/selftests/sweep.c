// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy of user memory of every command fails: the
 * first, the second, and so on until the command gets through; and again, all
 * from that one on. Each time the errno is the documented one, the heap is as
 * it was and works, its books balance, and a close leaves nothing.
 *
 * What each command finds and wants is in deeds.h.
 */
#include "deeds.h"
#include "faults.h"

#include <stdatomic.h>

#define VALIDATE	"/sys/kernel/debug/privheap/validate"

/* A call that has more points than that does not end. */
#define MOST_POINTS	3000

/* What the issue of all sweeps has to reach, on a kernel that can fail. */
#define LEAST_POINTS	500

static struct tally {
	atomic_uint points;	/* calls that were hit */
	atomic_uint failed;	/* of which failed */
	atomic_uint deeds;
} *tally;

static struct faults faults;
static struct stage stage;

/* What a failed call may not change, by type, too. */
struct figures {
	struct privheap_heap_stat heap;
	struct privheap_type_stat types[ARRAY_SIZE(stage_types)];
};

static struct figures before, after;

static void figures_read(int heap, struct figures *f)
{
	memset(f, 0, sizeof(*f));
	f->heap = heap_stat(heap);
	for (size_t i = 0; i < ARRAY_SIZE(stage_types); i++) {
		f->types[i].size = sizeof(f->types[i]);
		f->types[i].type = stage_types[i];
		heap_call(heap, PRIVHEAP_TYPE_STAT, &f->types[i]);
	}
}

static bool figures_equal(const struct figures *a, const struct figures *b)
{
	bool same = true;

	same &= EXPECT_EQ(a->heap.types, b->heap.types);
	same &= EXPECT_EQ(a->heap.live_objects, b->heap.live_objects);
	same &= EXPECT_EQ(a->heap.live_bytes, b->heap.live_bytes);
	same &= EXPECT_EQ(a->heap.handed_objects, b->heap.handed_objects);
	same &= EXPECT_EQ(a->heap.handed_bytes, b->heap.handed_bytes);
	same &= EXPECT_EQ(a->heap.soft_max_bytes, b->heap.soft_max_bytes);
	same &= EXPECT_EQ(a->heap.hard_max_bytes, b->heap.hard_max_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(stage_types); i++) {
		same &= EXPECT_EQ(a->types[i].live_objects, b->types[i].live_objects);
		same &= EXPECT_EQ(a->types[i].live_bytes, b->types[i].live_bytes);
		same &= EXPECT_EQ(a->types[i].handed_objects, b->types[i].handed_objects);
		same &= EXPECT_EQ(a->types[i].promised_objects,
				  b->types[i].promised_objects);
		same &= EXPECT_EQ(a->types[i].quota_objects, b->types[i].quota_objects);
	}
	return same;
}

/* The kernel's own check of all its books. */
static void expect_sound(void)
{
	FILE *file = fopen(VALIDATE, "re");
	unsigned int heap, sound;

	REQUIRE(file);
	while (fscanf(file, "heap=%u sound=%u\n", &heap, &sound) == 2)
		EXPECT_EQ(sound, 1);
	EXPECT(feof(file));
	fclose(file);
}

/* Nothing but what was hit may be what the call complains about. */
static void errno_judge(const struct deed *deed, int err)
{
	bool memory = fault_was(&faults, FAULT_SLAB);
	bool copy = fault_was(&faults, FAULT_COPY);

	memory |= fault_was(&faults, FAULT_PAGE);
	EXPECT_ERR(err, copy ? EFAULT : ENOMEM, memory ? ENOMEM : EFAULT,
		   memory && deed->also ? deed->also : ENOMEM);
	EXPECT(memory || copy);
}

static void failure_judge(const struct deed *deed, int err)
{
	errno_judge(deed, err);
	if (!stage.heap)
		return;
	figures_read(stage.heap, &after);
	figures_equal(&before, &after);
	stage_check_victim(&stage);
	/* It failed for want of what is there again. */
	EXPECT_OK(deed_do(deed, &stage));
}

/* One point; false when there are no more. */
static bool point_try(const struct deed *deed, unsigned int n)
{
	bool hit;
	int err;

	stage_make(&stage);
	deed->prepare(&stage);
	figures_read(stage.heap, &before);
	faults_begin(&faults, n);
	err = deed_do(deed, &stage);
	hit = faults_end(&faults);
	if (err)
		failure_judge(deed, err);
	stage_check(&stage);
	expect_sound();
	stage_end(&stage);
	tally->points += hit;
	tally->failed += hit && err;
	return hit;
}

static void deed_fails_at_each_point(int heap, const void *arg)
{
	const struct deed *deed = arg;
	struct counters was, is;
	unsigned int n;

	(void)heap;
	faults_make(&faults);
	REQUIRE_OK(counters_read(&was));
	for (enum fault_mode mode = FAIL_ONCE; mode < FAULT_MODES; mode++) {
		faults_choose(mode);
		for (int i = 0; i < FAULTS; i++)
			fault_was(&faults, i);
		for (n = 1; point_try(deed, n); n++) {
			REQUIRE(n < MOST_POINTS);
			if (!test_failed())
				continue;
			test_note("by %s, at point %u", fault_mode_names[mode], n);
			test_abort();
		}
	}
	REQUIRE_OK(counters_read(&is));
	counters_equal(&was, &is);
	tally->deeds++;
}

static void there_are_enough_points(int heap, const void *arg)
{
	(void)heap;
	(void)arg;
	if (!tally->deeds)
		test_skip("the kernel cannot inject faults");
	EXPECT(tally->points >= LEAST_POINTS);
}

int main(void)
{
	int status;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < NR_DEEDS; i++)
		TEST_ARG(deed_fails_at_each_point, &deeds[i], "%s_fails_at_each_point",
			 deeds[i].name);
	TEST(there_are_enough_points);
	status = tests_run();
	printf("# sweep: %u points of %u calls, %u of them failed the call\n",
	       tally->points, tally->deeds, tally->failed);
	return status;
}
