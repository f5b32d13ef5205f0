// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

static double scale(uint64_t bytes, const char **name)
{
	double value = (double)bytes;
	unsigned int power = 0;

	while (value >= 1024 && power + 1 < sizeof(names) / sizeof(names[0])) {
		value /= 1024;
		power++;
	}
	*name = names[power];
	return value;
}

/*
 * Three digits are enough to compare sizes: "987 B", "1.25 KiB", "31.4 MiB".
 * The largest number stands for a maximum that was not set.
 */
char *unit_bytes(char *buffer, uint64_t bytes)
{
	const char *name;
	double value = scale(bytes, &name);
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	if (bytes < 1024)
		decimals = 0;
	if (bytes == UINT64_MAX)
		strcpy(buffer, "none");
	else
		snprintf(buffer, UNIT_BYTES, "%.*f %s", decimals, value, name);
	return buffer;
}

/* A place, not a size: exact where binary fractions are, "1.125 MiB". */
char *unit_offset(char *buffer, uint64_t bytes)
{
	const char *name;
	double value = scale(bytes, &name);

	if (bytes)
		snprintf(buffer, UNIT_BYTES, "%.7g %s", value, name);
	else
		strcpy(buffer, "0");
	return buffer;
}

/* 1234567 as "1,234,567". */
char *unit_count(char *buffer, uint64_t count)
{
	char digits[UNIT_BYTES];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = buffer;
	int i;

	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buffer;
}

/* "-" where there is nothing to take a share of. */
char *unit_percent(char *buffer, uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;

	if (!whole)
		strcpy(buffer, "-");
	else
		snprintf(buffer, UNIT_BYTES, "%.*f %%", part == whole || share >= 1000 ? 0 : 1,
			 share);
	return buffer;
}
