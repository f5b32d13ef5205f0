// SPDX-License-Identifier: GPL-2.0
/* The user door: each error of the contract, by an otherwise right call. */

#include "user.h"

#define PH_INT	PRIVHEAP_TYPE_INT
#define PH_STR	PRIVHEAP_TYPE_STR

/* Each wrong handle, through each command that takes one. */

static u64 ph_handle_of_other_heap(struct kunit *test)
{
	return ph_test_foreign(ph_call_alloc_one(test, PH_INT, 0));
}

static u64 ph_handle_freed(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_INT, 0);

	ph_test_free(ph_test_heap(test), handle);
	return handle;
}

static u64 ph_handle_reused(struct kunit *test)
{
	u64 handle = ph_handle_freed(test);

	ph_call_alloc_one(test, PH_INT, 0);
	return handle;
}

static u64 ph_handle_of_str(struct kunit *test)
{
	return ph_call_alloc_one(test, PH_STR, 28);
}

static u64 ph_handle_inside(struct kunit *test)
{
	return ph_call_alloc_one(test, PH_INT, 0) + 8;
}

static u64 ph_handle_made_up(struct kunit *test)
{
	return ph_call_alloc_one(test, PH_INT, 0) + (1ULL << PH_OFFSET_BITS);
}

static const struct ph_handle_case {
	const char *name;
	u64 (*handle)(struct kunit *test);
	int err;
} ph_handle_cases[] = {
	{ "EXDEV", ph_handle_of_other_heap, -EXDEV },
	{ "ESTALE", ph_handle_freed, -ESTALE },
	{ "EREMCHG", ph_handle_reused, -EREMCHG },
	{ "EPROTOTYPE", ph_handle_of_str, -EPROTOTYPE },
	{ "EBADSLT", ph_handle_inside, -EBADSLT },
	{ "ENXIO", ph_handle_made_up, -ENXIO },
};

static void ph_handle_case_name(const struct ph_handle_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_handle, ph_handle_cases, ph_handle_case_name);

static void wrong_handle_is_refused_by_every_command(struct kunit *test)
{
	static const unsigned int batches[] = {
		PRIVHEAP_FREE, PRIVHEAP_GET, PRIVHEAP_PUT
	};
	static const unsigned int ios[] = { PRIVHEAP_READ, PRIVHEAP_WRITE };
	const struct ph_handle_case *c = test->param_value;
	u64 handle = c->handle(test), live = ph_test_live(ph_test_heap(test));
	u32 i;

	for (i = 0; i < ARRAY_SIZE(batches); i++)
		KUNIT_EXPECT_EQ(test, c->err, ph_call_batch(test, batches[i],
							    PH_INT, handle));
	for (i = 0; i < ARRAY_SIZE(ios); i++)
		KUNIT_EXPECT_EQ(test, c->err,
				ph_call_io(test, ios[i], PH_INT, handle, 0, 8,
					   ph_user_buffer()));
	KUNIT_EXPECT_EQ(test, c->err, ph_call_resize(test, PH_INT, handle, 28));
	KUNIT_EXPECT_EQ(test, c->err, ph_call_info(test, PH_INT, handle));
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), live);
	ph_test_expect_sound(test);
}

static void wrong_handle_stops_partial_batches(struct kunit *test)
{
	const struct ph_handle_case *c = test->param_value;
	u64 handles[3];
	struct privheap_batch args = {
		.type = PH_INT, .count = 3, .handles = ph_user_array(1),
		.flags = PRIVHEAP_PARTIAL,
	};

	handles[0] = ph_call_alloc_one(test, PH_INT, 0);
	handles[1] = c->handle(test);
	handles[2] = ph_call_alloc_one(test, PH_INT, 0);
	/* The reused place might just be that of the third. */
	ph_user_put(test, ph_user_array(1), handles, sizeof(handles));
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_FREE, args), 0);
	KUNIT_EXPECT_EQ(test, args.done, 1);
	KUNIT_EXPECT_EQ(test, ph_call_info(test, 0, handles[2]), 0);
}

