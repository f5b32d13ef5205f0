// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of one slab, taken and given. The model keeps for each slot whether it
 * is out, whether it ever was, and how many lives it has had.
 */
#include "cache.h"
#include "lend.h"
#include "targets.h"
#include "type.h"

#define MAX_SLOTS	4096

struct model {
	struct ph_slab *slab;
	struct ph_region *region;
	bool out[MAX_SLOTS];
	bool used[MAX_SLOTS];
	u16 gen[MAX_SLOTS];
	u32 nr_out;
	bool late;	/* no generations yet */
};

static u64 round_of(const struct model *m, u32 slot)
{
	const struct ph_slab *slab = m->slab;
	u64 at = slab->key + (u64)slot * slab->stride;

	return slab->by_address ? at : at | (u64)m->gen[slot] << PH_OFFSET_BITS;
}

static void take(struct model *m, u32 nr)
{
	u64 rounds[256];
	u32 fresh = 0, got, i, slot, new = 0;

	got = ph_slab_take(m->slab, rounds, nr, &fresh);
	CHECK(got <= nr);
	for (i = 0; i < got; i++) {
		slot = ph_round_slot(m->slab, rounds[i]);
		CHECK(slot < m->slab->nr);
		CHECK(!m->out[slot]);
		CHECK(rounds[i] == round_of(m, slot));
		CHECK(!(m->late && m->used[slot]));
		new += !m->used[slot];
		m->out[slot] = true;
		m->used[slot] = true;
		m->nr_out++;
	}
	CHECK(fresh == new);
	/* It gives all that it has: less only where slots wait for generations. */
	if (got < nr && !m->late)
		CHECK(m->nr_out == m->slab->nr);
}

/* All free slots are new again, one life further. */
static void start_anew(struct model *m)
{
	for (u32 i = 0; i < m->slab->nr; i++) {
		m->used[i] = false;
		m->gen[i] = m->slab->gen_first;
	}
}

static void give(struct model *m, u32 slot, u16 lives)
{
	u64 round;

	m->gen[slot] += m->slab->by_address ? 0 : lives;
	round = round_of(m, slot);
	if (!m->out[slot]) {
		CHECK(!ph_slab_give(m->slab, round));
		m->gen[slot] -= m->slab->by_address ? 0 : lives;
		return;
	}
	CHECK(ph_slab_give(m->slab, round));
	m->out[slot] = false;
	m->nr_out--;
	if (m->late && !m->nr_out)
		start_anew(m);
}

/* Neither the interior of a slot nor the tail is one. */
static void give_nonsense(struct model *m, u32 offset)
{
	if (m->slab->stride > 1 && offset % m->slab->stride)
		CHECK(!ph_slab_give(m->slab, m->slab->start + offset));
	offset = m->slab->nr * m->slab->stride;
	if (offset < m->slab->nr_pages * PAGE_SIZE)
		CHECK(!ph_slab_give(m->slab, m->slab->start + offset));
}

static void attach_gens(struct model *m)
{
	struct ph_gens *gens;
	u32 i;

	if (!m->late || !ph_slab_is_stuck(m->slab))
		return;
	gens = ph_gens_alloc(m->region, m->slab);
	if (IS_ERR(gens))
		return;
	ph_slab_attach_gens(m->slab, gens);
	m->late = false;
	for (i = 0; i < m->slab->nr; i++)
		m->gen[i] = m->slab->gen_first + !m->out[i];
}

static void validate(const struct model *m)
{
	u32 i;

	CHECK(m->slab->taken == m->nr_out);
	CHECK(ph_slab_weight(m->slab) == m->slab->nr - m->nr_out);
	for (i = 0; i < m->slab->nr; i++) {
		CHECK(ph_slab_is_free(m->slab, i) == !m->out[i]);
		if (!m->slab->by_address)
			CHECK(ph_slab_gen(m->slab, i) == m->gen[i] || m->late || m->out[i]);
	}
}

static void act(struct model *m, struct feed *feed)
{
	u32 what = feed_byte(feed), at = feed_short(feed) % m->slab->nr;

	switch (what % 8) {
	case 0:
	case 1: take(m, 1 + at % 64); break;
	case 2: take(m, 256); break;
	case 3:
	case 4: give(m, at, 1); break;
	case 5: give_nonsense(m, feed_short(feed) % (m->slab->nr_pages * PAGE_SIZE)); break;
	case 6: attach_gens(m); break;
	default:
		for (u32 i = 0; i < 32 && at + i < m->slab->nr; i++)
			give(m, at + i, what & 8 ? 1 : 2);
	}
}

static void drive(struct model *m, struct feed *feed)
{
	start_anew(m);
	m->late = !m->slab->gen && !m->slab->by_address;
	while (feed->left) {
		act(m, feed);
		validate(m);
	}
	for (u32 i = 0; i < m->slab->nr; i++)
		if (m->out[i])
			give(m, i, 1);
	validate(m);
}

void target_slab(struct feed *feed)
{
	struct ph_type type = {};
	struct ph_cache cache = { .type = &type };
	static const u32 keeps[] = {
		0, PH_KEEP_SLACK, PH_KEEP_WIDE_SLACK | PH_KEEP_REFS, PH_LATE_GENS,
		PH_LATE_GENS | PH_KEEP_SLACK, PH_BY_ADDRESS, PH_BY_ADDRESS | PH_KEEP_LIVE,
		PH_BY_ADDRESS | PH_CHAIN, PH_BY_ADDRESS | PH_TYPESAFE,
		3u << PH_TENANT_SHIFT, 3u << PH_TENANT_SHIFT | PH_KEEP_SLACK,
	};
	static struct model m;
	u32 size = 8 + feed_short(feed) % (feed_byte(feed) & 1 ? 64 : PH_SLOT_MAX - 8);
	u32 keep = keeps[feed_byte(feed) % ARRAY_SIZE(keeps)];
	struct ph_geo geo = { .owner = &m };
	struct ph_region region;

	CHECK(!ph_geo_init(&geo, keep & PH_CHAIN ? 8 : size, 8, keep));
	ph_region_init(&region, NULL, 1ULL << 30);
	region.tag = 5ULL << PH_TAG_SHIFT;
	memset(&m, 0, sizeof(m));
	m.region = &region;
	ph_tenant_init(&region, &type.tenant, 3);
	m.slab = ph_slab_create(&region, &cache, &geo, GFP_KERNEL);
	CHECK(!IS_ERR(m.slab) && m.slab->nr <= MAX_SLOTS);
	drive(&m, feed);
	ph_slab_destroy(&region, m.slab, false);
	ph_region_exit(&region);
}
