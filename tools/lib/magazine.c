// SPDX-License-Identifier: MIT
/* Magazines: where the fast paths end, and the depot behind them. */
#include "internal.h"

/* After so many boxes come and go, depots give up what they did not need. */
#define AGE_CALLS	1024

static unsigned int calls;

/* Memory of all that depots hold. */
static size_t depot_bytes;

static struct privheap_box *magazine_box(const struct privheap_magazine *magazine)
{
	struct privheap_box *box;

	if (!magazine->base)
		return NULL;
	box = (struct privheap_box *)((char *)magazine->base - sizeof(*box));
	box->count = (uint16_t)(magazine->top - magazine->base);
	return box;
}

static void magazine_load(struct privheap_magazine *magazine,
			  struct privheap_box *box)
{
	magazine->base = box->object;
	magazine->top = box->object + box->count;
	magazine->limit = box->object + box->room;
}

static size_t box_bytes(const struct ph_kind *kind, const struct privheap_box *box)
{
	return box->count * (size_t)kind->stride;
}

/* The newest box of a shelf, or of the next one that has any. */
static struct privheap_box *shelf_pop(struct ph_kind *kind, unsigned int shelf)
{
	struct privheap_box **place, *box;

	for (unsigned int i = 0; i < PH_SHELVES; i++) {
		place = &kind->depot[(shelf + i) % PH_SHELVES];
		box = *place;
		if (!box)
			continue;
		*place = box->next;
		return box;
	}
	return NULL;
}

static struct privheap_box *depot_pop(struct ph_kind *kind, unsigned int shelf)
{
	struct privheap_box *box;

	if (!kind->boxes)
		return NULL;
	pthread_mutex_lock(&kind->lock);
	box = shelf_pop(kind, shelf);
	if (box) {
		kind->uses++;
		if (--kind->boxes < kind->idle)
			kind->idle = kind->boxes;
	}
	pthread_mutex_unlock(&kind->lock);
	if (box)
		__atomic_sub_fetch(&depot_bytes, box_bytes(kind, box), __ATOMIC_RELAXED);
	return box;
}

static void shelf_push(struct ph_kind *kind, unsigned int shelf, struct privheap_box *box)
{
	pthread_mutex_lock(&kind->lock);
	box->next = kind->depot[shelf];
	kind->depot[shelf] = box;
	kind->boxes++;
	kind->uses++;
	pthread_mutex_unlock(&kind->lock);
}

/* Whether the objects of @box are there; if so it is gone, or empty. */
static bool depot_push(struct ph_kind *kind, unsigned int shelf, struct privheap_box **box)
{
	size_t bytes = box_bytes(kind, *box);
	struct privheap_box *folded;

	if (__atomic_add_fetch(&depot_bytes, bytes, __ATOMIC_RELAXED) > PH_DEPOT_BYTES) {
		__atomic_sub_fetch(&depot_bytes, bytes, __ATOMIC_RELAXED);
		return false;
	}
	/* The first one comes and goes, and stays as it is. */
	folded = kind->boxes ? ph_box_fold(*box) : NULL;
	if (folded) {
		shelf_push(kind, shelf, folded);
		(*box)->count = 0;
	} else {
		shelf_push(kind, shelf, *box);
		*box = NULL;
	}
	return true;
}

static cold void folded_give(struct ph_thread *thread, unsigned int kind,
			     const struct privheap_box *box)
{
	void *objects[PH_BOX_MAX];

	ph_box_unfold(box, objects);
	ph_give(thread, kind, objects, box->count);
}

static void box_give(struct ph_thread *thread, unsigned int kind,
		     struct privheap_box *box)
{
	if (box->rows)
		folded_give(thread, kind, box);
	else
		ph_give(thread, kind, box->object, box->count);
	ph_box_put(box);
}

void ph_depot_flush(struct ph_thread *thread, unsigned int kind)
{
	struct privheap_box *box;

	while ((box = depot_pop(&ph_kinds[kind], thread->shelf)))
		box_give(thread, kind, box);
}

/* The same where the objects are no more. */
void ph_depot_drop(unsigned int kind)
{
	struct privheap_box *box;

	while ((box = depot_pop(&ph_kinds[kind], 0)))
		ph_box_put(box);
}

