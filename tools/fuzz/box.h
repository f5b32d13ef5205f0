/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Box: memory that outlives the guest. Everything that the fuzzer must not
 * lose lies there: what it runs just now, what it found, the corpus. It is a
 * file of the host, which the guest sees as a PCI device (ivshmem); where
 * there is none it is plain shared memory, which outlives the process only.
 */
#ifndef PRIVHEAP_FUZZ_BOX_H
#define PRIVHEAP_FUZZ_BOX_H

#include "cover.h"
#include "input.h"

#define BOX_MAGIC	"privheap-fuzz-5"
/* Each fork copies the page tables of it. */
#define BOX_BYTES	(8UL << 20)
#define MAX_FINDINGS	16
#define MAX_CORPUS	6000
#define CORPUS_BYTES	(7UL << 20)

struct finding {
	char text[160];
	uint32_t times;
	struct input input;
};

/**
 * struct entry - one input of the corpus
 * @sites: branches that it was the first to reach
 * @at: where its text begins, in the box's texts
 */
struct entry {
	uint32_t sites;
	uint32_t at;
};

/**
 * struct box - everything
 * @magic: BOX_MAGIC once it is in use
 * @running: an input is being run
 * @seeded: the seeds have been run
 * @seeds: how many of them
 * @current: that, or the last one
 * @executions: inputs run so far
 * @seconds: for how long
 * @seed: of the next process's random numbers
 * @all: what has been reached
 * @nr_findings: in @findings
 * @findings: each text once
 * @nr_corpus: in @corpus
 * @corpus: inputs that reached something new
 * @text_end: where the next one's text goes
 * @texts: of all of them, each with a NUL
 */
struct box {
	char magic[16];
	uint32_t running;
	uint32_t seeded;
	uint32_t seeds;
	struct input current;
	uint64_t executions;
	uint64_t seconds;
	uint64_t seed;
	struct cover all;
	uint32_t nr_findings;
	struct finding findings[MAX_FINDINGS];
	uint32_t nr_corpus;
	struct entry corpus[MAX_CORPUS];
	uint32_t text_end;
	char texts[CORPUS_BYTES];
};

extern struct box *box;

/* The device, or plain memory; the file of the host when it reads it. */
bool box_open(void);
bool box_open_file(const char *path);

#endif
