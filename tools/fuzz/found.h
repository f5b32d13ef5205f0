/* SPDX-License-Identifier: GPL-2.0 */
/* Found: what an input showed that must not be. */
#ifndef PRIVHEAP_FUZZ_FOUND_H
#define PRIVHEAP_FUZZ_FOUND_H

#include <stdbool.h>

/* The input that is run just now did this. */
void found(const char *text);
/* Whether there was something since the last call. */
bool found_anything(void);
/* From now on; and what the kernel's log reports since. */
void found_setup(void);
void found_in_log(void);

#endif
