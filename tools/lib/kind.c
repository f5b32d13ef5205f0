// SPDX-License-Identifier: MIT
/*
 * Kinds: which heap, type and size a magazine is for. What sizes share a class
 * is the module's to say: the first TAKE of a size tells.
 */
#include "internal.h"

/* Of what is gone others may still have the lock: it is made but once. */
struct ph_kind ph_kinds[PRIVHEAP_KINDS] PH_SPARSE = {
	[0 ... PRIVHEAP_KINDS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER },
};
struct privheap *ph_direct_heap;	/* set before its first kind is made */
unsigned int ph_kinds_end = 1;		/* grows only; under the lock */
pthread_mutex_t ph_kinds_lock = PTHREAD_MUTEX_INITIALIZER;
/* Who has it may report a wrong free, to a function of the program's that forks. */
pthread_mutex_t ph_teardown_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static size_t inverse_of(size_t odd)
{
	size_t x = odd;

	/* Each step doubles the bits that are right; the first three are. */
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

static uint32_t room_of(size_t stride)
{
	size_t bytes = stride < PH_BOX_LARGE ? PH_BOX_BYTES : PH_BOX_LARGE_BYTES;
	uint32_t room = PH_BOX_MAX;

	while (room > PH_BOX_LEAST && room * stride > bytes)
		room /= 2;
	return room;
}

/* Its depot is empty, as who had the number before left it. */
static void kind_fill(struct ph_kind *kind, struct privheap *heap, size_t asked,
		      const struct privheap_take *take)
{
	__atomic_store_n(&kind->heap, heap, __ATOMIC_RELAXED);
	kind->type = take->type;
	kind->stride = take->stride;
	kind->size_class = take->stride ? take->size_class : PH_SPAN_CLASS;
	kind->asked = asked;
	kind->bytes = take->object_bytes;
	kind->shift = take->stride ? (unsigned int)__builtin_ctz(take->stride) : 0;
	kind->inverse = inverse_of(take->stride ? take->stride >> kind->shift : 1);
	kind->room_max = room_of(take->stride);
}

static uint32_t flags_of(struct privheap *heap, const struct privheap_take *take)
{
	uint32_t flags = PH_KIND_USED, type = ph_heap_type_flags(heap, take->type);

	if (type & PRIVHEAP_TYPE_ZERO_ALLOC)
		flags |= PH_KIND_GUARDED | PH_KIND_ZERO;
	if (type & PRIVHEAP_TYPE_ZERO_FREE)
		flags |= PH_KIND_GUARDED | PH_KIND_WIPE;
	if (heap->hardened)
		flags |= PH_KIND_GUARDED;
	if (!take->stride)
		flags |= PH_KIND_GUARDED | PH_KIND_SPAN;
	return flags;
}

static bool kind_is(const struct ph_kind *kind, const struct privheap *heap,
		    const struct privheap_take *take)
{
	if (kind->heap != heap || kind->type != take->type)
		return false;
	if (!take->stride)
		return (kind->flags & PH_KIND_SPAN) && kind->bytes == take->object_bytes;
	return kind->stride && kind->size_class == take->size_class &&
	       kind->flags & PH_KIND_USED;
}

/* Two in a row that nobody uses: a guarded kind has its magazines beside it. */
static unsigned int kind_place(unsigned int wanted)
{
	unsigned int found = 0;

	for (unsigned int i = 1 + PH_DIRECT_KINDS; i < PRIVHEAP_KINDS; i++) {
		found = ph_kinds[i].heap ? 0 : found + 1;
		if (found == wanted)
			return i + 1 - wanted;
	}
	return 0;
}

static bool kind_is_direct(const struct privheap *heap, const struct privheap_take *take,
			   uint32_t flags)
{
	return heap == ph_direct_heap && take->type == PRIVHEAP_TYPE_OBJECT &&
	       take->size_class < PH_DIRECT_KINDS && !(flags & PH_KIND_GUARDED);
}

static unsigned int kind_make(struct privheap *heap, size_t asked,
			      const struct privheap_take *take, uint32_t flags)
{
	unsigned int wanted = flags & PH_KIND_GUARDED ? 2 : 1;
	unsigned int number = kind_is_direct(heap, take, flags) ? take->size_class + 1 :
								  kind_place(wanted);

	if (!number)
		return 0;
	kind_fill(&ph_kinds[number], heap, asked, take);
	ph_kinds[number].flags = flags;
	if (wanted == 2) {
		kind_fill(&ph_kinds[number + 1], heap, asked, take);
		/* Found by the number before it, and by no other way. */
		ph_kinds[number + 1].flags = 0;
	}
	if (ph_kinds_end < number + wanted)
		__atomic_store_n(&ph_kinds_end, number + wanted, __ATOMIC_RELEASE);
	return number;
}

/* Where the class of an address leads to its kind. */
static ph_place_t *class_table(struct privheap *heap, uint32_t type)
{
	if (type == PRIVHEAP_TYPE_OBJECT)
		return heap->object_place;
	if (type >= PH_TYPES)
		return NULL;
	if (!heap->type_place[type])
		heap->type_place[type] = ph_arena(256 * sizeof(ph_place_t));
	return heap->type_place[type];
}

static unsigned int kind_find(struct privheap *heap, size_t asked,
			      const struct privheap_take *take)
{
	uint32_t flags = flags_of(heap, take);
	unsigned int number = 0;
	ph_place_t *table;

	pthread_mutex_lock(&ph_kinds_lock);
	for (unsigned int i = 1; !number && i < ph_kinds_end; i++)
		if (kind_is(&ph_kinds[i], heap, take))
			number = i;
	if (!number)
		number = kind_make(heap, asked, take, flags);
	table = number ? class_table(heap, take->type) : NULL;
	if (table && take->stride)
		__atomic_store_n(&table[take->size_class], ph_place(number), __ATOMIC_RELEASE);
	pthread_mutex_unlock(&ph_kinds_lock);
	return number;
}

/* Objects that told the kind go into its magazine. */
static void kind_stock(struct ph_thread *thread, unsigned int number,
		       void **objects, unsigned int count)
{
	unsigned int inner = number + !!(ph_kinds[number].flags & PH_KIND_GUARDED);

	if (ph_kinds[number].flags & PH_KIND_SPAN) {
		ph_give(thread, number, objects, count);
		return;
	}
	while (count--)
		if (!ph_magazine_free(thread, inner, objects[count]))
			ph_give(thread, inner, &objects[count], 1);
}

/* The answer to @take, which is in the thread's runs, makes a kind. */
static unsigned int kind_of_answer(struct privheap *heap, struct ph_thread *thread,
				   size_t asked, const struct privheap_take *take)
{
	unsigned int number = kind_find(heap, asked, take), count;
	void *objects[8];

	if (!number) {
		ph_give_run(heap, take->type, ph_taken(take), take->nr_runs);
		errno = ENOSPC;
		return 0;
	}
	count = ph_unpack(heap, take, objects);
	kind_stock(thread, number, objects, count);
	return number;
}

/*
 * The kind of a type and size; 0 with errno set. Takes some objects to learn.
 * Where @sizes is given, spans get no kind (errno is ERANGE).
 */
static unsigned int kind_get(struct privheap *heap, struct ph_sizes *sizes,
			     uint32_t type, size_t bytes)
{
	struct privheap_take take = {
		.type = type, .object_bytes = bytes,
		.count = bytes > PH_SMALL_MAX / 8 ? 1 : 8,
	};
	struct ph_thread *thread = ph_thread_enter();
	unsigned int number = 0;

	if (ph_take(heap, thread, &take))
		goto out;
	if (take.stride || !sizes) {
		number = kind_of_answer(heap, thread, bytes, &take);
		goto out;
	}
	ph_give_run(heap, type, ph_taken(&take), take.nr_runs);
	/* All of the step that was asked for. */
	if (sizes->most > bytes - PH_STEP)
		sizes->most = (uint32_t)(bytes - PH_STEP);
	errno = ERANGE;
out:
	ph_thread_leave(thread);
	return number;
}

/* The same for small sizes of one type, remembered. */
unsigned int ph_kind_sized(struct privheap *heap, struct ph_sizes *sizes,
			   size_t bytes)
{
	size_t step = (bytes + PH_STEP - 1) / PH_STEP;
	unsigned int number = ph_placed(__atomic_load_n(&sizes->place[step], __ATOMIC_ACQUIRE));

	if (number)
		return number;
	number = kind_get(heap, sizes, sizes->type, step ? step * PH_STEP : PH_STEP);
	if (!number)
		return 0;
	do {
		__atomic_store_n(&sizes->place[step], ph_place(number), __ATOMIC_RELEASE);
	} while (++step < PH_SIZES && step * PH_STEP <= ph_kinds[number].bytes);
	return number;
}

/* The kind of an object in the slab that the entry tells of; 0: none known. */
unsigned int ph_kind_at(struct privheap *heap,
			const struct privheap_map_entry *entry)
{
	const ph_place_t *table;

	if (entry->state != PRIVHEAP_STATE_SLAB || entry->type >= PH_TYPES)
		return 0;
	table = entry->type == PRIVHEAP_TYPE_OBJECT ? heap->object_place :
						      heap->type_place[entry->type];
	return table ? ph_placed(table[entry->size_class]) : 0;
}

/* All free objects of the heap, which is no more. */
void ph_kinds_forget(struct privheap *heap)
{
	unsigned int end = __atomic_load_n(&ph_kinds_end, __ATOMIC_ACQUIRE);

	for (unsigned int i = 1; i < end; i++) {
		if (!ph_kind_of(i, heap))
			continue;
		ph_thread_drop_kind(i);
		ph_depot_drop(i);
	}
}

/* Its number is for others. */
static void kind_drop(struct ph_kind *kind)
{
	__atomic_store_n(&kind->heap, NULL, __ATOMIC_RELAXED);
	kind->flags = 0;
}

/* Nobody uses the heap any more; with the teardown's lock. */
void ph_kinds_drop(struct privheap *heap)
{
	ph_kinds_forget(heap);
	pthread_mutex_lock(&ph_kinds_lock);
	for (unsigned int i = 1; i < ph_kinds_end; i++)
		if (ph_kind_of(i, heap))
			kind_drop(&ph_kinds[i]);
	pthread_mutex_unlock(&ph_kinds_lock);
}

/**
 * privheap_kind - the kind of a type and size
 * @heap: the heap
 * @type: id of the type, built-in or by privheap_type(); not a counted one
 * @bytes: size of the objects, in bytes; 0 stands for the type's smallest
 *
 * Two sizes of the same size class share a kind. A kind of large objects, of a type
 * that zeroes, or of a hardened heap counts as two.
 *
 * Return: the kind, above 0, or -1 with errno set: ``ENOSPC`` if all kinds of the
 * process are in use, until one of the heaps is deleted
 */
int privheap_kind(struct privheap *heap, __u32 type, size_t bytes)
{
	unsigned int number = kind_get(heap, NULL, type, bytes);

	return number ? (int)number : -1;
}

/**
 * privheap_kind_bytes - what an object of a kind can use
 * @kind: what privheap_kind() said
 *
 * Return: bytes
 */
size_t privheap_kind_bytes(int kind)
{
	return ph_kinds[(unsigned int)kind % PRIVHEAP_KINDS].bytes;
}
