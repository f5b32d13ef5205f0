/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Quarantine: where freed slots of a hardened heap wait before they are free.
 *
 * It takes the place of magazines and depot, which use first what was freed
 * last. A pointer or handle that outlived its object meets no other one soon,
 * and what is written through it stays to be found.
 */
#ifndef _PH_QUARANTINE_H
#define _PH_QUARANTINE_H

#include "cache.h"

int ph_quarantine_create(struct ph_cache *cache);
void ph_quarantine_destroy(struct ph_cache *cache);
void ph_quarantine_put(struct ph_cache *cache, const u64 *rounds, u32 nr);
void ph_quarantine_drain(struct ph_cache *cache);
u32 ph_quarantine_length(const struct ph_cache *cache);

#endif /* _PH_QUARANTINE_H */
