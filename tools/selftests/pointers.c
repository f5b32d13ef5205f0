// SPDX-License-Identifier: GPL-2.0
/*
 * Pointers to structs and arrays that are not what they should be: EFAULT,
 * and the heap as it was, also when only the answer cannot be written.
 */
#include "scene.h"

/* Where a bad pointer leads. */
struct target {
	const char *name;
	__u64 address;		/* 0: into the cage, as below */
	bool read_only;		/* all of it is there, but read-only */
	size_t missing;		/* that many bytes of it lie behind the mapping */
};

/* More than any struct or array has: all of it is missing. */
#define ALL	SIZE_MAX

static const struct target targets[] = {
	{ "null", 0, false, 0 },
	{ "first_page", 8, false, 0 },
	{ "kernel", 0xffff888000000000ULL, false, 0 },
	{ "kernel_text", 0xffffffff81000000ULL, false, 0 },
	{ "non_canonical", 1ULL << 63, false, 0 },
	{ "top", ~0ULL - 7, false, 0 },
	{ "unmapped", 0, false, ALL },
	{ "last_byte_unmapped", 0, false, 1 },
	{ "last_half_unmapped", 0, false, 8 },
	{ "read_only", 0, true, 0 },
};

/* A copy of the @bytes at @from where @t says; its address. */
static __u64 target_place(const struct target *t, const void *from, size_t bytes)
{
	unsigned char *cage;
	size_t room, reach;

	if (!t->read_only && !t->missing)
		return t->address;
	cage = cage_make(&room);
	reach = t->missing == ALL ? 0 : bytes - t->missing;
	memcpy(cage + room - reach, from, reach);
	if (t->read_only)
		REQUIRE(!mprotect(cage, room, PROT_READ));
	return user_ptr(cage + room - reach);
}

struct row {
	const struct command *command;
	const struct target *target;
};

static void struct_at(int heap, const void *arg)
{
	const struct row *row = arg;
	const struct command *cmd = row->command;
	bool fine = row->target->read_only && !cmd->writes;
	struct scene scene;
	union call call;
	__u64 at;

	scene_make(&scene, heap);
	scene_call(&scene, cmd, &call);
	at = target_place(row->target, &call, cmd->bytes);
	EXPECT_ROW(heap_call(heap, cmd->number, (void *)(uintptr_t)at),
		   fine ? 0 : EFAULT);
	if (!fine)
		scene_check(&scene);
}

/* The struct across two pages, of which one cannot be written. */
static __u64 straddling_place(const void *from, size_t bytes, size_t first,
			      bool first_read_only)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(pages != MAP_FAILED);
	memcpy(pages + page - first, from, bytes);
	REQUIRE(!mprotect(pages + (first_read_only ? 0 : page), page, PROT_READ));
	return user_ptr(pages + page - first);
}

/* An answer of which only a part can be written is none. */
static void struct_across(int unused, const void *arg)
{
	const struct command *cmd = arg;
	struct scene scene;
	union call call;
	__u64 at;
	int heap, err;

	(void)unused;
	for (size_t first = 8; first < cmd->bytes; first += 8)
		for (int half = 0; half < 2; half++) {
			heap = heap_open();
			scene_make(&scene, heap);
			scene_call(&scene, cmd, &call);
			at = straddling_place(&call, cmd->bytes, first, half);
			err = heap_call(heap, cmd->number, (void *)(uintptr_t)at);
			/* Not all of a struct is written. */
			EXPECT_ROW(err, EFAULT, 0);
			if (err)
				scene_check(&scene);
			close(heap);
		}
}

/* A pointer inside of a call: which, how long its array, who writes it. */
struct array {
	unsigned long number;
	const char *name;
	size_t offset;		/* in the struct; for buffers in the scene */
	size_t bytes;
	bool written;
	bool in_scene;
	bool optional;		/* NULL stands for none */
};

#define HANDLES		(SCENE_OBJECTS * sizeof(__u64))
#define RUN		sizeof(struct privheap_run)
#define LAST_BUFFER	(offsetof(struct scene, ios[SCENE_OBJECTS - 1]) + \
			 offsetof(struct privheap_io, buffer))
#define IN(kind, member) offsetof(struct privheap_##kind, member)

