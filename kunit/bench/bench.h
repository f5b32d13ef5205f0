/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of the benchmarks inside the kernel. As in tools/bench, one
 * nanosecond is one instruction where QEMU counts instructions.
 */
#ifndef PRIVHEAP_BENCH_H
#define PRIVHEAP_BENCH_H

#include <linux/types.h>

struct seq_file;

/* Whether this run is only to see that all rows work. */
extern bool bench_short;

/* Rounds of which the cheapest counts, and how much longer to make each. */
extern unsigned int bench_rounds;
extern unsigned int bench_repeat;

/* Something that is done @times times in a row; 0 or -errno. */
typedef int (*bench_body)(void *arg, unsigned int times);

/*
 * Thousandths of a nanosecond of one time of @body, less the empty loop: the
 * cheapest of several rounds, because interrupts can only make one dearer.
 */
s64 bench_cost(bench_body body, void *arg, unsigned int times);

/* One line of the report that scripts/bench-report.awk reads. */
void bench_row(struct seq_file *out, const char *name, const char *who,
	       s64 millis, const char *unit);

/* What it takes to clear one page, as the page allocator does. */
s64 bench_clear_page(void);

/**
 * struct bench_work - what the loops of a side work on
 * @cache: of that side
 * @objects: room for @count
 * @count: objects of one burst
 */
struct bench_work {
	void *cache;
	void **objects;
	unsigned int count;
};

/**
 * struct bench_side - one of the two allocators that stand beside each other
 * @who: in the report
 * @create: a cache; with @check it looks for mistakes, as far as the side is
 *	told so by its caller and not by the kernel's command line
 * @destroy: its end
 * @held: bytes of memory that the objects of a @work hold
 * @pair: one object allocated and freed
 * @burst: all objects allocated, then all freed
 * @bulk: the same by the calls for many
 * @make: all objects allocated one by one
 * @drop: all objects freed one by one
 *
 * The loops are the same text, see side.h: only the calls in them differ.
 */
struct bench_side {
	const char *who;
	void *(*create)(const char *name, unsigned int size, bool check);
	void (*destroy)(void *cache);
	s64 (*held)(const struct bench_work *work);
	bench_body pair;
	bench_body burst;
	bench_body bulk;
	bench_body make;
	bench_body drop;
};

extern const struct bench_side bench_door;
extern const struct bench_side bench_slub;

/* Files of the report: pairs, bursts, bulk calls; memory; two CPUs. */
int bench_speed_show(struct seq_file *out, void *unused);
int bench_checked_show(struct seq_file *out, void *unused);
int bench_order_show(struct seq_file *out, void *unused);
int bench_smp_show(struct seq_file *out, void *unused);

/* The bytes of all slab pages of SLUB that hold at least one of @objects. */
s64 bench_slub_held(void **objects, size_t count);

/* The same of objects of @sizes by kmalloc; they are gone again on return. */
s64 bench_kmalloc_held(const u32 *sizes, size_t count);

#endif /* PRIVHEAP_BENCH_H */
