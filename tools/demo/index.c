// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>

#include "chunk.h"
#include "index.h"
#include "lists.h"

/* Entries of the dict that index_drop_half() looks at in one go. */
#define STRETCH		4096

void index_create(struct index *index, const struct heap *heap)
{
	index->heap = heap;
	dict_create(&index->dict, heap);
}

/* A str for each of the groups, with its word. */
static void create_strs(const struct index *index, struct group **groups, size_t count)
{
	struct object_str *heads = take(count, sizeof(*heads));
	uint64_t *sizes = take(count, sizeof(*sizes));
	uint64_t *handles = take(count, sizeof(*handles));
	struct transfer transfer;
	size_t i;

	for (i = 0; i < count; i++)
		sizes[i] = OBJECT_STR_BYTES(groups[i]->key.length);
	heap_alloc(index->heap, PRIVHEAP_TYPE_STR, count, sizes, handles);
	transfer_begin(&transfer, index->heap, PRIVHEAP_TYPE_STR, true);
	for (i = 0; i < count; i++) {
		const struct dict_key *key = &groups[i]->key;

		heads[i].object = (struct object) { .refs = 1, .type = PRIVHEAP_TYPE_STR };
		heads[i].length = key->length;
		heads[i].hash = key->hash;
		transfer_add(&transfer, handles[i], 0, &heads[i], sizeof(heads[i]));
		transfer_add(&transfer, handles[i], sizeof(heads[i]), key->text, key->length);
		transfer_add(&transfer, handles[i], sizeof(heads[i]) + key->length, "", 1);
		groups[i]->key.entry.str = handles[i];
	}
	transfer_end(&transfer);
	free(handles);
	free(sizes);
	free(heads);
}

/* An int for each of the groups: 0, until add_counts() has added to it. */
static void create_ints(const struct index *index, struct group **groups, size_t count)
{
	static const struct object_int zero = {
		.object = { .refs = 1, .type = PRIVHEAP_TYPE_INT },
		.digits = 1,
	};
	uint64_t *sizes = take(count, sizeof(*sizes));
	uint64_t *handles = take(count, sizeof(*handles));
	struct transfer transfer;
	size_t i;

	for (i = 0; i < count; i++)
		sizes[i] = OBJECT_INT_BYTES;
	heap_alloc(index->heap, PRIVHEAP_TYPE_INT, count, sizes, handles);
	transfer_begin(&transfer, index->heap, PRIVHEAP_TYPE_INT, true);
	for (i = 0; i < count; i++) {
		transfer_add(&transfer, handles[i], 0, &zero, OBJECT_INT_BYTES);
		groups[i]->key.entry.count = handles[i];
	}
	transfer_end(&transfer);
	free(handles);
	free(sizes);
}

/* Adds to the ints what the lists did not know yet. */
static void add_counts(const struct index *index, struct group **groups, size_t count)
{
	uint32_t *digits = take(count, sizeof(*digits));
	const uint64_t offset = offsetof(struct object_int, digit);
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, index->heap, PRIVHEAP_TYPE_INT, false);
	for (i = 0; i < count; i++)
		transfer_add(&transfer, groups[i]->key.entry.count, offset, &digits[i],
			     sizeof(digits[i]));
	transfer_end(&transfer);
	transfer_begin(&transfer, index->heap, PRIVHEAP_TYPE_INT, true);
	for (i = 0; i < count; i++) {
		digits[i] += (uint32_t)groups[i]->count;
		transfer_add(&transfer, groups[i]->key.entry.count, offset, &digits[i],
			     sizeof(digits[i]));
	}
	transfer_end(&transfer);
	free(digits);
}

/* New words get their three objects, and only then their place in the dict. */
static void create_missing(struct index *index, struct group **groups, size_t count)
{
	struct dict_key **keys = take(count, sizeof(*keys));
	size_t i;

	create_strs(index, groups, count);
	create_ints(index, groups, count);
	lists_create(index->heap, groups, count);
	for (i = 0; i < count; i++)
		keys[i] = &groups[i]->key;
	dict_insert(&index->dict, keys, count);
	free(keys);
}

/* A list that had to move has another handle: the dict has to learn it. */
static void extend_found(struct index *index, struct group **groups, size_t count)
{
	struct dict_key **moved = take(count, sizeof(*moved));
	size_t i, n = 0;

	lists_extend(index->heap, groups, count);
	for (i = 0; i < count; i++)
		if (groups[i]->moved)
			moved[n++] = &groups[i]->key;
	dict_update(&index->dict, moved, n);
	free(moved);
}

static void add_chunk(struct index *index, struct chunk *chunk)
{
	struct dict_key **keys = take(chunk->count, sizeof(*keys));
	struct group **all = take(chunk->count, sizeof(*all));
	struct group **missing = take(chunk->count, sizeof(*missing));
	struct group **found = take(chunk->count, sizeof(*found));
	size_t i, nr_missing = 0, nr_found = 0;

	for (i = 0; i < chunk->count; i++) {
		all[i] = &chunk->groups[i];
		keys[i] = &all[i]->key;
	}
	dict_find(&index->dict, keys, chunk->count);
	for (i = 0; i < chunk->count; i++) {
		if (all[i]->key.found)
			found[nr_found++] = all[i];
		else
			missing[nr_missing++] = all[i];
	}
	extend_found(index, found, nr_found);
	create_missing(index, missing, nr_missing);
	add_counts(index, all, chunk->count);
	free(found);
	free(missing);
	free(all);
	free(keys);
}

/*
 * Positions that a list has already are not added again. So a text may be
 * added a second time, which brings back what was dropped meanwhile.
 */
void index_add(struct index *index, const struct text *text)
{
	struct chunk *chunk = take(1, sizeof(*chunk));
	struct words words;

	words_begin(&words, text);
	while (chunk_read(chunk, &words))
		add_chunk(index, chunk);
	free(chunk);
}

/* What is dropped of one stretch of the dict. */
struct dropped {
	size_t count;
	uint64_t slots[STRETCH];
	uint64_t strs[STRETCH];
	uint64_t counts[STRETCH];
	uint64_t positions[STRETCH];
};

static void drop(struct index *index, const struct dropped *dropped)
{
	dict_delete(&index->dict, dropped->slots, dropped->count);
	heap_free(index->heap, PRIVHEAP_TYPE_STR, dropped->count, dropped->strs);
	heap_free(index->heap, PRIVHEAP_TYPE_INT, dropped->count, dropped->counts);
	heap_free(index->heap, PRIVHEAP_TYPE_LIST, dropped->count, dropped->positions);
}

/* Frees every second word with all that belongs to it; returns how many. */
uint64_t index_drop_half(struct index *index)
{
	struct dict_entry *entries = take(STRETCH, sizeof(*entries));
	struct dropped *dropped = take(1, sizeof(*dropped));
	uint64_t capacity = dict_capacity(&index->dict), slot, words = 0, total = 0;
	size_t i, count;

	for (slot = 0; slot < capacity; slot += count) {
		count = capacity - slot < STRETCH ? capacity - slot : STRETCH;
		dict_entries(&index->dict, slot, entries, count);
		dropped->count = 0;
		for (i = 0; i < count; i++) {
			if (entries[i].hash < DICT_HASHES || words++ % 2 == 0)
				continue;
			dropped->slots[dropped->count] = slot + i;
			dropped->strs[dropped->count] = entries[i].str;
			dropped->counts[dropped->count] = entries[i].count;
			dropped->positions[dropped->count++] = entries[i].positions;
		}
		drop(index, dropped);
		total += dropped->count;
	}
	free(dropped);
	free(entries);
	return total;
}
