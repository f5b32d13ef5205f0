/* SPDX-License-Identifier: GPL-2.0 */
/* Corpus: the inputs that reached something new, and what is done with them. */
#ifndef PRIVHEAP_FUZZ_CORPUS_H
#define PRIVHEAP_FUZZ_CORPUS_H

#include "box.h"

/* This process ends when an input has shown something. */
extern bool corpus_worker;
/* Runs an input that lies in box->current. */
void corpus_run(void);
/* Runs @input and keeps it, as short as can be, if it reaches something new. */
void corpus_try(const struct input *input);
/* A new input, from those that are there or from nothing. */
void corpus_next(struct input *input);
/* Every file of a folder, going on after the last one that was run. */
void corpus_load(const char *folder);
/* Few and short inputs that together reach what all do, into a folder. */
int corpus_distil(const char *folder);
/* Those that were the first somewhere, or the findings, into a folder. */
int corpus_save(const char *folder);
int corpus_save_findings(const char *folder);

#endif
