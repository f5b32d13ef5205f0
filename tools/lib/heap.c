// SPDX-License-Identifier: MIT
/* Heaps: open, map, and what a program asks of them as a whole. */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of an address space, one heap takes no more than this. */
#define ADDRESS_MOST	(sizeof(void *) == 8 ? (uint64_t)1 << 45 : (uint64_t)1 << 28)
#define ADDRESS_LEAST	((size_t)16 << 20)

/* Where the numbers of its files begin, if there are that many. */
#define FD_LEAST	1000

struct privheap *ph_heaps;
pthread_mutex_t ph_heaps_lock = PTHREAD_MUTEX_INITIALIZER;

static bool want_hardened(const struct privheap_options *options)
{
	const char *text = secure_getenv("PRIVHEAP_HARDENED");

	return options->flags & PRIVHEAP_HARDENED || (text && !strcmp(text, "1"));
}

static void *map(int fd, size_t bytes, int prot, uint64_t offset)
{
	void *at = mmap(NULL, bytes, prot, MAP_SHARED | MAP_NORESERVE, fd, (off_t)offset);

	return at == MAP_FAILED ? NULL : at;
}

static size_t slab_map_bytes(const struct privheap *heap)
{
	return (heap->bytes >> heap->page_shift) * sizeof(struct privheap_map_entry);
}

static void heap_unmap(struct privheap *heap)
{
	if (heap->base)
		munmap(heap->base, heap->bytes);
	if (heap->slabs)
		munmap((void *)heap->slabs, slab_map_bytes(heap));
	if (heap->stat)
		munmap((void *)heap->stat, sizeof(*heap->stat));
	ph_guard_exit(heap, heap->bytes);
	heap->base = NULL;
	heap->slabs = NULL;
	heap->stat = NULL;
}

static bool heap_map(struct privheap *heap)
{
	heap->base = map(heap->fd, heap->bytes, PROT_READ | PROT_WRITE, PRIVHEAP_MAP_REGION);
	heap->slabs = heap->base ? map(heap->fd, slab_map_bytes(heap), PROT_READ,
				       PRIVHEAP_MAP_SLABS) : NULL;
	if (heap->slabs && ph_guard_init(heap, heap->bytes))
		return true;
	heap_unmap(heap);
	return false;
}

