// SPDX-License-Identifier: GPL-2.0
/*
 * The user door: every command is called in every wrong form. Each wrong call
 * is a right one with one thing changed, and has to leave the heap as it is.
 */

#include "commands.h"
#include "stat.h"

/* The next command of which a property holds. */
static const void *ph_next_command(const void *prev, char *desc,
				   bool (*has)(const struct ph_command *c))
{
	const struct ph_command *c = prev, *end = ph_commands + PH_NR_COMMANDS;

	for (c = c ? c + 1 : ph_commands; c < end; c++) {
		if (has && !has(c))
			continue;
		strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
		return c;
	}
	return NULL;
}

static const void *ph_command_gen_params(const void *prev, char *desc)
{
	return ph_next_command(prev, desc, NULL);
}

static bool ph_has_reserved(const struct ph_command *c)
{
	return c->reserved != PH_NONE;
}

static const void *ph_reserved_gen_params(const void *prev, char *desc)
{
	return ph_next_command(prev, desc, ph_has_reserved);
}

static bool ph_has_count(const struct ph_command *c)
{
	return c->count != PH_NONE;
}

static const void *ph_count_gen_params(const void *prev, char *desc)
{
	return ph_next_command(prev, desc, ph_has_count);
}

static bool ph_has_out(const struct ph_command *c)
{
	return c->out != PH_NONE;
}

static const void *ph_out_gen_params(const void *prev, char *desc)
{
	return ph_next_command(prev, desc, ph_has_out);
}

/* What may not change when a call fails. */
struct ph_heap_state {
	u64 live;
	u64 bytes;
	u64 handed;
	u32 types;
	u64 promised;
	u64 hard_max;
};

static struct ph_heap_state ph_state(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_type_stat ints = { .type = PRIVHEAP_TYPE_INT };
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	KUNIT_ASSERT_EQ(test, 0, ph_stat_type_by_id(heap, &ints));
	return (struct ph_heap_state) {
		.live = stat.live_objects, .bytes = stat.live_bytes,
		.handed = stat.handed_objects,
		.types = stat.types, .promised = ints.promised_objects,
		.hard_max = stat.hard_max_bytes,
	};
}

static void ph_expect_same(struct kunit *test, struct ph_heap_state before)
{
	struct ph_heap_state now = ph_state(test);

	KUNIT_EXPECT_EQ(test, now.live, before.live);
	KUNIT_EXPECT_EQ(test, now.bytes, before.bytes);
	KUNIT_EXPECT_EQ(test, now.handed, before.handed);
	KUNIT_EXPECT_EQ(test, now.types, before.types);
	KUNIT_EXPECT_EQ(test, now.promised, before.promised);
	KUNIT_EXPECT_EQ(test, now.hard_max, before.hard_max);
	ph_test_expect_sound(test);
}

static void ph_good_args(struct kunit *test, union ph_user_args *args)
{
	const struct ph_command *c = test->param_value;

	memset(args, 0, sizeof(*args));
	c->fill(test, args);
	args->size = c->size;
}

/* A right call with a u32 or u64 of its struct replaced. */
static void ph_expect_refused(struct kunit *test,
			      const union ph_user_args *good, u16 at, u64 value,
			      size_t bytes, long err)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args = *good;
	struct ph_heap_state before = ph_state(test);

	memcpy(args.bytes + at, &value, bytes);
	KUNIT_EXPECT_EQ_MSG(test, err,
			    ph_user_call(test, c->cmd, &args, sizeof(args)),
			    "value %llx at %u", value, at);
	ph_expect_same(test, before);
}

static void command_when_right(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;

	ph_good_args(test, &args);
	KUNIT_EXPECT_EQ(test, 0,
			ph_user_call(test, c->cmd, &args, sizeof(args)));
	KUNIT_EXPECT_EQ(test, args.size, c->size);
	ph_test_expect_sound(test);
}

static void command_when_struct_is_too_short(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;
	u32 size;

	ph_good_args(test, &args);
	for (size = 1; size < c->min_size; size++)
		ph_expect_refused(test, &args, 0, size, sizeof(u32), -EINVAL);
}

/* Programs of before get what they know, and not a byte more. */
static void command_when_struct_is_of_before(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;

	ph_good_args(test, &args);
	args.size = c->min_size;
	memset(args.bytes + c->min_size, 0xa5, sizeof(args) - c->min_size);
	KUNIT_EXPECT_EQ(test, 0,
			ph_user_call(test, c->cmd, &args, sizeof(args)));
	KUNIT_EXPECT_EQ(test, args.size, c->min_size);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    memchr_inv(args.bytes + c->min_size, 0xa5,
				       sizeof(args) - c->min_size));
}

static void command_when_struct_is_longer(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;

	ph_good_args(test, &args);
	args.size = sizeof(args);
	KUNIT_EXPECT_EQ(test, 0,
			ph_user_call(test, c->cmd, &args, sizeof(args)));
}

static void command_when_unknown_tail_is_not_zero(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;
	u32 at;

	ph_good_args(test, &args);
	args.size = sizeof(args);
	for (at = c->size; at < sizeof(args); at += 1 + at / 8)
		ph_expect_refused(test, &args, at, 1, sizeof(u8), -E2BIG);
	args.size = c->size;
	ph_expect_refused(test, &args, 0, U32_MAX, sizeof(u32), -E2BIG);
}

