#include "proxy/ctl/tool/ctl.h"
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
	if (report->erased > 0)
		(void)fprintf(stderr, "%12s  %" PRIu64 " records: erased since the export\n",
			      "left out", report->erased);
	if (report->locked > 0)
		(void)fprintf(stderr, "%12s  %" PRIu64 " records: no keys open them\n", "left out",
			      report->locked);
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

bool ctl_sync_output(char *why, size_t why_size)
{
	/* EINVAL: not a file. */
	if (fsync(STDOUT_FILENO) == 0 || errno == EINVAL || errno == EROFS)
		return true;
	(void)snprintf(why, why_size, "cannot write the export: %s", strerror(errno));
	return false;
}

static void move_bar(void *cookie, double share)
{
	ctl_progress_move(cookie, share);
}

static int export_store(struct ctl *ctl)
{
	struct dump_report report;
	if (!is_there(ctl))
		return EXIT_FAILURE;
	/* A failed write explains itself; a signal would look like a damaged page. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	struct ctl_progress bar;
	const struct store_progress progress = {move_bar, &bar};
	ctl_progress_begin(&bar, "exporting");
	bool done = (ctl->plain ? store_export : store_export_sealed)(
		&ctl->store, STDOUT_FILENO, bar.out == NULL ? NULL : &progress, &report);
	ctl_progress_end(&bar);
	done = done && ctl_sync_output(report.error, sizeof(report.error));
	ctl_print_dump(ctl, &report, "written");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool needs_key(const struct ctl *ctl)
{
	return ctl->plain;
}

/* What was encrypted is about to lie in the clear. */
static bool may_be_plain(struct ctl *ctl)
{
	char answer[8] = "";
	if (ctl->store.master == NULL || ctl->yes)
		return true;
	if (isatty(STDIN_FILENO)) {
		(void)fputs("Write the whole memory of an encrypted store in the clear? (yes) ",
			    stderr);
		if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0)
			return true;
	}
	ctl_fault(ctl, "--plain writes an encrypted store in the clear; confirm it with --yes");
	return false;
}

static int run(struct ctl *ctl)
{
	ctl->json = false; /* standard output carries the export */
	if (isatty(STDOUT_FILENO)) {
		ctl_fault(ctl, "an export contains all memory; write it to a file: recallctl "
			       "export >FILE");
		return EXIT_FAILURE;
	}
	if (ctl->argument_count > 0 && ctl->plain) {
		ctl_fault(ctl, "--plain is for the whole store: a user's memory is never sealed");
		return EXIT_FAILURE;
	}
	if (ctl->argument_count == 0 && ctl->include != NULL) {
		ctl_fault(ctl, "--include is for a user's memory: name one");
		return EXIT_FAILURE;
	}
	if (ctl->argument_count > 0)
		return ctl_export_user(ctl);
	return !ctl->plain || may_be_plain(ctl) ? export_store(ctl) : EXIT_FAILURE;
}

const struct ctl_command ctl_export = {
	.name = "export",
	.arguments = "[USER] >FILE",
	.help = "write a user's memory, or the whole store, as JSON",
	.details = "A USER's memory comes from the daemon, in the form that \"import --user\"\n"
		   "takes; with --include, also the receipts and what the audit log has of them.\n"
		   "Without one, the store's directory is written as JSON Lines: that contacts no\n"
		   "daemon, and works beside a running one. From a damaged store it saves what is\n"
		   "readable and counts the rest. Records of an encrypted store stay sealed: to\n"
		   "rebuild a store from them takes export-keys, too. With --plain they do not.",
	.example = "recallctl export --store /var/lib/recalld >backup.jsonl\n"
		   "recallctl export alex >alex.json\n"
		   "recallctl export alex --include facts,turns,summary,receipts,audit >all.json",
	.success = "everything readable is on disk",
	.failure = "no such user",
	.most = 1,
	.takes = CTL_TAKES_STORE | CTL_TAKES_PARTS | CTL_TAKES_PLAIN,
	.run = run,
	.needs_key = needs_key,
};