static void unknown_type_is_enoent(struct kunit *test)
{
	struct privheap_type_destroy destroy = { .type = 15 };
	struct privheap_reserve reserve = { .type = 15, .count = 1 };
	struct privheap_type_stat stat = { .type = 15 };
	struct privheap_type lookup = { .name = "nothing" };
	struct privheap_walk walk = {
		.type = 15, .count = 1, .handles = ph_user_array(1)
	};

	KUNIT_EXPECT_EQ(test, ph_call_alloc(test, 0, 15, 8, 1, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, ph_call_alloc(test, 0, 0, 8, 1, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PH_USER_CALL(test, PRIVHEAP_TYPE_DESTROY, destroy));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PH_USER_CALL(test, PRIVHEAP_RESERVE, reserve));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PH_USER_CALL(test, PRIVHEAP_TYPE_STAT, stat));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PH_USER_CALL(test, PRIVHEAP_TYPE_LOOKUP, lookup));
	KUNIT_EXPECT_EQ(test, -ENOENT, PH_USER_CALL(test, PRIVHEAP_WALK, walk));
}

static void type_name_twice_is_eexist(struct kunit *test)
{
	struct privheap_type type = { .name = "node", .min_bytes = 8 };

	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_TYPE_CREATE, type),
			0);
	KUNIT_EXPECT_EQ(test, type.type, PRIVHEAP_TYPE_USER);
	KUNIT_EXPECT_EQ(test, -EEXIST,
			PH_USER_CALL(test, PRIVHEAP_TYPE_CREATE, type));
}

static void destroy_of_builtin_type_is_eperm(struct kunit *test)
{
	struct privheap_type_destroy destroy = { .type = PH_INT };

	KUNIT_EXPECT_EQ(test, -EPERM,
			PH_USER_CALL(test, PRIVHEAP_TYPE_DESTROY, destroy));
}

static void what_is_in_use_is_ebusy(struct kunit *test)
{
	struct privheap_type type = {
		.name = "node", .min_bytes = 8, .flags = PRIVHEAP_TYPE_COUNTED
	};
	struct privheap_setup setup = { .type_flags = 1 };
	struct privheap_type_destroy destroy = {};
	u64 handle;

	KUNIT_ASSERT_EQ(test, PH_USER_CALL(test, PRIVHEAP_TYPE_CREATE, type),
			0);
	destroy.type = type.type;
	handle = ph_call_alloc_one(test, type.type, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			PH_USER_CALL(test, PRIVHEAP_TYPE_DESTROY, destroy));
	KUNIT_EXPECT_EQ(test, -EBUSY, PH_USER_CALL(test, PRIVHEAP_SETUP,
						   setup));
	KUNIT_EXPECT_EQ(test, ph_call_batch(test, PRIVHEAP_GET, 0, handle), 0);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			ph_call_batch(test, PRIVHEAP_FREE, 0, handle));
	setup.type_flags = 0;
	setup.hard_max_bytes = 1;
	KUNIT_EXPECT_EQ(test, -EBUSY, PH_USER_CALL(test, PRIVHEAP_SETUP,
						   setup));
}

static void size_out_of_range_is_erange(struct kunit *test)
{
	struct privheap_reserve reserve = {
		.type = PH_INT, .object_bytes = 29, .count = 1
	};
	u64 handle = ph_call_alloc_one(test, PH_INT, 0);

	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_call_alloc(test, 0, PH_INT, 27, 1, NULL));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_call_alloc(test, 0, PH_STR, U64_MAX, 1, NULL));
	KUNIT_EXPECT_EQ(test, ph_call_resize(test, 0, handle, 29), -ERANGE);
	KUNIT_EXPECT_EQ(test, -ERANGE,
			PH_USER_CALL(test, PRIVHEAP_RESERVE, reserve));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_call_io(test, PRIVHEAP_READ, 0, handle, 0, 29,
				   ph_user_buffer()));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			ph_call_io(test, PRIVHEAP_WRITE, 0, handle, 28, 1,
				   ph_user_buffer()));
}

static void used_up_limit_is_edquot(struct kunit *test)
{
	struct privheap_type type = {
		.name = "few", .min_bytes = 8, .quota_objects = 3
	};
	struct privheap_setup setup = { .hard_max_bytes = 1 << 20 };
	struct privheap_reserve reserve = { .type = PH_INT, .count = U64_MAX };
	u32 done;

	KUNIT_ASSERT_EQ(test, PH_USER_CALL(test, PRIVHEAP_TYPE_CREATE, type),
			0);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_call_alloc(test, 0, type.type, 0, 4, NULL));
	KUNIT_EXPECT_EQ(test, 0,
			ph_call_alloc(test, PRIVHEAP_PARTIAL, type.type, 0, 4,
				      &done));
	KUNIT_EXPECT_EQ(test, done, 3);
	KUNIT_ASSERT_EQ(test, PH_USER_CALL(test, PRIVHEAP_SETUP, setup), 0);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_call_alloc(test, 0, PH_STR, 100000, 20, NULL));
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			PH_USER_CALL(test, PRIVHEAP_RESERVE, reserve));
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 3);
}

