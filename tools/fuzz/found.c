// SPDX-License-Identifier: GPL-2.0
/* What an input showed that must not be: told once, kept in the box. */
#include "found.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "box.h"

static int log_fd = -1;
static bool something;

void found(const char *text)
{
	struct finding *f = box->findings;

	something = true;
	for (uint32_t i = 0; i < box->nr_findings; i++, f++) {
		if (strcmp(f->text, text))
			continue;
		f->times++;
		return;
	}
	if (box->nr_findings == MAX_FINDINGS)
		return;
	snprintf(f->text, sizeof(f->text), "%s", text);
	f->times = 1;
	memcpy(&f->input, &box->current, sizeof(f->input));
	box->nr_findings++;
	printf("fuzz: found: %s\n", text);
	fflush(stdout);
}

bool found_anything(void)
{
	bool was = something;

	something = false;
	return was;
}

void found_setup(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd >= 0)
		lseek(log_fd, 0, SEEK_END);
}

static bool reports(const char *line)
{
	static const char *const words[] = {
		"BUG:", "WARNING:", "Oops", "Call Trace", "KASAN", "UBSAN",
		"possible recursive", "inconsistent lock",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

void found_in_log(void)
{
	char line[1024], text[160];
	ssize_t bytes;

	while (log_fd >= 0 && (bytes = read(log_fd, line, sizeof(line) - 1)) > 0) {
		line[bytes] = '\0';
		if (!reports(line))
			continue;
		snprintf(text, sizeof(text), "the kernel reports %.120s",
			 strchr(line, ';') ? strchr(line, ';') + 1 : line);
		text[strcspn(text, "\n")] = '\0';
		found(text);
	}
}
