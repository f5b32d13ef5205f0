// SPDX-License-Identifier: GPL-2.0
/*
 * Races of threads for one thing: exactly one of them gets it.
 */
#include "threads.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

/* Every worker tries every handle; each must go exactly once. */
static void *worker_frees_all(void *arg)
{
	struct worker *w = arg;

	for (size_t i = 0; i < w->count; i++) {
		int err = heap_free_one(w->heap, w->handles[i]);

		if (!err)
			atomic_fetch_add(w->done, 1);
		else
			EXPECT_ERR(err, ESTALE);
	}
	return NULL;
}

static void object_is_freed_by_one_thread_only(int heap, const void *arg)
{
	size_t count = scaled(5000);
	__u64 *handles = calloc(count, sizeof(*handles));
	struct worker workers[THREADS];
	atomic_uint freed = 0;

	(void)arg;
	REQUIRE(handles);
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, count);
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = count,
			.done = &freed,
		};
	workers_run(workers, worker_frees_all);
	workers_join(workers);
	EXPECT_EQ(freed, count);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	free(handles);
}

/* Batches that overlap: all of a batch or none, and each object once. */
static void *worker_frees_batches(void *arg)
{
	struct worker *w = arg;

	for (size_t i = 0; i + 16 <= w->count; i += 8 + w->number) {
		int err = heap_free(w->heap, w->handles + i, 16);

		if (!err)
			atomic_fetch_add(w->done, 16);
		else
			EXPECT_ERR(err, ESTALE);
	}
	return NULL;
}

static void overlapping_batches_free_whole_batches(int heap, const void *arg)
{
	size_t count = scaled(20000);
	__u64 *handles = calloc(count, sizeof(*handles));
	struct worker workers[THREADS];
	atomic_uint freed = 0;

	(void)arg;
	REQUIRE(handles);
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, count);
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = count,
			.done = &freed,
		};
	workers_run(workers, worker_frees_batches);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, count - freed);
	free(handles);
}

/* Each puts its own reference; the last of them frees, whichever it is. */
static void *worker_puts_once(void *arg)
{
	struct worker *w = arg;
	struct privheap_batch b = {
		.size = sizeof(b), .count = 1,
	};

	for (size_t i = 0; i < w->count; i++) {
		b.handles = user_ptr(&w->handles[i]);
		REQUIRE_OK(heap_call(w->heap, PRIVHEAP_PUT, &b));
		atomic_fetch_add(w->done, b.freed);
	}
	return NULL;
}

static void last_put_of_threads_frees_once(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	size_t count = scaled(3000);
	__u64 *handles = calloc(count, sizeof(*handles));
	struct worker workers[THREADS];
	atomic_uint freed = 0;

	(void)arg;
	REQUIRE(handles);
	heap_fill(heap, type, 0, handles, count);
	for (size_t i = 0; i < count; i++)
		for (int t = 1; t < THREADS; t++)
			REQUIRE_OK(heap_get(heap, handles[i]));
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = count,
			.done = &freed,
		};
	workers_run(workers, worker_puts_once);
	workers_join(workers);
	EXPECT_EQ(freed, count);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	free(handles);
}

static void *worker_resizes_the_same(void *arg)
{
	struct worker *w = arg;
	_Atomic __u64 *shared = (_Atomic __u64 *)w->handles;
	__u64 state = w->number + 1, handle, old;
	int err;

	for (unsigned long n = 0; n < scaled(5000); n++) {
		handle = old = atomic_load(shared);
		err = heap_resize(w->heap, &handle, 1 + random_next(&state) % 20000);
		if (!EXPECT_ERR(err, 0, ESTALE, EREMCHG))
			break;
		/* Only who moved it away from the old handle gets here with it. */
		if (!err && handle != old)
			EXPECT(atomic_compare_exchange_strong(shared, &old, handle));
	}
	return NULL;
}

static void threads_resize_one_object(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 8);
	struct worker workers[THREADS];

	(void)arg;
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .heap = heap, .handles = &handle };
	workers_run(workers, worker_resizes_the_same);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT_OK(heap_free_one(heap, handle));
}

