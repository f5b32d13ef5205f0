/* SPDX-License-Identifier: GPL-2.0 */
/* Found: what an input showed that must not be. */
#ifndef PRIVHEAP_FUZZ_FOUND_H
#define PRIVHEAP_FUZZ_FOUND_H

/* The input that is run just now did this. */
void found(const char *text);
/* From now on; and what the kernel's log reports since. */
void found_setup(void);
void found_in_log(void);

#endif
