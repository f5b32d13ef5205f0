/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scene of the hostile-input tests: a heap with a few objects, for every
 * command a call that would succeed on it, and a check that nothing changed.
 *
 * A test spoils one thing of one call, so that the errno can have one cause.
 */
#ifndef PRIVHEAP_SELFTESTS_SCENE_H
#define PRIVHEAP_SELFTESTS_SCENE_H

#include "mapping.h"

#define SCENE_OBJECTS	4
#define SCENE_BYTES	40

struct scene {
	int heap;
	__u32 victim;		/* counted: so that all commands apply */
	__u32 spare;		/* has no objects */
	__u32 lent;		/* its objects are handed out, or will be */
	__u64 handles[SCENE_OBJECTS];
	__u64 lives[SCENE_OBJECTS];	/* handles, not counted */
	__u64 offsets[SCENE_OBJECTS];	/* handed out */
	struct privheap_heap_stat was;

	/* What the calls' arrays point to. */
	__u64 given[SCENE_OBJECTS];
	__u64 sizes[SCENE_OBJECTS];
	__u64 out[SCENE_OBJECTS];
	struct privheap_io ios[SCENE_OBJECTS];
	struct privheap_run runs[SCENE_OBJECTS];
	struct privheap_object_info infos[SCENE_OBJECTS];
	struct privheap_type types[SCENE_OBJECTS];
	unsigned char buffers[SCENE_OBJECTS][SCENE_BYTES];
};

/* Any of the structs. */
union call {
	__u32 size;
	struct privheap_query query;
	struct privheap_setup setup;
	struct privheap_type type;
	struct privheap_type_list list;
	struct privheap_type_destroy destroy;
	struct privheap_alloc alloc;
	struct privheap_batch batch;
	struct privheap_resize resize;
	struct privheap_rw rw;
	struct privheap_info info;
	struct privheap_reserve reserve;
	struct privheap_trim trim;
	struct privheap_heap_stat heap_stat;
	struct privheap_type_stat type_stat;
	struct privheap_walk walk;
	struct privheap_take take;
	struct privheap_give give;
	struct privheap_convert convert;
};

struct command {
	const char *name;
	unsigned long number;
	__u32 bytes;		/* of its struct */
	__u32 first_bytes;	/* of the first version of it */
	bool writes;		/* the struct has (out) members */
	__u32 flags;		/* those that have a meaning */
	__u32 reserved;		/* offset of its reserved member; 0: none */
	void (*fill)(struct scene *s, union call *c);
};

static inline void scene_make(struct scene *s, int heap)
{
	memset(s, 0, sizeof(*s));
	s->heap = heap;
	s->victim = type_make(heap, "victim", 8, 4096, PRIVHEAP_TYPE_COUNTED);
	s->spare = type_make(heap, "spare", 64, 0, 0);
	s->lent = type_make(heap, "lent", SCENE_BYTES, 4096, 0);
	heap_fill(heap, s->victim, SCENE_BYTES, s->handles, SCENE_OBJECTS);
	heap_fill(heap, s->lent, SCENE_BYTES, s->lives, SCENE_OBJECTS);
	REQUIRE_OK(heap_take(heap, s->lent, SCENE_BYTES, s->offsets, SCENE_OBJECTS));
	for (int i = 0; i < SCENE_OBJECTS; i++) {
		object_fill(heap, s->handles[i], SCENE_BYTES, i);
		s->given[i] = s->handles[i];
		s->sizes[i] = 8 + i;
		s->ios[i] = (struct privheap_io){
			.handle = s->handles[i], .bytes = SCENE_BYTES,
			.buffer = user_ptr(s->buffers[i]),
		};
		s->runs[i] = (struct privheap_run){ s->offsets[i], 1 };
	}
	s->was = heap_stat(heap);
}