static void sum_that_overflows_is_eoverflow(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, 100);
	struct privheap_io ios[2] = {
		{ .handle = handle, .bytes = 1ULL << 63 },
		{ .handle = handle, .bytes = 1ULL << 63 },
	};
	struct privheap_rw args = { .count = 2, .ios = ph_user_array(1) };

	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			ph_call_io(test, PRIVHEAP_READ, 0, handle, U64_MAX, 1,
				   ph_user_buffer()));
	ph_user_put(test, ph_user_array(1), ios, sizeof(ios));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			PH_USER_CALL(test, PRIVHEAP_WRITE, args));
}

static void commands_of_counted_types_are_eopnotsupp(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, 100);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ph_call_batch(test, PRIVHEAP_GET, 0, handle));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ph_call_batch(test, PRIVHEAP_PUT, 0, handle));
}

static void size_array_forbids_common_size(struct kunit *test)
{
	struct privheap_alloc args = {
		.type = PH_STR, .object_bytes = 8, .count = 2,
		.handles = ph_user_array(1), .sizes = ph_user_array(2),
	};
	u64 sizes[2] = { 10, 20 };

	ph_user_put(test, ph_user_array(2), sizes, sizeof(sizes));
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_ALLOC, args),
			-EINVAL);
	args.object_bytes = 0;
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_ALLOC, args), 0);
	args.sizes = ph_user_end() - 8;
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_ALLOC, args),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, ph_test_live(ph_test_heap(test)), 2);
}

static void query_tells_limits(struct kunit *test)
{
	struct privheap_query query = {};

	KUNIT_ASSERT_EQ(test, PH_USER_CALL(test, PRIVHEAP_QUERY, query), 0);
	KUNIT_EXPECT_EQ(test, query.abi_version, PRIVHEAP_ABI_VERSION);
	KUNIT_EXPECT_EQ(test, query.page_size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, query.max_heap_bytes, PH_TEST_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, query.max_align, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, query.max_batch, 65536);
	KUNIT_EXPECT_EQ(test, query.heap_id, ph_test_heap(test)->id);
}

static void lookup_of_a_name_without_end_is_einval(struct kunit *test)
{
	struct privheap_type lookup = {};

	memset(lookup.name, 'a', sizeof(lookup.name));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PH_USER_CALL(test, PRIVHEAP_TYPE_LOOKUP, lookup));
	lookup.name[sizeof(lookup.name) - 1] = 0;
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PH_USER_CALL(test, PRIVHEAP_TYPE_LOOKUP, lookup));
}

static struct kunit_case ph_ioctl_call_test_cases[] = {
	KUNIT_CASE_PARAM(wrong_handle_is_refused_by_every_command,
			 ph_handle_gen_params),
	KUNIT_CASE_PARAM(wrong_handle_stops_partial_batches,
			 ph_handle_gen_params),
	KUNIT_CASE(unknown_type_is_enoent),
	KUNIT_CASE(type_name_twice_is_eexist),
	KUNIT_CASE(lookup_of_a_name_without_end_is_einval),
	KUNIT_CASE(destroy_of_builtin_type_is_eperm),
	KUNIT_CASE(what_is_in_use_is_ebusy),
	KUNIT_CASE(size_out_of_range_is_erange),
	KUNIT_CASE(used_up_limit_is_edquot),
	KUNIT_CASE(sum_that_overflows_is_eoverflow),
	KUNIT_CASE(commands_of_counted_types_are_eopnotsupp),
	KUNIT_CASE(size_array_forbids_common_size),
	KUNIT_CASE(query_tells_limits),
	{}
};

static struct kunit_suite ph_ioctl_call_suite = {
	.name = "privheap_ioctl",
	.suite_init = ph_user_suite_init,
	.suite_exit = ph_user_suite_exit,
	.init = ph_user_init,
	.exit = ph_user_exit,
	.test_cases = ph_ioctl_call_test_cases,
};

kunit_test_suite(ph_ioctl_call_suite);
