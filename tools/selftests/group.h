/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A memory cgroup of the test's own.
 */
#ifndef PRIVHEAP_SELFTESTS_GROUP_H
#define PRIVHEAP_SELFTESTS_GROUP_H

#include "common.h"

#include <sys/mount.h>
#include <sys/stat.h>

static const char *group_root = "/sys/fs/cgroup";
static char group[128];

static inline const char *group_file(const char *name)
{
	static char path[192];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return path;
}

/* A number alone in its file. */
static inline __u64 group_number(const char *name)
{
	FILE *file = fopen(group_file(name), "re");
	unsigned long long value = ~0ULL;

	if (!file)
		return value;
	if (fscanf(file, "%llu", &value) != 1)
		value = ~0ULL;
	fclose(file);
	return value;
}

/* A group of @limit bytes under the cgroup2 that is mounted, or can be. */
static inline void group_make(__u64 limit)
{
	char control[128], bytes[24];

	test_needs_root();
	if (access("/sys/fs/cgroup/cgroup.controllers", R_OK)) {
		group_root = "/tmp/privheap-cgroup2";
		mkdir(group_root, 0755);
		if (mount("cgroup2", group_root, "cgroup2", 0, NULL) && errno != EBUSY)
			test_skip("no cgroup2: %s", strerror(errno));
	}
	snprintf(control, sizeof(control), "%s/cgroup.subtree_control", group_root);
	if (file_write(control, "+memory"))
		test_skip("cgroup2 has no memory controller");
	snprintf(group, sizeof(group), "%s/privheap-%d", group_root, getpid());
	REQUIRE(!mkdir(group, 0755));
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)limit);
	REQUIRE_OK(file_write(group_file("memory.max"), bytes));
	file_write(group_file("memory.swap.max"), "0");
}

static inline void group_remove(void)
{
	REQUIRE(!rmdir(group));
}

static inline void group_enter(void)
{
	REQUIRE_OK(file_write(group_file("cgroup.procs"), "0"));
}

static inline void group_leave(void)
{
	char procs[128];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group_root);
	REQUIRE_OK(file_write(procs, "0"));
}

#endif
