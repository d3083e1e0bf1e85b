/* A bar on standard error for work that takes long; only a terminal gets one. */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BAR_COLUMNS = 30, DRAWN_EACH_MS = 100, MINUTE = 60 };

static uint64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void ctl_progress_begin(struct ctl_progress *progress, const char *what)
{
	const char *terminal = getenv("TERM");
	*progress = (struct ctl_progress){.what = what, .begun_at = now_ms()};
	if (!isatty(STDERR_FILENO) || terminal == NULL || strcmp(terminal, "dumb") == 0)
		return;
	int fd = dup(STDERR_FILENO);
	progress->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (progress->out == NULL && fd >= 0)
		(void)close(fd);
}

/* The rest takes as long for its part as what is done took for its own. */
static void print_estimate(const struct ctl_progress *progress, uint64_t now, double share)
{
	double passed = (double)(now - progress->begun_at) / 1000;
	unsigned left = (unsigned)(passed / share * (1 - share) + 0.5);
	(void)fprintf(progress->out, ", %u:%02u left", left / MINUTE, left % MINUTE);
}

void ctl_progress_move(struct ctl_progress *progress, double share)
{
	uint64_t now = now_ms();
	bool is_due = progress->drawn_at == 0 || now - progress->drawn_at >= DRAWN_EACH_MS;
	if (progress->out == NULL || !is_due)
		return;
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	int filled = (int)(share * BAR_COLUMNS);
	(void)fprintf(progress->out, "\r%s [", progress->what);
	for (int i = 0; i < BAR_COLUMNS; i++)
		(void)fputc(i < filled ? '#' : '.', progress->out);
	(void)fprintf(progress->out, "] %3.0f %%", share * 100);
	if (share > 0)
		print_estimate(progress, now, share);
	(void)fputs("\033[K", progress->out);
	(void)fflush(progress->out);
	progress->drawn_at = now;
}

void ctl_progress_end(struct ctl_progress *progress)
{
	if (progress->out == NULL)
		return;
	(void)fputs("\r\033[K", progress->out);
	(void)fclose(progress->out);
	progress->out = NULL;
}

double ctl_share_read(FILE *file)
{
	struct stat status;
	off_t at = ftello(file);
	if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode) || at < 0)
		return -1;
	return status.st_size == 0 ? 1 : (double)at / (double)status.st_size;
}
