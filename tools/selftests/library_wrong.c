// SPDX-License-Identifier: GPL-2.0
/* libprivheap: wrong frees, found at once in the hardened mode, else at the flush. */
#include "library.h"

#include <signal.h>

/* How often it was said, at once and after what is left came back. */
static void expect_said(struct privheap *heap, const void *arg, const void *object,
			const char *type, const char *what)
{
	const struct place_of_heap *where = arg;
	char wanted[PRIVHEAP_MESSAGE_BYTES];

	EXPECT_EQ(library_reports, where->flags & PRIVHEAP_HARDENED ? 1 : 0);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 1);
	EXPECT(library_said_of == object);
	snprintf(wanted, sizeof(wanted), "libprivheap: wrong free of address %p, type %s: %s",
		 object, type, what);
	if (!EXPECT(!strcmp(library_said, wanted)))
		test_note("said: %s", library_said);
}

static void a_double_free_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);
	void *object = privheap_object_alloc(kind);

	(void)unused;
	privheap_on_corruption(library_note);
	privheap_object_free(kind, object);
	privheap_object_free(kind, object);
	expect_said(heap, arg, object, "int", "freed already");
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void a_double_free_after_others_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	void *objects[3000];

	(void)unused;
	privheap_on_corruption(library_note);
	for (int i = 0; i < 3000; i++)
		objects[i] = privheap_malloc(heap, 32);
	for (int i = 0; i < 3000; i++)
		privheap_free(heap, objects[i]);
	/* Known to the module as free by now: this comes back a second time. */
	privheap_trim(heap);
	privheap_free(heap, objects[0]);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 1);
	privheap_delete(heap);
}

static void *free_it(void *arg)
{
	void **both = arg;

	privheap_free(both[0], both[1]);
	return NULL;
}

static void a_double_free_by_another_thread_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	void *both[2] = { heap, privheap_malloc(heap, 500) };
	pthread_t thread;

	(void)unused;
	privheap_on_corruption(library_note);
	REQUIRE(!pthread_create(&thread, NULL, free_it, both));
	REQUIRE(!pthread_join(thread, NULL));
	privheap_free(heap, both[1]);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 1);
	EXPECT(library_said_of == both[1]);
	privheap_delete(heap);
}

static void an_interior_free_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	char *object = privheap_malloc(heap, 100);

	(void)unused;
	privheap_on_corruption(library_note);
	privheap_free(heap, object + 16);
	expect_said(heap, arg, object + 16, "object", "inside of an object");
	privheap_free(heap, object);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 1);
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void a_wrong_free_of_a_large_one_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	char *object = privheap_malloc(heap, MIB);

	(void)unused;
	privheap_on_corruption(library_note);
	privheap_free(heap, object + 48);
	EXPECT_EQ(library_reports, 1);
	privheap_free(heap, object);
	EXPECT_EQ(library_reports, 1);
	privheap_free(heap, object);
	EXPECT_EQ(library_reports, 2);
	privheap_delete(heap);
}

/* At each page of it, where aligned ones could be; and of one that is gone. */
static void a_free_inside_of_a_large_one_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	char *first = privheap_malloc(heap, 100), *object = privheap_malloc(heap, 8 * MIB);
	char *aligned = privheap_aligned_alloc(heap, 64 << 10, MIB);

	(void)unused;
	privheap_on_corruption(library_note);
	strcpy(first, "still here");
	for (unsigned int i = 1; i < 8; i++) {
		privheap_free(heap, object + i * 4096);
		EXPECT_EQ(library_reports, i);
		EXPECT(library_said_of == object + i * 4096);
	}
	privheap_free(heap, aligned + (64 << 10));
	EXPECT_EQ(library_reports, 8);
	privheap_free(heap, aligned);
	privheap_free(heap, object);
	EXPECT_EQ(library_reports, 8);
	privheap_free(heap, object);
	privheap_free(heap, aligned);
	EXPECT_EQ(library_reports, 10);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 10);
	EXPECT(!strcmp(first, "still here"));
	privheap_free(heap, first);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 10);
	privheap_delete(heap);
}

static void a_realloc_of_a_freed_one_is_found_when_hardened(int unused, const void *arg)
{
	const struct place_of_heap *where = arg;
	struct privheap *heap = library_heap(arg);
	char *object = privheap_malloc(heap, 100);

	(void)unused;
	privheap_on_corruption(library_note);
	EXPECT(privheap_realloc(heap, object, 101) == object);
	EXPECT_EQ(library_reports, 0);
	privheap_free(heap, object);
	if (where->flags & PRIVHEAP_HARDENED) {
		EXPECT(!privheap_realloc(heap, object, 101));
		EXPECT_EQ(library_reports, 1);
	}
	privheap_delete(heap);
}

static void a_foreign_free_is_found_at_once(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg), *other = library_heap(arg);
	void *object = privheap_malloc(other, 100);
	char local[64];

	(void)unused;
	privheap_on_corruption(library_note);
	privheap_free(heap, local);
	EXPECT_EQ(library_reports, 1);
	privheap_free(heap, object);
	EXPECT_EQ(library_reports, 2);
	EXPECT(library_said_of == object);
	privheap_free(other, object);
	EXPECT_EQ(library_reports, 2);
	privheap_delete(heap);
	privheap_delete(other);
}

/* An object of one kind freed as another; the module knows its own types. */
static void a_free_as_another_kind_is_found(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int ints = library_kind(heap, PRIVHEAP_TYPE_INT, 0);
	int floats = library_kind(heap, PRIVHEAP_TYPE_FLOAT, 0);
	void *object = privheap_object_alloc(ints);

	(void)unused;
	privheap_on_corruption(library_note);
	privheap_object_free(floats, object);
	privheap_trim(heap);
	EXPECT_EQ(library_reports, 1);
	EXPECT(library_said_of == object);
	privheap_delete(heap);
}

static void without_a_function_it_aborts(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int status, ends[2];
	char said[200] = "";
	pid_t child;

	(void)unused;
	REQUIRE(!pipe(ends));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		struct privheap *own = library_heap(arg);
		void *object = privheap_malloc(own, 24);

		dup2(ends[1], STDERR_FILENO);
		privheap_free(own, object);
		privheap_free(own, object);
		privheap_trim(own);
		_exit(0);
	}
	close(ends[1]);
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	REQUIRE(read(ends[0], said, sizeof(said) - 1) > 0);
	EXPECT(strstr(said, "libprivheap: wrong free of address 0x"));
	EXPECT(strstr(said, ", type object: freed already\n"));
	privheap_delete(heap);
}

int main(void)
{
	TEST_PLACES(a_double_free_is_found);
	TEST_PLACES(a_double_free_after_others_is_found);
	TEST_PLACES(a_double_free_by_another_thread_is_found);
	TEST_PLACES(an_interior_free_is_found);
	TEST_PLACES(a_wrong_free_of_a_large_one_is_found);
	TEST_PLACES(a_free_inside_of_a_large_one_is_found);
	TEST_PLACES(a_realloc_of_a_freed_one_is_found_when_hardened);
	TEST_PLACES(a_foreign_free_is_found_at_once);
	TEST_PLACES(a_free_as_another_kind_is_found);
	TEST_PLACES(without_a_function_it_aborts);
	return tests_run();
}
