// SPDX-License-Identifier: GPL-2.0
/* Magazines: last in, first out, and to one CPU alone. */

#include <linux/slab.h>

#include "fixture.h"

/* Each test's magazines hold this many. */
#define PH_TEST_CAP	4

static struct ph_cpu *ph_cpus;

static int ph_magazine_suite_init(struct kunit *test)
{
	int err = ph_fixture_init_region(test);

	if (err)
		return err;
	ph_cpus = kcalloc(nr_cpu_ids, sizeof(*ph_cpus), GFP_KERNEL);
	if (!ph_cpus)
		return -ENOMEM;
	ph_cpu_init(ph_cpus);
	return 0;
}

/* Everything that is still loaded goes. */
static void ph_magazine_suite_exit(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_cpu *cpu;
	int nr;

	for_each_possible_cpu(nr) {
		cpu = &ph_cpus[nr];
		ph_magazine_destroy(fix->region, cpu->loaded);
		ph_magazine_destroy(fix->region, cpu->prev);
	}
	kfree(ph_cpus);
	ph_fixture_exit(test);
}

static struct ph_cpu *ph_here(void)
{
	return ph_cpu_here(ph_cpus);
}

static struct ph_magazine *ph_new_mag(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_magazine_create(fix->region, PH_TEST_CAP,
						     PH_GFP);

	KUNIT_ASSERT_NOT_NULL(test, mag);
	return mag;
}

static void ph_load_two(struct kunit *test)
{
	KUNIT_ASSERT_PTR_EQ(test, &ph_no_magazine,
			    ph_cpu_load(ph_cpus, ph_new_mag(test)));
	KUNIT_ASSERT_PTR_EQ(test, &ph_no_magazine,
			    ph_cpu_load(ph_cpus, ph_new_mag(test)));
}

static void ph_rounds_from(u64 *rounds, u64 first, u32 nr)
{
	while (nr--)
		rounds[nr] = first + nr;
}

static void magazine_cap_fills_its_memory(struct kunit *test)
{
	u32 bytes, sizes = 0;

	for (bytes = 64; bytes <= 4096; bytes <<= 1, sizes++) {
		u32 cap = ph_magazine_cap(bytes);

		KUNIT_EXPECT_LE(test, sizeof(struct ph_magazine) + 8 * cap,
				bytes);
		KUNIT_EXPECT_GT(test, sizeof(struct ph_magazine) + 8 * cap + 8,
				bytes);
	}
	KUNIT_EXPECT_EQ(test, sizes, 7);
}

static void magazine_is_empty_when_created(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_new_mag(test);
	u64 round;

	KUNIT_EXPECT_EQ(test, mag->nr, 0);
	KUNIT_EXPECT_EQ(test, mag->cap, PH_TEST_CAP);
	KUNIT_EXPECT_EQ(test, ph_magazine_pop(mag, &round, 1), 0);
	ph_magazine_destroy(fix->region, mag);
}

static void magazine_create_when_hard_max_is_reached(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	fix->region->hard_max = 0;
	KUNIT_EXPECT_NULL(test, ph_magazine_create(fix->region, PH_TEST_CAP,
						   PH_GFP));
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static void magazine_destroy_of_none(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;

	ph_magazine_destroy(fix->region, NULL);
	KUNIT_EXPECT_EQ(test, ph_fixture_held(fix->region), 0);
}

static void magazine_push_stops_at_its_cap(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_new_mag(test);
	u64 rounds[6];

	ph_rounds_from(rounds, 1, 6);
	KUNIT_EXPECT_EQ(test, ph_magazine_push(mag, rounds, 6), 4);
	KUNIT_EXPECT_EQ(test, ph_magazine_push(mag, rounds, 2), 0);
	KUNIT_EXPECT_EQ(test, mag->nr, 4);
	ph_magazine_destroy(fix->region, mag);
}

static void magazine_push_takes_the_end_of_the_array(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_new_mag(test);
	u64 rounds[6], out[4];
	u32 i;

	ph_rounds_from(rounds, 1, 6);
	ph_magazine_push(mag, rounds, 6);
	KUNIT_EXPECT_EQ(test, ph_magazine_pop(mag, out, 4), 4);
	/* 6, 5, 4, 3 went in; the last of them comes out first. */
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, out[i], 3 + i);
	ph_magazine_destroy(fix->region, mag);
}

