// SPDX-License-Identifier: GPL-2.0
/*
 * The module's parameters while it runs: what is written to them counts from then
 * on, what makes no sense is refused, and the value stays as it was.
 */
#include "calls.h"

#define MIB		(1ULL << 20)
#define PARAMETERS	"/sys/module/privheap/parameters/"

#define VALUE_BYTES	1100

/* Those that can be written. */
static const char *const writable[] = {
	"max_total_mb", "max_heap_mb", "trim_interval_ms", "check_caches",
};

static const char *parameter_path(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return path;
}

static int parameter_set(const char *name, const char *value)
{
	return file_write(parameter_path(name), value);
}

static void parameter_get(const char *name, char *value)
{
	FILE *file = fopen(parameter_path(name), "re");

	REQUIRE(file);
	REQUIRE(fgets(value, VALUE_BYTES, file));
	fclose(file);
	value[strcspn(value, "\n")] = 0;
}

static bool parameter_is(const char *name, const char *want)
{
	char value[VALUE_BYTES];

	parameter_get(name, value);
	if (strcmp(value, want))
		test_note("%s is \"%s\"", name, value);
	return !strcmp(value, want);
}

/* Runs @work in a process of its own, and puts the parameters back after it. */
static void restored_after(void (*work)(const void *), const void *arg)
{
	static char was[ARRAY_SIZE(writable)][VALUE_BYTES];

	test_needs_root();
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
		parameter_get(writable[i], was[i]);
	test_in_a_child(work, arg);
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
		/* An empty text is no write at all. */
		EXPECT_OK(parameter_set(writable[i], *was[i] ? was[i] : "\n"));
}

/* A value that is taken, and reads as it was written. */
static const struct pair {
	const char *what, *name, *value;
} goods[] = {
	{ "max_total", "max_total_mb", "1048576" },
	{ "no_max_total", "max_total_mb", "0" },
	{ "max_heap", "max_heap_mb", "1048576" },
	{ "no_max_heap", "max_heap_mb", "0" },
	{ "short_trim_interval", "trim_interval_ms", "10" },
	{ "long_trim_interval", "trim_interval_ms", "3600000" },
	{ "one_cache", "check_caches", "node" },
	{ "some_caches", "check_caches", "node,*=z,all=PT,a=b=T" },
};

static void good_is_taken(const void *arg)
{
	const struct pair *good = arg;
	char line[64];

	EXPECT_OK(parameter_set(good->name, good->value));
	EXPECT(parameter_is(good->name, good->value));
	/* As echo writes it. */
	snprintf(line, sizeof(line), "%s\n", good->value);
	EXPECT_OK(parameter_set(good->name, line));
	EXPECT(parameter_is(good->name, good->value));
}

static void value_is_taken(int heap, const void *arg)
{
	(void)heap;
	restored_after(good_is_taken, arg);
}

static const struct pair bads[] = {
	{ "negative_max_total", "max_total_mb", "-1" },
	{ "huge_max_total", "max_total_mb", "1048577" },
	{ "max_total_in_words", "max_total_mb", "much" },
	{ "negative_max_heap", "max_heap_mb", "-1" },
	{ "huge_max_heap", "max_heap_mb", "1048577" },
	{ "max_heap_beyond_64_bits", "max_heap_mb", "99999999999999999999" },
	{ "trim_interval_of_9_ms", "trim_interval_ms", "9" },
	{ "trim_interval_of_more_than_an_hour", "trim_interval_ms", "3600001" },
	{ "empty_entry", "check_caches", "a,,b" },
	{ "empty_first_entry", "check_caches", ",a" },
	{ "empty_last_entry", "check_caches", "a," },
	{ "no_letters", "check_caches", "a=" },
	{ "unknown_letter", "check_caches", "a=PQ" },
	{ "letters_for_nobody", "check_caches", "=P" },
	{ "blank_in_a_name", "check_caches", "a b" },
	{ "foreign_letter_in_a_name", "check_caches", "\xc3\xa4" },
	{ "long_name", "check_caches", "a2345678901234567890123456789012" },
};

static void bad_is_refused(const void *arg)
{
	const struct pair *bad = arg;
	char was[VALUE_BYTES];

	EXPECT_OK(parameter_set("check_caches", "some"));
	parameter_get(bad->name, was);
	EXPECT_ERR(parameter_set(bad->name, bad->value), EINVAL, ERANGE);
	EXPECT(parameter_is(bad->name, was));
}

