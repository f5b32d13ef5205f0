// SPDX-License-Identifier: MIT
/*
 * Spans: objects that have pages of their own. Each is a call of the module's;
 * growing one moves pages, not bytes.
 */
#include "internal.h"

static void spans_remove(struct ph_spans *spans, unsigned int index)
{
	spans->bytes -= spans->kept[index].bytes;
	spans->count--;
	memmove(&spans->kept[index], &spans->kept[index + 1],
		(spans->count - index) * sizeof(*spans->kept));
}

/* The best one that has not a quarter of pages too many; or NULL. */
static void *spans_take(struct privheap *heap, size_t bytes)
{
	size_t page = (size_t)1 << heap->page_shift;
	size_t least = (bytes + page - 1) & ~(page - 1);
	struct ph_spans *spans = &heap->spans;
	unsigned int best = PH_SPANS_KEPT;
	void *object = NULL;

	least += least / 4 + 1;
	if (!spans->count)
		return NULL;
	pthread_mutex_lock(&spans->lock);
	for (unsigned int i = spans->count; i--;) {
		if (spans->kept[i].bytes < bytes || spans->kept[i].bytes >= least)
			continue;
		best = i;
		least = spans->kept[i].bytes;
	}
	if (best < PH_SPANS_KEPT) {
		object = spans->kept[best].at;
		spans_remove(spans, best);
	}
	pthread_mutex_unlock(&spans->lock);
	return object;
}

/* Whether it is kept. What has to go instead is in @old, if that is not NULL. */
static bool spans_put(struct ph_spans *spans, void *object, size_t bytes, void **old)
{
	*old = NULL;
	for (unsigned int i = 0; i < spans->count; i++)
		if (spans->kept[i].at == object)
			return false;
	spans->now++;
	if (spans->count && (spans->count == PH_SPANS_KEPT ||
			     spans->bytes + bytes > PH_SPANS_BYTES ||
			     spans->now - spans->kept[0].since > PH_SPAN_AGE)) {
		*old = spans->kept[0].at;
		spans_remove(spans, 0);
	}
	spans->kept[spans->count++] = (struct ph_kept){ object, bytes, spans->now };
	spans->bytes += bytes;
	return true;
}

static int span_give(struct privheap *heap, void *object)
{
	struct privheap_run run = { .offset = ph_offset(heap, object), .mask = 1 };

	return ph_give_run(heap, 0, &run, 1);
}

void ph_spans_flush(struct privheap *heap)
{
	struct ph_spans *spans = &heap->spans;

	pthread_mutex_lock(&spans->lock);
	while (spans->count) {
		void *object = spans->kept[0].at;

		spans_remove(spans, 0);
		span_give(heap, object);
	}
	pthread_mutex_unlock(&spans->lock);
}

void *ph_span_alloc(struct privheap *heap, uint32_t type, size_t bytes, bool zero)
{
	void *object = NULL;

	if (type == PRIVHEAP_TYPE_OBJECT && !heap->gone && bytes <= PH_SPAN_KEPT)
		object = spans_take(heap, bytes);
	if (object && zero)
		memset(object, 0, bytes);
	/* The module knows what is zero already. */
	if (!object)
		object = ph_take_one(heap, type, bytes, zero ? PRIVHEAP_ZERO : 0);
	if (object)
		ph_guard_take(heap, object);
	return object;
}

/* Only what is a whole span of type object, and not too large. */
static size_t span_to_keep(struct privheap *heap, void *object)
{
	const struct privheap_map_entry *entry;
	size_t bytes;

	if (ph_offset(heap, object) >= heap->bytes)
		return 0;
	entry = ph_entry(heap, ph_offset(heap, object));
	bytes = ph_entry_bytes(heap, entry);
	if (entry->state != PRIVHEAP_STATE_SPAN || entry->type != PRIVHEAP_TYPE_OBJECT ||
	    ph_entry_start(heap, entry) != ph_offset(heap, object))
		return 0;
	return bytes <= PH_SPAN_KEPT ? bytes : 0;
}

void ph_span_free(struct privheap *heap, void *object)
{
	size_t bytes;
	bool kept;
	void *old;

	if (heap->gone || !ph_guard_give(heap, object))
		return;
	bytes = span_to_keep(heap, object);
	if (bytes) {
		pthread_mutex_lock(&heap->spans.lock);
		kept = spans_put(&heap->spans, object, bytes, &old);
		pthread_mutex_unlock(&heap->spans.lock);
		if (!kept)
			ph_report_errno(heap, object, ESTALE);
		object = old;
	}
	if (object && span_give(heap, object))
		ph_report_errno(heap, object, errno);
}

/* The module places it behind all others, or lower. */
static bool guard_for_growth(struct privheap *heap, size_t bytes)
{
	size_t end = __atomic_load_n(&heap->high, __ATOMIC_RELAXED) + bytes;

	return ph_guard_reach(heap, end < heap->bytes ? end : heap->bytes);
}

/* Where it is from now on; NULL with errno set, and it is as it was. */
void *ph_span_resize(struct privheap *heap, void *object, size_t bytes)
{
	struct privheap_resize resize = {
		.flags = PRIVHEAP_BY_OFFSET, .handle = ph_offset(heap, object),
		.object_bytes = bytes,
	};
	void *moved;

	if (!guard_for_growth(heap, bytes) || !ph_guard_give(heap, object))
		return NULL;
	if (heap->plain ? ph_plain_resize(heap->plain, &resize) :
			  privheap_cmd_resize(heap->fd, &resize)) {
		ph_guard_take(heap, object);
		if (errno == EDQUOT || errno == ERANGE)
			errno = ENOMEM;
		return NULL;
	}
	if (resize.handle + bytes > heap->bytes ||
	    !ph_guard_reach(heap, resize.handle + bytes)) {
		/* Beyond what is mapped: it is lost to the program, and so it goes. */
		struct privheap_run run = { .offset = resize.handle, .mask = 1 };

		ph_give_run(heap, 0, &run, 1);
		ph_report(heap, object, "moved beyond the mapping");
		errno = ENOMEM;
		return NULL;
	}
	ph_raise(&heap->high, resize.handle + bytes);
	moved = heap->base + resize.handle;
	ph_guard_take(heap, moved);
	return moved;
}
