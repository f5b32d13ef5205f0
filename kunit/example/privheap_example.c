// SPDX-License-Identifier: GPL-2.0
/*
 * A table of numbers by key, whose nodes come from a cache of privheap.
 *
 * Readers take no lock. Nodes are typesafe by RCU: a reader may meet one that was
 * freed, and that is another key's by now, but never memory of another kind. So
 * it looks at the key again after it has the value, and takes the value only if
 * no writer was at the node in between, which the node's sequence count tells.
 * The sequence count is what the constructor is for: it goes on from one life of
 * a node to the next.
 *
 * To be copied: what a module of your own needs is in table_open() and
 * table_close(), and the two lines that allocate and free a node.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/privheap.h>
#include <linux/rculist.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>

#define TABLE_BITS	8
#define TABLE_NODES	10000

struct node {
	struct hlist_node link;
	seqcount_spinlock_t seq;
	u64 key;
	u64 value;
};

static struct privheap *heap;
static struct privheap_cache *nodes;
static struct hlist_head table[1 << TABLE_BITS];
static DEFINE_SPINLOCK(table_lock);

static void node_ctor(void *obj)
{
	struct node *node = obj;

	seqcount_spinlock_init(&node->seq, &table_lock);
}

/* A heap with a limit of its own, and in it a cache of nodes. */
static int table_open(void)
{
	static const struct privheap_attr attr = {
		.name		= "example",
		.max_bytes	= 4 << 20,
	};
	static const struct privheap_cache_args args = {
		.flags		= PRIVHEAP_CACHE_TYPESAFE_BY_RCU,
		.ctor		= node_ctor,
		.quota		= TABLE_NODES,
	};

	heap = privheap_create(&attr);
	if (IS_ERR(heap))
		return PTR_ERR(heap);
	nodes = privheap_cache_create(heap, "node", sizeof(struct node), &args);
	if (IS_ERR(nodes)) {
		privheap_destroy(heap);
		return PTR_ERR(nodes);
	}
	return 0;
}

static struct hlist_head *table_bucket(u64 key)
{
	return &table[hash_64(key, TABLE_BITS)];
}

/* Caller holds table_lock. */
static struct node *table_find(u64 key)
{
	struct node *node;

	hlist_for_each_entry(node, table_bucket(key), link)
		if (node->key == key)
			return node;
	return NULL;
}

static void node_write(struct node *node, u64 key, u64 value)
{
	write_seqcount_begin(&node->seq);
	WRITE_ONCE(node->key, key);
	WRITE_ONCE(node->value, value);
	write_seqcount_end(&node->seq);
}

/* Any context but a hard interrupt. Returns 0 or -ENOMEM. */
static int table_set(u64 key, u64 value)
{
	struct node *node;
	int err = 0;

	spin_lock_bh(&table_lock);
	node = table_find(key);
	if (node) {
		node_write(node, key, value);
		goto out;
	}
	/* NULL when the quota or the heap's limit is reached. */
	node = privheap_cache_alloc(nodes, GFP_ATOMIC);
	if (node) {
		node_write(node, key, value);
		hlist_add_head_rcu(&node->link, table_bucket(key));
	} else {
		err = -ENOMEM;
	}
out:
	spin_unlock_bh(&table_lock);
	return err;
}

static bool table_remove(u64 key)
{
	struct node *node;

	spin_lock_bh(&table_lock);
	node = table_find(key);
	if (node) {
		hlist_del_rcu(&node->link);
		/* At once: readers who still have it look twice. */
		privheap_cache_free(nodes, node);
	}
	spin_unlock_bh(&table_lock);
	return node;
}

/*
 * Without a lock. A reader whose node moves to another bucket under it may miss
 * a key that is there; a value that it returns is one that the key has had.
 */
static bool table_get(u64 key, u64 *value)
{
	struct node *node;
	bool found = false;
	unsigned int seq;
	u64 key_now;

	rcu_read_lock();
	hlist_for_each_entry_rcu(node, table_bucket(key), link) {
		do {
			seq = read_seqcount_begin(&node->seq);
			key_now = READ_ONCE(node->key);
			*value = READ_ONCE(node->value);
		} while (read_seqcount_retry(&node->seq, seq));
		found = key_now == key;
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/* All nodes, the cache, the heap; nobody reads any more. */
static int table_close(void)
{
	struct hlist_node *next;
	struct node *node;
	int err;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		hlist_for_each_entry_safe(node, next, &table[i], link)
			table_remove(node->key);
	err = privheap_cache_destroy(nodes, 0);
	return err ?: privheap_destroy(heap);
}

/* Returns how many of the answers are wrong. */
static u32 table_test(void)
{
	u32 wrong = 0;
	u64 key, value;

	for (key = 0; key < TABLE_NODES; key++)
		wrong += table_set(key, 3 * key) != 0;
	wrong += table_set(key, 0) != -ENOMEM;
	for (key = 0; key < TABLE_NODES; key += 2)
		wrong += !table_remove(key);
	for (key = 0; key < TABLE_NODES; key++)
		wrong += table_get(key, &value) != key % 2 ||
			 (key % 2 && value != 3 * key);
	return wrong;
}

static int __init example_init(void)
{
	struct privheap_cache_stat stat;
	int err = table_open();
	u32 wrong;

	if (err)
		return err;
	wrong = table_test();
	privheap_cache_stat(nodes, &stat);
	wrong += stat.objects != TABLE_NODES / 2;
	pr_info("%llu nodes in %llu slabs, %llu bytes; %u wrong answers\n",
		stat.objects, stat.slabs, stat.bytes, wrong);
	if (!wrong)
		return 0;
	table_close();
	return -EIO;
}

static void __exit example_exit(void)
{
	if (table_close())
		pr_err("the table did not end\n");
}

module_init(example_init);
module_exit(example_exit);

MODULE_DESCRIPTION("A table in a private heap");
MODULE_LICENSE("GPL");
