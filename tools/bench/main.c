// SPDX-License-Identifier: GPL-2.0
/*
 * privheap-bench: one part per run, so that none finds what another left in
 * its address space. The rows are explained in rows.txt.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "parts.h"

static const struct part {
	const char *name;
	void (*run)(void);
	void (*run_with)(const char *argument);
} parts[] = {
	{ .name = "call", .run = run_call },
	{ .name = "scale", .run = run_scale },
	{ .name = "waste", .run_with = run_waste },
	{ .name = "ints", .run = run_ints },
	{ .name = "kmalloc", .run_with = run_kmalloc },
	{ .name = "growable", .run = run_growable },
	{ .name = "open", .run_with = run_open },
	{ .name = "policy", .run_with = run_policy },
	{ .name = "user", .run = run_user },
};

static int usage(void)
{
	fputs("usage: privheap-bench PART [ARGUMENT]\n"
	      "  call | scale | ints | growable | user\n"
	      "  waste TEXT | kmalloc TEXT | policy TEXT\n"
	      "  open system | open reserve\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const struct part *part = &parts[i];

		if (argc < 2 || strcmp(argv[1], part->name))
			continue;
		if (argc != (part->run ? 2 : 3))
			break;
		bench_init();
		if (part->run)
			part->run();
		else
			part->run_with(argv[2]);
		return 0;
	}
	return usage();
}
