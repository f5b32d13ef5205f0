// SPDX-License-Identifier: MIT
/*
 * fork() of a process whose malloc() is in a private heap.
 *
 * The child has no mapping of the heap, but its file. Before anything else runs
 * in the child it maps the file elsewhere, copies what is in use to plain memory
 * at the addresses that the heap had, and closes the file; the parent waits for
 * that. What the child allocates from then on is in a new heap of its own, or in
 * plain memory where it can have none. The copy is frozen: objects of it may be
 * used, resized and freed, but their memory is not used again.
 */
#include "../internal.h"

#include <sys/mman.h>
#include <sys/uio.h>

#include "preload.h"

/* Made by prepare(), for the child of the same fork. */
static struct ph_frozen *next_frozen;
static bool kept;

/*
 * By a call that fails where the parent's other threads have just given a page
 * back, and does not kill.
 */
static bool copy(void *to, const void *from, size_t bytes)
{
	struct iovec target = { .iov_base = to, .iov_len = bytes };
	struct iovec source = { .iov_base = (void *)from, .iov_len = bytes };

	return process_vm_readv(getpid(), &target, 1, &source, 1, 0) >= 0 || errno == EFAULT;
}

static bool copy_slabs(struct privheap *heap, char *base,
		       const struct privheap_map_entry *slabs)
{
	struct privheap_map_entry *own = (struct privheap_map_entry *)heap->slabs;
	size_t pages = heap->high >> heap->page_shift, first;

	for (size_t page = 0; page <= pages; page++) {
		struct privheap_map_entry entry = slabs[page];

		if (entry.state == PRIVHEAP_STATE_FREE || entry.first_page != page)
			continue;
		for (size_t i = 0; i < entry.pages; i++)
			own[page + i] = entry;
		first = page << heap->page_shift;
		if (!copy(heap->base + first, base + first, ph_entry_bytes(heap, &entry)))
			return false;
		ph_completion_step();
		page += entry.pages - 1;
	}
	return true;
}

static bool plain_at(const void *address, size_t bytes)
{
	return mmap((void *)address, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
		    -1, 0) == address;
}

/*
 * Puts a copy in the place of the heap. Takes no lock, for this may be while the
 * fork has them all; and the caller's stack and its thread's variables may be in
 * the heap, so that nothing is called which checks its stack.
 */
static bool keep_content(struct privheap *heap, struct ph_frozen *frozen)
{
	size_t map_bytes = (heap->bytes >> heap->page_shift) * sizeof(*heap->slabs);
	size_t used = (heap->high | ((1UL << heap->page_shift) - 1)) + 1;
	struct privheap_map_entry *slabs;
	bool copied;
	char *base;

	kept = true;
	/* First, for the next mapping might take the gap that the heap left. */
	if (!plain_at(heap->base, heap->bytes) || !plain_at(heap->slabs, map_bytes))
		return false;
	/* Not all of it twice: there may be no room for that. */
	used = used < heap->bytes ? used : heap->bytes;
	base = mmap(NULL, used, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		    heap->fd, (off_t)PRIVHEAP_MAP_REGION);
	slabs = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, heap->fd,
		     (off_t)PRIVHEAP_MAP_SLABS);
	if (base == MAP_FAILED || slabs == MAP_FAILED)
		return false;
	copied = copy_slabs(heap, base, slabs);
	munmap(base, used);
	munmap(slabs, map_bytes);
	if (!copied)
		return false;
	*frozen = (struct ph_frozen){
		.base = heap->base, .bytes = heap->bytes, .slabs = heap->slabs,
		.next = heap->frozen,
	};
	return true;
}

/* Everything the library knows of the old heap goes with it. */
static void start_again(struct privheap *heap, struct ph_frozen *frozen)
{
	static const struct privheap_options options = { .flags = PRIVHEAP_FALLBACK };
	struct privheap *next = heap->next;

	ph_kinds_drop(heap);
	ph_guard_exit(heap, heap->bytes);
	ph_file_keep(-1);
	close(heap->fd);
	memset(heap, 0, sizeof(*heap));
	heap->next = next;
	heap->frozen = frozen;
	if (ph_heap_start(heap, &options))
		ph_report(heap, heap, "no heap in the child of a fork");
	ph_file_keep(heap->fd);
}

static void lost(const char *what)
{
	ph_completion_end();
	ph_report(&ph_process_heap, &ph_process_heap, what);
}

/* For who cannot wait for child(). */
static bool keep_early(void)
{
	if (kept)
		return false;
	if (!next_frozen || !keep_content(&ph_process_heap, next_frozen))
		lost("no room for it in the child of a fork");
	return true;
}

static void prepare(void)
{
	struct privheap *heap = &ph_process_heap;

	if (heap->plain)
		return;
	if (!next_frozen)
		next_frozen = ph_pages(sizeof(*next_frozen));
	kept = false;
	ph_completion_begin();
	ph_fault_watch(heap, keep_early);
}

static void parent(bool forked)
{
	ph_fault_unwatch();
	ph_completion_wait(forked);
}

static void child(void)
{
	struct privheap *heap = &ph_process_heap;

	if (heap->plain)
		return;
	keep_early();
	ph_fault_unwatch();
	start_again(heap, next_frozen);
	next_frozen = NULL;
	if (!ph_completion_end())
		lost("the parent of a fork did not wait for its child");
}

void ph_keep_in_child(void)
{
	ph_fork_hooks = (struct ph_fork_hooks){
		.prepare = prepare, .parent = parent, .child = child,
	};
	ph_fork_init();
}
