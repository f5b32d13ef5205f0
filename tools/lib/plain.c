// SPDX-License-Identifier: MIT
/*
 * Plain memory: what the module does for a mapped heap, done by the library in
 * anonymous memory, for machines without the module. Wrong frees are found as
 * the module finds them; quotas, promises and handles there are none.
 *
 * Address space is reserved for the largest region that there may be. What is used
 * of it, and of the tables by page, is opened a step at a time, and stays so.
 */
#include "internal.h"

#include <stddef.h>
#include <sys/mman.h>

#include "plain.h"

#define SLAB_BYTES	((size_t)64 << 10)
#define SPAN_FROM	((size_t)8 << 10)	/* larger objects are spans */
#define CLASSES		64
#define TYPES		256

struct plain_type {
	size_t min, max;
	uint32_t align, flags;
	bool fixed;
	struct plain_slab *partial[CLASSES];	/* with a slot left */
};

/* Slots that are out have a set bit. */
struct plain_slab {
	struct plain_slab *next, **link;	/* while it is partial */
	uint32_t first_page, pages, stride, slots, out, type, class;
	uint64_t taken[];
};

/* What each page has: itself, and its place in each table. */
enum { PART_PAGE, PART_MAP, PART_SLAB, PART_GAP, PARTS };

/* Address space with such a part of all pages, the first ones opened. */
struct plain_part {
	char *base;
	size_t each, bytes, open;
};

#define PART_STEP	((size_t)64 << 10)	/* opened at once */

struct ph_plain {
	pthread_mutex_t lock;
	struct privheap *heap;
	struct plain_pages pages;
	struct plain_part part[PARTS];
	struct privheap_map_entry *map;
	struct plain_slab **slab;		/* by page */
	struct plain_type *type[TYPES];
	struct plain_slab *spare[SLAB_BYTES / 16 / 64 + 1];	/* by words of bits */
	uint32_t types;
};

static int fail(int err)
{
	errno = err;
	return -1;
}

/* Four classes for each doubling, 16 bytes apart below 128. */
static uint32_t class_of(size_t bytes)
{
	uint32_t order;

	if (bytes <= 128)
		return (uint32_t)((bytes + 15) / 16 - 1);
	order = (uint32_t)(63 - __builtin_clzll(bytes - 1));
	return 8 + (order - 7) * 4 + (uint32_t)((bytes - 1 - ((size_t)1 << order)) >> (order - 2));
}

static size_t class_bytes(uint32_t class)
{
	uint32_t order;

	if (class < 8)
		return 16 * (size_t)(class + 1);
	order = 7 + (class - 8) / 4;
	return ((size_t)1 << order) + (((class - 8) % 4 + 1) << (order - 2));
}

static size_t page_of(const struct ph_plain *plain, size_t offset)
{
	return offset >> plain->heap->page_shift;
}

/* What a size takes, whatever it is. */
static uint64_t pages_for(const struct ph_plain *plain, uint64_t bytes)
{
	uint64_t page = 1ULL << plain->heap->page_shift;

	return bytes / page + !!(bytes % page);
}

static bool part_reserve(struct plain_part *part, size_t each, size_t pages)
{
	part->each = each;
	part->bytes = (each * pages + PART_STEP - 1) & ~(PART_STEP - 1);
	part->base = ph_reserve(part->bytes);
	return part->base;
}

static bool part_open(struct plain_part *part, size_t pages)
{
	size_t to = (part->each * pages + PART_STEP - 1) & ~(PART_STEP - 1);

	if (to <= part->open)
		return true;
	if (!ph_open(part->base, part->open, to))
		return false;
	part->open = to;
	return true;
}

/* The slab map is read without a lock as far as the heap is said to go: that comes last. */
bool plain_open(struct plain_pages *pages, size_t count)
{
	struct ph_plain *plain = (void *)((char *)pages - offsetof(struct ph_plain, pages));
	size_t bytes = count << pages->shift;

	for (unsigned int part = 0; part < PARTS; part++)
		if (!part_open(&plain->part[part], count))
			return false;
	if (!ph_guard_reach(plain->heap, bytes))
		return false;
	__atomic_store_n(&plain->heap->bytes, bytes, __ATOMIC_RELEASE);
	return true;
}

