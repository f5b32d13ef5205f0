/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cover: which branches of the module an input reached, told by KCOV, which
 * records the address of each in a buffer for each thread.
 */
#ifndef PRIVHEAP_FUZZ_COVER_H
#define PRIVHEAP_FUZZ_COVER_H

#include <stdbool.h>
#include <stdint.h>

/* Branches of the module by where they are in its text, and pairs of them. */
#define COVER_TEXT	(1U << 20)
#define COVER_PAIRS	(1U << 16)

/**
 * struct cover - what has been reached
 * @sites: a bit for each byte of the module's text
 * @pairs: a bit for each hash of two branches, one after the other
 * @nr_sites: bits in @sites
 * @nr_pairs: bits in @pairs
 */
struct cover {
	uint64_t sites[COVER_TEXT / 64];
	uint64_t pairs[COVER_PAIRS / 64];
	uint32_t nr_sites;
	uint32_t nr_pairs;
};

/* Opens KCOV; without it (false) everything else is a no-op. */
bool cover_setup(void);
/* Record what the calling thread does; each at a time has its own @actor. */
void cover_start(unsigned int actor);
void cover_stop(void);
/* Before the next input. */
void cover_reset(void);
/* What the last input reached and @all did not have; added to @all. */
uint32_t cover_add(struct cover *all, uint32_t *pairs);
/* Which of its branches those are, before they are added: in rising order. */
uint32_t cover_fresh(const struct cover *all, uint32_t *sites, uint32_t max);
/* The branches of the last input, each once: offsets in the module's text. */
uint32_t cover_sites(uint32_t *sites, uint32_t max);
const char *cover_shrinker(void);

#endif
