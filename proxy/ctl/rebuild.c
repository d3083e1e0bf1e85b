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

static int run(struct ctl *ctl)
{
	struct dump_report report;
	bool done = store_rebuild(&ctl->store, stdin, &report);
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