/* Pages that the process has mapped, by the first number of its file; 0: unknown. */
static uint64_t pages_mapped(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	ssize_t got = -1;

	if (fd >= 0) {
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return got > 0 ? strtoull(text, NULL, 10) : 0;
}

/* What one heap may take: with a limit, half of the rest, its tables included. */
static uint64_t address_most(uint64_t bytes, uint64_t most)
{
	uint64_t page = (uint64_t)getpagesize(), used, rest;
	struct rlimit limit;

	if (bytes > most)
		bytes = most;
	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return bytes;
	used = pages_mapped() * page;
	rest = limit.rlim_cur > used ? (limit.rlim_cur - used) / 2 : 0;
	rest = (rest - rest / 16) & ~(page - 1);
	if (bytes <= rest)
		return bytes;
	return rest ? rest : page;
}

/* As much of the address space as is to be had. */
static int heap_map_most(struct privheap *heap, uint64_t bytes)
{
	bytes = address_most(bytes, ADDRESS_MOST);
	for (heap->bytes = (size_t)bytes; !heap_map(heap); heap->bytes /= 2)
		if (errno != ENOMEM || heap->bytes / 2 < ADDRESS_LEAST)
			return -1;
	return 0;
}

static int heap_limits(struct privheap *heap, const struct privheap_options *options)
{
	struct privheap_setup setup = {
		.hard_max_bytes = options->hard_max_bytes,
		.reserve_bytes = options->reserve_bytes,
	};

	if (!setup.hard_max_bytes && !setup.reserve_bytes)
		return 0;
	return privheap_cmd_setup(heap->fd, &setup);
}

/*
 * Low numbers of files are what programs, shells above all, close and reuse without
 * asking whose they are.
 */
static int out_of_the_way(int fd)
{
	int high = -1;

	/* Where so many are not allowed, as high as can be. */
	for (int least = FD_LEAST; fd >= 0 && high < 0 && least > fd; least /= 2)
		high = fcntl(fd, F_DUPFD_CLOEXEC, least);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

/* The module's part; fd is -1 where that fails. */
static int heap_open(struct privheap *heap, const struct privheap_options *options)
{
	struct privheap_query query = { 0 };
	uint64_t bytes;
	int err;

	heap->fd = out_of_the_way(privheap_open());
	if (heap->fd < 0)
		return -1;
	if (privheap_cmd_query(heap->fd, &query))
		goto fail;
	errno = EOPNOTSUPP;
	if (!(query.features & PRIVHEAP_FEATURE_MAPPED))
		goto fail;
	heap->page_shift = (unsigned int)__builtin_ctz(query.page_size);
	if (heap->page_shift != ph_page_shift(heap))
		goto fail;
	bytes = options->address_bytes;
	if (!bytes || bytes > PRIVHEAP_REGION_BYTES)
		bytes = PRIVHEAP_REGION_BYTES;
	bytes &= ~(uint64_t)(query.page_size - 1);
	if (heap_limits(heap, options) || heap_map_most(heap, bytes))
		goto fail;
	return 0;
fail:
	err = errno;
	close(heap->fd);
	heap->fd = -1;
	errno = err;
	return -1;
}

static int heap_plain(struct privheap *heap, const struct privheap_options *options)
{
	uint64_t bytes = options->address_bytes;

	bytes = address_most(bytes ? bytes : UINT64_MAX, ADDRESS_MOST / 32);
	for (; ph_plain_init(heap, (size_t)bytes); bytes /= 2)
		if (bytes / 2 < ADDRESS_LEAST)
			return -1;
	return 0;
}

/* @heap is zero, but for its place in the list and what is frozen. */
int ph_heap_start(struct privheap *heap, const struct privheap_options *options)
{
	int err;

	pthread_mutex_init(&heap->spans.lock, NULL);
	heap->fd = -1;
	heap->hardened = want_hardened(options);
	heap->sizes.type = PRIVHEAP_TYPE_OBJECT;
	heap->sizes.most = PH_SMALL_MAX;
	if (heap_open(heap, options)) {
		err = errno;
		if (!(options->flags & PRIVHEAP_FALLBACK) || heap_plain(heap, options)) {
			errno = err;
			return -1;
		}
	}
	return 0;
}

/* @heap is zero. */
int ph_heap_init(struct privheap *heap, const struct privheap_options *options)
{
	if (ph_heap_start(heap, options))
		return -1;
	pthread_mutex_lock(&ph_heaps_lock);
	heap->next = ph_heaps;
	ph_heaps = heap;
	pthread_mutex_unlock(&ph_heaps_lock);
	return 0;
}

/**
 * privheap_new - open a heap and map it
 * @options: NULL for the defaults
 *
 * With %PRIVHEAP_FALLBACK, where the module cannot be had, the heap is plain
 * memory of the process, with everything that this header offers.
 *
 * Return: the heap, or NULL with errno set; privheap_open_message() then tells
 * what to do
 */
struct privheap *privheap_new(const struct privheap_options *options)
{
	static const struct privheap_options defaults;
	struct privheap *heap = ph_pages(sizeof(*heap));
	int err, cancel, ret;

	if (!heap)
		return NULL;
	/* An allocation, and so no point of cancellation. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	ret = ph_heap_init(heap, options ? options : &defaults);
	pthread_setcancelstate(cancel, NULL);
	if (ret) {
		err = errno;
		munmap(heap, sizeof(*heap));
		errno = err;
		return NULL;
	}
	ph_fork_init();
	return heap;
}

/**
 * privheap_delete - the end of a heap and all of its objects
 * @heap: the heap, which no thread uses any more; NULL does nothing
 */
void privheap_delete(struct privheap *heap)
{
	struct privheap **link;
	int cancel;

	if (!heap)
		return;
	/* close() is a point of cancellation, and the lock is held. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&ph_teardown_lock);
	pthread_mutex_lock(&ph_heaps_lock);
	for (link = &ph_heaps; *link != heap; link = &(*link)->next)
		;
	*link = heap->next;
	pthread_mutex_unlock(&ph_heaps_lock);
	ph_kinds_drop(heap);
	if (heap->plain)
		ph_plain_exit(heap);
	heap_unmap(heap);
	if (heap->fd >= 0)
		close(heap->fd);
	pthread_mutex_unlock(&ph_teardown_lock);
	pthread_setcancelstate(cancel, NULL);
	munmap(heap, sizeof(*heap));
}

/**
 * privheap_fd - the heap's file, for the commands of libprivheap.h
 * @heap: the heap
 *
 * Return: the file descriptor, which stays the heap's; -1 for plain memory
 */
int privheap_fd(const struct privheap *heap)
{
	return heap->fd;
}

/**
 * privheap_stat_page - figures of the heap that need no call
 * @heap: the heap
 *
 * It is mapped when it is asked for first: the kernel keeps it up to date from
 * then on.
 *
 * Return: the page; or NULL with errno set, or for plain memory
 */
const struct privheap_stat_page *privheap_stat_page(struct privheap *heap)
{
	const struct privheap_stat_page *stat, *mine;

	stat = __atomic_load_n(&heap->stat, __ATOMIC_ACQUIRE);
	if (stat || heap->fd < 0)
		return stat;
	mine = map(heap->fd, sizeof(*mine), PROT_READ, PRIVHEAP_MAP_STAT);
	/* Another thread may have been first: then his is as good. */
	if (mine && !__atomic_compare_exchange_n(&heap->stat, &stat, mine, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		munmap((void *)mine, sizeof(*mine));
		return stat;
	}
	return mine;
}

/**
 * privheap_type - define a type
 * @heap: the heap
 * @type: as for privheap_cmd_type_create(); type->type receives the id. Plain
 *	memory keeps no quota and promises nothing
 *
 * Return: 0, or -1 with errno set
 */
int privheap_type(struct privheap *heap, struct privheap_type *type)
{
	if (heap->plain)
		return ph_plain_type(heap->plain, type);
	return privheap_cmd_type_create(heap->fd, type);
}

/* A list of one: the cursor is the id from which on types are listed. */
static uint32_t module_type_flags(const struct privheap *heap, uint32_t type)
{
	struct privheap_type found[16] = { 0 };
	struct privheap_type_list list = {
		.types = (uintptr_t)found, .count = 16,
	};

	do {
		if (privheap_cmd_type_list(heap->fd, &list))
			return 0;
		for (uint32_t i = 0; i < list.done; i++)
			if (found[i].type == type)
				return found[i].flags;
	} while (list.cursor);
	return 0;
}

uint32_t ph_heap_type_flags(struct privheap *heap, uint32_t type)
{
	if (heap->plain)
		return ph_plain_type_flags(heap->plain, type);
	return module_type_flags(heap, type);
}

/**
 * privheap_trim - give idle memory back
 * @heap: the heap
 *
 * What this thread and the depots have goes back to the module, which gives its
 * own idle memory back. Other threads keep what they have.
 *
 * Return: 0, or -1 with errno set
 */
int privheap_trim(struct privheap *heap)
{
	struct privheap_trim trim = { 0 };
	struct ph_thread *thread = ph_thread_enter();

	for (unsigned int kind = 1; kind < ph_kinds_end; kind++) {
		if (!ph_kind_of(kind, heap))
			continue;
		ph_magazine_flush(thread, kind);
		ph_depot_flush(thread, kind);
	}
	ph_thread_leave(thread);
	ph_spans_flush(heap);
	return heap->plain || heap->gone ? 0 : privheap_cmd_trim(heap->fd, &trim);
}

/**
 * privheap_to_handle - turn an object into one that is known by its handle
 * @heap: the heap
 * @object: the object; the program must not use its address any more
 * @handle: receives the handle
 *
 * Return: 0, or -1 with errno set
 */
int privheap_to_handle(struct privheap *heap, void *object, __u64 *handle)
{
	__u64 offset = ph_offset(heap, object);
	struct privheap_convert convert = {
		.count = 1, .from = (uintptr_t)&offset, .to = (uintptr_t)handle,
	};

	if (heap->plain || heap->gone) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (!ph_guard_give(heap, object)) {
		errno = ESTALE;
		return -1;
	}
	if (!privheap_cmd_to_handles(heap->fd, &convert))
		return 0;
	ph_guard_take(heap, object);
	return -1;
}

/**
 * privheap_to_pointer - turn an object that has a handle into memory
 * @heap: the heap
 * @handle: the handle, which is ``ESTALE`` from then on
 *
 * privheap_free() takes it, or privheap_object_free() with its kind.
 *
 * Return: the object, or NULL with errno set
 */
void *privheap_to_pointer(struct privheap *heap, __u64 handle)
{
	__u64 offset;
	struct privheap_convert convert = {
		.count = 1, .from = (uintptr_t)&handle, .to = (uintptr_t)&offset,
	};

	if (heap->plain || heap->gone) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	if (privheap_cmd_to_offsets(heap->fd, &convert))
		return NULL;
	if (offset >= heap->bytes) {
		errno = EOVERFLOW;
		return NULL;
	}
	if (!ph_guard_reach(heap, offset + 1))
		return NULL;
	ph_raise(&heap->high, offset + 1);
	ph_guard_take(heap, heap->base + offset);
	return heap->base + offset;
}
