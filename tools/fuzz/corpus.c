// SPDX-License-Identifier: GPL-2.0
/* The inputs that reached something new; see corpus.h. */
#include "corpus.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "found.h"

/* The most branches of one input that are looked at. */
#define MAX_SITES	8192
/* What the corpus of the tree may be. */
#define MAX_FILES	100
#define MAX_BYTES	(60U << 10)

bool corpus_worker;

/* How long the last input took, and how long they usually do. */
static int64_t last_us, usual_us = 10000;

void corpus_run(void)
{
	struct timespec began, ended;

	cover_reset();
	box->running = 1;
	clock_gettime(CLOCK_MONOTONIC, &began);
	input_run(&box->current, box->executions);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	box->running = 0;
	box->executions++;
	last_us = (ended.tv_sec - began.tv_sec) * 1000000 +
		  (ended.tv_nsec - began.tv_nsec) / 1000;
	usual_us += (last_us - usual_us) / 64;
	found_in_log();
	/* What it left behind is not to be the next one's. */
	if (corpus_worker && found_anything())
		_exit(0);
}

static void keep(const struct input *input, uint32_t sites)
{
	struct entry *entry = &box->corpus[box->nr_corpus];

	if (box->nr_corpus == MAX_CORPUS || box->text_end + MAX_TEXT > CORPUS_BYTES)
		return;
	entry->sites = sites;
	entry->at = box->text_end;
	box->text_end += input_print(input, box->texts + entry->at, MAX_TEXT) + 1;
	box->nr_corpus++;
}

/* Whether a run of box->current reaches all of some branches. */
static bool still_reaches(const uint32_t *sites, uint32_t nr)
{
	static uint32_t now[MAX_SITES];
	uint32_t nr_now, i, j, pairs;

	corpus_run();
	nr_now = cover_sites(now, MAX_SITES);
	cover_add(&box->all, &pairs);
	for (i = 0, j = 0; i < nr; i++) {
		while (j < nr_now && now[j] < sites[i])
			j++;
		if (j == nr_now || now[j] != sites[i])
			return false;
	}
	return true;
}

/* Without the steps that it does not need to reach them. */
static void shorten(struct input *input, const uint32_t *sites, uint32_t nr)
{
	for (unsigned int i = input->nr; i-- > 0 && input->nr > 1;) {
		memcpy(&box->current, input, input_bytes(input));
		input_remove(&box->current, i);
		if (still_reaches(sites, nr))
			input_remove(input, i);
	}
}

void corpus_try(const struct input *input)
{
	static uint32_t sites[MAX_SITES];
	static struct input copy;
	uint32_t nr, fresh, pairs;

	memcpy(&box->current, input, input_bytes(input));
	corpus_run();
	nr = cover_fresh(&box->all, sites, MAX_SITES);
	fresh = cover_add(&box->all, &pairs);
	if (!fresh && !pairs)
		return;
	memcpy(&copy, input, input_bytes(input));
	if (fresh)
		shorten(&copy, sites, nr);
	else if (last_us > usual_us || copy.nr > MAX_STEPS / 2 || box->nr_corpus > MAX_CORPUS / 2)
		return;
	keep(&copy, fresh);
}

/* More often one that was the first somewhere, or that is new itself. */
static void choose(struct input *input)
{
	struct entry *entry = &box->corpus[rnd(box->nr_corpus)];

	if (!entry->sites && rnd(2))
		entry = &box->corpus[rnd(box->nr_corpus)];
	if (!rnd(4))
		entry = &box->corpus[box->nr_corpus - 1 - rnd(box->nr_corpus / 8 + 1)];
	if (!input_parse(input, box->texts + entry->at))
		input_generate(input);
}

void corpus_next(struct input *input)
{
	static struct input other;

	if (!box->nr_corpus || !rnd(12)) {
		input_generate(input);
		return;
	}
	choose(input);
	choose(&other);
	input_mutate(input, &other);
}