/* All splits of pushes and pops keep the order of a stack. */
static void magazine_is_a_stack(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_new_mag(test);
	u32 script, step, tried = 0, top;
	u64 next, stack[PH_TEST_CAP], round;

	for (script = 0; script < 1 << 8; script++, tried++) {
		top = 0;
		next = 1;
		for (step = 0; step < 8; step++) {
			if (script & (1 << step)) {
				round = next++;
				if (ph_magazine_push(mag, &round, 1))
					stack[top++] = round;
				else
					KUNIT_ASSERT_EQ(test, top, mag->cap);
			} else if (ph_magazine_pop(mag, &round, 1)) {
				KUNIT_ASSERT_EQ(test, round, stack[--top]);
			} else {
				KUNIT_ASSERT_EQ(test, top, 0);
			}
			KUNIT_ASSERT_EQ(test, mag->nr, top);
		}
		mag->nr = 0;
	}
	KUNIT_EXPECT_EQ(test, tried, 256);
	ph_magazine_destroy(fix->region, mag);
}

static void cpu_without_magazines_has_nothing(struct kunit *test)
{
	u64 round = 1;

	KUNIT_EXPECT_EQ(test, ph_cpu_pop(ph_cpus, &round, 1), 0);
	KUNIT_EXPECT_EQ(test, ph_cpu_push(ph_cpus, &round, 1), 0);
	KUNIT_EXPECT_EQ(test, ph_here()->count.magazine_hits, 0);
	KUNIT_EXPECT_FALSE(test, ph_here()->seq & 1);
}

static void cpu_push_fills_both_magazines(struct kunit *test)
{
	u64 rounds[10];

	ph_load_two(test);
	ph_rounds_from(rounds, 1, 10);
	KUNIT_EXPECT_EQ(test, ph_cpu_push(ph_cpus, rounds, 10), 8);
	KUNIT_EXPECT_EQ(test, ph_here()->loaded->nr, 4);
	KUNIT_EXPECT_EQ(test, ph_here()->prev->nr, 4);
	KUNIT_EXPECT_EQ(test, ph_cpu_push(ph_cpus, rounds, 2), 0);
}

static void cpu_pop_brings_back_what_was_pushed_last(struct kunit *test)
{
	u64 rounds[8], out[8];
	u32 i;

	ph_load_two(test);
	ph_rounds_from(rounds, 1, 8);
	KUNIT_ASSERT_EQ(test, ph_cpu_push(ph_cpus, rounds, 8), 8);
	KUNIT_EXPECT_EQ(test, ph_cpu_pop(ph_cpus, out, 8), 8);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, out[i], 1 + i);
}

static void cpu_pop_counts_hits(struct kunit *test)
{
	u64 rounds[8];

	ph_load_two(test);
	ph_rounds_from(rounds, 1, 8);
	ph_cpu_push(ph_cpus, rounds, 6);
	ph_cpu_pop(ph_cpus, rounds, 4);
	ph_cpu_pop(ph_cpus, rounds, 4);
	KUNIT_EXPECT_EQ(test, ph_here()->count.magazine_hits, 6);
}

static void cpu_load_pushes_the_oldest_out(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag[3];
	u32 i;

	for (i = 0; i < 3; i++)
		mag[i] = ph_new_mag(test);
	KUNIT_EXPECT_PTR_EQ(test, &ph_no_magazine,
			    ph_cpu_load(ph_cpus, mag[0]));
	KUNIT_EXPECT_PTR_EQ(test, &ph_no_magazine,
			    ph_cpu_load(ph_cpus, mag[1]));
	KUNIT_EXPECT_PTR_EQ(test, ph_cpu_load(ph_cpus, mag[2]), mag[0]);
	KUNIT_EXPECT_PTR_EQ(test, ph_here()->loaded, mag[2]);
	KUNIT_EXPECT_PTR_EQ(test, ph_here()->prev, mag[1]);
	ph_magazine_destroy(fix->region, mag[0]);
}

