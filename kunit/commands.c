// SPDX-License-Identifier: GPL-2.0
/* A right call of each command; see commands.h. */

#include "commands.h"

static void ph_fill_nothing(struct kunit *test, union ph_user_args *args)
{
}

static void ph_fill_create(struct kunit *test, union ph_user_args *args)
{
	strscpy(args->type.name, "node", sizeof(args->type.name));
	args->type.min_bytes = 40;
}

static void ph_fill_lookup(struct kunit *test, union ph_user_args *args)
{
	strscpy(args->type.name, "str", sizeof(args->type.name));
}

static void ph_fill_list(struct kunit *test, union ph_user_args *args)
{
	args->list.types = ph_user_array(1);
	args->list.count = 5;
}

static void ph_fill_destroy(struct kunit *test, union ph_user_args *args)
{
	struct privheap_type desc = { .name = "doomed", .min_bytes = 8 };

	args->destroy.type = ph_test_type(test, &desc);
}

static void ph_fill_alloc(struct kunit *test, union ph_user_args *args)
{
	args->alloc.type = PRIVHEAP_TYPE_STR;
	args->alloc.count = 5;
	args->alloc.object_bytes = 100;
	args->alloc.handles = ph_user_array(1);
}

static void ph_put_handles(struct kunit *test, u32 flags, u32 nr)
{
	struct privheap_type desc = {
		.name = "any", .min_bytes = 100, .flags = flags
	};
	u32 type = ph_test_type(test, &desc);
	u64 handles[8];

	ph_test_alloc_batch(test, type, 0, handles, nr);
	ph_user_put(test, ph_user_array(1), handles, nr * sizeof(*handles));
}

static void ph_fill_free(struct kunit *test, union ph_user_args *args)
{
	ph_put_handles(test, 0, 5);
	args->batch.handles = ph_user_array(1);
	args->batch.count = 5;
}

static void ph_fill_refs(struct kunit *test, union ph_user_args *args)
{
	ph_put_handles(test, PRIVHEAP_TYPE_COUNTED, 5);
	args->batch.handles = ph_user_array(1);
	args->batch.count = 5;
}

static void ph_fill_resize(struct kunit *test, union ph_user_args *args)
{
	args->resize.handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	args->resize.object_bytes = 9000;
}

static void ph_fill_rw(struct kunit *test, union ph_user_args *args)
{
	struct privheap_io ios[5];
	u32 i;

	for (i = 0; i < 5; i++) {
		ios[i].handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
		ios[i].offset = 10;
		ios[i].bytes = 50;
		ios[i].buffer = ph_user_array(2 + i);
	}
	ph_user_put(test, ph_user_array(1), ios, sizeof(ios));
	args->rw.ios = ph_user_array(1);
	args->rw.count = 5;
}

static void ph_fill_info(struct kunit *test, union ph_user_args *args)
{
	ph_put_handles(test, 0, 5);
	args->info.handles = ph_user_array(1);
	args->info.infos = ph_user_array(2);
	args->info.count = 5;
}

static void ph_fill_reserve(struct kunit *test, union ph_user_args *args)
{
	args->reserve.type = PRIVHEAP_TYPE_INT;
	args->reserve.count = 10;
}

static void ph_fill_type_stat(struct kunit *test, union ph_user_args *args)
{
	args->type_stat.type = PRIVHEAP_TYPE_INT;
}

static void ph_fill_walk(struct kunit *test, union ph_user_args *args)
{
	u64 handles[5];

	ph_test_alloc_batch(test, PRIVHEAP_TYPE_INT, 0, handles, 5);
	args->walk.handles = ph_user_array(1);
	args->walk.count = 5;
}

static void ph_fill_take(struct kunit *test, union ph_user_args *args)
{
	args->take.type = PRIVHEAP_TYPE_INT;
	args->take.count = 5;
	args->take.max_runs = 5;
	args->take.runs = ph_user_array(1);
}

static void ph_fill_give(struct kunit *test, union ph_user_args *args)
{
	struct privheap_run runs[5];
	u32 i;

	/* From slabs of their own, so that there are five runs. */
	for (i = 0; i < 5; i++)
		runs[i] = ph_test_take(test, PRIVHEAP_TYPE_INT + i, 0, 3);
	ph_user_put(test, ph_user_array(1), runs, sizeof(runs));
	args->give.runs = ph_user_array(1);
	args->give.count = 5;
}

static void ph_fill_to_handles(struct kunit *test, union ph_user_args *args)
{
	u64 offsets[5];
	u32 i;

	for (i = 0; i < 5; i++)
		offsets[i] = ph_test_take(test, PRIVHEAP_TYPE_INT + i, 0,
					  1).offset;
	ph_user_put(test, ph_user_array(1), offsets, sizeof(offsets));
	args->convert.from = ph_user_array(1);
	args->convert.to = ph_user_array(2);
	args->convert.count = 5;
}

static void ph_fill_to_offsets(struct kunit *test, union ph_user_args *args)
{
	ph_put_handles(test, 0, 5);
	args->convert.from = ph_user_array(1);
	args->convert.to = ph_user_array(2);
	args->convert.count = 5;
}