static void value_is_refused(int heap, const void *arg)
{
	(void)heap;
	restored_after(bad_is_refused, arg);
}

static void long_list(const void *arg)
{
	static char list[VALUE_BYTES];

	(void)arg;
	for (int i = 0; i < 1023; i++)
		list[i] = i % 2 ? ',' : 'a';
	EXPECT_OK(parameter_set("check_caches", list));
	EXPECT(parameter_is("check_caches", list));
	list[1023] = 'b';
	EXPECT_ERR(parameter_set("check_caches", list), ENOSPC);
	list[1023] = 0;
	EXPECT(parameter_is("check_caches", list));
}

static void list_of_caches_has_a_limit(int heap, const void *arg)
{
	(void)heap;
	restored_after(long_list, arg);
}

static void reserve_cannot_be_written(int heap, const void *arg)
{
	(void)heap;
	(void)arg;
	test_needs_root();
	EXPECT_ERR(parameter_set("reserve_mb", "1"), EACCES, EPERM, EIO);
}

static void max_heap(const void *arg)
{
	int before = heap_open(), after;
	__u64 handle, was = heap_query(before).max_heap_bytes;

	(void)arg;
	REQUIRE_OK(parameter_set("max_heap_mb", "4"));
	after = heap_open();
	EXPECT_EQ(heap_query(before).max_heap_bytes, was);
	EXPECT_EQ(heap_query(after).max_heap_bytes, 4 * MIB);
	EXPECT_OK(heap_alloc(before, PRIVHEAP_TYPE_STR, 5 * MIB, &handle, 1));
	EXPECT_ERR(heap_alloc(after, PRIVHEAP_TYPE_STR, 5 * MIB, &handle, 1),
		   EDQUOT, ERANGE);
	REQUIRE_OK(parameter_set("max_heap_mb", "0"));
	EXPECT_EQ(heap_query(after).max_heap_bytes, 4 * MIB);
	EXPECT(heap_query(heap_open()).max_heap_bytes >= 1ULL << 30);
}

static void max_heap_counts_for_heaps_to_come(int heap, const void *arg)
{
	(void)heap;
	restored_after(max_heap, arg);
}

static void max_total(const void *arg)
{
	int heap = heap_open();
	__u64 kept, handle;

	(void)arg;
	kept = heap_new(heap, PRIVHEAP_TYPE_STR, 3 * MIB);
	object_fill(heap, kept, 3 * MIB, 1);
	REQUIRE_OK(parameter_set("max_total_mb", "1"));
	object_check(heap, kept, 3 * MIB, 1);
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, MIB, &handle, 1), EDQUOT);
	EXPECT_ERR(open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC) < 0 ? errno : 0, EDQUOT);
	REQUIRE_OK(parameter_set("max_total_mb", "0"));
	EXPECT_OK(heap_alloc(heap, PRIVHEAP_TYPE_STR, MIB, &handle, 1));
	object_check(heap, kept, 3 * MIB, 1);
}

static void max_total_counts_at_once(int heap, const void *arg)
{
	(void)heap;
	restored_after(max_total, arg);
}

/* Looks until it is so: how long that takes is not the question. */
static void trim_interval(const void *arg)
{
	static __u64 handles[2000];
	int heap = heap_open();

	(void)arg;
	REQUIRE_OK(parameter_set("trim_interval_ms", "10"));
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, 1000, handles, ARRAY_SIZE(handles));
	heap_drain(heap, handles, ARRAY_SIZE(handles));
	EXPECT(heap_stat(heap).slabs > 0);
	for (int looks = 0; looks < 1000 && heap_stat(heap).slabs; looks++)
		usleep(10000);
	EXPECT_EQ(heap_stat(heap).slabs, 0);
}

static void idle_heap_is_trimmed_at_intervals(int heap, const void *arg)
{
	(void)heap;
	restored_after(trim_interval, arg);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++)
		TEST_BARE_ARG(value_is_taken, &goods[i], "%s_is_taken", goods[i].what);
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++)
		TEST_BARE_ARG(value_is_refused, &bads[i], "%s_is_refused", bads[i].what);
	TEST_BARE(list_of_caches_has_a_limit);
	TEST_BARE(reserve_cannot_be_written);
	TEST_BARE(max_heap_counts_for_heaps_to_come);
	TEST_BARE(max_total_counts_at_once);
	TEST_BARE(idle_heap_is_trimmed_at_intervals);
	return tests_run();
}
