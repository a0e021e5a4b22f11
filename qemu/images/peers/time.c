/* Runs a command several times and tells how long it took.
 *
 *   time [-d SECONDS] [-o FILE] [-r ROOT] COUNT COMMAND [ARGUMENT...]
 *
 * Prints "STATUS MEDIAN MIN", separated by tabs, times in milliseconds from before the fork to after the wait.
 * The first run's standard output goes to FILE and its standard error to FILE.err, all else to /dev/null.
 * A run that is not over after SECONDS is killed with all that it started: status 124, and there it ends.
 * With ROOT the command runs in that root directory, without a chroot tool between. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000, LATE = 124, NO_EXEC = 127 };

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int to_file(const char *path, const char *suffix)
{
	char name[4096];
	snprintf(name, sizeof name, "%s%s", path, suffix);
	return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const char *output = "/dev/null", *root = NULL;
	long seconds = 20;
	int option;
	while ((option = getopt(argc, argv, "+d:o:r:")) != -1) {
		switch (option) {
		case 'd': seconds = atol(optarg); break;
		case 'o': output = optarg; break;
		case 'r': root = optarg; break;
		default: return 2;
		}
	}
	int count = optind < argc ? atoi(argv[optind]) : 0;
	char **command = argv + optind + 1;
	if (count < 1 || count > MOST || seconds < 1 || optind + 1 >= argc) {
		fputs("usage: time [-d SECONDS] [-o FILE] [-r ROOT] COUNT COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}

	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = to_file(output, ""), err = strcmp(output, "/dev/null") ? to_file(output, ".err") : nothing;
	if (nothing < 0 || out < 0 || err < 0) {
		perror(output);
		return 2;
	}
	sigset_t child_ended, before;
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_ended, &before);

	static double times[MOST];
	int status = 0, done = 0;
	while (done < count) {
		int o = done ? nothing : out, e = done ? nothing : err;
		double start = now_ms();
		pid_t child = fork();
		if (child < 0) {
			perror("fork");
			return 2;
		}
		if (child == 0) {
			setpgid(0, 0);
			sigprocmask(SIG_SETMASK, &before, NULL);
			if (dup2(nothing, 0) < 0 || dup2(o, 1) < 0 || dup2(e, 2) < 0)
				_exit(NO_EXEC);
			if (root && (chroot(root) || chdir("/")))
				_exit(NO_EXEC);
			execvp(command[0], command);
			_exit(NO_EXEC);
		}
		int late = 0, state;
		double end;
		for (;;) {
			pid_t ended = waitpid(child, &state, late ? 0 : WNOHANG);
			end = now_ms();
			if (ended == child)
				break;
			double left = seconds * 1e3 - (end - start);
			if (left <= 0) {
				late = 1;
				setpgid(child, child);
				kill(-child, SIGKILL);
				kill(child, SIGKILL);
				continue;
			}
			struct timespec wait = { (time_t)(left / 1e3), (long)((left - 1e3 * (long)(left / 1e3)) * 1e6) };
			sigtimedwait(&child_ended, NULL, &wait);
		}
		times[done++] = end - start;
		if (late)
			status = LATE;
		else if (done == 1)
			status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
		if (status == LATE || status == NO_EXEC)
			break;
	}
	qsort(times, done, sizeof *times, rising);
	double median = done % 2 ? times[done / 2] : (times[done / 2 - 1] + times[done / 2]) / 2;
	printf("%d\t%.3f\t%.3f\n", status, median, times[0]);
	return 0;
}
