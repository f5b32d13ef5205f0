// SPDX-License-Identifier: GPL-2.0
/*
 * The form of every command's struct: size, tail, flags, reserved members,
 * counts. What is refused leaves the heap as it was.
 */
#include "scene.h"

/* A size of the struct and what may be in the tail. */
struct form {
	const char *name;
	bool relative;		/* to the size of the command's struct */
	__u32 size;
	long poison;		/* this byte of the tail is not zero; -1: none */
	int errs[2];
};

static const struct form forms[] = {
	{ "size_0", false, 0, -1, { EINVAL, EINVAL } },
	{ "size_4", false, 4, -1, { EINVAL, EINVAL } },
	{ "size_8", false, 8, -1, { EINVAL, EINVAL } },
	{ "size_below_its_first", true, -1, -1, { EINVAL, EINVAL } },
	{ "its_own_size", true, 0, -1, { 0, 0 } },
	{ "zero_tail_of_1", true, 1, -1, { 0, 0 } },
	{ "zero_tail_of_8", true, 8, -1, { 0, 0 } },
	{ "tail_of_8_with_first_byte", true, 8, 0, { E2BIG, E2BIG } },
	{ "tail_of_8_with_last_byte", true, 8, 7, { E2BIG, E2BIG } },
	{ "zero_tail_up_to_a_page", false, 4096, -1, { 0, 0 } },
	{ "tail_up_to_a_page_with_a_byte", false, 4096, 2000, { E2BIG, E2BIG } },
	/* A kernel may bound what it reads; it may not misread it. */
	{ "zero_tail_beyond_a_page", false, 4096 + 8, -1, { 0, E2BIG } },
	{ "tail_of_pages_with_a_byte", false, 3 * 4096, 9000, { E2BIG, E2BIG } },
	{ "size_2_31", false, 1U << 31, -1, { EFAULT, E2BIG } },
	{ "size_2_32_less_1", false, ~0U, -1, { EFAULT, E2BIG } },
};

struct row {
	const struct command *command;
	const struct form *form;
};

static void command_with_form(int heap, const void *arg)
{
	const struct row *row = arg;
	const struct form *f = row->form;
	__u32 bytes = row->command->bytes;
	unsigned char *cage;
	struct scene scene;
	union call call;
	size_t room;

	scene_make(&scene, heap);
	scene_call(&scene, row->command, &call);
	if (f->relative)
		call.size = f->size == -1U ? row->command->first_bytes - 1 :
			bytes + f->size;
	else
		call.size = f->size;
	cage = cage_make(&room);
	memcpy(cage, &call, bytes);
	if (f->poison >= 0)
		cage[bytes + f->poison] = 1;
	EXPECT_ROW(heap_call(heap, row->command->number, cage),
		   f->errs[0], f->errs[1]);
	if (f->errs[0])
		scene_check(&scene);
}

/* Every bit that has no meaning, alone and beside those that have one. */
static void command_with_unknown_flags(int heap, const void *arg)
{
	const struct command *cmd = arg;
	bool lookup = cmd->number == PRIVHEAP_TYPE_LOOKUP;
	struct scene scene;
	union call call;

	scene_make(&scene, heap);
	for (int bit = 0; bit < 32; bit++) {
		if (cmd->flags & 1U << bit)
			continue;
		for (int beside = 0; beside < 2; beside++) {
			scene_call(&scene, cmd, &call);
			call.query.flags = 1U << bit | (beside ? cmd->flags : 0);
			EXPECT_ROW(heap_call(heap, cmd->number, &call), EOPNOTSUPP,
				   lookup ? EINVAL : EOPNOTSUPP);
		}
	}
	scene_check(&scene);
}

static void command_with_reserved_member(int heap, const void *arg)
{
	static const __u32 values[] = { 1, 1U << 31, ~0U };
	const struct command *cmd = arg;
	bool lookup = cmd->number == PRIVHEAP_TYPE_LOOKUP;
	struct scene scene;
	union call call;

	scene_make(&scene, heap);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		scene_call(&scene, cmd, &call);
		memcpy((char *)&call + cmd->reserved, &values[i], sizeof(__u32));
		EXPECT_ROW(heap_call(heap, cmd->number, &call), EOPNOTSUPP,
			   lookup ? EINVAL : EOPNOTSUPP);
	}
	scene_check(&scene);
}

static void create_with_reference_slots(int heap, const void *arg)
{
	struct scene scene;
	union call call;

	(void)arg;
	scene_make(&scene, heap);
	for (int i = 0; i < 2; i++) {
		fill_create(&scene, &call);
		if (i)
			call.type.slots = user_ptr(scene.out);
		else
			call.type.nr_slots = 1;
		EXPECT_ROW(heap_call(heap, PRIVHEAP_TYPE_CREATE, &call),
			   EOPNOTSUPP, EINVAL);
	}
	scene_check(&scene);
}