static void command_when_flag_is_unknown(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;
	u32 bit;

	ph_good_args(test, &args);
	for (bit = 0; bit < 32; bit++)
		if (!(c->flags_ok & 1U << bit))
			ph_expect_refused(test, &args, sizeof(u32), 1U << bit,
					  sizeof(u32), -EOPNOTSUPP);
}

static void command_when_reserved_is_not_zero(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;
	u32 bit;

	ph_good_args(test, &args);
	for (bit = 0; bit < 32; bit += 31)
		ph_expect_refused(test, &args, c->reserved, 1U << bit,
				  sizeof(u32), -EOPNOTSUPP);
}

static void command_when_struct_is_no_memory(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	u64 bad[] = {
		0, 8, ph_user_unmapped(), ph_user_kernel(), U64_MAX - 7,
		1ULL << 63, ph_user_end() - 8, ph_user_end() - c->size + 8,
	};
	struct ph_heap_state before = ph_state(test);
	u32 i;

	/* Where the end of memory cuts the struct, its size is readable. */
	ph_user_put(test, ph_user_end() - 8, &c->size, sizeof(c->size));
	if (c->size > 16)
		ph_user_put(test, ph_user_end() - c->size + 8, &c->size,
			    sizeof(c->size));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (i < ARRAY_SIZE(bad) - 1 || c->size > 16)
			KUNIT_EXPECT_EQ_MSG(test, -EFAULT,
					    ph_user_call_at(test, c->cmd,
							    bad[i]),
					    "number %u", i);
	ph_expect_same(test, before);
}

static void command_when_count_is_bad(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	static const u32 counts[] = { 0, 65537, 1U << 31, U32_MAX };
	union ph_user_args args;
	u32 i;

	ph_good_args(test, &args);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		ph_expect_refused(test, &args, c->count, counts[i],
				  sizeof(u32), -EINVAL);
}

static void command_when_array_is_no_memory(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	u64 bad[] = {
		0, ph_user_unmapped(), ph_user_kernel(), 1ULL << 63,
		U64_MAX - 7, ph_user_end() - 8,
	};
	union ph_user_args args;
	u32 i;

	ph_good_args(test, &args);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (c->in != PH_NONE)
			ph_expect_refused(test, &args, c->in, bad[i],
					  sizeof(u64), -EFAULT);
		if (c->out != PH_NONE)
			ph_expect_refused(test, &args, c->out, bad[i],
					  sizeof(u64), -EFAULT);
	}
}

static void command_when_answer_is_read_only(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	union ph_user_args args;

	ph_good_args(test, &args);
	ph_expect_refused(test, &args, c->out, ph_user_read_only(),
			  sizeof(u64), -EFAULT);
}

static void command_number_when_unknown(struct kunit *test)
{
	const struct ph_command *c = test->param_value;
	struct ph_heap_state before;
	union ph_user_args args;
	u32 bit, tried = 0;

	ph_good_args(test, &args);
	before = ph_state(test);
	/* All that is not the number: magic, size, direction. */
	for (bit = 5; bit < 32; bit++, tried++)
		KUNIT_EXPECT_EQ(test, -ENOTTY,
				ph_user_call(test, c->cmd ^ 1U << bit, &args,
					     sizeof(args)));
	ph_expect_same(test, before);
	KUNIT_EXPECT_EQ(test, tried, 27);
}

static void command_numbers_end(struct kunit *test)
{
	union ph_user_args args = {};
	u32 nr;

	for (nr = ARRAY_SIZE(ph_commands); nr < 256; nr++)
		KUNIT_EXPECT_EQ(test, -ENOTTY,
				ph_user_call(test, _IO(PRIVHEAP_IOC_MAGIC, nr),
					     &args, sizeof(args)));
}

static struct kunit_case ph_ioctl_form_test_cases[] = {
	KUNIT_CASE_PARAM(command_when_right, ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_struct_is_too_short,
			 ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_struct_is_of_before,
			 ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_struct_is_longer, ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_unknown_tail_is_not_zero,
			 ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_flag_is_unknown, ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_reserved_is_not_zero,
			 ph_reserved_gen_params),
	KUNIT_CASE_PARAM(command_when_struct_is_no_memory,
			 ph_command_gen_params),
	KUNIT_CASE_PARAM(command_when_count_is_bad, ph_count_gen_params),
	KUNIT_CASE_PARAM(command_when_array_is_no_memory, ph_count_gen_params),
	KUNIT_CASE_PARAM(command_when_answer_is_read_only, ph_out_gen_params),
	KUNIT_CASE_PARAM(command_number_when_unknown, ph_command_gen_params),
	KUNIT_CASE(command_numbers_end),
	{}
};

static struct kunit_suite ph_ioctl_form_suite = {
	.name = "privheap_ioctl_form",
	.suite_init = ph_user_suite_init,
	.suite_exit = ph_user_suite_exit,
	.init = ph_user_init,
	.exit = ph_user_exit,
	.test_cases = ph_ioctl_form_test_cases,
};

kunit_test_suite(ph_ioctl_form_suite);
