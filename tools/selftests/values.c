// SPDX-License-Identifier: GPL-2.0
/*
 * Values of members, one wrong at a time in a call that is otherwise right:
 * each has its errno, and nothing changes.
 *
 * Forms of structs are in forms.c, pointers in pointers.c, handles in handles.c,
 * declarations of types in typecreate.c.
 */
#include "scene.h"

struct row {
	unsigned long number;
	const char *what;
	bool in_scene;		/* where the value goes: into the scene's arrays */
	size_t offset;
	size_t bytes;
	__u64 value;
	int errs[2];
};

#define SIZEOF(kind, member)	sizeof(((struct privheap_##kind *)0)->member)

#define ROW(NAME, kind, member, value, ...) \
	{ PRIVHEAP_##NAME, #NAME "_with_" #member, false, \
	  offsetof(struct privheap_##kind, member), SIZEOF(kind, member), \
	  value, { __VA_ARGS__ } }
/* A member of the last element of an array; its elements before are right. */
#define ELEMENT(NAME, array, member, value, ...) \
	{ PRIVHEAP_##NAME, #NAME "_with_" #array "_" #member, true, \
	  offsetof(struct scene, array[SCENE_OBJECTS - 1]) + \
	  offsetof(struct privheap_io, member), sizeof(__u64), \
	  value, { __VA_ARGS__ } }
#define WORD(NAME, array, value, ...) \
	{ PRIVHEAP_##NAME, #NAME "_with_" #array, true, \
	  offsetof(struct scene, array[SCENE_OBJECTS - 1]), sizeof(__u64), \
	  value, { __VA_ARGS__ } }

#define EACH_TYPE(NAME, kind) \
	ROW(NAME, kind, type, 10, ENOENT), ROW(NAME, kind, type, 15, ENOENT), \
	ROW(NAME, kind, type, 19, ENOENT), ROW(NAME, kind, type, 1023, ENOENT), \
	ROW(NAME, kind, type, 1024, ENOENT), \
	ROW(NAME, kind, type, 1U << 31, ENOENT), ROW(NAME, kind, type, ~0U, ENOENT)
#define EACH_OTHER_TYPE(NAME, kind) \
	ROW(NAME, kind, type, 1, EPROTOTYPE), ROW(NAME, kind, type, 17, EPROTOTYPE), \
	ROW(NAME, kind, type, 10, EPROTOTYPE), \
	ROW(NAME, kind, type, 1U << 31, EPROTOTYPE), \
	ROW(NAME, kind, type, ~0U, EPROTOTYPE)
#define EACH_COUNT(NAME, kind) \
	ROW(NAME, kind, count, 0, EINVAL), ROW(NAME, kind, count, 65537, EINVAL), \
	ROW(NAME, kind, count, 1U << 31, EINVAL), ROW(NAME, kind, count, ~0U, EINVAL)
#define EACH_POINTER(NAME, kind, member) \
	ROW(NAME, kind, member, 1, EFAULT), ROW(NAME, kind, member, 4095, EFAULT), \
	ROW(NAME, kind, member, 1ULL << 47, EFAULT), \
	ROW(NAME, kind, member, 0x7fffffffffffffffULL, EFAULT), \
	ROW(NAME, kind, member, 0xffff888000000001ULL, EFAULT), \
	ROW(NAME, kind, member, 0xffffffff81000000ULL, EFAULT), \
	ROW(NAME, kind, member, ~0ULL, EFAULT)
#define EACH_SIZE(NAME, kind) \
	ROW(NAME, kind, object_bytes, 7, ERANGE), \
	ROW(NAME, kind, object_bytes, 4097, ERANGE), \
	ROW(NAME, kind, object_bytes, 1ULL << 32, ERANGE), \
	ROW(NAME, kind, object_bytes, 1ULL << 63, ERANGE), \
	ROW(NAME, kind, object_bytes, ~0ULL - 7, ERANGE), \
	ROW(NAME, kind, object_bytes, ~0ULL, ERANGE)
#define EACH_HANDLE(NAME) \
	WORD(NAME, given, 0, ENXIO), WORD(NAME, given, 1, ENXIO), \
	WORD(NAME, given, 1ULL << 39, ENXIO), WORD(NAME, given, ~0ULL, EXDEV, ENXIO)
#define EACH_IO(NAME) \
	ELEMENT(NAME, ios, handle, 0, ENXIO), ELEMENT(NAME, ios, handle, 4096, ENXIO), \
	ELEMENT(NAME, ios, handle, ~0ULL, EXDEV, ENXIO), \
	ELEMENT(NAME, ios, offset, 1, ERANGE), ELEMENT(NAME, ios, offset, 40, ERANGE), \
	ELEMENT(NAME, ios, offset, 1ULL << 32, ERANGE), \
	ELEMENT(NAME, ios, offset, 1ULL << 63, ERANGE), \
	ELEMENT(NAME, ios, offset, ~0ULL, EOVERFLOW), \
	ELEMENT(NAME, ios, offset, ~0ULL - 39, EOVERFLOW), \
	ELEMENT(NAME, ios, bytes, 41, ERANGE), ELEMENT(NAME, ios, bytes, 4096, ERANGE), \
	ELEMENT(NAME, ios, bytes, 1ULL << 32, ERANGE, EINVAL), \
	ELEMENT(NAME, ios, bytes, 1ULL << 63, ERANGE, EINVAL), \
	ELEMENT(NAME, ios, bytes, ~0ULL, ERANGE, EOVERFLOW), \
	ELEMENT(NAME, ios, buffer, 0, EFAULT), ELEMENT(NAME, ios, buffer, 4095, EFAULT), \
	ELEMENT(NAME, ios, buffer, 1ULL << 63, EFAULT), \
	ELEMENT(NAME, ios, buffer, 0xffff888000000000ULL, EFAULT), \
	ELEMENT(NAME, ios, buffer, ~0ULL - 3, EFAULT)
/* Of an object by offset, in a word or in a run. */
#define RUN(NAME, member, value, ...) \
	{ PRIVHEAP_##NAME, #NAME "_with_run_" #member, true, \
	  offsetof(struct scene, runs[SCENE_OBJECTS - 1]) + \
	  offsetof(struct privheap_run, member), sizeof(__u64), \
	  value, { __VA_ARGS__ } }
#define EACH_OTHER_MEMBER(member) \
	ROW(TYPE_LOOKUP, type, member, 1, EOPNOTSUPP), \
	ROW(TYPE_LOOKUP, type, member, 1U << 31, EOPNOTSUPP)

static const struct row rows[] = {
	ROW(SETUP, setup, reserve_bytes, 1ULL << 62, EINVAL),
	ROW(SETUP, setup, reserve_bytes, ~0ULL, EINVAL),
	ROW(SETUP, setup, soft_max_bytes, 1ULL << 62, EINVAL),
	ROW(SETUP, setup, soft_max_bytes, ~0ULL, EINVAL),
	ROW(SETUP, setup, hard_max_bytes, ~0ULL, EINVAL),
	ROW(SETUP, setup, hard_max_bytes, 1ULL << 62, EINVAL),
	ROW(SETUP, setup, hard_max_bytes, 1, EBUSY),
	ROW(SETUP, setup, hard_max_bytes, 4096, EBUSY),
	ROW(SETUP, setup, type_flags, PRIVHEAP_TYPE_COUNTED, EOPNOTSUPP),
	ROW(SETUP, setup, type_flags, 8, EOPNOTSUPP),
	ROW(SETUP, setup, type_flags, ~0U, EOPNOTSUPP),
	ROW(SETUP, setup, type_flags, PRIVHEAP_TYPE_ZERO_ALLOC, EBUSY),

	ROW(TYPE_CREATE, type, min_bytes, 0, EINVAL),
	ROW(TYPE_CREATE, type, min_bytes, 65, EINVAL),
	ROW(TYPE_CREATE, type, min_bytes, ~0ULL, EINVAL),
	ROW(TYPE_CREATE, type, max_bytes, 7, EINVAL),
	ROW(TYPE_CREATE, type, max_bytes, 1ULL << 63, EINVAL),
	ROW(TYPE_CREATE, type, max_bytes, ~0ULL, EINVAL),
	ROW(TYPE_CREATE, type, align, 3, EINVAL),
	ROW(TYPE_CREATE, type, align, 1U << 30, EINVAL),
	ROW(TYPE_CREATE, type, align, ~0U, EINVAL),
	ROW(TYPE_CREATE, type, policy, 3, EINVAL),
	ROW(TYPE_CREATE, type, policy, 1U << 31, EINVAL),
	ROW(TYPE_CREATE, type, policy, ~0U, EINVAL),
	ROW(TYPE_CREATE, type, keep_slabs, 1025, EINVAL),
	ROW(TYPE_CREATE, type, keep_slabs, ~0U, EINVAL),
	ROW(TYPE_CREATE, type, nr_slots, 1, EOPNOTSUPP),
	ROW(TYPE_CREATE, type, nr_slots, ~0U, EOPNOTSUPP),
	ROW(TYPE_CREATE, type, slots, 8, EOPNOTSUPP),
	ROW(TYPE_CREATE, type, slots, 0xffff888000000000ULL, EOPNOTSUPP),
	ROW(TYPE_CREATE, type, prealloc_objects, 1ULL << 60, EDQUOT, ENOMEM),
	ROW(TYPE_CREATE, type, prealloc_objects, ~0ULL, EDQUOT, ENOMEM),
	ROW(TYPE_CREATE, type, name[0], 0, EINVAL),
	ROW(TYPE_CREATE, type, name[0], ' ', EINVAL),
	ROW(TYPE_CREATE, type, name[1], '\n', EINVAL),
	ROW(TYPE_CREATE, type, name[2], 0xff, EINVAL),
	ROW(TYPE_CREATE, type, name[3], 0x7f, EINVAL),
	ROW(TYPE_CREATE, type, name[4], 0x1b, EINVAL),

	ROW(TYPE_LOOKUP, type, name[0], 'V', ENOENT),
	ROW(TYPE_LOOKUP, type, name[0], 0, ENOENT, EINVAL),
	ROW(TYPE_LOOKUP, type, name[5], 0, ENOENT),
	EACH_OTHER_MEMBER(type), EACH_OTHER_MEMBER(policy), EACH_OTHER_MEMBER(min_bytes),
	EACH_OTHER_MEMBER(max_bytes), EACH_OTHER_MEMBER(align),
	EACH_OTHER_MEMBER(keep_slabs), EACH_OTHER_MEMBER(quota_objects),
	EACH_OTHER_MEMBER(prealloc_objects), EACH_OTHER_MEMBER(nr_slots),
	EACH_OTHER_MEMBER(reserved), EACH_OTHER_MEMBER(slots),

	EACH_COUNT(LIST_TYPES, type_list), EACH_POINTER(LIST_TYPES, type_list, types),

	EACH_TYPE(TYPE_DESTROY, type_destroy),
	ROW(TYPE_DESTROY, type_destroy, type, 0, ENOENT),
	ROW(TYPE_DESTROY, type_destroy, type, 1, EPERM),
	ROW(TYPE_DESTROY, type_destroy, type, 9, EPERM),
	ROW(TYPE_DESTROY, type_destroy, type, 16, EBUSY),

	EACH_TYPE(ALLOC, alloc), ROW(ALLOC, alloc, type, 0, ENOENT),
	EACH_COUNT(ALLOC, alloc), EACH_POINTER(ALLOC, alloc, handles),
	EACH_POINTER(ALLOC, alloc, sizes),
	ROW(ALLOC, alloc, object_bytes, 8, EINVAL),
	ROW(ALLOC, alloc, object_bytes, ~0ULL, EINVAL),
	WORD(ALLOC, sizes, 0, ERANGE), WORD(ALLOC, sizes, 7, ERANGE),
	WORD(ALLOC, sizes, 4097, ERANGE), WORD(ALLOC, sizes, 1ULL << 32, ERANGE),
	WORD(ALLOC, sizes, 1ULL << 63, ERANGE), WORD(ALLOC, sizes, ~0ULL, ERANGE),

	EACH_OTHER_TYPE(FREE, batch), EACH_COUNT(FREE, batch),
	EACH_POINTER(FREE, batch, handles), EACH_HANDLE(FREE),
	EACH_OTHER_TYPE(GET, batch), EACH_COUNT(GET, batch),
	EACH_POINTER(GET, batch, handles), EACH_HANDLE(GET),
	EACH_OTHER_TYPE(PUT, batch), EACH_COUNT(PUT, batch),
	EACH_POINTER(PUT, batch, handles), EACH_HANDLE(PUT),

	EACH_OTHER_TYPE(RESIZE, resize), EACH_SIZE(RESIZE, resize),
	ROW(RESIZE, resize, object_bytes, 0, ERANGE),
	ROW(RESIZE, resize, handle, 0, ENXIO), ROW(RESIZE, resize, handle, 1, ENXIO),
	ROW(RESIZE, resize, handle, ~0ULL, EXDEV, ENXIO),

	EACH_OTHER_TYPE(READ, rw), EACH_COUNT(READ, rw), EACH_POINTER(READ, rw, ios),
	EACH_IO(READ),
	EACH_OTHER_TYPE(WRITE, rw), EACH_COUNT(WRITE, rw), EACH_POINTER(WRITE, rw, ios),
	EACH_IO(WRITE),

	EACH_OTHER_TYPE(INFO, info), EACH_COUNT(INFO, info),
	EACH_POINTER(INFO, info, handles), EACH_POINTER(INFO, info, infos),
	EACH_HANDLE(INFO),

	EACH_TYPE(RESERVE, reserve), ROW(RESERVE, reserve, type, 0, ENOENT),
	EACH_SIZE(RESERVE, reserve),
	ROW(RESERVE, reserve, count, 1ULL << 40, EDQUOT, ENOMEM),
	ROW(RESERVE, reserve, count, 1ULL << 61, EDQUOT, ENOMEM),
	ROW(RESERVE, reserve, count, ~0ULL, EDQUOT, ENOMEM),

	EACH_TYPE(TYPE_STAT, type_stat), ROW(TYPE_STAT, type_stat, type, 0, ENOENT),

	EACH_TYPE(WALK, walk), EACH_COUNT(WALK, walk), EACH_POINTER(WALK, walk, handles),
	ROW(WALK, walk, cursor, 1ULL << 39, EINVAL),
	ROW(WALK, walk, cursor, 1ULL << 40, EINVAL),
	ROW(WALK, walk, cursor, 1ULL << 63, EINVAL), ROW(WALK, walk, cursor, ~0ULL, EINVAL),

	EACH_TYPE(TAKE, take), ROW(TAKE, take, type, 0, ENOENT),
	ROW(TAKE, take, type, 16, EOPNOTSUPP),
	EACH_COUNT(TAKE, take), EACH_SIZE(TAKE, take), EACH_POINTER(TAKE, take, runs),
	ROW(TAKE, take, max_runs, 0, EINVAL), ROW(TAKE, take, max_runs, 65537, EINVAL),
	ROW(TAKE, take, max_runs, ~0U, EINVAL),

	EACH_OTHER_TYPE(GIVE, give), ROW(GIVE, give, type, 16, EPROTOTYPE),
	EACH_COUNT(GIVE, give), EACH_POINTER(GIVE, give, runs),
	RUN(GIVE, offset, 1ULL << 39, ENXIO), RUN(GIVE, offset, 1ULL << 40, ENXIO),
	RUN(GIVE, offset, ~0ULL, ENXIO), RUN(GIVE, offset, ~0ULL << 12, ENXIO),
	RUN(GIVE, mask, 0, EINVAL), RUN(GIVE, mask, ~0ULL, ESTALE, ENXIO),
	RUN(GIVE, mask, 1ULL << 63, ESTALE, ENXIO),

	EACH_OTHER_TYPE(TO_HANDLES, convert), EACH_COUNT(TO_HANDLES, convert),
	EACH_POINTER(TO_HANDLES, convert, from), EACH_POINTER(TO_HANDLES, convert, to),
	WORD(TO_HANDLES, offsets, 1ULL << 39, ENXIO),
	WORD(TO_HANDLES, offsets, 1ULL << 40, ENXIO),
	WORD(TO_HANDLES, offsets, ~0ULL, ENXIO),

	EACH_OTHER_TYPE(TO_OFFSETS, convert), EACH_COUNT(TO_OFFSETS, convert),
	EACH_POINTER(TO_OFFSETS, convert, from), EACH_POINTER(TO_OFFSETS, convert, to),
	WORD(TO_OFFSETS, lives, 0, ENXIO), WORD(TO_OFFSETS, lives, 1ULL << 39, ENXIO),
	WORD(TO_OFFSETS, lives, ~0ULL, EXDEV, ENXIO),
};

static void row_try(int heap, const struct row *row)
{
	const struct command *cmd = command_of(row->number);
	struct scene scene, right;
	union call call;

	scene_make(&scene, heap);
	scene_call(&scene, cmd, &call);
	right = scene;
	memcpy((row->in_scene ? (char *)&scene : (char *)&call) + row->offset,
	       &row->value, row->bytes);
	if (!EXPECT_ROW(heap_call(heap, row->number, &call), row->errs[0],
			row->errs[1] ? row->errs[1] : row->errs[0]))
		test_note("%s %#llx", row->what, (unsigned long long)row->value);
	scene_check(&right);
}

/* All rows of one command, each on a heap of its own. */
static void command_with_values(int heap, const void *arg)
{
	const struct command *cmd = arg;
	int own;

	(void)heap;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].number != cmd->number)
			continue;
		own = heap_open();
		row_try(own, &rows[i]);
		close(own);
	}
}

/* A handle twice in a batch: the second time it is stale, and nothing happened. */
static void object_twice_in_a_batch(int heap, const void *arg)
{
	static const unsigned long numbers[] = { PRIVHEAP_FREE, PRIVHEAP_PUT };
	struct scene scene;

	(void)arg;
	scene_make(&scene, heap);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		scene.given[SCENE_OBJECTS - 1] = scene.given[0];
		EXPECT_ROW(heap_batch(heap, numbers[i], 0, scene.given, SCENE_OBJECTS),
			   ESTALE, EREMCHG);
		scene_check(&scene);
	}
}

int main(void)
{
	bool has_rows;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		has_rows = false;
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
			has_rows |= rows[j].number == commands[i].number;
		if (has_rows)
			TEST_ARG(command_with_values, &commands[i], "%s_with_wrong_values",
				 commands[i].name);
	}
	TEST(object_twice_in_a_batch);
	return tests_run();
}
