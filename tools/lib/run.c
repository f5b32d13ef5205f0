// SPDX-License-Identifier: MIT
/*
 * Runs: how objects travel between magazines and the module. A run is 64
 * neighbours of one slab and a mask that says which of them are meant.
 */
#include "internal.h"

int ph_take(struct privheap *heap, struct ph_thread *thread,
	    struct privheap_take *take)
{
	if (heap->gone) {
		errno = ENOMEM;
		return -1;
	}
	take->runs = (uintptr_t)ph_runs(thread, take->count);
	take->max_runs = take->count;
	if (heap->plain)
		return ph_plain_take(heap->plain, take);
	if (!privheap_cmd_take(heap->fd, take))
		return 0;
	/* What malloc() and its callers know. */
	if (errno == EDQUOT)
		errno = ENOMEM;
	return -1;
}

int ph_give_run(struct privheap *heap, uint32_t type, struct privheap_run *run,
		unsigned int count)
{
	struct privheap_give give = {
		.type = type, .count = count, .runs = (uintptr_t)run,
	};

	if (heap->gone)
		return 0;
	if (heap->plain)
		return ph_plain_give(heap->plain, type, run, count);
	return privheap_cmd_give(heap->fd, &give);
}

/* From the last to the first, so that the first one comes out first. */
static void **unpack_run(char *first, uint64_t mask, size_t stride, void **to)
{
	if (mask == ~0ULL) {
		for (unsigned int i = 0; i < 64; i++, first += stride)
			*--to = first;
		return to;
	}
	for (; mask; mask &= mask - 1)
		*--to = first + (unsigned int)__builtin_ctzll(mask) * stride;
	return to;
}

/*
 * The objects of @take, to be used from the last to the first: neighbours in
 * the order of their addresses. Those that lie beyond what is mapped, or can be
 * guarded, go back.
 */
unsigned int ph_unpack(struct privheap *heap, const struct privheap_take *take,
		       void **objects)
{
	size_t step = take->stride ? take->stride : take->object_bytes;
	void **to = objects + take->done;
	struct privheap_run *run = ph_taken(take);
	uint64_t end;

	for (unsigned int i = 0; i < take->nr_runs; i++, run++) {
		end = run->offset + (64 - (unsigned int)__builtin_clzll(run->mask)) * step;
		if (unlikely(end > heap->bytes || !ph_guard_reach(heap, end))) {
			ph_give_run(heap, take->type, run, 1);
			errno = ENOMEM;
			continue;
		}
		ph_raise(&heap->high, end);
		to = unpack_run(heap->base + run->offset, run->mask,
				take->stride, to);
	}
	if (unlikely(to > objects))
		memmove(objects, to, (size_t)(objects + take->done - to) * sizeof(*to));
	return take->done - (unsigned int)(to - objects);
}

/* An object past all magazines; or NULL with errno set. */
void *ph_take_one(struct privheap *heap, uint32_t type, size_t bytes, uint32_t flags)
{
	struct privheap_take take = {
		.flags = flags, .type = type, .object_bytes = bytes, .count = 1,
	};
	struct ph_thread *thread = ph_thread_enter();
	void *object = NULL;

	if (!ph_take(heap, thread, &take) &&
	    !ph_unpack(heap, &take, &object))
		errno = ENOMEM;
	ph_thread_leave(thread);
	return object;
}

static bool frozen(const struct privheap *heap, const void *object)
{
	const struct ph_frozen *frozen;

	for (frozen = heap->frozen; frozen; frozen = frozen->next)
		if ((uintptr_t)object - (uintptr_t)frozen->base < frozen->bytes)
			return true;
	return false;
}

/* Each object alone, to find those that are not out. */
static cold void give_one_by_one(struct privheap *heap, uint32_t type,
				 void **objects, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		size_t offset = ph_offset(heap, objects[i]);
		struct privheap_run run = { .offset = offset, .mask = 1 };

		if (frozen(heap, objects[i]))
			continue;
		if (offset >= heap->bytes)
			ph_report(heap, objects[i], "not of this heap");
		else if (ph_give_run(heap, type, &run, 1))
			ph_report_errno(heap, objects[i], errno);
	}
}

/* The run that @offset is in; its mask is still empty. */
static unsigned int run_begin(const struct privheap *heap, const struct ph_kind *kind,
			      size_t offset, struct privheap_run *run)
{
	const struct privheap_map_entry *entry = ph_entry(heap, offset);
	size_t start = ph_entry_start(heap, entry), slots, index;

	/* What is wrong here is for the module to refuse. */
	if (unlikely(entry->stride != kind->stride || !kind->stride ||
		     (offset - start) % kind->stride)) {
		run->offset = offset;
		run->mask = 0;
		return 1;
	}
	index = (offset - start) / kind->stride & ~(size_t)63;
	slots = ph_entry_bytes(heap, entry) / kind->stride - index;
	run->offset = start + index * kind->stride;
	run->mask = 0;
	return slots < 64 ? (unsigned int)slots : 64;
}

/* Which of a run's neighbours it is; a huge number if it is none of them. */
static inline size_t run_index(const struct ph_kind *kind, size_t distance)
{
	unsigned int bits = 8 * sizeof(distance), shift = kind->shift;

	/* Bits below the stride's lowest one go to the top, and stay huge. */
	distance = distance >> shift | distance << (bits - shift) % bits;
	return distance * kind->inverse;
}

static uint64_t bits_from(size_t first, size_t count)
{
	return (count < 64 ? (1ULL << count) - 1 : ~0ULL) << first;
}

/* How many objects follow each other from the first on, as neighbours do. */
static inline size_t row_length(void **objects, size_t most, size_t stride)
{
	void **at = objects, **end = objects + most;
	char *expected = *at;

	do {
		expected += stride;
	} while (++at < end && *at == expected);
	return (size_t)(at - objects);
}

/* Number of runs; 0 if an object is there twice or is not of this heap. */
static unsigned int pack(const struct privheap *heap, const struct ph_kind *kind,
			 void **objects, unsigned int count, struct privheap_run *runs)
{
	struct privheap_run *run = runs - 1;
	size_t length = 0, row, left;
	size_t offset, index, base = 0;
	uint64_t bits;

	for (void **end = objects + count; objects < end; objects += row) {
		offset = ph_offset(heap, *objects);
		index = run_index(kind, offset - base);
		if (unlikely(index >= length)) {
			if (unlikely(offset >= heap->bytes))
				return 0;
			length = run_begin(heap, kind, offset, ++run);
			base = run->offset;
			index = length == 1 ? 0 : run_index(kind, offset - base);
			index = index < 64 ? index : 0;
		}
		left = (size_t)(end - objects);
		row = row_length(objects, left < length - index ? left : length - index,
				 kind->stride);
		bits = bits_from(index, row);
		if (unlikely(run->mask & bits))
			return 0;
		run->mask |= bits;
	}
	return (unsigned int)(run - runs) + 1;
}

/* All of one kind. What is wrong with any of them is reported. errno changes. */
void ph_give(struct ph_thread *thread, unsigned int number, void **objects,
	     unsigned int count)
{
	const struct ph_kind *kind = &ph_kinds[number];
	struct privheap *heap = kind->heap;
	struct privheap_run *run = ph_runs(thread, count);
	unsigned int runs;

	if (!count || heap->gone)
		return;
	runs = pack(heap, kind, objects, count, run);
	if (!runs || ph_give_run(heap, kind->type, run, runs))
		give_one_by_one(heap, kind->type, objects, count);
}
