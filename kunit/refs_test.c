// SPDX-License-Identifier: GPL-2.0
/* Reference counts: all or nothing, and they never overflow. */

#include "objects.h"
#include "refs.h"

#define PH_TEST_NR	150
static u64 ph_handles[PH_TEST_NR], ph_copy[PH_TEST_NR];

static u32 ph_counted_type(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "counted", .min_bytes = 1, .max_bytes = 1 << 20,
		.flags = PRIVHEAP_TYPE_COUNTED,
	};

	return ph_test_type(test, &desc);
}

static int ph_get_batch(struct kunit *test, u32 nr, bool partial, u32 *done)
{
	memcpy(ph_copy, ph_handles, nr * sizeof(*ph_copy));
	return ph_refs_get(ph_test_heap(test), 0, ph_copy, nr, partial, done);
}

static int ph_put_batch(struct kunit *test, u32 nr, bool partial, u32 *done,
			u32 *freed)
{
	memcpy(ph_copy, ph_handles, nr * sizeof(*ph_copy));
	return ph_refs_put(ph_test_heap(test), 0, ph_copy, nr, partial, done,
			   freed);
}

static int ph_get_one(struct kunit *test, u64 handle)
{
	u32 done;

	return ph_refs_get(ph_test_heap(test), 0, &handle, 1, false, &done);
}

static int ph_put_one(struct kunit *test, u64 handle, u32 *freed)
{
	u32 done;

	return ph_refs_put(ph_test_heap(test), 0, &handle, 1, false, &done,
			   freed);
}

static const u64 ph_sizes[] = { 1, 100, 8000, 20000 };

static void ph_size_name(const u64 *bytes, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu bytes", *bytes);
}

KUNIT_ARRAY_PARAM(ph_size, ph_sizes, ph_size_name);

static void refs_begin_at_one(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u32 type = ph_counted_type(test), i;
	u64 handle;

	/* In a slot's later lives, too. */
	for (i = 0; i < 5; i++) {
		handle = ph_test_alloc(test, type, *bytes);
		KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 1);
		KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), 0);
		ph_test_set_refs(test, handle, 1);
		KUNIT_EXPECT_EQ(test, 0,
				ph_test_free(ph_test_heap(test), handle));
	}
}

static void refs_last_put_frees(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_counted_type(test), *bytes);
	u32 freed, i;

	for (i = 2; i <= 10; i++) {
		KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), 0);
		KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), i);
	}
	for (i = 9; i >= 1; i--) {
		KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), 0);
		KUNIT_EXPECT_EQ(test, freed, 0);
		KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), i);
	}
	KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), 0);
	KUNIT_EXPECT_EQ(test, freed, 1);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 0);
	ph_test_expect_sound(test);
}

static void refs_when_type_is_not_counted(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, *bytes);
	u32 freed;

	KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 1);
}

static void refs_when_handle_is_wrong(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_test_alloc(test, ph_counted_type(test), *bytes);
	u64 copy = handle;
	u32 freed, done;

	KUNIT_EXPECT_EQ(test, ph_get_one(test, 0), -ENXIO);
	KUNIT_EXPECT_EQ(test, ph_put_one(test, 0, &freed), -ENXIO);
	KUNIT_EXPECT_EQ(test, -EXDEV,
			ph_get_one(test, ph_test_foreign(handle)));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_refs_get(ph_test_heap(test), PRIVHEAP_TYPE_STR,
				    &copy, 1, false, &done));
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 1);
}

static void free_of_referenced_object_is_refused(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_counted_type(test), *bytes);
	u32 freed;

	KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), 0);
	KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), -EBUSY);
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 2);
	KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), 0);
	KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), 0);
	ph_test_expect_sound(test);
}

