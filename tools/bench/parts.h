/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of privheap-bench, each in the file of its name. */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

/* What one call costs: empty, for one object, for a batch. */
void run_call(void);

/* Whether the number of live objects changes the cost of one. */
void run_scale(void);

/* What a live object costs in bytes: strings of @text, and ints. */
void run_waste(const char *text);
void run_ints(void);

/* The same two in the kernel's kmalloc, by privheap_bench.ko. */
void run_kmalloc(const char *text);

/* A list that grows to a million slots, alone and amid other objects. */
void run_growable(void);

/*
 * A heap that nobody uses, and the first object of one; @from: what the module
 * has its pages from, system or reserve.
 */
void run_open(const char *from);

/* What the three policies make of the same work. */
void run_policy(const char *text);

/* The mapped door: objects of one type, and one that grows. */
void run_user(void);

#endif /* BENCH_PARTS_H */
