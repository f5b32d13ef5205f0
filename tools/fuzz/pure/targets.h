/* SPDX-License-Identifier: GPL-2.0 */
/* The targets: each drives one layer, with a model beside it. */
#ifndef PRIVHEAP_FUZZ_TARGETS_H
#define PRIVHEAP_FUZZ_TARGETS_H

#include "world.h"

void target_policy(struct feed *feed);
void target_geo(struct feed *feed);
void target_slab(struct feed *feed);
void target_offsets(struct feed *feed);
void target_handle(struct feed *feed);

#endif