static void free_batch_with_one_referenced_frees_none(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_counted_type(test), at, i, done, wrong = 0;

	ph_test_alloc_batch(test, type, 50, ph_handles, PH_TEST_NR);
	for (at = 0; at < PH_TEST_NR; at++) {
		KUNIT_ASSERT_EQ(test, ph_get_one(test, ph_handles[at]), 0);
		memcpy(ph_copy, ph_handles, sizeof(ph_copy));
		KUNIT_ASSERT_EQ(test, -EBUSY,
				ph_object_free(heap, 0, ph_copy, PH_TEST_NR,
					       false, &done));
		ph_test_set_refs(test, ph_handles[at], 1);
		for (i = 0; i < PH_TEST_NR; i++)
			wrong += ph_test_refs(test, ph_handles[i]) != 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), PH_TEST_NR);
	ph_test_expect_sound(test);
}

static void refs_saturate(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, ph_counted_type(test), *bytes);
	u32 freed, i;

	ph_test_set_refs(test, handle, PRIVHEAP_REFS_SATURATED - 1);
	KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), 0);
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle),
			PRIVHEAP_REFS_SATURATED);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, ph_get_one(test, handle), 0);
		KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), 0);
		KUNIT_EXPECT_EQ(test, ph_put_one(test, handle, &freed), 0);
		KUNIT_EXPECT_EQ(test, freed, 0);
		KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle),
				PRIVHEAP_REFS_SATURATED);
		KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), -EBUSY);
	}
	KUNIT_EXPECT_EQ(test, ph_test_live(heap), 1);
}

static void refs_failed_batch_that_saturates_changes_nothing(struct kunit *test)
{
	u64 handle = ph_test_alloc(test, ph_counted_type(test), 100);
	u32 done;

	ph_test_set_refs(test, handle, PRIVHEAP_REFS_SATURATED - 2);
	ph_handles[0] = handle;
	ph_handles[1] = handle;
	ph_handles[2] = 0;
	KUNIT_EXPECT_EQ(test, ph_get_batch(test, 3, false, &done), -ENXIO);
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle),
			PRIVHEAP_REFS_SATURATED - 2);
}

static void get_with_one_bad_handle_changes_nothing(struct kunit *test)
{
	u32 type = ph_counted_type(test), at, i, done, tried = 0, wrong = 0;

	ph_test_alloc_batch(test, type, 50, ph_handles, PH_TEST_NR);
	for (at = 0; at < PH_TEST_NR; at++, tried++) {
		ph_handles[at]++;
		KUNIT_ASSERT_EQ(test, -EBADSLT,
				ph_get_batch(test, PH_TEST_NR, false, &done));
		KUNIT_ASSERT_EQ(test, done, 0);
		ph_handles[at]--;
		for (i = 0; i < PH_TEST_NR; i++)
			wrong += ph_test_refs(test, ph_handles[i]) != 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, tried, PH_TEST_NR);
}