/* Pages that are not of a slab have none already. */
static void map_pages(struct ph_plain *plain, struct privheap_map_entry entry,
		      struct plain_slab *slab)
{
	for (uint32_t page = 0; page < entry.pages; page++)
		plain->map[entry.first_page + page] = entry;
	for (uint32_t page = 0; slab && page < entry.pages; page++)
		plain->slab[entry.first_page + page] = slab;
}

static void forget_pages(struct ph_plain *plain, uint32_t first, uint32_t pages)
{
	memset(&plain->map[first], 0, pages * sizeof(*plain->map));
	if (plain->slab[first])
		memset(&plain->slab[first], 0, pages * sizeof(*plain->slab));
}

static void unmap_pages(struct ph_plain *plain, uint32_t first, uint32_t pages)
{
	forget_pages(plain, first, pages);
	plain_pages_put(&plain->pages, first, pages);
}

static void partial_add(struct ph_plain *plain, struct plain_slab *slab)
{
	struct plain_slab **list = &plain->type[slab->type]->partial[slab->class];

	slab->next = *list;
	slab->link = list;
	if (*list)
		(*list)->link = &slab->next;
	*list = slab;
}

static void partial_remove(struct plain_slab *slab)
{
	*slab->link = slab->next;
	if (slab->next)
		slab->next->link = slab->link;
}

static struct plain_slab *slab_new(struct ph_plain *plain, uint32_t type,
				   uint32_t class, size_t stride)
{
	uint32_t pages = (uint32_t)(SLAB_BYTES >> plain->heap->page_shift);
	uint32_t slots = (uint32_t)(SLAB_BYTES / stride), words = (slots + 63) / 64;
	struct plain_slab *slab = plain->spare[words];
	int64_t first = plain_pages_get(&plain->pages, pages);

	if (first < 0)
		return NULL;
	if (slab)
		plain->spare[words] = slab->next;
	else
		slab = ph_arena(sizeof(*slab) + words * sizeof(uint64_t));
	if (!slab) {
		plain_pages_put(&plain->pages, (uint32_t)first, pages);
		return NULL;
	}
	*slab = (struct plain_slab){
		.first_page = (uint32_t)first, .pages = pages, .stride = (uint32_t)stride,
		.slots = slots, .type = type, .class = class,
	};
	memset(slab->taken, 0, words * sizeof(uint64_t));
	map_pages(plain, (struct privheap_map_entry){
		.first_page = slab->first_page, .pages = pages, .stride = slab->stride,
		.type = (uint16_t)type, .size_class = (uint8_t)class,
		.state = PRIVHEAP_STATE_SLAB,
	}, slab);
	partial_add(plain, slab);
	return slab;
}

static void slab_free(struct ph_plain *plain, struct plain_slab *slab)
{
	uint32_t words = (slab->slots + 63) / 64;

	partial_remove(slab);
	unmap_pages(plain, slab->first_page, slab->pages);
	slab->next = plain->spare[words];
	plain->spare[words] = slab;
}

/* Runs of one slab, at most @count objects; how many they were. */
static uint32_t slab_take(struct ph_plain *plain, struct plain_slab *slab, uint32_t count,
			  struct privheap_run **run, const struct privheap_run *end)
{
	uint64_t base = (uint64_t)slab->first_page << plain->heap->page_shift;
	uint32_t done = 0;

	for (uint32_t word = 0; word * 64 < slab->slots && done < count && *run < end; word++) {
		uint32_t slots = slab->slots - word * 64;
		uint64_t free = ~slab->taken[word];

		if (slots < 64)
			free &= (1ULL << slots) - 1;
		while ((uint32_t)__builtin_popcountll(free) > count - done)
			free &= ~(1ULL << (63 - __builtin_clzll(free)));
		if (!free)
			continue;
		slab->taken[word] |= free;
		done += (uint32_t)__builtin_popcountll(free);
		*(*run)++ = (struct privheap_run){
			.offset = base + word * 64ULL * slab->stride, .mask = free,
		};
	}
	slab->out += done;
	if (slab->out == slab->slots)
		partial_remove(slab);
	return done;
}