/* LOOKUP reads the name alone, and all else must be zero. */
static void lookup_with_any_other_member(int heap, const void *arg)
{
	static const size_t others[] = {
		offsetof(struct privheap_type, policy),
		offsetof(struct privheap_type, min_bytes),
		offsetof(struct privheap_type, max_bytes),
		offsetof(struct privheap_type, align),
		offsetof(struct privheap_type, keep_slabs),
		offsetof(struct privheap_type, quota_objects),
		offsetof(struct privheap_type, prealloc_objects),
		offsetof(struct privheap_type, nr_slots),
		offsetof(struct privheap_type, slots),
	};
	struct scene scene;
	union call call;

	(void)arg;
	scene_make(&scene, heap);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		fill_lookup(&scene, &call);
		((unsigned char *)&call)[others[i]] = 1;
		EXPECT_ROW(heap_call(heap, PRIVHEAP_TYPE_LOOKUP, &call),
			   EOPNOTSUPP, EINVAL);
	}
	scene_check(&scene);
}

/* What is (out) is ignored on entry. */
static void out_members_are_ignored(int heap, const void *arg)
{
	struct scene scene;
	union call call;

	(void)arg;
	scene_make(&scene, heap);
	memset(&call, 0xff, sizeof(call));
	call.query.size = sizeof(call.query);
	call.query.flags = 0;
	EXPECT_OK(heap_call(heap, PRIVHEAP_QUERY, &call));
	fill_create(&scene, &call);
	call.type.type = ~0U;
	EXPECT_OK(heap_call(heap, PRIVHEAP_TYPE_CREATE, &call));
	EXPECT(call.type.type != ~0U);
	scene_call(&scene, &commands[6], &call);
	call.alloc.done = ~0U;
	EXPECT_OK(heap_call(heap, PRIVHEAP_ALLOC, &call));
	EXPECT_EQ(call.alloc.done, SCENE_OBJECTS);
}

/* Counts that no batch may have. */
struct count {
	const struct command *command;
	size_t offset;		/* of the member count */
	unsigned int kind;	/* index of its value below */
};

static const char *const count_names[] = {
	"0", "max_batch_plus_1", "2_31", "2_32_less_1",
};

#define COUNTED(NAME, kind, member) \
	{ PRIVHEAP_##NAME, #member, offsetof(struct privheap_##kind, member) }

static const struct {
	unsigned long number;
	const char *member;
	size_t offset;
} counted[] = {
	COUNTED(LIST_TYPES, type_list, count),
	COUNTED(ALLOC, alloc, count),
	COUNTED(FREE, batch, count),
	COUNTED(GET, batch, count),
	COUNTED(PUT, batch, count),
	COUNTED(READ, rw, count),
	COUNTED(WRITE, rw, count),
	COUNTED(INFO, info, count),
	COUNTED(WALK, walk, count),
	COUNTED(TAKE, take, count),
	COUNTED(TAKE, take, max_runs),
	COUNTED(GIVE, give, count),
	COUNTED(TO_HANDLES, convert, count),
	COUNTED(TO_OFFSETS, convert, count),
};

static void command_with_count(int heap, const void *arg)
{
	const struct count *c = arg;
	__u32 values[] = { 0, heap_query(heap).max_batch + 1, 1U << 31, ~0U };
	struct scene scene;
	union call call;

	scene_make(&scene, heap);
	scene_call(&scene, c->command, &call);
	memcpy((char *)&call + c->offset, &values[c->kind], sizeof(__u32));
	EXPECT_ROW(heap_call(heap, c->command->number, &call), EINVAL);
	if (c->command->flags & PRIVHEAP_PARTIAL) {
		call.query.flags = PRIVHEAP_PARTIAL;
		EXPECT_ROW(heap_call(heap, c->command->number, &call), EINVAL);
	}
	scene_check(&scene);
}

static void add_counts(void)
{
	static struct count counts[ARRAY_SIZE(counted)][ARRAY_SIZE(count_names)];

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(count_names); k++) {
			counts[i][k] = (struct count){
				.command = command_of(counted[i].number),
				.offset = counted[i].offset, .kind = k,
			};
			TEST_ARG(command_with_count, &counts[i][k],
				 "%s_with_%s_%s", counts[i][k].command->name,
				 counted[i].member, count_names[k]);
		}
}

int main(void)
{
	static struct row rows[ARRAY_SIZE(commands)][ARRAY_SIZE(forms)];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(forms); j++) {
			rows[i][j] = (struct row){ &commands[i], &forms[j] };
			TEST_ARG(command_with_form, &rows[i][j], "%s_with_%s",
				 commands[i].name, forms[j].name);
		}
		TEST_ARG(command_with_unknown_flags, &commands[i],
			 "%s_with_unknown_flags", commands[i].name);
		if (commands[i].reserved)
			TEST_ARG(command_with_reserved_member, &commands[i],
				 "%s_with_reserved_member", commands[i].name);
	}
	add_counts();
	TEST(create_with_reference_slots);
	TEST(lookup_with_any_other_member);
	TEST(out_members_are_ignored);
	return tests_run();
}