static void *worker_creates(void *arg)
{
	struct worker *w = arg;
	struct privheap_type t;
	int err;

	for (size_t i = 0; i < w->count; i++) {
		t = type_named("", 8, 0);
		snprintf(t.name, sizeof(t.name), "raced%zu", i);
		err = type_create(w->heap, &t);
		if (!err)
			atomic_fetch_add(w->done, 1);
		else
			EXPECT_ERR(err, EEXIST);
	}
	return NULL;
}

static void name_is_taken_by_one_thread_only(int heap, const void *arg)
{
	struct worker workers[THREADS];
	atomic_uint created = 0;

	(void)arg;
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .count = 40, .done = &created,
		};
	workers_run(workers, worker_creates);
	workers_join(workers);
	EXPECT_EQ(created, 40);
	EXPECT_EQ(heap_stat(heap).types, 9 + 40);
}

/* Worker 0 fails to free a batch, again and again; the others use its objects. */
static void *worker_fails_or_looks(void *arg)
{
	struct privheap_object_info info;
	struct worker *w = arg;

	for (unsigned long n = 0; n < scaled(20000); n++) {
		if (!w->number)
			EXPECT_ERR(heap_free(w->heap, w->handles, w->count), ESTALE);
		else
			EXPECT_ERR(heap_infos(w->heap, &w->handles[n % 8], &info, 1),
				   0, ESTALE, EREMCHG);
	}
	return NULL;
}

/* For a moment they may look freed, but never as if they had not been. */
static void objects_of_a_failing_batch_are_never_unknown(int heap, const void *arg)
{
	struct worker workers[THREADS];
	__u64 handles[9];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, 9);
	REQUIRE_OK(heap_free_one(heap, handles[8]));
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = 9,
		};
	workers_run(workers, worker_fails_or_looks);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, 8);
	heap_drain(heap, handles, 8);
}

static void *worker_fails(void *arg)
{
	struct worker *w = arg;

	for (unsigned long n = 0; n < scaled(20000); n++)
		/* Which of them it may be is the test's matter above. */
		EXPECT_ERR(heap_free(w->heap, w->handles, w->count),
			   HANDLE_ERRNOS);
	return NULL;
}

/* Each takes back what it had begun, and nobody keeps a thing. */
static void failing_batches_at_once_lose_no_object(int heap, const void *arg)
{
	struct worker workers[THREADS];
	__u64 handles[3];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, 3);
	REQUIRE_OK(heap_free_one(heap, handles[2]));
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){
			.heap = heap, .handles = handles, .count = 3,
		};
	workers_run(workers, worker_fails);
	workers_join(workers);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
	EXPECT_OK(heap_free(heap, handles, 2));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static atomic_bool over;

/* The handle that an object's place would give out next is none yet. */
static void *worker_guesses(void *arg)
{
	struct worker *w = arg;

	while (!over)
		EXPECT_ERR(heap_free_one(w->heap, w->handles[0] + (1ULL << 40)),
			   ENXIO, ESTALE, EREMCHG);
	return NULL;
}

static void *worker_fails_to_free(void *arg)
{
	struct worker *w = arg;

	for (unsigned long n = 0; n < scaled(60000); n++)
		EXPECT_ERR(heap_free(w->heap, w->handles, 2), ENXIO);
	return NULL;
}

static void *worker_resizes_in_place(void *arg)
{
	struct worker *w = arg;
	__u64 handle = w->handles[0];

	for (unsigned long n = 0; n < scaled(60000); n++) {
		EXPECT_OK(heap_resize(w->heap, &handle, 25 + n % 4));
		EXPECT_EQ(handle, w->handles[0]);
	}
	return NULL;
}

static const struct guessed {
	const char *name;
	void *(*run)(void *arg);
	__u32 type;
} guessed[] = {
	{ "fails_to_end", worker_fails_to_free, PRIVHEAP_TYPE_INT },
	{ "is_resized", worker_resizes_in_place, PRIVHEAP_TYPE_STR },
};

