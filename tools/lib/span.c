// SPDX-License-Identifier: MIT
/*
 * Spans: objects that have pages of their own. Each is a call of the module's;
 * growing one moves pages, not bytes.
 */
#include "internal.h"

/* The module knows what is zero already. */
void *ph_span_alloc(struct privheap *heap, uint32_t type, size_t bytes, bool zero)
{
	struct privheap_take take = {
		.flags = zero ? PRIVHEAP_ZERO : 0,
		.type = type, .object_bytes = bytes, .count = 1,
	};
	struct ph_thread *thread = ph_thread_enter();
	void *object = NULL;

	if (!ph_take(heap, thread, &take) &&
	    !ph_unpack(heap, thread, &take, &object))
		errno = ENOMEM;
	ph_thread_leave(thread);
	if (!object)
		return NULL;
	ph_guard_take(heap, object);
	return object;
}

void ph_span_free(struct privheap *heap, void *object)
{
	struct privheap_run run = { .offset = ph_offset(heap, object), .mask = 1 };

	if (heap->gone || !ph_guard_give(heap, object))
		return;
	if (ph_give_run(heap, 0, &run, 1))
		ph_report_errno(heap, object, errno);
}

/* Where it is from now on; NULL with errno set, and it is as it was. */
void *ph_span_resize(struct privheap *heap, void *object, size_t bytes)
{
	struct privheap_resize resize = {
		.flags = PRIVHEAP_BY_OFFSET, .handle = ph_offset(heap, object),
		.object_bytes = bytes,
	};
	void *moved;

	if (!ph_guard_give(heap, object))
		return NULL;
	if (heap->plain ? ph_plain_resize(heap->plain, &resize) :
			  privheap_cmd_resize(heap->fd, &resize)) {
		ph_guard_take(heap, object);
		if (errno == EDQUOT || errno == ERANGE)
			errno = ENOMEM;
		return NULL;
	}
	if (resize.handle + bytes > heap->bytes) {
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
