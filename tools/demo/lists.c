// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "lists.h"

static void write_positions(struct transfer *transfer, const struct group *group,
			    const struct object_list *head)
{
	transfer_add(transfer, group->key.entry.positions, 0, head, sizeof(*head));
	transfer_add(transfer, group->key.entry.positions,
		     OBJECT_LIST_BYTES(head->length - group->count), group->positions,
		     group->count * sizeof(*group->positions));
}

/* A list for each of the groups, as long as its positions. */
void lists_create(const struct heap *heap, struct group **groups, size_t count)
{
	struct object_list *heads = take(count, sizeof(*heads));
	uint64_t *sizes = take(count, sizeof(*sizes));
	uint64_t *handles = take(count, sizeof(*handles));
	struct transfer transfer;
	size_t i;

	for (i = 0; i < count; i++)
		sizes[i] = OBJECT_LIST_BYTES(groups[i]->count);
	heap_alloc(heap, PRIVHEAP_TYPE_LIST, count, sizes, handles);
	transfer_begin(&transfer, heap, PRIVHEAP_TYPE_LIST, true);
	for (i = 0; i < count; i++) {
		groups[i]->key.entry.positions = handles[i];
		heads[i].object = (struct object) { .refs = 1, .type = PRIVHEAP_TYPE_LIST };
		heads[i].length = groups[i]->count;
		heads[i].allocated = groups[i]->count;
		write_positions(&transfer, groups[i], &heads[i]);
	}
	transfer_end(&transfer);
	free(handles);
	free(sizes);
	free(heads);
}

static void read_heads(const struct heap *heap, struct group **groups, size_t count,
		       struct object_list *heads)
{
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, heap, PRIVHEAP_TYPE_LIST, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, groups[i]->key.entry.positions, 0, &heads[i],
			     sizeof(heads[i]));
	transfer_end(&transfer);
}

/* The groups lose the positions that their lists have already. */
static void skip_known(const struct heap *heap, struct group **groups, size_t count,
		       const struct object_list *heads)
{
	uint64_t *last = take(count, sizeof(*last));
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, heap, PRIVHEAP_TYPE_LIST, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, groups[i]->key.entry.positions,
			     OBJECT_LIST_BYTES(heads[i].length - 1), &last[i], sizeof(last[i]));
	transfer_end(&transfer);
	for (i = 0; i < count; i++)
		while (groups[i]->count && *groups[i]->positions <= last[i]) {
			groups[i]->positions++;
			groups[i]->count--;
		}
	free(last);
}

/*
 * The kernel knows up to which size the object would not have to move again;
 * to take all of that is free, and the list grows by a share of its length.
 */
static void grow(const struct heap *heap, struct group *group, struct object_list *head)
{
	uint64_t old = group->key.entry.positions;
	uint64_t bytes = OBJECT_LIST_BYTES(head->length + group->count), usable, slots;

	usable = heap_resize(heap, PRIVHEAP_TYPE_LIST, &group->key.entry.positions, bytes);
	slots = (usable - sizeof(*head)) / sizeof(uint64_t);
	if (OBJECT_LIST_BYTES(slots) > bytes)
		heap_resize(heap, PRIVHEAP_TYPE_LIST, &group->key.entry.positions,
			    OBJECT_LIST_BYTES(slots));
	head->allocated = slots;
	group->moved = group->key.entry.positions != old;
}

/* Appends the positions of each group that its list has not got. */
void lists_extend(const struct heap *heap, struct group **groups, size_t count)
{
	struct object_list *heads = take(count, sizeof(*heads));
	struct transfer transfer;
	size_t i;

	read_heads(heap, groups, count, heads);
	skip_known(heap, groups, count, heads);
	for (i = 0; i < count; i++)
		if (heads[i].length + groups[i]->count > heads[i].allocated)
			grow(heap, groups[i], &heads[i]);
	transfer_begin(&transfer, heap, PRIVHEAP_TYPE_LIST, true);
	for (i = 0; i < count; i++) {
		heads[i].length += groups[i]->count;
		if (groups[i]->count)
			write_positions(&transfer, groups[i], &heads[i]);
	}
	transfer_end(&transfer);
	free(heads);
}