static int take_slots(struct ph_plain *plain, struct privheap_take *take,
		      uint32_t class, size_t stride)
{
	struct privheap_run *run = (void *)(uintptr_t)take->runs, *first = run;
	struct plain_type *type = plain->type[take->type];

	while (take->done < take->count && run < first + take->max_runs) {
		struct plain_slab *slab = type->partial[class];

		if (!slab)
			slab = slab_new(plain, take->type, class, stride);
		if (!slab)
			break;
		take->done += slab_take(plain, slab, take->count - take->done, &run,
					first + take->max_runs);
	}
	take->nr_runs = (uint32_t)(run - first);
	take->stride = (uint32_t)stride;
	take->size_class = class;
	take->object_bytes = stride;
	return take->done ? 0 : fail(ENOMEM);
}

static int take_span(struct ph_plain *plain, struct privheap_take *take)
{
	size_t page = (size_t)1 << plain->heap->page_shift;
	struct privheap_run *run = (void *)(uintptr_t)take->runs;
	uint64_t pages = pages_for(plain, take->object_bytes);
	int64_t first = plain_pages_get(&plain->pages, pages);

	if (first < 0)
		return fail(ENOMEM);
	map_pages(plain, (struct privheap_map_entry){
		.first_page = (uint32_t)first, .pages = (uint32_t)pages,
		.type = (uint16_t)take->type, .size_class = PH_SPAN_CLASS,
		.state = PRIVHEAP_STATE_SPAN,
	}, NULL);
	*run = (struct privheap_run){ .offset = (uint64_t)first * page, .mask = 1 };
	take->object_bytes = pages * page;
	take->size_class = PH_SPAN_CLASS;
	take->stride = 0;
	take->nr_runs = take->done = 1;
	return 0;
}

static int take_locked(struct ph_plain *plain, struct privheap_take *take)
{
	const struct plain_type *type = take->type < TYPES ? plain->type[take->type] : NULL;
	size_t bytes, stride;
	uint32_t class = 0;

	take->done = take->nr_runs = 0;
	if (!type)
		return fail(ENOENT);
	if (!take->object_bytes)
		take->object_bytes = type->min;
	bytes = take->object_bytes;
	if (bytes < type->min || bytes > type->max)
		return fail(bytes > plain->part[PART_PAGE].bytes ? ENOMEM : ERANGE);
	if (bytes > SPAN_FROM)
		return take_span(plain, take);
	if (!type->fixed) {
		class = class_of(bytes);
		bytes = class_bytes(class);
	}
	stride = (bytes + type->align - 1) & ~(size_t)(type->align - 1);
	return take_slots(plain, take, class, stride);
}

int ph_plain_take(struct ph_plain *plain, struct privheap_take *take)
{
	int ret;

	pthread_mutex_lock(&plain->lock);
	ret = take_locked(plain, take);
	pthread_mutex_unlock(&plain->lock);
	return ret;
}

/* The bits of a run in their slab; an errno if one of them is not out. */
static int run_check(struct ph_plain *plain, uint32_t type, const struct privheap_run *run)
{
	const struct privheap_map_entry *entry;
	struct plain_slab *slab;
	size_t slot;

	if (run->offset >= plain->heap->bytes)
		return ENXIO;
	entry = &plain->map[page_of(plain, run->offset)];
	if (entry->state == PRIVHEAP_STATE_FREE)
		return ENXIO;
	if (type && entry->type != type)
		return EPROTOTYPE;
	slot = run->offset - ((size_t)entry->first_page << plain->heap->page_shift);
	if (entry->state == PRIVHEAP_STATE_SPAN)
		return slot ? EBADSLT : 0;
	if (slot % entry->stride)
		return EBADSLT;
	slab = plain->slab[entry->first_page];
	slot /= entry->stride;
	for (uint64_t mask = run->mask; mask; mask &= mask - 1) {
		size_t one = slot + (size_t)__builtin_ctzll(mask);

		if (one >= slab->slots || !(slab->taken[one / 64] >> one % 64 & 1))
			return ESTALE;
	}
	return 0;
}

