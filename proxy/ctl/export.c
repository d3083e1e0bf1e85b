#include "proxy/ctl/ctl.h"
#include "storage/dump/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ctl_print_dump(struct ctl *ctl, const struct dump_report *report, const char *what)
{
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		if (report->tables[i].records + report->tables[i].unreadable +
			    report->tables[i].holes ==
		    0)
			continue;
		(void)fprintf(stderr, "%12s  %" PRIu64 " %s", report->tables[i].name,
			      report->tables[i].records, what);
		if (report->tables[i].unreadable > 0)
			(void)fprintf(stderr, ", %" PRIu64 " unusable",
				      report->tables[i].unreadable);
		if (report->tables[i].holes > 0)
			(void)fprintf(stderr, ", lost: what lay in %" PRIu64 " damaged places",
				      report->tables[i].holes);
		(void)fputc('\n', stderr);
	}
	if (report->error[0] != '\0')
		ctl_fault(ctl, "%s", report->error);
}

/* Checks that the store exists. Otherwise, the commonest of all errors, it starts nothing and says
 * what to do. */
static bool is_there(struct ctl *ctl)
{
	const char *path = ctl->store.path;
	char *file = xmalloc(strlen(path) + sizeof("/data.mdb"));
	(void)stpcpy(stpcpy(file, path), "/data.mdb");
	bool is_readable = access(file, R_OK) == 0;
	if (!is_readable)
		ctl_fault(ctl,
			  "cannot read the store in %s: %s; name its directory with --store or its "
			  "configuration with -c, and run as its user or root",
			  path, strerror(errno));
	free(file);
	return is_readable;
}

static void move_bar(void *cookie, double share)
{
	ctl_progress_move(cookie, share);
}

static int run(struct ctl *ctl)
{
	struct dump_report report;
	ctl->json = false; /* standard output carries the export */
	if (isatty(STDOUT_FILENO)) {
		ctl_fault(ctl, "an export contains all memory; write it to a file: recallctl "
			       "export >FILE");
		return EXIT_FAILURE;
	}
	if (!is_there(ctl))
		return EXIT_FAILURE;
	/* A failed write explains itself; a signal would look like a damaged page. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	struct ctl_progress bar;
	const struct store_progress progress = {move_bar, &bar};
	ctl_progress_begin(&bar, "exporting");
	bool done = store_export(ctl->store.path, STDOUT_FILENO, bar.out == NULL ? NULL : &progress,
				 &report);
	ctl_progress_end(&bar);
	/* Makes sure the export is on disk, or the exit status says that it is not; EINVAL: not a
	 * file. */
	if (done && fsync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS) {
		(void)snprintf(report.error, sizeof(report.error), "cannot write the export: %s",
			       strerror(errno));
		done = false;
	}
	ctl_print_dump(ctl, &report, "written");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct ctl_command ctl_export = {
	.name = "export",
	.arguments = ">FILE",
	.help = "write the whole store as JSON Lines",
	.details = "Contacts no daemon, and works beside a running one. From a damaged store it\n"
		   "saves what is readable and counts the rest.",
	.example = "recallctl export --store /var/lib/recalld >backup.jsonl",
	.success = "everything readable is on disk",
	.takes = CTL_TAKES_STORE,
	.run = run,
};
