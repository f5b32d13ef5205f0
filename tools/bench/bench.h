/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clock, rounds and output of every benchmark program.
 *
 * Under QEMU's -icount shift=0,sleep=off one nanosecond of CLOCK_MONOTONIC is
 * one instruction, kernel and user together, and the same on every run.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True with SHORT=1 in the environment: all rows, small loops. */
extern bool bench_short;

/* Reads the environment and learns what the clock and an empty loop cost. */
void bench_init(void);

/* Ends the program: a benchmark that did not do its work has no figure. */
void bench_die(const char *what) __attribute__((noreturn));

/*
 * What a line "NAME N kB" of a file says, in bytes. Without stdio, which would
 * allocate. Ends the program if there is none.
 */
uint64_t bench_kilobytes(const char *path, const char *name);

/* Ends the program if an allocation of the program's own failed. */
void *bench_memory(size_t bytes);

/* Starts the clock. */
uint64_t bench_now(void);

/* Nanoseconds since start, without what reading the clock twice costs. */
uint64_t bench_since(uint64_t start);

/*
 * NOPs by which a profiler can see, from outside, when the clock runs and
 * when a row is done: each has one of these as its displacement.
 */
#define BENCH_MARK_START	0x70680001
#define BENCH_MARK_STOP		0x70680002
#define BENCH_MARK_ROW		0x70680003

#ifdef __x86_64__
#define bench_mark(which) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0" : : "i"(which))
#else
#define bench_mark(which)	do { } while (0)
#endif

/* Something that is done @times times in a row. */
typedef void (*bench_body)(void *arg, unsigned int times);

/*
 * What one time of @body costs, less the empty loop: the cheapest of several
 * rounds, because a timer tick can only make a round dearer.
 */
double bench_cost(bench_body body, void *arg, unsigned int times);

/* The same over all rounds, for what is only cheap on the average. */
double bench_mean(bench_body body, void *arg, unsigned int times);

/* full normally, brief with SHORT=1. */
unsigned int bench_times(unsigned int full, unsigned int brief);

/* One line for the report: @name is a row of rows.txt, @who ours or a peer. */
void bench_row(const char *name, const char *who, double value,
	       const char *unit);

/* Small numbers with no pattern in them, the same on every run. */
uint32_t bench_random(uint64_t *state);

/* The compiler must believe that @pointer is used here. */
#define bench_use(pointer) __asm__ volatile("" : "+r"(pointer) : : "memory")

#endif /* BENCH_H */