static const struct array arrays[] = {
	{ PRIVHEAP_LIST_TYPES, "types", IN(type_list, types),
	  SCENE_OBJECTS * sizeof(struct privheap_type), true, false, false },
	{ PRIVHEAP_ALLOC, "handles", IN(alloc, handles), HANDLES, true, false, false },
	{ PRIVHEAP_ALLOC, "sizes", IN(alloc, sizes), HANDLES, false, false, true },
	{ PRIVHEAP_FREE, "handles", IN(batch, handles), HANDLES, false, false, false },
	{ PRIVHEAP_GET, "handles", IN(batch, handles), HANDLES, false, false, false },
	{ PRIVHEAP_PUT, "handles", IN(batch, handles), HANDLES, false, false, false },
	{ PRIVHEAP_READ, "ios", IN(rw, ios),
	  SCENE_OBJECTS * sizeof(struct privheap_io), false, false, false },
	{ PRIVHEAP_WRITE, "ios", IN(rw, ios),
	  SCENE_OBJECTS * sizeof(struct privheap_io), false, false, false },
	{ PRIVHEAP_READ, "buffer", LAST_BUFFER, SCENE_BYTES, true, true, false },
	{ PRIVHEAP_WRITE, "buffer", LAST_BUFFER, SCENE_BYTES, false, true, false },
	{ PRIVHEAP_INFO, "handles", IN(info, handles), HANDLES, false, false, false },
	{ PRIVHEAP_INFO, "infos", IN(info, infos),
	  SCENE_OBJECTS * sizeof(struct privheap_object_info), true, false, false },
	{ PRIVHEAP_WALK, "handles", IN(walk, handles), HANDLES, true, false, false },
	/* Their slots are neighbours: one run. */
	{ PRIVHEAP_TAKE, "runs", IN(take, runs), RUN, true, false, false },
	{ PRIVHEAP_GIVE, "runs", IN(give, runs), SCENE_OBJECTS * RUN, false, false,
	  false },
	{ PRIVHEAP_TO_HANDLES, "from", IN(convert, from), HANDLES, false, false,
	  false },
	{ PRIVHEAP_TO_HANDLES, "to", IN(convert, to), HANDLES, true, false, false },
	{ PRIVHEAP_TO_OFFSETS, "from", IN(convert, from), HANDLES, false, false,
	  false },
	{ PRIVHEAP_TO_OFFSETS, "to", IN(convert, to), HANDLES, true, false, false },
};

struct array_row {
	const struct array *array;
	const struct command *command;
	const struct target *target;
};

static void array_at(int heap, const void *arg)
{
	const struct array_row *row = arg;
	const struct array *a = row->array;
	struct scene scene;
	union call call;
	__u64 from, at;
	char *where;

	scene_make(&scene, heap);
	scene_call(&scene, row->command, &call);
	where = (a->in_scene ? (char *)&scene : (char *)&call) + a->offset;
	memcpy(&from, where, sizeof(from));
	at = target_place(row->target, (void *)(uintptr_t)from, a->bytes);
	memcpy(where, &at, sizeof(at));
	EXPECT_ROW(heap_call(heap, a->number, &call), EFAULT);
	scene_check(&scene);
}

/*
 * With PARTIAL what lies before the hole may be done, and then the call says
 * how much; or the call fails and nothing is.
 */
static void partial_array_at(int heap, const void *arg)
{
	const struct array_row *row = arg;
	const struct array *a = row->array;
	struct privheap_heap_stat is;
	struct scene scene;
	union call call;
	__u64 from, at, live, handed;
	char *where;
	int err;

	scene_make(&scene, heap);
	scene_call(&scene, row->command, &call);
	call.query.flags = PRIVHEAP_PARTIAL;
	where = (a->in_scene ? (char *)&scene : (char *)&call) + a->offset;
	memcpy(&from, where, sizeof(from));
	at = target_place(row->target, (void *)(uintptr_t)from, a->bytes);
	memcpy(where, &at, sizeof(at));
	err = heap_call(heap, a->number, &call);
	EXPECT_ROW(err, EFAULT, row->target->missing != ALL && a->bytes ? 0 : EFAULT);
	is = heap_stat(heap);
	live = scene.was.live_objects;
	handed = scene.was.handed_objects;
	if (!err && a->number == PRIVHEAP_ALLOC)
		live += call.alloc.done;
	if (!err && (a->number == PRIVHEAP_FREE || a->number == PRIVHEAP_PUT))
		live -= call.batch.done;
	if (!err && a->number == PRIVHEAP_GIVE)
		handed -= call.give.done;
	EXPECT_EQ(is.live_objects, live);
	EXPECT_EQ(is.handed_objects, handed);
	if (!err && a->number == PRIVHEAP_ALLOC)
		EXPECT(call.alloc.done < SCENE_OBJECTS);
}

static void add_array(const struct array *a, struct array_row *rows)
{
	for (size_t j = 0; j < ARRAY_SIZE(targets); j++) {
		const struct target *t = &targets[j];

		if (t->read_only && !a->written)
			continue;
		if (!t->address && !t->missing && !t->read_only && a->optional)
			continue;
		rows[j] = (struct array_row){ a, command_of(a->number), t };
		TEST_ARG(array_at, &rows[j], "%s_with_%s_%s",
			 rows[j].command->name, a->name, t->name);
		if (t->missing == 1 && (rows[j].command->flags & PRIVHEAP_PARTIAL))
			TEST_ARG(partial_array_at, &rows[j],
				 "partial_%s_with_%s_%s", rows[j].command->name,
				 a->name, t->name);
	}
}

int main(void)
{
	static struct row rows[ARRAY_SIZE(commands)][ARRAY_SIZE(targets)];
	static struct array_row array_rows[ARRAY_SIZE(arrays)][ARRAY_SIZE(targets)];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		for (size_t j = 0; j < ARRAY_SIZE(targets); j++) {
			rows[i][j] = (struct row){ &commands[i], &targets[j] };
			TEST_ARG(struct_at, &rows[i][j], "%s_with_struct_%s",
				 commands[i].name, targets[j].name);
		}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		TEST_ARG(struct_across, &commands[i], "%s_with_struct_across_pages",
			 commands[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		add_array(&arrays[i], array_rows[i]);
	return tests_run();
}
