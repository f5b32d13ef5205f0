// SPDX-License-Identifier: MIT
/*
 * The C library's malloc family on one heap of the process.
 *
 * The heap is made by the first call, which may come before any constructor
 * runs. Nothing here allocates for itself, looks up symbols, or is torn down at
 * exit, so that destructors and exit handlers may free to the last.
 */
#include <stdio.h>
#include <unistd.h>

#include "../internal.h"
#include "preload.h"

struct privheap ph_process_heap PH_SPARSE;

static bool ready;
static pthread_mutex_t begin_lock = PTHREAD_MUTEX_INITIALIZER;

static void say_absent(int err)
{
	char line[PRIVHEAP_MESSAGE_BYTES + 64], message[PRIVHEAP_MESSAGE_BYTES];
	int length;

	length = snprintf(line, sizeof(line), "libprivheap-preload: %s; going on with plain memory\n",
			  privheap_open_message(err, message, sizeof(message)));
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

/* False if there is no heap of any kind. */
static cold bool begin(void)
{
	struct privheap_options options = { .flags = 0 };
	int cancel;

	/* No allocation is a point of cancellation. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&begin_lock);
	ph_direct_heap = &ph_process_heap;
	if (!ready && ph_heap_init(&ph_process_heap, &options)) {
		say_absent(errno);
		memset(&ph_process_heap, 0, sizeof(ph_process_heap));
		options.flags = PRIVHEAP_FALLBACK;
		ready = !ph_heap_init(&ph_process_heap, &options);
	} else if (!ready) {
		ready = true;
	} else {
		goto out;
	}
	if (ready) {
		ph_file_keep(ph_process_heap.fd);
		ph_keep_in_child();
	}
out:
	pthread_mutex_unlock(&begin_lock);
	pthread_setcancelstate(cancel, NULL);
	return ready;
}

static inline bool begun(void)
{
	if (likely(ready))
		return true;
	if (begin())
		return true;
	errno = ENOMEM;
	return false;
}

static cold void *first_malloc(size_t bytes)
{
	return begun() ? ph_malloc_slow(&ph_process_heap, bytes) : NULL;
}

/* Until the heap is there, no magazine has anything. */
PUBLIC void *malloc(size_t bytes)
{
	struct privheap_magazine *magazine;

	if (unlikely(bytes > PH_SMALL_MAX))
		return first_malloc(bytes);
	magazine = ph_magazine_at(ph_process_heap.sizes.place[(bytes + PH_STEP - 1) / PH_STEP]);
	if (unlikely(magazine->top == magazine->base))
		return first_malloc(bytes);
	return *--magazine->top;
}

PUBLIC void free(void *object)
{
	ph_free_to(&ph_process_heap, true, object);
}

PUBLIC void free_sized(void *object, size_t bytes)
{
	privheap_free_sized(&ph_process_heap, object, bytes);
}

PUBLIC void free_aligned_sized(void *object, size_t align, size_t bytes)
{
	(void)align;
	(void)bytes;
	ph_free_to(&ph_process_heap, true, object);
}

PUBLIC void *calloc(size_t count, size_t bytes)
{
	return begun() ? privheap_calloc(&ph_process_heap, count, bytes) : NULL;
}

PUBLIC void *realloc(void *object, size_t bytes)
{
	return begun() ? privheap_realloc(&ph_process_heap, object, bytes) : NULL;
}

PUBLIC void *reallocarray(void *object, size_t count, size_t bytes)
{
	if (__builtin_mul_overflow(count, bytes, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(object, bytes);
}

/* The C library takes any alignment, and rounds it up to a power of two. */
PUBLIC void *memalign(size_t align, size_t bytes)
{
	size_t power = PH_STEP;

	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	while (power < align)
		power *= 2;
	return begun() ? ph_aligned(&ph_process_heap, power, bytes) : NULL;
}

PUBLIC void *aligned_alloc(size_t align, size_t bytes)
{
	return memalign(align, bytes);
}

PUBLIC int posix_memalign(void **object, size_t align, size_t bytes)
{
	int saved = errno, ret = ENOMEM;

	if (begun())
		ret = privheap_posix_memalign(&ph_process_heap, object, align, bytes);
	errno = saved;
	return ret;
}

PUBLIC void *valloc(size_t bytes)
{
	return memalign((size_t)getpagesize(), bytes);
}

PUBLIC void *pvalloc(size_t bytes)
{
	size_t page = (size_t)getpagesize();

	if (bytes > PTRDIFF_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, bytes ? (bytes + page - 1) & ~(page - 1) : page);
}

PUBLIC size_t malloc_usable_size(void *object)
{
	return privheap_usable_size(&ph_process_heap, object);
}
