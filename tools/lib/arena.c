// SPDX-License-Identifier: MIT
/* The library's own memory: pages, pieces that stay, and boxes. */
#include "internal.h"

#include <sys/mman.h>

#define CHUNK		(64 << 10)
#define BOX_ORDERS	10

pthread_mutex_t ph_arena_lock = PTHREAD_MUTEX_INITIALIZER;

/* Guarded by the lock. */
static char *chunk;
static size_t chunk_left;
static struct privheap_box *boxes[BOX_ORDERS];

/* Address space of which only what is touched becomes memory; NULL: errno. */
void *ph_pages(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

/*
 * Address space that is nobody's memory until it is opened: not written to, not
 * dumped, not locked, and not counted. NULL: errno.
 */
void *ph_reserve(size_t bytes)
{
	void *space = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return space == MAP_FAILED ? NULL : space;
}

/* Makes memory of it, between two pages. False: there is none, and errno says so. */
bool ph_open(void *space, size_t from, size_t to)
{
	return !mprotect((char *)space + from, to - from, PROT_READ | PROT_WRITE);
}

static void *arena_locked(size_t bytes)
{
	void *piece;

	bytes = (bytes + 15) & ~(size_t)15;
	if (bytes > CHUNK / 4)
		return ph_pages(bytes);
	if (bytes > chunk_left) {
		piece = ph_pages(CHUNK);
		if (!piece)
			return NULL;
		chunk = piece;
		chunk_left = CHUNK;
	}
	piece = chunk;
	chunk += bytes;
	chunk_left -= bytes;
	return piece;
}

void *ph_arena(size_t bytes)
{
	void *piece;

	pthread_mutex_lock(&ph_arena_lock);
	piece = arena_locked(bytes);
	pthread_mutex_unlock(&ph_arena_lock);
	return piece;
}

static unsigned int box_order(uint32_t room)
{
	return (unsigned int)__builtin_ctz(room);
}

struct privheap_box *ph_box_new(uint32_t room)
{
	struct privheap_box **list = &boxes[box_order(room)], *box;

	pthread_mutex_lock(&ph_arena_lock);
	box = *list;
	if (box)
		*list = box->next;
	else
		box = arena_locked(sizeof(*box) + room * sizeof(void *));
	pthread_mutex_unlock(&ph_arena_lock);
	if (!box)
		return NULL;
	box->next = NULL;
	box->room = room;
	box->count = 0;
	box->rows = 0;
	return box;
}

void ph_box_put(struct privheap_box *box)
{
	struct privheap_box **list;

	if (!box)
		return;
	list = &boxes[box_order(box->room)];
	pthread_mutex_lock(&ph_arena_lock);
	box->next = *list;
	*list = box;
	pthread_mutex_unlock(&ph_arena_lock);
}
