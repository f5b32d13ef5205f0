// SPDX-License-Identifier: GPL-2.0
/* Which caches look for mistakes though their owners did not ask for it. */

#include <linux/ctype.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "check.h"

/* Guards both: the list can be written at any time. */
static DEFINE_MUTEX(ph_checklist_lock);
static char ph_checklist[PH_CHECKLIST_LEN];
static char ph_checklist_next[PH_CHECKLIST_LEN];

/**
 * struct ph_checklist_entry - one entry: NAME or NAME=LETTERS
 * @name: of a cache, not terminated; "*" and "all" are any
 * @len: its length
 * @flags: PRIVHEAP_CACHE_* bits
 */
struct ph_checklist_entry {
	const char *name;
	size_t len;
	u32 flags;
};

static u32 ph_checklist_letter(char letter)
{
	switch (toupper(letter)) {
	case 'P': return PRIVHEAP_CACHE_POISON;
	case 'Z': return PRIVHEAP_CACHE_RED_ZONE;
	case 'T': return PRIVHEAP_CACHE_TRACK;
	default: return 0;
	}
}

static int ph_checklist_letters(const char *letters, size_t len, u32 *flags)
{
	size_t i;

	*flags = 0;
	for (i = 0; i < len; i++) {
		if (!ph_checklist_letter(letters[i]))
			return -EINVAL;
		*flags |= ph_checklist_letter(letters[i]);
	}
	return len ? 0 : -EINVAL;
}

/* Read one entry, up to a comma or the end. */
static int ph_checklist_parse(const char *p, size_t len,
			      struct ph_checklist_entry *entry)
{
	size_t i;

	entry->name = p;
	entry->len = len;
	entry->flags = PRIVHEAP_CACHE_CHECK;
	/* The last one: a name can have it, too. */
	for (i = len; i--;)
		if (p[i] == '=')
			break;
	if (i < len) {
		entry->len = i;
		if (ph_checklist_letters(p + i + 1, len - i - 1, &entry->flags))
			return -EINVAL;
	}
	if (!entry->len || entry->len >= PRIVHEAP_NAME_LEN)
		return -EINVAL;
	for (i = 0; i < entry->len; i++)
		if (!isascii(p[i]) || !isgraph(p[i]))
			return -EINVAL;
	return 0;
}

static int ph_checklist_check(const char *list)
{
	struct ph_checklist_entry entry;
	size_t len;

	while (*list) {
		len = strcspn(list, ",");
		/* An empty entry, a last one too, is a slip of the hand. */
		if (ph_checklist_parse(list, len, &entry) ||
		    (list[len] && !list[len + 1]))
			return -EINVAL;
		list += len + !!list[len];
	}
	return 0;
}

static int ph_checklist_set_locked(const char *list)
{
	ssize_t len = strscpy(ph_checklist_next, list, PH_CHECKLIST_LEN);
	int err;

	if (len < 0)
		return -ENOSPC;
	if (len && ph_checklist_next[len - 1] == '\n')
		ph_checklist_next[len - 1] = '\0';
	err = ph_checklist_check(ph_checklist_next);
	if (!err)
		memcpy(ph_checklist, ph_checklist_next, PH_CHECKLIST_LEN);
	return err;
}

/**
 * ph_checklist_set() - say which caches are to be checked from now on
 * @list: as the module parameter describes it; may end in a newline
 *
 * Context: process, may sleep.
 * Return: 0; or -EINVAL, -ENOSPC with the list as it was.
 */
int ph_checklist_set(const char *list)
{
	int err;

	mutex_lock(&ph_checklist_lock);
	err = ph_checklist_set_locked(list);
	mutex_unlock(&ph_checklist_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_checklist_set);

/**
 * ph_checklist_get() - which caches are to be checked
 * @list: (out) as it was set, terminated
 * @size: room there
 *
 * Context: process, may sleep.
 * Return: its length.
 */
int ph_checklist_get(char *list, size_t size)
{
	int len;

	mutex_lock(&ph_checklist_lock);
	len = scnprintf(list, size, "%s", ph_checklist);
	mutex_unlock(&ph_checklist_lock);
	return len;
}
EXPORT_SYMBOL_IF_KUNIT(ph_checklist_get);

static bool ph_checklist_is_for(const struct ph_checklist_entry *entry,
				const char *name)
{
	if (entry->len == 1 && *entry->name == '*')
		return true;
	if (entry->len == 3 && !strncmp(entry->name, "all", 3))
		return true;
	return entry->len == strlen(name) &&
	       !strncmp(entry->name, name, entry->len);
}

/**
 * ph_checklist_flags() - what the list says of a cache
 * @name: the cache's
 *
 * Context: process, may sleep.
 * Return: PRIVHEAP_CACHE_* bits: of all entries that are for it.
 */
u32 ph_checklist_flags(const char *name)
{
	struct ph_checklist_entry entry;
	const char *p;
	u32 flags = 0;
	size_t len;

	mutex_lock(&ph_checklist_lock);
	for (p = ph_checklist; *p; p += len + !!p[len]) {
		len = strcspn(p, ",");
		if (!ph_checklist_parse(p, len, &entry) &&
		    ph_checklist_is_for(&entry, name))
			flags |= entry.flags;
	}
	mutex_unlock(&ph_checklist_lock);
	return flags;
}
EXPORT_SYMBOL_IF_KUNIT(ph_checklist_flags);
