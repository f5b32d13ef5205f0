// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "dict.h"

#define SMALLEST	8

/* FNV-1a; the low bits, which choose the slot, get all of it folded in. */
uint64_t dict_hash(const char *text, uint32_t length)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	uint32_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	hash ^= hash >> 32;
	return hash < DICT_HASHES ? hash + DICT_HASHES : hash;
}

static uint64_t offset_of(uint64_t slot)
{
	return sizeof(struct object_dict) + slot * sizeof(struct dict_entry);
}

static struct object_dict read_head(const struct dict *dict)
{
	struct object_dict head;

	heap_read(dict->heap, PRIVHEAP_TYPE_DICT, dict->handle, 0, &head, sizeof(head));
	return head;
}

static void write_head(const struct dict *dict, const struct object_dict *head)
{
	heap_write(dict->heap, PRIVHEAP_TYPE_DICT, dict->handle, 0, head, sizeof(*head));
}

void dict_entries(const struct dict *dict, uint64_t slot, struct dict_entry *entries, size_t count)
{
	heap_read(dict->heap, PRIVHEAP_TYPE_DICT, dict->handle, offset_of(slot), entries,
		  count * sizeof(*entries));
}

uint64_t dict_capacity(const struct dict *dict)
{
	return read_head(dict).capacity;
}

void dict_create(struct dict *dict, const struct heap *heap)
{
	const uint64_t bytes = OBJECT_DICT_BYTES(SMALLEST);
	const struct object_dict head = {
		.object = { .refs = 1, .type = PRIVHEAP_TYPE_DICT },
		.capacity = SMALLEST,
	};
	const struct dict_entry entries[SMALLEST] = { { .hash = DICT_EMPTY } };

	dict->heap = heap;
	heap_alloc(heap, PRIVHEAP_TYPE_DICT, 1, &bytes, &dict->handle);
	write_head(dict, &head);
	heap_write(heap, PRIVHEAP_TYPE_DICT, dict->handle, offset_of(0), entries, sizeof(entries));
}

static void read_slots(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_DICT, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, dict->handle, offset_of(keys[i]->slot),
			     &keys[i]->entry, sizeof(keys[i]->entry));
	transfer_end(&transfer);
}

void dict_update(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_DICT, true);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, dict->handle, offset_of(keys[i]->slot),
			     &keys[i]->entry, sizeof(keys[i]->entry));
	transfer_end(&transfer);
}

/* Sets found where the str of the key's entry has the key's length. */
static void compare_lengths(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct object_str *heads = take(count, sizeof(*heads));
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_STR, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, keys[i]->entry.str, 0, &heads[i], sizeof(heads[i]));
	transfer_end(&transfer);
	for (i = 0; i < count; i++)
		keys[i]->found = heads[i].length == keys[i]->length;
	free(heads);
}

/* Clears found where the str of the key's entry has other bytes. */
static void compare_bytes(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct transfer transfer;
	size_t i, bytes = 0;
	char *texts, *at;

	for (i = 0; i < count; i++)
		bytes += keys[i]->length;
	texts = take(bytes, 1);
	at = texts;
	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_STR, false);
	for (i = 0; i < count; i++) {
		if (keys[i]->found)
			transfer_add(&transfer, keys[i]->entry.str, sizeof(struct object_str),
				     at, keys[i]->length);
		at += keys[i]->length;
	}
	transfer_end(&transfer);
	for (i = 0, at = texts; i < count; at += keys[i++]->length)
		if (keys[i]->found && memcmp(at, keys[i]->text, keys[i]->length))
			keys[i]->found = false;
	free(texts);
}

/* Those of the keys whose entry has their hash, which is nearly proof. */
static void compare(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct dict_key **alike = take(count, sizeof(*alike));
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		if (keys[i]->entry.hash == keys[i]->hash)
			alike[n++] = keys[i];
	compare_lengths(dict, alike, n);
	compare_bytes(dict, alike, n);
	free(alike);
}

void dict_find(const struct dict *dict, struct dict_key **keys, size_t count)
{
	const uint64_t mask = read_head(dict).capacity - 1;
	struct dict_key **open = take(count, sizeof(*open));
	size_t i, now;

	for (i = 0; i < count; i++) {
		keys[i]->found = false;
		keys[i]->slot = keys[i]->hash & mask;
		open[i] = keys[i];
	}
	while (count) {
		read_slots(dict, open, count);
		compare(dict, open, count);
		now = count;
		for (i = 0, count = 0; i < now; i++) {
			if (open[i]->found || open[i]->entry.hash == DICT_EMPTY)
				continue;
			open[i]->slot = (open[i]->slot + 1) & mask;
			open[count++] = open[i];
		}
	}
	free(open);
}

