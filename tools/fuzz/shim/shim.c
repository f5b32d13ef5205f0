// SPDX-License-Identifier: GPL-2.0
/*
 * What the pure layers call below them: pages, from one arena, and the module's
 * reserve, which does nothing but count here. Pages that nobody has are
 * poisoned.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "region.h"
#include "reserve.h"
#include "shim.h"
#include "world.h"

#define ARENA_PAGES	4096U

int shim_fails = -1;
static u64 random_state = 1;
static char *arena;
static struct page pages[ARENA_PAGES];
static bool taken[ARENA_PAGES];
static s64 charged, metadata;

bool shim_may_allocate(void)
{
	return shim_fails < 0 || shim_fails-- > 0;
}

u64 get_random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

struct page *virt_to_page(const void *addr)
{
	return &pages[((const char *)addr - arena) >> PAGE_SHIFT];
}

bool virt_addr_valid(const void *addr)
{
	return (const char *)addr >= arena &&
	       (const char *)addr < arena + ARENA_PAGES * PAGE_SIZE;
}

void *ph_region_take_run(struct ph_region *region, unsigned int nr, gfp_t gfp)
{
	unsigned int at, run = 0;

	(void)gfp;
	if (!shim_may_allocate())
		return ERR_PTR(-ENOMEM);
	for (at = 0; at < ARENA_PAGES && run < nr; at++)
		run = taken[at] ? 0 : run + 1;
	if (run < nr || ph_region_charge(region, (u64)nr << PAGE_SHIFT))
		return ERR_PTR(-EDQUOT);
	at -= nr;
	memset(&taken[at], true, nr);
	__asan_unpoison_memory_region(arena + at * PAGE_SIZE, nr * PAGE_SIZE);
	memset(arena + at * PAGE_SIZE, 0, nr * PAGE_SIZE);
	return arena + at * PAGE_SIZE;
}

/* There is none: pages go where they came from. */
bool ph_stock_is_sound(struct ph_region *region)
{
	return !region->stock_pages;
}

void ph_region_put_run(struct ph_region *region, void *addr, unsigned int nr, bool keep)
{
	unsigned int at = ((char *)addr - arena) >> PAGE_SHIFT;

	(void)keep;
	for (unsigned int i = 0; i < nr; i++)
		CHECK(taken[at + i]);
	memset(&taken[at], false, nr);
	__asan_poison_memory_region(addr, nr * PAGE_SIZE);
	ph_region_uncharge(region, (u64)nr << PAGE_SHIFT);
}

int ph_region_take_pages(struct ph_region *region, struct page **list, unsigned long nr)
{
	void *addr;

	for (unsigned long i = 0; i < nr; i++) {
		addr = ph_region_take_run(region, 1, 0);
		if (IS_ERR(addr)) {
			ph_region_put_pages(region, list, i);
			return PTR_ERR(addr);
		}
		list[i] = virt_to_page(addr);
	}
	return 0;
}

void ph_region_put_pages(struct ph_region *region, struct page **list, unsigned long nr)
{
	while (nr--)
		ph_region_put_run(region, arena + (list[nr] - pages) * PAGE_SIZE, 1, false);
}

/* No unit is to be had. */
int ph_region_take_span(struct ph_region *region, struct page **list, unsigned long from,
			unsigned long to)
{
	return ph_region_take_pages(region, list + from, to - from);
}

u64 ph_region_trim(struct ph_region *region)
{
	(void)region;
	return 0;
}

bool ph_reserve_owns(const void *addr)
{
	(void)addr;
	return false;
}

int ph_reserve_charge(u64 bytes)
{
	charged += bytes;
	return 0;
}

void ph_reserve_uncharge(u64 bytes)
{
	charged -= bytes;
}

void ph_reserve_add_metadata(s64 bytes)
{
	metadata += bytes;
}

/* Nobody maps anything here. */
void ph_view_init(struct ph_view *view)
{
	(void)view;
}

void ph_view_exit(struct ph_region *region)
{
	(void)region;
}

void ph_view_zap(struct ph_view *view, u64 start, u64 nr)
{
	(void)view;
	(void)start;
	(void)nr;
}

void ph_view_note(struct ph_view *view, u64 page, unsigned long nr,
		  const struct privheap_map_entry *entry)
{
	(void)view;
	(void)page;
	(void)nr;
	(void)entry;
}

void world_begin(void)
{
	if (!arena) {
		arena = mmap(NULL, ARENA_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(arena != MAP_FAILED);
		__asan_poison_memory_region(arena, ARENA_PAGES * PAGE_SIZE);
	}
	shim_fails = -1;
	random_state = 0x9e3779b97f4a7c15ULL;
}

void world_end(void)
{
	CHECK(!charged);
	CHECK(!metadata);
	for (unsigned int i = 0; i < ARENA_PAGES; i++)
		CHECK(!taken[i]);
}