#define PH_AT(_struct, _member)	offsetof(struct privheap_ ## _struct, _member)
#define PH_COMMAND(_cmd, _struct, _fill) \
	.name = #_cmd, .cmd = PRIVHEAP_ ## _cmd, \
	.size = sizeof(struct privheap_ ## _struct), \
	.min_size = sizeof(struct privheap_ ## _struct), .fill = ph_fill_ ## _fill
/* One whose struct has grown; @_last is the last member of its first version. */
#define PH_GROWN(_cmd, _struct, _fill, _last) \
	.name = #_cmd, .cmd = PRIVHEAP_ ## _cmd, \
	.size = sizeof(struct privheap_ ## _struct), \
	.min_size = offsetofend(struct privheap_ ## _struct, _last), \
	.fill = ph_fill_ ## _fill
#define PH_NO_ARRAY	.count = PH_NONE, .in = PH_NONE, .out = PH_NONE

const struct ph_command ph_commands[PH_NR_COMMANDS] = {
	{ PH_COMMAND(QUERY, query, nothing), PH_NO_ARRAY, .reserved = PH_NONE },
	{ PH_COMMAND(SETUP, setup, nothing), PH_NO_ARRAY, .flags_ok = 3,
	  .reserved = PH_AT(setup, reserved) },
	{ PH_COMMAND(TYPE_CREATE, type, create), PH_NO_ARRAY, .flags_ok = 7,
	  .reserved = PH_AT(type, reserved) },
	{ PH_COMMAND(TYPE_LOOKUP, type, lookup), PH_NO_ARRAY,
	  .reserved = PH_AT(type, reserved) },
	{ PH_COMMAND(LIST_TYPES, type_list, list), .in = PH_NONE,
	  .count = PH_AT(type_list, count), .out = PH_AT(type_list, types),
	  .reserved = PH_AT(type_list, reserved) },
	{ PH_COMMAND(TYPE_DESTROY, type_destroy, destroy), PH_NO_ARRAY,
	  .reserved = PH_AT(type_destroy, reserved) },
	{ PH_COMMAND(ALLOC, alloc, alloc), .flags_ok = 3, .in = PH_NONE,
	  .count = PH_AT(alloc, count), .out = PH_AT(alloc, handles),
	  .reserved = PH_AT(alloc, reserved) },
	{ PH_COMMAND(FREE, batch, free), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(batch, count), .in = PH_AT(batch, handles),
	  .reserved = PH_NONE },
	{ PH_COMMAND(RESIZE, resize, resize), PH_NO_ARRAY, .flags_ok = 1,
	  .reserved = PH_AT(resize, reserved) },
	{ PH_COMMAND(READ, rw, rw), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(rw, count), .in = PH_AT(rw, ios),
	  .reserved = PH_AT(rw, reserved) },
	{ PH_COMMAND(WRITE, rw, rw), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(rw, count), .in = PH_AT(rw, ios),
	  .reserved = PH_AT(rw, reserved) },
	{ PH_COMMAND(INFO, info, info), .flags_ok = 1,
	  .count = PH_AT(info, count), .in = PH_AT(info, handles),
	  .out = PH_AT(info, infos), .reserved = PH_AT(info, reserved) },
	{ PH_COMMAND(GET, batch, refs), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(batch, count), .in = PH_AT(batch, handles),
	  .reserved = PH_NONE },
	{ PH_COMMAND(PUT, batch, refs), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(batch, count), .in = PH_AT(batch, handles),
	  .reserved = PH_NONE },
	{ PH_COMMAND(RESERVE, reserve, reserve), PH_NO_ARRAY,
	  .reserved = PH_AT(reserve, reserved) },
	{ PH_COMMAND(TRIM, trim, nothing), PH_NO_ARRAY, .reserved = PH_NONE },
	{ PH_GROWN(HEAP_STAT, heap_stat, nothing, moved_pages), PH_NO_ARRAY,
	  .reserved = PH_NONE },
	{ PH_GROWN(TYPE_STAT, type_stat, type_stat, fresh_allocs),
	  PH_NO_ARRAY, .reserved = PH_NONE },
	{ PH_COMMAND(WALK, walk, walk), .in = PH_NONE,
	  .count = PH_AT(walk, count), .out = PH_AT(walk, handles),
	  .reserved = PH_AT(walk, reserved) },
	{ PH_COMMAND(TAKE, take, take), .flags_ok = 2, .in = PH_NONE,
	  .count = PH_AT(take, count), .out = PH_AT(take, runs),
	  .reserved = PH_AT(take, reserved) },
	{ PH_COMMAND(GIVE, give, give), .flags_ok = 1, .out = PH_NONE,
	  .count = PH_AT(give, count), .in = PH_AT(give, runs),
	  .reserved = PH_AT(give, reserved) },
	{ PH_COMMAND(TO_HANDLES, convert, to_handles),
	  .count = PH_AT(convert, count), .in = PH_AT(convert, from),
	  .out = PH_AT(convert, to), .reserved = PH_NONE },
	{ PH_COMMAND(TO_OFFSETS, convert, to_offsets),
	  .count = PH_AT(convert, count), .in = PH_AT(convert, from),
	  .out = PH_AT(convert, to), .reserved = PH_NONE },
};
