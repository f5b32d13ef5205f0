/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of the benchmarks inside the kernel. As in tools/bench, one
 * nanosecond is one instruction where QEMU counts instructions.
 */
#ifndef PRIVHEAP_BENCH_H
#define PRIVHEAP_BENCH_H

#include <linux/types.h>

struct seq_file;

/* Something that is done @times times in a row; 0 or -errno. */
typedef int (*bench_body)(void *arg, unsigned int times);

/*
 * Thousandths of a nanosecond of one time of @body, less the empty loop: the
 * cheapest of several rounds, because interrupts can only make one dearer.
 */
s64 bench_cost(bench_body body, void *arg, unsigned int times);

/* One line of the report that scripts/bench-report.awk reads. */
void bench_row(struct seq_file *out, const char *name, const char *who,
	       s64 millis);

/* What it takes to clear one page, as the page allocator does. */
s64 bench_clear_page(void);

/* SLUB: objects of 32 bytes in pairs, bursts and by the bulk calls. */
int bench_slub_show(struct seq_file *out, void *unused);

/*
 * The bytes of all slab pages that hold at least one of @count objects of
 * @sizes, made by kmalloc; the objects are gone again on return.
 */
s64 bench_kmalloc_held(const u32 *sizes, size_t count);

#endif /* PRIVHEAP_BENCH_H */
