/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers as people read them. Each function fills the caller's buffer of
 * UNIT_BYTES and returns it.
 */
#ifndef PRIVHEAP_UNITS_H
#define PRIVHEAP_UNITS_H

#include <stdint.h>

#define UNIT_BYTES	32

char *unit_bytes(char *buffer, uint64_t bytes);
char *unit_offset(char *buffer, uint64_t bytes);
char *unit_count(char *buffer, uint64_t count);
char *unit_percent(char *buffer, uint64_t part, uint64_t whole);

#endif /* PRIVHEAP_UNITS_H */
