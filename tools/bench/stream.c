// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"
#include "stream.h"

#define TEXT_MAX	(1 << 20)

static void push(struct stream *stream, unsigned int max, unsigned int length)
{
	uint32_t bytes = STREAM_HEADER + length;

	if (stream->count == max)
		return;
	stream->sizes[stream->count++] = bytes;
	stream->bytes += bytes;
}

/* One line without its newline, then its words. */
static void push_line(struct stream *stream, unsigned int max,
		      const char *line, unsigned int length)
{
	unsigned int word = 0;

	push(stream, max, length);
	for (unsigned int i = 0; i < length; i++) {
		if (!isspace((unsigned char)line[i])) {
			word++;
			continue;
		}
		if (word)
			push(stream, max, word);
		word = 0;
	}
	if (word)
		push(stream, max, word);
}

static void push_text(struct stream *stream, unsigned int max,
		      const char *text, unsigned int length)
{
	unsigned int start = 0;

	for (unsigned int i = 0; i < length; i++) {
		if (text[i] != '\n')
			continue;
		push_line(stream, max, text + start, i - start);
		start = i + 1;
	}
}

/* All of it in memory of its own, lest it count as the allocator's. */
void stream_read(struct stream *stream, const char *path, unsigned int count)
{
	char *text = bench_memory(TEXT_MAX);
	int file = open(path, O_RDONLY);
	ssize_t length = read(file, text, TEXT_MAX);

	if (length <= 0)
		bench_die(path);
	close(file);
	stream->sizes = bench_memory(count * sizeof(*stream->sizes));
	stream->count = 0;
	stream->bytes = 0;
	while (stream->count < count) {
		unsigned int before = stream->count;

		push_text(stream, count, text, (unsigned int)length);
		if (stream->count == before)
			bench_die("a text without a line");
	}
}
