/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index in the heap against the one in plain C, and its ten most frequent
 * words.
 */
#ifndef DEMO_CHECK_H
#define DEMO_CHECK_H

#include "counts.h"
#include "index.h"

/* Returns the number of differences, having told what they are. */
uint64_t check_index(const struct index *index, const struct counts *counts);

#endif /* DEMO_CHECK_H */
