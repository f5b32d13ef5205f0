/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A dict whose table lives in one growable object of the heap.
 *
 * Open addressing, linear probing, at most two thirds full. All that this
 * program keeps of it is the handle; the rest is read when it is needed. Keys
 * come in batches: a batch of lookups goes through the table in step, one
 * read for the entries that all of them look at next.
 */
#ifndef DEMO_DICT_H
#define DEMO_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"
#include "object.h"

struct dict {
	const struct heap *heap;
	uint64_t handle;
};

/*
 * A word to look for. dict_find() sets @found and, if so, @slot and @entry.
 * For dict_insert() and dict_update() the caller fills in @entry.
 */
struct dict_key {
	const char *text;
	uint32_t length;
	uint64_t hash;
	bool found;
	uint64_t seen;
	uint64_t slot;
	struct dict_entry entry;
};

uint64_t dict_hash(const char *text, uint32_t length);

void dict_create(struct dict *dict, const struct heap *heap);
void dict_find(const struct dict *dict, struct dict_key **keys, size_t count);
void dict_insert(struct dict *dict, struct dict_key **keys, size_t count);
void dict_update(const struct dict *dict, struct dict_key **keys, size_t count);

uint64_t dict_capacity(const struct dict *dict);
void dict_entries(const struct dict *dict, uint64_t slot, struct dict_entry *entries, size_t count);
void dict_delete(const struct dict *dict, const uint64_t *slots, size_t count);

#endif /* DEMO_DICT_H */
