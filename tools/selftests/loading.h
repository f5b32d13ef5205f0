/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Taking the module out, and putting it back as it was. Who includes this calls
 * parameters_save() first.
 */
#ifndef PRIVHEAP_SELFTESTS_LOADING_H
#define PRIVHEAP_SELFTESTS_LOADING_H

#include "common.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define PARAMETERS	"/sys/module/privheap/parameters"

static char as_it_was[1024];

/* Where PRIVHEAP_KO says, or where a test guest has it. */
static inline int module_open(void)
{
	const char *path = getenv("PRIVHEAP_KO");
	int fd = open(path ? path : "/privheap.ko", O_RDONLY | O_CLOEXEC);

	return fd < 0 && !path ? open("/modules/privheap.ko", O_RDONLY | O_CLOEXEC) : fd;
}

/* Never without the means to put it back. */
static inline int module_remove(void)
{
	int fd = module_open();

	test_needs_root();
	if (fd < 0)
		test_skip("the module's file is not at /privheap.ko; set PRIVHEAP_KO");
	close(fd);
	return syscall(SYS_delete_module, "privheap", O_NONBLOCK) ? errno : 0;
}

static inline int module_insert(const char *parameters)
{
	int fd = module_open(), err;

	REQUIRE(fd >= 0);
	err = syscall(SYS_finit_module, fd, parameters, 0) ? errno : 0;
	close(fd);
	return err;
}

/* The parameters that the module has now, as insmod would take them. */
static inline void parameters_save(void)
{
	DIR *dir = opendir(PARAMETERS);
	struct dirent *entry;
	char path[512], value[64];
	size_t used = 0;
	FILE *file;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), PARAMETERS "/%s", entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (file && fgets(value, sizeof(value), file)) {
			value[strcspn(value, "\n")] = 0;
			used += snprintf(as_it_was + used, sizeof(as_it_was) - used,
					 "%s=%s ", entry->d_name, value);
		}
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
}

/* Loaded with @parameters instead of as it was. */
static inline void module_reload(const char *parameters)
{
	REQUIRE_OK(module_remove());
	REQUIRE_OK(module_insert(parameters));
}

/* What a test does with the module is undone even if it fails. */
static inline void module_restore(void)
{
	int err = module_remove();

	EXPECT_ERR(err, 0, ENOENT);
	EXPECT_OK(module_insert(as_it_was));
}

/* Runs @work in a process of its own, so that the restoring one goes on. */
static inline void restored_after(void (*work)(const void *), const void *arg)
{
	test_needs_root();
	test_in_a_child(work, arg);
	module_restore();
}

#endif