/* What a depot had over all the time since the last look, it does not need. */
static void depot_age(struct ph_thread *thread, unsigned int number)
{
	struct ph_kind *kind = &ph_kinds[number];
	struct privheap_box *box;
	uint32_t spare;

	pthread_mutex_lock(&kind->lock);
	spare = kind->uses ? kind->idle : kind->boxes;
	kind->uses = 0;
	pthread_mutex_unlock(&kind->lock);
	while (spare-- && (box = depot_pop(kind, thread->shelf)))
		box_give(thread, number, box);
	pthread_mutex_lock(&kind->lock);
	kind->idle = kind->boxes;
	kind->uses = 0;
	pthread_mutex_unlock(&kind->lock);
}

/* Of all heaps, and none of them may go meanwhile. */
static cold void depots_age_all(struct ph_thread *thread)
{
	unsigned int end = __atomic_load_n(&ph_kinds_end, __ATOMIC_ACQUIRE);

	/* If one goes, or a thread ends, another time will do. */
	if (pthread_mutex_trylock(&ph_teardown_lock))
		return;
	for (unsigned int kind = 1; kind < end; kind++)
		if (ph_kinds[kind].boxes)
			depot_age(thread, kind);
	pthread_mutex_unlock(&ph_teardown_lock);
}

static void depots_age(struct ph_thread *thread)
{
	if (!(__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % AGE_CALLS))
		depots_age_all(thread);
}

/* Who deletes a heap looks at the mark from another thread. */
static void magazine_used(struct ph_thread *thread, unsigned int number)
{
	if (thread->kinds <= number)
		__atomic_store_n(&thread->kinds, number + 1, __ATOMIC_RELAXED);
}

/* An empty box at hand: the one in use, the spare one, or a larger one. */
static struct privheap_box *fill_box(struct privheap_magazine *magazine,
				     const struct ph_kind *kind)
{
	struct privheap_box *box = magazine_box(magazine), *larger = NULL;

	if (!box)
		return ph_box_new(kind->room_max < PH_BOX_FIRST ? kind->room_max :
								  PH_BOX_FIRST);
	if (box->room < kind->room_max)
		larger = ph_box_new(box->room * 2);
	if (!larger)
		return box;
	ph_box_put(box);
	return larger;
}

static bool magazine_take(struct ph_thread *thread,
			  struct privheap_magazine *magazine, struct ph_kind *kind)
{
	struct privheap_box *box = fill_box(magazine, kind);
	struct privheap_take take = {
		.type = kind->type, .object_bytes = kind->asked,
	};

	if (!box) {
		errno = ENOMEM;
		return false;
	}
	take.count = box->room;
	box->count = 0;
	if (!ph_take(kind->heap, thread, &take))
		box->count = ph_unpack(kind->heap, &take, box->object);
	magazine_load(magazine, box);
	return box->count > 0;
}

/* What a magazine can use of a box of the depot, whose objects are not lost. */
static struct privheap_box *magazine_unfold(struct ph_thread *thread,
					    struct privheap_magazine *magazine,
					    struct privheap_box *box, unsigned int number)
{
	struct privheap_box *empty = magazine_box(magazine);

	if (!box->rows) {
		ph_box_put(empty);
		return box;
	}
	if (!empty || empty->room < box->count) {
		ph_box_put(empty);
		empty = ph_box_new(ph_kinds[number].room_max);
		memset(magazine, 0, offsetof(struct privheap_magazine, spare));
	}
	if (!empty) {
		box_give(thread, number, box);
		return NULL;
	}
	ph_box_unfold(box, empty->object);
	empty->count = box->count;
	ph_box_put(box);
	return empty;
}

static bool magazine_fill(struct ph_thread *thread,
			  struct privheap_magazine *magazine, unsigned int number)
{
	struct ph_kind *kind = &ph_kinds[number];
	struct privheap_box *box = magazine->spare;

	magazine_used(thread, number);
	if (box && box->count) {
		magazine->spare = magazine_box(magazine);
	} else {
		depots_age(thread);
		box = depot_pop(kind, thread->shelf);
		if (box)
			box = magazine_unfold(thread, magazine, box, number);
		if (!box)
			return magazine_take(thread, magazine, kind);
	}
	magazine_load(magazine, box);
	return true;
}

void *ph_magazine_alloc(struct ph_thread *thread, unsigned int number)
{
	struct privheap_magazine *magazine = &thread->own.magazine[number];

	if (magazine->top == magazine->base &&
	    !magazine_fill(thread, magazine, number))
		return NULL;
	return *--magazine->top;
}

