// SPDX-License-Identifier: GPL-2.0
/* One program for libFuzzer: the first byte of an input chooses the target. */
#include "targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static void (*const targets[])(struct feed *feed) = {
		target_policy, target_geo, target_slab, target_offsets, target_handle,
	};
	struct feed feed = { .at = data, .left = bytes };
	unsigned int which = feed_byte(&feed) % ARRAY_SIZE(targets);

	world_begin();
	targets[which](&feed);
	world_end();
	return 0;
}
