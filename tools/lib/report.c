// SPDX-License-Identifier: MIT
/* What the library says about an object that comes back and is not out. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static privheap_corruption_fn handler;

/**
 * privheap_on_corruption - choose what happens when a wrong free is found
 * @fn: called with the address and a line without a newline; NULL: the line
 *	goes to stderr, and the program ends by abort()
 *
 * Return: what was there before
 */
privheap_corruption_fn privheap_on_corruption(privheap_corruption_fn fn)
{
	return __atomic_exchange_n(&handler, fn, __ATOMIC_SEQ_CST);
}

static const char *builtin_name(uint32_t type)
{
	static const char *const names[] = {
		[PRIVHEAP_TYPE_INT] = "int", [PRIVHEAP_TYPE_FLOAT] = "float",
		[PRIVHEAP_TYPE_STR] = "str", [PRIVHEAP_TYPE_BYTES] = "bytes",
		[PRIVHEAP_TYPE_TUPLE] = "tuple", [PRIVHEAP_TYPE_LIST] = "list",
		[PRIVHEAP_TYPE_DICT] = "dict", [PRIVHEAP_TYPE_SET] = "set",
		[PRIVHEAP_TYPE_OBJECT] = "object",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

/* The type of what lies at an address, as far as it can be told. */
static void type_text(struct privheap *heap, const void *object, char *text,
		      size_t bytes)
{
	size_t offset = ph_offset(heap, object);
	const struct privheap_map_entry *entry;
	const char *name;

	if (offset >= heap->bytes || heap->gone) {
		snprintf(text, bytes, "none");
		return;
	}
	entry = ph_entry(heap, offset);
	name = builtin_name(entry->type);
	if (entry->state == PRIVHEAP_STATE_FREE)
		snprintf(text, bytes, "none");
	else if (name)
		snprintf(text, bytes, "%s", name);
	else
		snprintf(text, bytes, "%u", entry->type);
}

void ph_report(struct privheap *heap, const void *object, const char *what)
{
	privheap_corruption_fn fn = __atomic_load_n(&handler, __ATOMIC_SEQ_CST);
	char line[PRIVHEAP_MESSAGE_BYTES], type[24];
	int length;

	type_text(heap, object, type, sizeof(type));
	length = snprintf(line, sizeof(line) - 1,
			  "libprivheap: wrong free of address %p, type %s: %s",
			  object, type, what);
	if (fn) {
		fn(object, line);
		return;
	}
	line[length] = '\n';
	while (write(STDERR_FILENO, line, (size_t)length + 1) < 0 && errno == EINTR)
		;
	abort();
}

void ph_report_errno(struct privheap *heap, const void *object, int err)
{
	switch (err) {
	case ESTALE:
		ph_report(heap, object, "freed already");
		break;
	case EBADSLT:
		ph_report(heap, object, "inside of an object");
		break;
	case ENXIO:
		ph_report(heap, object, "where no object is");
		break;
	default:
		ph_report(heap, object, privheap_strerror(err));
	}
}
