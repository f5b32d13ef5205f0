/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How objects look inside, much as CPython on a 64-bit machine has them. A
 * reference to an object is its handle.
 */
#ifndef DEMO_OBJECT_H
#define DEMO_OBJECT_H

#include <stdint.h>

/* Every object begins like this. */
struct object {
	uint64_t refs;
	uint64_t type;
};

/* 49 + n bytes in all: this, the n bytes of the text, and a NUL. */
struct object_str {
	struct object object;
	uint64_t length;
	uint64_t hash;
	uint64_t state;
	uint64_t wide;
};

#define OBJECT_STR_BYTES(length)	(sizeof(struct object_str) + (length) + 1)

/* 28 bytes on the heap: one digit, and not the compiler's padding. */
struct object_int {
	struct object object;
	uint64_t digits;
	uint32_t digit;
};

#define OBJECT_INT_BYTES		28

/* Then @allocated slots of 8 bytes, of which @length are in use. */
struct object_list {
	struct object object;
	uint64_t length;
	uint64_t allocated;
};

#define OBJECT_LIST_BYTES(slots)	(sizeof(struct object_list) + (slots) * sizeof(uint64_t))

/*
 * A word's entry: its hash, so that most other words are told apart without a
 * look at them, and its three objects. The two smallest hashes are marks.
 */
struct dict_entry {
	uint64_t hash;
	uint64_t str;
	uint64_t count;
	uint64_t positions;
};

#define DICT_EMPTY	0
#define DICT_DELETED	1
#define DICT_HASHES	2

/*
 * Then @capacity entries, a power of two. @filled of them are not empty; those
 * that are neither empty nor deleted are @used.
 */
struct object_dict {
	struct object object;
	uint64_t used;
	uint64_t filled;
	uint64_t capacity;
	uint64_t reserved;
};

#define OBJECT_DICT_BYTES(capacity) \
	(sizeof(struct object_dict) + (capacity) * sizeof(struct dict_entry))

#endif /* DEMO_OBJECT_H */