static void place(struct dict_entry *table, uint64_t capacity, const struct dict_entry *entry)
{
	uint64_t slot = entry->hash & (capacity - 1);

	while (table[slot].hash != DICT_EMPTY)
		slot = (slot + 1) & (capacity - 1);
	table[slot] = *entry;
}

/* Every entry gets a new place, and the deleted ones are forgotten. */
static void rehash(struct dict *dict, struct object_dict *head, uint64_t capacity)
{
	struct dict_entry *old = take(head->capacity, sizeof(*old));
	struct dict_entry *new = take(capacity, sizeof(*new));
	uint64_t i;

	dict_entries(dict, 0, old, head->capacity);
	for (i = 0; i < head->capacity; i++)
		if (old[i].hash >= DICT_HASHES)
			place(new, capacity, &old[i]);
	if (capacity != head->capacity)
		heap_resize(dict->heap, PRIVHEAP_TYPE_DICT, &dict->handle,
			    OBJECT_DICT_BYTES(capacity));
	heap_write(dict->heap, PRIVHEAP_TYPE_DICT, dict->handle, offset_of(0), new,
		   capacity * sizeof(*new));
	head->capacity = capacity;
	head->filled = head->used;
	free(new);
	free(old);
}

static void make_room(struct dict *dict, struct object_dict *head, uint64_t count)
{
	uint64_t capacity = head->capacity;

	if ((head->filled + count) * 3 <= capacity * 2)
		return;
	while ((head->used + count) * 3 > capacity * 2)
		capacity *= 2;
	rehash(dict, head, capacity);
}

static int by_slot(const void *left, const void *right)
{
	const struct dict_key *a = *(struct dict_key *const *)left;
	const struct dict_key *b = *(struct dict_key *const *)right;

	return (a->slot > b->slot) - (a->slot < b->slot);
}

/* What the slots hold that the keys look at: a hash, or a mark. */
static void read_hashes(const struct dict *dict, struct dict_key **keys, size_t count)
{
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_DICT, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, dict->handle, offset_of(keys[i]->slot),
			     &keys[i]->seen, sizeof(keys[i]->seen));
	transfer_end(&transfer);
}

/*
 * One round: of the keys that look at the same free slot the first one gets
 * it; the others try the next slot in the next round. Returns how many those
 * are, at the front of @keys.
 */
static size_t claim(const struct dict *dict, struct object_dict *head, struct dict_key **keys,
		    size_t count)
{
	struct dict_key **winners = take(count, sizeof(*winners));
	size_t i, left = 0, won = 0;

	read_hashes(dict, keys, count);
	qsort(keys, count, sizeof(*keys), by_slot);
	for (i = 0; i < count; i++) {
		bool taken = won && winners[won - 1]->slot == keys[i]->slot;

		if (keys[i]->seen < DICT_HASHES && !taken) {
			head->filled += keys[i]->seen == DICT_EMPTY;
			winners[won++] = keys[i];
			continue;
		}
		keys[i]->slot = (keys[i]->slot + 1) & (head->capacity - 1);
		keys[left++] = keys[i];
	}
	dict_update(dict, winners, won);
	head->used += won;
	free(winners);
	return left;
}

/* None of the keys may be in the dict, nor twice among the keys. */
void dict_insert(struct dict *dict, struct dict_key **keys, size_t count)
{
	struct object_dict head = read_head(dict);
	size_t i;

	if (!count)
		return;
	make_room(dict, &head, count);
	for (i = 0; i < count; i++) {
		keys[i]->entry.hash = keys[i]->hash;
		keys[i]->slot = keys[i]->hash & (head.capacity - 1);
	}
	while (count)
		count = claim(dict, &head, keys, count);
	write_head(dict, &head);
}

void dict_delete(const struct dict *dict, const uint64_t *slots, size_t count)
{
	static const struct dict_entry deleted = { .hash = DICT_DELETED };
	struct object_dict head = read_head(dict);
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, dict->heap, PRIVHEAP_TYPE_DICT, true);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, dict->handle, offset_of(slots[i]), &deleted,
			     sizeof(deleted));
	transfer_end(&transfer);
	head.used -= count;
	write_head(dict, &head);
}
