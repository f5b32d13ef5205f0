// SPDX-License-Identifier: MIT
/*
 * Kinds that the fast path never serves: of types that zero, of objects with
 * pages of their own, and of hardened heaps.
 *
 * A hardened heap keeps a bit for each 8 bytes, set where an object begins that
 * the program has. The bits lie in address space of their own, which is opened
 * as far as objects were handed out. With the slab map they tell each wrong free
 * at once.
 */
#include "internal.h"

#include <sys/mman.h>

#define GRAIN	8
#define STEP	((size_t)64 << 10 << 6)	/* the bits of this much are opened at once */

static size_t up_to_step(size_t bytes)
{
	return (bytes + STEP - 1) & ~(STEP - 1);
}

/* For a heap that may come to have @bytes. False: no address space. */
bool ph_guard_init(struct privheap *heap, size_t bytes)
{
	if (heap->hardened)
		heap->allocated = ph_reserve(up_to_step(bytes) / 64);
	return heap->allocated || !heap->hardened;
}

void ph_guard_exit(struct privheap *heap, size_t bytes)
{
	if (heap->allocated)
		munmap(heap->allocated, up_to_step(bytes) / 64);
	heap->allocated = NULL;
	heap->guarded = 0;
}

/*
 * Opens the bits of what lies below @end, before it is the program's. Without a
 * lock: to open twice does no harm. False: no memory.
 */
bool ph_guard_reach(struct privheap *heap, size_t end)
{
	size_t open = __atomic_load_n(&heap->guarded, __ATOMIC_RELAXED);

	if (!heap->hardened || end <= open)
		return true;
	end = up_to_step(end);
	if (!ph_open(heap->allocated, open / 64, end / 64))
		return false;
	ph_raise(&heap->guarded, end);
	return true;
}

static bool in_reach(const struct privheap *heap, const void *object)
{
	return ph_offset(heap, object) < __atomic_load_n(&heap->guarded, __ATOMIC_RELAXED);
}

static uint64_t *guard_word(struct privheap *heap, const void *object, uint64_t *bit)
{
	size_t grain = ph_offset(heap, object) / GRAIN;

	*bit = 1ULL << grain % 64;
	return &heap->allocated[grain / 64];
}

/* Notes that the program gets an object. False: it has it already. */
bool ph_guard_take(struct privheap *heap, void *object)
{
	uint64_t bit, *word;

	if (!heap->hardened)
		return true;
	word = guard_word(heap, object, &bit);
	return !(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit);
}

static const char *guard_fault(struct privheap *heap, const void *object)
{
	const struct privheap_map_entry *entry;
	size_t offset = ph_offset(heap, object);

	if (offset >= heap->bytes)
		return "not of this heap";
	entry = ph_entry(heap, offset);
	if (entry->state == PRIVHEAP_STATE_FREE)
		return "where no object is";
	offset -= ph_entry_start(heap, entry);
	if (entry->state == PRIVHEAP_STATE_SPAN ? offset : offset % entry->stride)
		return "inside of an object";
	return NULL;
}

/* Notes that an object comes back. False: it is none, or is back already; said. */
bool ph_guard_give(struct privheap *heap, void *object)
{
	const char *fault;
	uint64_t bit, *word;

	if (!heap->hardened)
		return true;
	fault = guard_fault(heap, object);
	if (!fault) {
		word = guard_word(heap, object, &bit);
		if (in_reach(heap, object) &&
		    __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit)
			return true;
		fault = "freed already";
	}
	ph_report(heap, object, fault);
	return false;
}

/* What is no object at all is for ph_guard_give() to find. */
static bool guard_kind(const struct ph_kind *kind, const void *object)
{
	size_t offset = ph_offset(kind->heap, object);
	const struct privheap_map_entry *entry;

	if (!kind->heap->hardened || offset >= kind->heap->bytes)
		return true;
	entry = ph_entry(kind->heap, offset);
	if (entry->state == PRIVHEAP_STATE_FREE || (entry->type == kind->type &&
						    entry->stride == kind->stride))
		return true;
	ph_report(kind->heap, object, "of another type or size");
	return false;
}

void *ph_guarded_alloc(struct ph_thread *thread, unsigned int number)
{
	const struct ph_kind *kind = &ph_kinds[number];
	void *object;

	if (kind->flags & PH_KIND_SPAN)
		return ph_span_alloc(kind->heap, kind->type, kind->asked,
				     kind->flags & PH_KIND_ZERO);
	do {
		object = ph_magazine_alloc(thread, number + 1);
		if (!object)
			return NULL;
		/* Whoever has it goes on; this one is lost. */
	} while (!ph_guard_take(kind->heap, object));
	if (kind->flags & PH_KIND_ZERO)
		memset(object, 0, kind->bytes);
	return object;
}

void ph_guarded_free(struct ph_thread *thread, unsigned int number, void *object)
{
	const struct ph_kind *kind = &ph_kinds[number];

	if (kind->flags & PH_KIND_SPAN) {
		ph_span_free(kind->heap, object);
		return;
	}
	if (kind->heap->gone || !guard_kind(kind, object) ||
	    !ph_guard_give(kind->heap, object))
		return;
	if (kind->flags & PH_KIND_WIPE)
		memset(object, 0, kind->bytes);
	if (!ph_magazine_free(thread, number + 1, object))
		ph_give(thread, number + 1, &object, 1);
}
