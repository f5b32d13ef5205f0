// SPDX-License-Identifier: GPL-2.0
/* The user door: the bytes of objects, to and fro. */

#include "user.h"

#define PH_STR	PRIVHEAP_TYPE_STR

static void write_above_max_io_is_einval(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, 2 * PH_MAX_IO);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			ph_call_io(test, PRIVHEAP_WRITE, 0, handle, 0,
				   PH_MAX_IO + 1, ph_user_buffer()));
}

static const u64 ph_io_sizes[] = { 1, 100, 4096, 4097, 8000, 30000 };

static void ph_io_size_name(const u64 *bytes, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu bytes", *bytes);
}

KUNIT_ARRAY_PARAM(ph_io_size, ph_io_sizes, ph_io_size_name);

static void read_gives_what_was_written(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u8 *out = kunit_kzalloc(test, *bytes, GFP_KERNEL);
	u8 *in = kunit_kzalloc(test, *bytes, GFP_KERNEL);
	u64 handle = ph_call_alloc_one(test, PH_STR, *bytes), i;

	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_ASSERT_NOT_NULL(test, in);
	for (i = 0; i < *bytes; i++)
		out[i] = i % 251;
	ph_user_put(test, ph_user_buffer(), out, *bytes);
	KUNIT_EXPECT_EQ(test, 0, ph_call_io(test, PRIVHEAP_WRITE, 0, handle, 0,
					    *bytes, ph_user_buffer()));
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, *bytes, 0));
	ph_user_put(test, ph_user_buffer(), in, *bytes);
	KUNIT_EXPECT_EQ(test, 0, ph_call_io(test, PRIVHEAP_READ, 0, handle, 0,
					    *bytes, ph_user_buffer()));
	ph_user_get(test, in, ph_user_buffer(), *bytes);
	KUNIT_EXPECT_EQ(test, memcmp(in, out, *bytes), 0);
}

/* Of two elements the second one faults: the first may not be written. */
static void write_that_faults_writes_nothing(struct kunit *test)
{
	const u64 *bytes = test->param_value;
	u64 handle = ph_call_alloc_one(test, PH_STR, *bytes);
	struct privheap_io ios[2] = {
		{ .handle = handle, .bytes = *bytes,
		  .buffer = ph_user_buffer() },
		{ .handle = handle, .bytes = *bytes,
		  .buffer = ph_user_end() - *bytes / 2 },
	};
	struct privheap_rw args = { .count = 2, .ios = ph_user_array(1) };

	ph_test_fill(test, handle, 0, *bytes, 3);
	ph_user_put(test, ph_user_array(1), ios, sizeof(ios));
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_WRITE, args),
			-EFAULT);
	KUNIT_EXPECT_TRUE(test, ph_test_is_filled(test, handle, 0, *bytes, 3));
	args.flags = PRIVHEAP_PARTIAL;
	KUNIT_EXPECT_EQ(test, PH_USER_CALL(test, PRIVHEAP_WRITE, args), 0);
	KUNIT_EXPECT_EQ(test, args.done, 1);
}

static void io_of_no_bytes_checks_the_handle(struct kunit *test)
{
	u64 handle = ph_call_alloc_one(test, PH_STR, 10);

	KUNIT_EXPECT_EQ(test, 0,
			ph_call_io(test, PRIVHEAP_READ, 0, handle, 10, 0, 0));
	KUNIT_EXPECT_EQ(test, 0,
			ph_call_io(test, PRIVHEAP_WRITE, 0, handle, 10, 0, 0));
	KUNIT_EXPECT_EQ(test, -EBADSLT,
			ph_call_io(test, PRIVHEAP_READ, 0, handle + 1, 0, 0,
				   0));
}

static struct kunit_case ph_ioctl_io_test_cases[] = {
	KUNIT_CASE(write_above_max_io_is_einval),
	KUNIT_CASE_PARAM(read_gives_what_was_written, ph_io_size_gen_params),
	KUNIT_CASE_PARAM(write_that_faults_writes_nothing,
			 ph_io_size_gen_params),
	KUNIT_CASE(io_of_no_bytes_checks_the_handle),
	{}
};

static struct kunit_suite ph_ioctl_io_suite = {
	.name = "privheap_ioctl_io",
	.suite_init = ph_user_suite_init,
	.suite_exit = ph_user_suite_exit,
	.init = ph_user_init,
	.exit = ph_user_exit,
	.test_cases = ph_ioctl_io_test_cases,
};

kunit_test_suite(ph_ioctl_io_suite);
