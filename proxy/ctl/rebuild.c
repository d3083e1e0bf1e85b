#include "proxy/ctl/ctl.h"
#include "storage/dump/dump.h"

#include <stdlib.h>

static json_t *as_json(const struct dump_report *report)
{
	json_t *tables = json_object();
	for (size_t i = 0; i < DUMP_TABLES; i++)
		json_object_set_new(tables, report->tables[i].name,
				    json_pack("{s:I,s:I}", "taken",
					      (json_int_t)report->tables[i].records, "unusable",
					      (json_int_t)report->tables[i].unreadable));
	return tables;
}

/* How much of the export is read, rather than how much the store is said to hold. */
static void move_bar(void *cookie, double share)
{
	(void)share;
	ctl_progress_move(cookie, ctl_share_read(stdin));
}

static int run(struct ctl *ctl)
{
	struct dump_report report;
	struct ctl_progress bar;
	ctl_progress_begin(&bar, "rebuilding");
	if (bar.out != NULL && ctl_share_read(stdin) >= 0)
		ctl->store.progress = (struct store_progress){move_bar, &bar};
	bool done = store_rebuild(&ctl->store, stdin, &report);
	ctl_progress_end(&bar);
	if (done && ctl->json)
		return ctl_print_json(as_json(&report));
	ctl_print_dump(ctl, &report, "taken");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct ctl_command ctl_rebuild = {
	.name = "rebuild",
	.arguments = "<FILE",
	.help = "build a store from an export, in an empty directory",
	.details = "Contacts no daemon.",
	.example = "recallctl rebuild --store /var/lib/recalld.new <backup.jsonl",
	.success = "the store is on disk",
	.takes = CTL_TAKES_STORE,
	.run = run,
};