void corpus_load(const char *folder)
{
	struct input input;
	char pattern[512];
	glob_t found_files;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (glob(pattern, 0, NULL, &found_files))
		return;
	for (size_t i = box->seeds; i < found_files.gl_pathc; i++) {
		box->seeds = i + 1;
		if (input_load(&input, found_files.gl_pathv[i]))
			corpus_try(&input);
		else
			printf("fuzz: %s is no input\n", found_files.gl_pathv[i]);
	}
	globfree(&found_files);
}

static bool write_text(const char *folder, const char *name, unsigned int number,
		       const char *text)
{
	char path[512];
	FILE *file;

	mkdir(folder, 0777);
	snprintf(path, sizeof(path), "%s/%s%03u", folder, name, number);
	file = fopen(path, "we");
	if (!file)
		return false;
	fputs(text, file);
	return !fclose(file);
}

/* What each input of the corpus reaches, run once more. */
struct reach {
	uint32_t *sites;
	uint32_t nr;
};

static void measure(struct reach *reach)
{
	static uint32_t sites[MAX_SITES];

	for (uint32_t i = 0; i < box->nr_corpus; i++) {
		input_parse(&box->current, box->texts + box->corpus[i].at);
		corpus_run();
		reach[i].nr = cover_sites(sites, MAX_SITES);
		reach[i].sites = malloc(reach[i].nr * sizeof(uint32_t) + 1);
		if (!reach[i].sites)
			abort();
		memcpy(reach[i].sites, sites, reach[i].nr * sizeof(uint32_t));
	}
}

static uint32_t count_new(const struct reach *reach, const bool *have)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < reach->nr; i++)
		nr += !have[reach->sites[i]];
	return nr;
}

/* The input that adds the most for its length; its number, or nr_corpus. */
static uint32_t best(const struct reach *reach, const bool *have, const bool *taken)
{
	uint32_t at = box->nr_corpus;
	double most = 0;

	for (uint32_t i = 0; i < box->nr_corpus; i++) {
		double worth = taken[i] ? 0 : (double)count_new(&reach[i], have) /
					      (strlen(box->texts + box->corpus[i].at) + 200);

		if (worth <= most)
			continue;
		most = worth;
		at = i;
	}
	return at;
}

int corpus_distil(const char *folder)
{
	struct reach *reach = calloc(box->nr_corpus + 1, sizeof(*reach));
	bool *taken = calloc(box->nr_corpus + 1, 1), *have = calloc(COVER_TEXT, 1);
	uint32_t files = 0, bytes = 0, sites = 0, at;
	const char *text;
	int status = 0;

	if (!reach || !taken || !have)
		abort();
	measure(reach);
	while (files < MAX_FILES && bytes < MAX_BYTES &&
	       (at = best(reach, have, taken)) < box->nr_corpus) {
		sites += count_new(&reach[at], have);
		for (uint32_t i = 0; i < reach[at].nr; i++)
			have[reach[at].sites[i]] = true;
		taken[at] = true;
		text = box->texts + box->corpus[at].at;
		bytes += strlen(text);
		if (!write_text(folder, "", files++, text)) {
			status = 1;
			break;
		}
	}
	printf("fuzz: %u of %u inputs, %u bytes, reach %u branches\n", files, box->nr_corpus,
	       bytes, sites);
	free(reach);
	free(taken);
	free(have);
	return status;
}

int corpus_save(const char *folder)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < box->nr_corpus; i++)
		if (box->corpus[i].sites &&
		    !write_text(folder, "", nr++, box->texts + box->corpus[i].at))
			return 1;
	printf("fuzz: %u inputs\n", nr);
	return 0;
}

int corpus_save_findings(const char *folder)
{
	char text[MAX_TEXT + 200];
	size_t at;

	for (uint32_t i = 0; i < box->nr_findings; i++) {
		at = snprintf(text, sizeof(text), "# %s\n", box->findings[i].text);
		input_print(&box->findings[i].input, text + at, sizeof(text) - at);
		printf("fuzz: finding %u, %u times: %s", i, box->findings[i].times, text);
		if (!write_text(folder, "finding-", i, text))
			return 1;
	}
	return 0;
}