static void run_give(struct ph_plain *plain, const struct privheap_run *run)
{
	const struct privheap_map_entry *entry = &plain->map[page_of(plain, run->offset)];
	struct plain_slab *slab = plain->slab[entry->first_page];
	size_t slot;

	if (!slab) {
		unmap_pages(plain, entry->first_page, entry->pages);
		return;
	}
	slot = (run->offset - ((size_t)slab->first_page << plain->heap->page_shift)) / slab->stride;
	if (slab->out == slab->slots)
		partial_add(plain, slab);
	for (uint64_t mask = run->mask; mask; mask &= mask - 1, slab->out--) {
		size_t one = slot + (size_t)__builtin_ctzll(mask);

		slab->taken[one / 64] &= ~(1ULL << one % 64);
	}
	/* One empty slab of each class stays for the next. */
	if (!slab->out && (slab->next || slab->link != &plain->type[slab->type]->partial[slab->class]))
		slab_free(plain, slab);
}

/* All or nothing, but for what is named twice: the second one then fails. */
int ph_plain_give(struct ph_plain *plain, uint32_t type, const struct privheap_run *run,
		  unsigned int count)
{
	int err = 0;

	pthread_mutex_lock(&plain->lock);
	for (unsigned int i = 0; !err && i < count; i++)
		err = run_check(plain, type, &run[i]);
	for (unsigned int i = 0; !err && i < count; i++) {
		err = run_check(plain, type, &run[i]);
		if (!err)
			run_give(plain, &run[i]);
	}
	pthread_mutex_unlock(&plain->lock);
	return err ? fail(err) : 0;
}

static int resize_locked(struct ph_plain *plain, struct privheap_resize *resize)
{
	struct privheap_run run = { .offset = resize->handle, .mask = 1 };
	unsigned int shift = plain->heap->page_shift;
	uint64_t pages = pages_for(plain, resize->object_bytes);
	struct privheap_map_entry entry;
	int64_t to;
	int err = run_check(plain, 0, &run);

	if (err)
		return fail(err);
	entry = plain->map[page_of(plain, resize->handle)];
	if (entry.state != PRIVHEAP_STATE_SPAN)
		return fail(EOPNOTSUPP);
	if (pages <= entry.pages) {
		if (pages < entry.pages)
			unmap_pages(plain, entry.first_page + (uint32_t)pages,
				    entry.pages - (uint32_t)pages);
		entry.pages = (uint32_t)pages;
		map_pages(plain, entry, NULL);
		return 0;
	}
	to = plain_pages_grow(&plain->pages, entry.first_page, entry.pages, pages);
	if (to < 0)
		return fail(ENOMEM);
	if (to != entry.first_page)
		forget_pages(plain, entry.first_page, entry.pages);
	entry.first_page = (uint32_t)to;
	entry.pages = (uint32_t)pages;
	map_pages(plain, entry, NULL);
	resize->handle = (uint64_t)to << shift;
	return 0;
}

int ph_plain_resize(struct ph_plain *plain, struct privheap_resize *resize)
{
	int ret;

	pthread_mutex_lock(&plain->lock);
	ret = resize_locked(plain, resize);
	pthread_mutex_unlock(&plain->lock);
	return ret;
}

static int type_add(struct ph_plain *plain, uint32_t id, const struct privheap_type *from)
{
	struct plain_type *type = ph_arena(sizeof(*type));

	if (!type)
		return -1;
	type->min = from->min_bytes;
	type->fixed = !from->max_bytes || from->max_bytes == from->min_bytes;
	type->max = from->max_bytes ? from->max_bytes : from->min_bytes;
	type->align = from->align ? from->align : 8;
	type->flags = from->flags;
	plain->type[id] = type;
	return 0;
}

