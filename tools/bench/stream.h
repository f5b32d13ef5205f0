/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The string stream: the memory requests of an interpreter that reads a text
 * line by line and splits each line into words.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stdint.h>

/* What CPython asks for beside the characters of a one-byte string. */
#define STREAM_HEADER	49

struct stream {
	uint32_t *sizes;
	unsigned int count;
	uint64_t bytes;		/* sum of sizes */
};

/* @count requests; begins again at the text's start when it ends. */
void stream_read(struct stream *stream, const char *path, unsigned int count);

#endif /* BENCH_STREAM_H */
