/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program again and again and prints what it takes. A program of its own, and a small one: the kernel counts
 * what a process had in memory before it became another program to that program's peak, so a large launcher would
 * hide the peaks of small programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of all runs the cheapest and the largest. */
struct cost {
	double cpu;   /* seconds, all threads, in user mode and in the kernel */
	double spent; /* seconds of all runs together */
	long peak;    /* KiB */
	long runs;
};

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The program's errors are seen, what it has to say of its progress is not. */
static void become(char *const *command)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(command[0], command);
	fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

static int run(char *const *command, struct cost *cost)
{
	struct rusage usage;
	int status = 0;
	double cpu;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(command);
	if (wait4(pid, &status, 0, &usage) != pid)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "measure: %s: %s %d\n", command[0], WIFEXITED(status) ? "exit status" : "signal",
		        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		return -ECHILD;
	}
	cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	if (!cost->runs || cpu < cost->cpu)
		cost->cpu = cpu;
	if (usage.ru_maxrss > cost->peak)
		cost->peak = usage.ru_maxrss;
	cost->spent += cpu;
	cost->runs++;
	return 0;
}

int main(int argc, char *const *argv)
{
	struct cost cost = {0};
	double budget;
	long least;

	if (argc < 5) {
		fputs("Usage: bench_measure SECONDS RUNS RESULT COMMAND...\n"
		      "Runs COMMAND until it took so many seconds of processor time and ran so often, each time "
		      "without the\n"
		      "file RESULT at first, and prints as JSON the seconds of its cheapest run and the KiB of its "
		      "largest.\n",
		      stderr);
		return 2;
	}
	budget = strtod(argv[1], NULL);
	least = strtol(argv[2], NULL, 10);
	while (cost.runs < least || cost.spent < budget) {
		if (unlink(argv[3]) && errno != ENOENT) {
			fprintf(stderr, "measure: %s: %s\n", argv[3], strerror(errno));
			return 1;
		}
		if (run(argv + 4, &cost))
			return 1;
	}
	printf("{\"cpu\": %.6f, \"peak\": %ld, \"runs\": %ld}\n", cost.cpu, cost.peak, cost.runs);
	return 0;
}
