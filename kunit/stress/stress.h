/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stress of the kernel door: actors in every context that may call it, at the
 * same caches, at the same time.
 *
 * Each object carries its owner's tag in all its words from alloc to free, so
 * that one handed out twice, or written to by somebody else, is found. In the
 * caches with a constructor the first word tells in addition whether the object
 * is in use.
 */
#ifndef PRIVHEAP_STRESS_H
#define PRIVHEAP_STRESS_H

#include <linux/completion.h>
#include <linux/prandom.h>
#include <linux/privheap.h>

#define STRESS_HELD	96

/* The caches that all actors share. */
enum stress_kind {
	STRESS_CTOR,
	STRESS_PLAIN,
	STRESS_COMPACT,
	STRESS_QUOTA,
	STRESS_TINY,
	STRESS_KINDS
};

/**
 * struct stress_held - an object that an actor has
 * @obj: the object
 * @tag: what it is filled with
 * @kind: its cache
 */
struct stress_held {
	void *obj;
	u64 tag;
	u32 kind;
};

/**
 * struct stress_actor - somebody who allocates and frees
 * @name: what the result calls it
 * @rnd: what it does next
 * @id: part of its tags
 * @serial: the other part
 * @ops: allocations and frees so far
 * @nulls: allocations that failed
 * @busy: bit 0: it is at work, and a second call has to keep off
 * @nr: objects in @held
 * @held: what it has
 */
struct stress_actor {
	const char *name;
	struct rnd_state rnd;
	u64 id;
	u64 serial;
	u64 ops;
	u64 nulls;
	unsigned long busy;
	u32 nr;
	struct stress_held held[STRESS_HELD];
};

/* main.c: what there is to work with, and what went wrong. */
struct privheap *stress_heap(void);
struct privheap_cache *stress_cache(u32 kind);
u64 stress_goal(void);
void stress_fault(const char *who, const char *what);
void stress_count(const char *who, u64 ops);
void stress_await(struct completion *done);

/* actor.c */
void stress_ctor(void *obj);
void stress_actor_init(struct stress_actor *actor, const char *name);
u32 stress_random(struct stress_actor *actor, u32 ceiling);
bool stress_take(struct stress_actor *actor, u32 kind, gfp_t gfp,
		 struct stress_held *held);
void stress_took(struct stress_actor *actor, u32 kind, void *obj, bool zero,
		 struct stress_held *held);
void stress_check(const char *who, const struct stress_held *held);
void stress_give(const char *who, const struct stress_held *held);
void stress_step(struct stress_actor *actor, gfp_t gfp);
void stress_actor_exit(struct stress_actor *actor);

/*
 * What each of the others starts: all has ended, and is freed, when its stop
 * function returns. Those of the threads return when the threads have reached
 * the goal, the others at once.
 */
int stress_threads_start(void);
void stress_threads_stop(void);
int stress_irqs_start(void);
void stress_irqs_kick(void);
void stress_irqs_stop(void);
int stress_readers_start(void);
void stress_readers_stop(void);
int stress_churn_start(void);
void stress_churn_stop(void);
int stress_promise_start(void);
void stress_promise_stop(void);

#endif /* PRIVHEAP_STRESS_H */