/* As made: objects, references, content, types, limits and promises. */
static inline void scene_check(struct scene *s)
{
	struct privheap_heap_stat is = heap_stat(s->heap);
	struct privheap_object_info info;
	struct privheap_type t;

	EXPECT_EQ(is.types, s->was.types);
	EXPECT_EQ(is.live_objects, s->was.live_objects);
	EXPECT_EQ(is.live_bytes, s->was.live_bytes);
	EXPECT_EQ(is.handed_objects, s->was.handed_objects);
	EXPECT_EQ(is.handed_bytes, s->was.handed_bytes);
	EXPECT_EQ(is.reserve_bytes, s->was.reserve_bytes);
	EXPECT_EQ(is.soft_max_bytes, s->was.soft_max_bytes);
	EXPECT_EQ(is.hard_max_bytes, s->was.hard_max_bytes);
	EXPECT_EQ(type_stat(s->heap, s->victim).promised_objects, 0);
	EXPECT_EQ(type_stat(s->heap, s->spare).live_objects, 0);
	EXPECT_ERR(type_lookup(s->heap, "fresh", &t), ENOENT);
	for (int i = 0; i < SCENE_OBJECTS; i++) {
		info = heap_info(s->heap, s->handles[i]);
		EXPECT_EQ(info.refs, 1);
		EXPECT_EQ(info.requested_bytes, SCENE_BYTES);
		object_check(s->heap, s->handles[i], SCENE_BYTES, i);
		EXPECT_EQ(heap_info(s->heap, s->lives[i]).type, s->lent);
		EXPECT_ERR(heap_give(s->heap, s->spare, &s->offsets[i], 1),
			   EPROTOTYPE);
	}
	EXPECT_OK(heap_free_one(s->heap, heap_new(s->heap, s->victim, 100)));
}

static inline void fill_nothing(struct scene *s, union call *c)
{
	(void)s;
	(void)c;
}

static inline void fill_create(struct scene *s, union call *c)
{
	(void)s;
	c->type = type_named("fresh", 8, 64);
}

static inline void fill_lookup(struct scene *s, union call *c)
{
	(void)s;
	c->type = type_named("victim", 0, 0);
}

static inline void fill_list(struct scene *s, union call *c)
{
	c->list.types = user_ptr(s->types);
	c->list.count = SCENE_OBJECTS;
}

static inline void fill_destroy(struct scene *s, union call *c)
{
	c->destroy.type = s->spare;
}

static inline void fill_alloc(struct scene *s, union call *c)
{
	c->alloc.type = s->victim;
	c->alloc.count = SCENE_OBJECTS;
	c->alloc.handles = user_ptr(s->out);
	c->alloc.sizes = user_ptr(s->sizes);
}

static inline void fill_batch(struct scene *s, union call *c)
{
	c->batch.type = s->victim;
	c->batch.count = SCENE_OBJECTS;
	c->batch.handles = user_ptr(s->given);
}

static inline void fill_resize(struct scene *s, union call *c)
{
	c->resize.type = s->victim;
	c->resize.handle = s->handles[0];
	c->resize.object_bytes = 4000;
}

static inline void fill_rw(struct scene *s, union call *c)
{
	c->rw.type = s->victim;
	c->rw.count = SCENE_OBJECTS;
	c->rw.ios = user_ptr(s->ios);
}

static inline void fill_info(struct scene *s, union call *c)
{
	c->info.type = s->victim;
	c->info.count = SCENE_OBJECTS;
	c->info.handles = user_ptr(s->given);
	c->info.infos = user_ptr(s->infos);
}

static inline void fill_reserve(struct scene *s, union call *c)
{
	c->reserve.type = s->victim;
	c->reserve.count = 10;
}

static inline void fill_type_stat(struct scene *s, union call *c)
{
	c->type_stat.type = s->victim;
}

static inline void fill_walk(struct scene *s, union call *c)
{
	c->walk.type = s->victim;
	c->walk.count = SCENE_OBJECTS;
	c->walk.handles = user_ptr(s->out);
}

static inline void fill_take(struct scene *s, union call *c)
{
	c->take.type = s->lent;
	c->take.count = SCENE_OBJECTS;
	c->take.runs = user_ptr(s->out);
	c->take.max_runs = SCENE_OBJECTS / 2;
}

static inline void fill_give(struct scene *s, union call *c)
{
	c->give.type = s->lent;
	c->give.count = SCENE_OBJECTS;
	c->give.runs = user_ptr(s->runs);
}

static inline void fill_to_handles(struct scene *s, union call *c)
{
	c->convert.type = s->lent;
	c->convert.count = SCENE_OBJECTS;
	c->convert.from = user_ptr(s->offsets);
	c->convert.to = user_ptr(s->out);
}

static inline void fill_to_offsets(struct scene *s, union call *c)
{
	c->convert.type = s->lent;
	c->convert.count = SCENE_OBJECTS;
	c->convert.from = user_ptr(s->lives);
	c->convert.to = user_ptr(s->out);
}