int ph_plain_type(struct ph_plain *plain, struct privheap_type *type)
{
	uint32_t align = type->align ? type->align : 8, page = 1U << plain->heap->page_shift;
	int ret = -1;

	if (!type->min_bytes || (type->max_bytes && type->max_bytes < type->min_bytes) ||
	    align & (align - 1) || align > page)
		return fail(EINVAL);
	if (type->flags & PRIVHEAP_TYPE_COUNTED)
		return fail(EOPNOTSUPP);
	pthread_mutex_lock(&plain->lock);
	if (plain->types == TYPES) {
		errno = ENOSPC;
	} else if (!type_add(plain, plain->types, type)) {
		type->type = plain->types++;
		ret = 0;
	}
	pthread_mutex_unlock(&plain->lock);
	return ret;
}

uint32_t ph_plain_type_flags(struct ph_plain *plain, uint32_t type)
{
	return type < TYPES && plain->type[type] ? plain->type[type]->flags : 0;
}

static int add_builtins(struct ph_plain *plain)
{
	for (uint32_t id = PRIVHEAP_TYPE_INT; id <= PRIVHEAP_TYPE_OBJECT; id++) {
		struct privheap_type type = {
			.min_bytes = id == PRIVHEAP_TYPE_INT ? 28 :
				     id == PRIVHEAP_TYPE_FLOAT ? 24 : 1,
			.max_bytes = id <= PRIVHEAP_TYPE_FLOAT ? 0 : UINT64_MAX,
			.align = id == PRIVHEAP_TYPE_OBJECT ? 16 : 8,
		};

		if (type_add(plain, id, &type))
			return -1;
	}
	plain->types = PRIVHEAP_TYPE_USER;
	return 0;
}

static bool reserve_all(struct ph_plain *plain, size_t pages)
{
	struct privheap *heap = plain->heap;
	const size_t each[PARTS] = {
		[PART_PAGE] = (size_t)1 << heap->page_shift, [PART_MAP] = sizeof(*plain->map),
		[PART_SLAB] = sizeof(*plain->slab), [PART_GAP] = sizeof(struct plain_gap),
	};
	struct plain_part *part = plain->part;

	for (unsigned int i = 0; i < PARTS; i++)
		if (!part_reserve(&part[i], each[i], pages))
			return false;
	heap->base = part[PART_PAGE].base;
	plain->map = (void *)part[PART_MAP].base;
	plain->slab = (void *)part[PART_SLAB].base;
	heap->slabs = plain->map;
	plain_pages_init(&plain->pages, heap->base, heap->page_shift, pages,
			 (void *)part[PART_GAP].base);
	return ph_guard_init(heap, pages << heap->page_shift);
}

/* Takes the place of the module's part of @heap, for up to @bytes. */
int ph_plain_init(struct privheap *heap, size_t bytes)
{
	struct ph_plain *plain = ph_pages(sizeof(*plain));

	if (!plain)
		return -1;
	heap->page_shift = (unsigned int)__builtin_ctzl((unsigned long)getpagesize());
	heap->bytes = 0;
	heap->plain = plain;
	plain->heap = heap;
	pthread_mutex_init(&plain->lock, NULL);
	if (reserve_all(plain, page_of(plain, bytes)) && !add_builtins(plain))
		return 0;
	ph_plain_exit(heap);
	return -1;
}

void ph_plain_exit(struct privheap *heap)
{
	struct ph_plain *plain = heap->plain;

	ph_guard_exit(heap, plain->pages.count << heap->page_shift);
	for (unsigned int part = 0; part < PARTS; part++)
		if (plain->part[part].base)
			munmap(plain->part[part].base, plain->part[part].bytes);
	heap->base = NULL;
	heap->slabs = NULL;
	heap->plain = NULL;
	munmap(plain, sizeof(*plain));
}

pthread_mutex_t *ph_plain_lock(struct ph_plain *plain)
{
	return &plain->lock;
}
