// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer of the user interface: runs in a guest whose kernel has KCOV.
 * See usage() for what else it does, outside of one, too.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corpus.h"
#include "found.h"

/* An input that takes longer hangs, however busy the machine is. */
#define HANG_SECONDS	300
/* A process is renewed after so many inputs. */
#define RENEW		2000

static unsigned int sites_there;

static void usage(void)
{
	puts("usage: fuzz [--seconds N] [--sites N] [--seed N] [FOLDER]  run; seeds in FOLDER\n"
	     "       fuzz --distil FOLDER        run the corpus of the box, keep what it needs\n"
	     "       fuzz --replay FILE [TIMES]  run one input\n"
	     "       fuzz --print-c FILE|BOX     an input, or the box's last, as C\n"
	     "       fuzz --state BOX            what the box tells; 1 if there are findings\n"
	     "       fuzz --findings BOX FOLDER  its findings as files\n"
	     "       fuzz --edges BOX            where its edges are in the module's text\n"
	     "       fuzz --save BOX FOLDER      those that were the first somewhere, as files\n"
	     "FOLDERs hold an input per file, a step per line. The box is a file of the host.");
}

static void print_state(const char *what)
{
	uint64_t seconds = box->seconds ? box->seconds : 1;

	printf("fuzz: %s%llu s, %llu executions, %llu/s, corpus %u, edges %u of %u (%.1f %%), "
	       "pairs %u, findings %u\n", what, (unsigned long long)box->seconds,
	       (unsigned long long)box->executions,
	       (unsigned long long)(box->executions / seconds), box->nr_corpus,
	       box->all.nr_sites, sites_there,
	       sites_there ? 100.0 * box->all.nr_sites / sites_there : 0.0, box->all.nr_pairs,
	       box->nr_findings);
	fflush(stdout);
}

static void work(const char *folder)
{
	static struct input input;
	uint64_t until = box->executions + RENEW;

	corpus_worker = true;
	rnd_seed(box->seed);
	box->seed = box->seed * 0x9e3779b97f4a7c15UL + 1;
	if (folder && !box->seeded)
		corpus_load(folder);
	box->seeded = 1;
	while (box->executions < until) {
		corpus_next(&input);
		corpus_try(&input);
	}
	_exit(0);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* What became of a worker: an end that it did not choose is a finding. */
static void judge(int status)
{
	char text[64];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the process was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "the process ended with status %d",
			 WEXITSTATUS(status));
	found(text);
}

/* Waits for a worker, until @end; tells how it goes, and finds it hanging. */
static void watch(pid_t pid, uint64_t began, uint64_t *end, uint64_t seconds)
{
	uint64_t moved = now(), told = moved, seen = box->executions;
	uint64_t before = box->seconds;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		usleep(100000);
		box->seconds = before + now() - began;
		if (now() >= told + 10) {
			print_state("");
			told = now();
		}
		if (box->executions != seen) {
			seen = box->executions;
			moved = now();
		}
		/* However busy the machine is, the seeds are run, and then the time. */
		if (!box->seeded)
			*end = now() + seconds;
		if (now() < moved + HANG_SECONDS && now() < *end)
			continue;
		if (now() >= moved + HANG_SECONDS)
			found("an input does not end");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return;
	}
	judge(status);
}

static int fuzz(uint64_t seconds, const char *folder)
{
	uint64_t end = now() + seconds;
	pid_t pid;

	box->seeded = 0;
	box->seeds = 0;
	while (now() < end && box->nr_findings < MAX_FINDINGS) {
		pid = fork();
		if (!pid)
			work(folder);
		watch(pid, now(), &end, seconds);
	}
	print_state("");
	return box->nr_findings ? 1 : 0;
}

static int replay(const char *path, unsigned long times)
{
	if (!input_load(&box->current, path))
		return 2;
	while (times--)
		corpus_run();
	for (uint32_t i = 0; i < box->nr_findings; i++)
		printf("fuzz: %u times: %s\n", box->findings[i].times, box->findings[i].text);
	return box->nr_findings ? 1 : 0;
}

static int print_c(const char *path)
{
	static struct input input;

	if (box_open_file(path))
		memcpy(&input, &box->current, sizeof(input));
	else if (!input_load(&input, path))
		return 2;
	input_print_c(&input, stdout);
	return 0;
}

static int tell(const char *path)
{
	char text[MAX_TEXT];

	if (!box_open_file(path)) {
		printf("fuzz: %s is no box\n", path);
		return 2;
	}
	print_state("");
	if (box->running) {
		input_print(&box->current, text, sizeof(text));
		printf("fuzz: what ran last:\n%s", text);
	}
	return box->nr_findings ? 1 : 0;
}

static int print_edges(const char *path)
{
	if (!box_open_file(path))
		return 2;
	for (uint32_t at = 0; at < COVER_TEXT; at++)
		if (box->all.sites[at / 64] >> at % 64 & 1)
			printf("%x\n", at);
	return 0;
}

/* In the guest: everything that runs inputs. */
static bool prepare(void)
{
	if (!box_open()) {
		puts("fuzz: no memory");
		return false;
	}
	if (!cover_setup())
		puts("fuzz: no KCOV here, so nothing is kept");
	exec_setup();
	found_setup();
	return true;
}

static const struct option options[] = {
	{ "seconds", required_argument, NULL, 's' }, { "sites", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 'r' },    { "distil", required_argument, NULL, 'd' },
	{ "replay", required_argument, NULL, 'p' },  { "print-c", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 't' },   { "findings", required_argument, NULL, 'f' },
	{ "save", required_argument, NULL, 'v' },    { "edges", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

int main(int argc, char **argv)
{
	uint64_t seconds = 60, seed = 1;
	const char *path = NULL, *folder;
	int option, mode = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's': seconds = strtoull(optarg, NULL, 0); break;
		case 'n': sites_there = strtoul(optarg, NULL, 0); break;
		case 'r': seed = strtoull(optarg, NULL, 0); break;
		case 'h':
		case '?': usage(); return 2;
		default: mode = option; path = optarg;
		}
	}
	folder = optind < argc ? argv[optind] : NULL;
	switch (mode) {
	case 'c': return print_c(path);
	case 't': return tell(path);
	case 'e': return print_edges(path);
	case 'f': return box_open_file(path) && folder ? corpus_save_findings(folder) : 2;
	case 'v': return box_open_file(path) && folder ? corpus_save(folder) : 2;
	}
	if (!prepare())
		return 2;
	if (mode == 'd')
		return corpus_distil(path);
	if (mode == 'p')
		return replay(path, folder ? strtoul(folder, NULL, 0) : 1);
	box->seed = seed;
	return fuzz(seconds, folder);
}