#define COMMAND(NAME, kind, out, known, res, filler) \
	{ #NAME, PRIVHEAP_##NAME, sizeof(struct privheap_##kind), \
	  sizeof(struct privheap_##kind), out, known, res, filler }
/* One whose struct has grown; @last is the last member of its first version. */
#define GROWN(NAME, kind, last, filler) \
	{ #NAME, PRIVHEAP_##NAME, sizeof(struct privheap_##kind), \
	  offsetof(struct privheap_##kind, last) + sizeof(__u64), true, 0, 0, \
	  filler }
#define RESERVED(kind)	offsetof(struct privheap_##kind, reserved)

#define TYPE_FLAGS	(PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_ZERO_FREE | \
			 PRIVHEAP_TYPE_COUNTED)

static const struct command commands[] = {
	COMMAND(QUERY, query, true, 0, 0, fill_nothing),
	COMMAND(SETUP, setup, false,
		PRIVHEAP_SETUP_DUMP | PRIVHEAP_SETUP_HARDENED, RESERVED(setup),
		fill_nothing),
	COMMAND(TYPE_CREATE, type, true, TYPE_FLAGS, RESERVED(type), fill_create),
	COMMAND(TYPE_LOOKUP, type, true, 0, RESERVED(type), fill_lookup),
	COMMAND(LIST_TYPES, type_list, true, 0, RESERVED(type_list), fill_list),
	COMMAND(TYPE_DESTROY, type_destroy, false, 0, RESERVED(type_destroy),
		fill_destroy),
	COMMAND(ALLOC, alloc, true, PRIVHEAP_PARTIAL | PRIVHEAP_ZERO,
		RESERVED(alloc), fill_alloc),
	COMMAND(FREE, batch, true, PRIVHEAP_PARTIAL, 0, fill_batch),
	COMMAND(RESIZE, resize, true, PRIVHEAP_BY_OFFSET, RESERVED(resize),
		fill_resize),
	COMMAND(READ, rw, true, PRIVHEAP_PARTIAL, RESERVED(rw), fill_rw),
	COMMAND(WRITE, rw, true, PRIVHEAP_PARTIAL, RESERVED(rw), fill_rw),
	COMMAND(INFO, info, true, PRIVHEAP_PARTIAL, RESERVED(info), fill_info),
	COMMAND(GET, batch, true, PRIVHEAP_PARTIAL, 0, fill_batch),
	COMMAND(PUT, batch, true, PRIVHEAP_PARTIAL, 0, fill_batch),
	COMMAND(RESERVE, reserve, true, 0, RESERVED(reserve), fill_reserve),
	COMMAND(TRIM, trim, true, 0, 0, fill_nothing),
	GROWN(HEAP_STAT, heap_stat, moved_pages, fill_nothing),
	GROWN(TYPE_STAT, type_stat, fresh_allocs, fill_type_stat),
	COMMAND(WALK, walk, true, 0, RESERVED(walk), fill_walk),
	COMMAND(TAKE, take, true, PRIVHEAP_ZERO, RESERVED(take), fill_take),
	COMMAND(GIVE, give, true, PRIVHEAP_PARTIAL, RESERVED(give), fill_give),
	COMMAND(TO_HANDLES, convert, false, 0, 0, fill_to_handles),
	COMMAND(TO_OFFSETS, convert, false, 0, 0, fill_to_offsets),
};

/* The call of @cmd that would succeed. */
static inline void scene_call(struct scene *s, const struct command *cmd,
			      union call *c)
{
	memset(c, 0, sizeof(*c));
	cmd->fill(s, c);
	c->size = cmd->bytes;
}

static inline const struct command *command_of(unsigned long number)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].number == number)
			return &commands[i];
	return NULL;
}

/*
 * Memory for a struct or an array: its last byte is followed by a page that
 * is not mapped, its first preceded by one.
 */
#define CAGE_PAGES	8

static inline unsigned char *cage_make(size_t *bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *cage;

	cage = mmap(NULL, (CAGE_PAGES + 2) * page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(cage != MAP_FAILED);
	REQUIRE(!munmap(cage, page));
	REQUIRE(!munmap(cage + (CAGE_PAGES + 1) * page, page));
	*bytes = CAGE_PAGES * page;
	return cage + page;
}

#endif