/* A box with room: a first one, a larger one, the spare one, or a new one. */
static bool magazine_widen(struct privheap_magazine *magazine,
			   const struct ph_kind *kind)
{
	struct privheap_box *box = magazine_box(magazine), *larger;

	if (box && box->room >= kind->room_max)
		return false;
	larger = ph_box_new(box ? box->room * 2 :
			    kind->room_max < PH_BOX_FIRST ? kind->room_max : PH_BOX_FIRST);
	if (!larger)
		return false;
	if (box) {
		memcpy(larger->object, box->object, box->count * sizeof(void *));
		larger->count = box->count;
		ph_box_put(box);
	}
	magazine_load(magazine, larger);
	return true;
}

static bool magazine_drain(struct ph_thread *thread,
			   struct privheap_magazine *magazine, unsigned int number)
{
	struct privheap_box *box = magazine->spare, *full = magazine_box(magazine);

	if (!full)
		return false;
	if (box && box->count) {
		depots_age(thread);
		if (!depot_push(&ph_kinds[number], thread->shelf, &box)) {
			ph_give(thread, number, box->object, box->count);
			box->count = 0;
		}
	}
	magazine->spare = full;
	if (!box)
		box = ph_box_new(full->room);
	if (!box) {
		/* No memory for a box: give what this one has. */
		magazine->spare = NULL;
		ph_give(thread, number, full->object, full->count);
		full->count = 0;
		box = full;
	}
	magazine_load(magazine, box);
	return true;
}

/* False if there is no memory for a box: the object then has to be given back. */
bool ph_magazine_free(struct ph_thread *thread, unsigned int number, void *object)
{
	struct privheap_magazine *magazine = &thread->own.magazine[number];

	magazine_used(thread, number);
	if (magazine->top == magazine->limit &&
	    !magazine_widen(magazine, &ph_kinds[number]) &&
	    !magazine_drain(thread, magazine, number))
		return false;
	*magazine->top++ = object;
	return true;
}

static void magazine_empty(struct ph_thread *thread, unsigned int number,
			   void (*away)(struct ph_thread *thread, unsigned int kind,
					struct privheap_box *box))
{
	struct privheap_magazine *magazine = &thread->own.magazine[number];
	struct privheap_box *box = magazine_box(magazine), *spare = magazine->spare;

	memset(magazine, 0, sizeof(*magazine));
	if (box)
		away(thread, number, box);
	if (spare)
		away(thread, number, spare);
}

void ph_magazine_flush(struct ph_thread *thread, unsigned int number)
{
	magazine_empty(thread, number, box_give);
}

static void box_leave(struct ph_thread *thread, unsigned int number,
		      struct privheap_box *box)
{
	if (box->count && depot_push(&ph_kinds[number], thread->shelf, &box))
		ph_box_put(box);
	else
		box_give(thread, number, box);
}

/* The thread ends: others may want what it has. What they do not, ages. */
void ph_magazine_leave(struct ph_thread *thread, unsigned int number)
{
	magazine_empty(thread, number, box_leave);
}

/**
 * privheap_object_refill - allocate an object when the magazine is empty
 * @kind: its kind
 *
 * Return: the object, or NULL with errno set
 */
void *privheap_object_refill(int kind)
{
	unsigned int number = (unsigned int)kind;
	struct ph_thread *thread;
	void *object;

	if (number >= PRIVHEAP_KINDS || !(ph_kinds[number].flags & PH_KIND_USED)) {
		errno = EINVAL;
		return NULL;
	}
	thread = ph_thread_enter();
	if (ph_kinds[number].flags & PH_KIND_GUARDED)
		object = ph_guarded_alloc(thread, number);
	else
		object = ph_magazine_alloc(thread, number);
	ph_thread_leave(thread);
	return object;
}

/**
 * privheap_object_spill - free an object when the magazine is full
 * @kind: its kind
 * @object: the object, or NULL
 *
 * errno is kept.
 */
void privheap_object_spill(int kind, void *object)
{
	unsigned int number = (unsigned int)kind;
	struct ph_thread *thread;
	int saved = errno;

	if (!object || number >= PRIVHEAP_KINDS ||
	    !(ph_kinds[number].flags & PH_KIND_USED))
		return;
	thread = ph_thread_enter();
	if (ph_kinds[number].flags & PH_KIND_GUARDED)
		ph_guarded_free(thread, number, object);
	else if (!ph_magazine_free(thread, number, object))
		ph_give(thread, number, &object, 1);
	ph_thread_leave(thread);
	errno = saved;
}
