/* SPDX-License-Identifier: GPL-2.0 */
/* World: the beginning and the end of one run, and what it is fed with. */
#ifndef _WORLD_H
#define _WORLD_H

#include "shim.h"

#define CHECK(x)	shim_check(x, #x, __FILE__, __LINE__)

/* At the end nothing may be left: no page, no byte charged. */
void world_begin(void);
void world_end(void);

/**
 * struct feed - the bytes of an input; zeros when they are used up
 * @at: the next one
 * @left: how many
 */
struct feed {
	const u8 *at;
	size_t left;
};

static inline u8 feed_byte(struct feed *feed)
{
	if (!feed->left)
		return 0;
	feed->left--;
	return *feed->at++;
}

static inline u32 feed_short(struct feed *feed)
{
	u32 low = feed_byte(feed);

	return low | feed_byte(feed) << 8;
}

static inline u64 feed_word(struct feed *feed)
{
	u64 word = 0;

	for (int i = 0; i < 8; i++)
		word = word << 8 | feed_byte(feed);
	return word;
}

#endif /* _WORLD_H */
