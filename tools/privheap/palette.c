// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "palette.h"

#define COLOURS		9

/*
 * Nine hues that people with any kind of colour blindness tell apart, after
 * Paul Tol's "muted" scheme. A built-in type has its colour for good; the
 * types that a heap has most of are far apart in lightness as well.
 */
static const uint32_t hues[COLOURS] = {
	0x4fb3d9,	/* int: sky */
	0xd9c24f,	/* float: sand */
	0x2f9e8f,	/* str: teal */
	0x8f8f2a,	/* bytes: olive */
	0xaa4499,	/* tuple: purple */
	0x3b3494,	/* list: indigo */
	0xd1606f,	/* dict: rose */
	0x882255,	/* set: wine */
	0x1c7a3e,	/* object: green */
};

static int by_id(const void *left, const void *right)
{
	const struct palette_type *a = left, *b = right;

	return (a->type > b->type) - (a->type < b->type);
}

static struct palette_type *find(const struct palette *palette, uint64_t type)
{
	const struct palette_type key = { .type = type };

	if (!palette->count)
		return NULL;
	return bsearch(&key, palette->types, palette->count, sizeof(key), by_id);
}

static int add_type(struct palette *palette, const struct region_slab *slab)
{
	struct palette_type *types, new = { .type = slab->type };

	types = reallocarray(palette->types, palette->count + 1, sizeof(*types));
	if (!types)
		return -1;
	memcpy(new.name, slab->name, sizeof(new.name));
	types[palette->count++] = new;
	palette->types = types;
	qsort(types, palette->count, sizeof(*types), by_id);
	return 0;
}

static void count_slab(struct palette_type *type, const struct region_slab *slab)
{
	type->slabs++;
	type->bytes += slab->bytes;
	type->slots += slab->slots;
	type->live += slab->live;
	type->live_slot_bytes += slab->live * slab->object_bytes;
}

/*
 * A program's own types get, in the order of their ids, the colours that no
 * built-in type of this picture has, then all of them again, hatched.
 */
static void choose_colours(struct palette *palette)
{
	bool used[COLOURS] = { false };
	size_t i, next = 0;

	for (i = 0; i < palette->count; i++) {
		struct palette_type *type = &palette->types[i];

		if (type->type >= 1 && type->type <= COLOURS) {
			type->colour = hues[type->type - 1];
			used[type->type - 1] = true;
			continue;
		}
		while (next < COLOURS && used[next])
			next++;
		type->colour = hues[next % COLOURS];
		type->hatched = next >= COLOURS;
		next++;
	}
}

int palette_build(struct palette *palette, const struct region *region)
{
	size_t i;

	memset(palette, 0, sizeof(*palette));
	for (i = 0; i < region->count; i++) {
		const struct region_slab *slab = &region->slabs[i];

		if (!find(palette, slab->type) && add_type(palette, slab) < 0) {
			palette_free(palette);
			return -1;
		}
		count_slab(find(palette, slab->type), slab);
	}
	choose_colours(palette);
	return 0;
}

void palette_free(struct palette *palette)
{
	free(palette->types);
	palette->types = NULL;
	palette->count = 0;
}

/* Every type of the region has an index. */
size_t palette_index(const struct palette *palette, uint64_t type)
{
	return (size_t)(find(palette, type) - palette->types);
}

/* The colour on white, as strong as @strength says: 0 is white, 1 itself. */
uint32_t palette_tint(uint32_t colour, double strength)
{
	uint32_t mixed = 0;
	int shift;

	for (shift = 16; shift >= 0; shift -= 8) {
		double part = (colour >> shift) & 0xff;

		mixed = mixed << 8 | (uint32_t)(255 + (part - 255) * strength + 0.5);
	}
	return mixed;
}

/* Whether white words read better on it than black ones. */
bool palette_is_dark(uint32_t colour)
{
	double red = (colour >> 16) & 0xff, green = (colour >> 8) & 0xff, blue = colour & 0xff;

	return 0.30 * red + 0.59 * green + 0.11 * blue < 115;
}