static void cpu_that_is_busy_is_left_alone(struct kunit *test)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag = ph_new_mag(test);
	u64 rounds[4];

	ph_load_two(test);
	ph_rounds_from(rounds, 1, 4);
	KUNIT_ASSERT_EQ(test, ph_cpu_push(ph_cpus, rounds, 4), 4);
	ph_here()->seq++;
	KUNIT_EXPECT_EQ(test, ph_cpu_pop(ph_cpus, rounds, 1), 0);
	KUNIT_EXPECT_EQ(test, ph_cpu_push(ph_cpus, rounds, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, ph_cpu_load(ph_cpus, mag), mag);
	ph_here()->seq++;
	KUNIT_EXPECT_EQ(test, ph_cpu_pop(ph_cpus, rounds, 4), 4);
	ph_magazine_destroy(fix->region, mag);
}

/* Take the magazines off a list; how many rounds were in them. */
static u32 ph_destroy_list(struct kunit *test, struct list_head *mags)
{
	struct ph_fixture *fix = test->priv;
	struct ph_magazine *mag, *next;
	u32 rounds = 0;

	list_for_each_entry_safe(mag, next, mags, list) {
		rounds += mag->nr;
		ph_magazine_destroy(fix->region, mag);
	}
	return rounds;
}

static void cpu_drain_takes_all_magazines(struct kunit *test)
{
	u64 rounds[6];
	LIST_HEAD(mags);

	ph_load_two(test);
	ph_rounds_from(rounds, 1, 6);
	ph_cpu_push(ph_cpus, rounds, 6);
	KUNIT_EXPECT_TRUE(test, ph_cpu_drain(ph_cpus, &mags, true));
	KUNIT_EXPECT_PTR_EQ(test, ph_here()->loaded, &ph_no_magazine);
	KUNIT_EXPECT_PTR_EQ(test, ph_here()->prev, &ph_no_magazine);
	KUNIT_EXPECT_EQ(test, ph_destroy_list(test, &mags), 6);
}

static void cpu_drain_when_there_is_nothing(struct kunit *test)
{
	LIST_HEAD(mags);

	KUNIT_EXPECT_TRUE(test, ph_cpu_drain(ph_cpus, &mags, true));
	KUNIT_EXPECT_TRUE(test, list_empty(&mags));
}

static void cpu_drain_when_busy_tells_the_miss(struct kunit *test)
{
	bool waits[] = { false, true };
	LIST_HEAD(mags);
	u32 i;

	ph_load_two(test);
	ph_here()->seq++;
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		KUNIT_EXPECT_FALSE(test,
				   ph_cpu_drain(ph_cpus, &mags, waits[i]));
		KUNIT_EXPECT_TRUE(test, list_empty(&mags));
		KUNIT_EXPECT_PTR_NE(test, ph_here()->loaded,
				    &ph_no_magazine);
	}
	ph_here()->seq++;
	KUNIT_EXPECT_TRUE(test, ph_cpu_drain(ph_cpus, &mags, false));
	ph_destroy_list(test, &mags);
}

static struct kunit_case ph_magazine_test_cases[] = {
	KUNIT_CASE(magazine_cap_fills_its_memory),
	KUNIT_CASE(magazine_is_empty_when_created),
	KUNIT_CASE(magazine_create_when_hard_max_is_reached),
	KUNIT_CASE(magazine_destroy_of_none),
	KUNIT_CASE(magazine_push_stops_at_its_cap),
	KUNIT_CASE(magazine_push_takes_the_end_of_the_array),
	KUNIT_CASE(magazine_is_a_stack),
	KUNIT_CASE(cpu_without_magazines_has_nothing),
	KUNIT_CASE(cpu_push_fills_both_magazines),
	KUNIT_CASE(cpu_pop_brings_back_what_was_pushed_last),
	KUNIT_CASE(cpu_pop_counts_hits),
	KUNIT_CASE(cpu_load_pushes_the_oldest_out),
	KUNIT_CASE(cpu_that_is_busy_is_left_alone),
	KUNIT_CASE(cpu_drain_takes_all_magazines),
	KUNIT_CASE(cpu_drain_when_there_is_nothing),
	KUNIT_CASE(cpu_drain_when_busy_tells_the_miss),
	{}
};

static struct kunit_suite ph_magazine_suite = {
	.name = "privheap_magazine",
	.init = ph_magazine_suite_init,
	.exit = ph_magazine_suite_exit,
	.test_cases = ph_magazine_test_cases,
};

kunit_test_suite(ph_magazine_suite);