static void put_with_one_bad_handle_changes_nothing(struct kunit *test)
{
	u32 type = ph_counted_type(test), at, i, done, freed, wrong = 0;

	ph_test_alloc_batch(test, type, 50, ph_handles, PH_TEST_NR);
	/* Some would be freed by it, some would not. */
	for (i = 0; i < PH_TEST_NR; i += 2)
		ph_get_one(test, ph_handles[i]);
	for (at = 0; at < PH_TEST_NR; at++) {
		ph_handles[at]++;
		KUNIT_ASSERT_EQ(test, -EBADSLT,
				ph_put_batch(test, PH_TEST_NR, false, &done,
					     &freed));
		KUNIT_ASSERT_EQ(test, freed, 0);
		ph_handles[at]--;
		for (i = 0; i < PH_TEST_NR; i++)
			wrong += ph_test_refs(test, ph_handles[i]) != 2 - i % 2;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ph_test_expect_sound(test);
}

static void get_partial_with_one_bad_handle(struct kunit *test)
{
	u32 type = ph_counted_type(test), at, i, done, wrong = 0;
	int err;

	ph_test_alloc_batch(test, type, 50, ph_handles, PH_TEST_NR);
	for (at = 0; at < PH_TEST_NR; at += 7) {
		ph_handles[at]++;
		err = ph_get_batch(test, PH_TEST_NR, true, &done);
		ph_handles[at]--;
		KUNIT_ASSERT_EQ(test, err, at ? 0 : -EBADSLT);
		KUNIT_ASSERT_EQ(test, done, at);
		for (i = 0; i < PH_TEST_NR; i++) {
			wrong += ph_test_refs(test, ph_handles[i]) !=
				 1 + (i < at);
			ph_test_set_refs(test, ph_handles[i], 1);
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void put_partial_with_one_bad_handle(struct kunit *test)
{
	u32 type = ph_counted_type(test), done, freed;

	ph_test_alloc_batch(test, type, 50, ph_handles, PH_TEST_NR);
	ph_handles[100]++;
	KUNIT_EXPECT_EQ(test, 0, ph_put_batch(test, PH_TEST_NR, true, &done,
					      &freed));
	KUNIT_EXPECT_EQ(test, done, 100);
	KUNIT_EXPECT_EQ(test, freed, 100);
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)),
			PH_TEST_NR - 100);
	ph_test_expect_sound(test);
}

static void put_of_the_same_object_in_one_batch(struct kunit *test)
{
	u32 type = ph_counted_type(test), done, freed;
	u64 handle = ph_test_alloc(test, type, 100);
	u32 i;

	for (i = 0; i < 4; i++)
		ph_handles[i] = handle;
	KUNIT_ASSERT_EQ(test, 0, ph_get_batch(test, 3, false, &done));
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 4);
	KUNIT_EXPECT_EQ(test, 0, ph_put_batch(test, 4, false, &done, &freed));
	KUNIT_EXPECT_EQ(test, done, 4);
	KUNIT_EXPECT_EQ(test, freed, 1);
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 0);
	ph_test_expect_sound(test);
}

static void put_more_often_than_referenced(struct kunit *test)
{
	u32 type = ph_counted_type(test), done, freed, i;
	u64 handle = ph_test_alloc(test, type, 100);

	for (i = 0; i < 3; i++)
		ph_handles[i] = handle;
	ph_get_one(test, handle);
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_put_batch(test, 3, false, &done, &freed));
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, handle), 2);
	KUNIT_EXPECT_EQ(test, 0,
			ph_put_batch(test, 3, true, &done, &freed));
	KUNIT_EXPECT_EQ(test, done, 2);
	KUNIT_EXPECT_EQ(test, freed, 1);
}

static struct kunit_case ph_refs_test_cases[] = {
	KUNIT_CASE_PARAM(refs_begin_at_one, ph_size_gen_params),
	KUNIT_CASE_PARAM(refs_last_put_frees, ph_size_gen_params),
	KUNIT_CASE_PARAM(refs_when_type_is_not_counted, ph_size_gen_params),
	KUNIT_CASE_PARAM(refs_when_handle_is_wrong, ph_size_gen_params),
	KUNIT_CASE_PARAM(free_of_referenced_object_is_refused,
			 ph_size_gen_params),
	KUNIT_CASE(free_batch_with_one_referenced_frees_none),
	KUNIT_CASE_PARAM(refs_saturate, ph_size_gen_params),
	KUNIT_CASE(refs_failed_batch_that_saturates_changes_nothing),
	KUNIT_CASE(get_with_one_bad_handle_changes_nothing),
	KUNIT_CASE(put_with_one_bad_handle_changes_nothing),
	KUNIT_CASE(get_partial_with_one_bad_handle),
	KUNIT_CASE(put_partial_with_one_bad_handle),
	KUNIT_CASE(put_of_the_same_object_in_one_batch),
	KUNIT_CASE(put_more_often_than_referenced),
	{}
};

static struct kunit_suite ph_refs_suite = {
	.name = "privheap_refs",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_refs_test_cases,
};

kunit_test_suite(ph_refs_suite);