/* Whatever is guessed, and when: the object keeps the handle that it has. */
static void handle_is_guessed_while_object_is_claimed(int heap, const void *arg)
{
	const struct guessed *how = arg;
	__u64 handles[2] = { heap_new(heap, how->type, 28), 1 };
	struct worker guess = { .heap = heap, .handles = handles };
	struct worker work = guess;

	over = false;
	REQUIRE(!pthread_create(&guess.thread, NULL, worker_guesses, &guess));
	how->run(&work);
	over = true;
	REQUIRE(!pthread_join(guess.thread, NULL));
	EXPECT_EQ(heap_info(heap, handles[0]).type, how->type);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT_OK(heap_free_one(heap, handles[0]));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

/* Where a call answers; it can be written to until it has begun. */
static struct privheap_reserve *answer;
static atomic_bool begun;

static void *worker_promises(void *arg)
{
	struct worker *w = arg;
	int err = ioctl(w->heap, PRIVHEAP_RESERVE, answer) ? errno : 0;

	EXPECT_ERR(err, 0, EFAULT);
	over = true;
	return NULL;
}

static void *worker_replaces_type(void *arg)
{
	struct privheap_type t = type_named("another", 64, 0);
	struct worker *w = arg;

	while (!begun)
		;
	EXPECT_OK(type_destroy(w->heap, PRIVHEAP_TYPE_USER));
	EXPECT_OK(type_create(w->heap, &t));
	EXPECT_EQ(t.type, PRIVHEAP_TYPE_USER);
	return NULL;
}

#define LARGE	((size_t)32 << 20)

/* Whoever wants to know what a page fault of this process may do waits for this. */
static void *worker_protects(void *arg)
{
	struct worker *w = arg;

	while (!over) {
		EXPECT(!mprotect(w->handles, LARGE, PROT_READ));
		EXPECT(!mprotect(w->handles, LARGE, PROT_READ | PROT_WRITE));
	}
	return NULL;
}

static void type_is_replaced_once(size_t page, void *large)
{
	struct worker workers[3];
	int heap = heap_open();

	over = begun = false;
	*answer = (struct privheap_reserve){
		.size = sizeof(*answer), .type = type_make(heap, "one", 64, 0, 0),
		.count = 20000, .promised = ~0ULL,
	};
	REQUIRE(answer->type == PRIVHEAP_TYPE_USER);
	for (int i = 0; i < 3; i++)
		workers[i] = (struct worker){ .heap = heap, .handles = large };
	REQUIRE(!pthread_create(&workers[0].thread, NULL, worker_protects, &workers[0]));
	REQUIRE(!pthread_create(&workers[1].thread, NULL, worker_replaces_type, &workers[1]));
	REQUIRE(!pthread_create(&workers[2].thread, NULL, worker_promises, &workers[2]));
	while (*(volatile __u64 *)&answer->promised == ~0ULL)
		;
	REQUIRE(!mprotect(answer, page, PROT_READ));
	begun = true;
	for (int i = 0; i < 3; i++)
		REQUIRE(!pthread_join(workers[i].thread, NULL));
	REQUIRE(!mprotect(answer, page, PROT_READ | PROT_WRITE));
	EXPECT_OK(type_destroy(heap, PRIVHEAP_TYPE_USER));
	close(heap);
}

/* A promise is told, or it is taken back from the type that it was made for. */
static void type_is_replaced_while_a_promise_is_told(int heap, const void *arg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *large;

	(void)heap;
	(void)arg;
	answer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	large = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(answer != MAP_FAILED && large != MAP_FAILED);
	madvise(large, LARGE, MADV_NOHUGEPAGE);
	memset(large, 1, LARGE);
	for (unsigned long n = 0; n < scaled(100); n++)
		type_is_replaced_once(page, large);
	EXPECT(!munmap(answer, page) && !munmap(large, LARGE));
}

int main(void)
{
	TEST(object_is_freed_by_one_thread_only);
	TEST(overlapping_batches_free_whole_batches);
	TEST(last_put_of_threads_frees_once);
	TEST(threads_resize_one_object);
	TEST(name_is_taken_by_one_thread_only);
	TEST(objects_of_a_failing_batch_are_never_unknown);
	TEST(failing_batches_at_once_lose_no_object);
	for (size_t i = 0; i < ARRAY_SIZE(guessed); i++)
		TEST_ARG(handle_is_guessed_while_object_is_claimed, &guessed[i],
			 "handle_is_guessed_while_object_%s", guessed[i].name);
	TEST(type_is_replaced_while_a_promise_is_told);
	return tests_run();
}
