// SPDX-License-Identifier: GPL-2.0
/* Memory that outlives the guest; see box.h. */
#include "box.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct box) <= BOX_BYTES, "the box is too small");

struct box *box;

static bool map_box(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat stat;
	void *at;

	if (fd < 0)
		return false;
	at = MAP_FAILED;
	if (!fstat(fd, &stat) && (size_t)stat.st_size >= sizeof(struct box))
		at = mmap(NULL, BOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return false;
	box = at;
	return true;
}

/* The third window of the device is the memory itself. */
static bool map_device(void)
{
	glob_t found;
	bool done = false;

	if (glob("/sys/bus/pci/devices/*/resource2", 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc && !done; i++)
		done = map_box(found.gl_pathv[i]);
	globfree(&found);
	return done;
}

bool box_open(void)
{
	if (!map_device()) {
		box = mmap(NULL, BOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
		if (box == MAP_FAILED)
			return false;
	}
	if (memcmp(box->magic, BOX_MAGIC, sizeof(BOX_MAGIC))) {
		memset(box, 0, sizeof(*box));
		memcpy(box->magic, BOX_MAGIC, sizeof(BOX_MAGIC));
	}
	return true;
}

bool box_open_file(const char *path)
{
	return map_box(path) && !memcmp(box->magic, BOX_MAGIC, sizeof(BOX_MAGIC));
}
