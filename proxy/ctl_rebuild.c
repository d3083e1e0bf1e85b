#include "proxy/ctl.h"
#include "storage/dump.h"

#include <stdlib.h>

static int run(struct ctl *ctl)
{
	struct dump_report report;
	bool done = store_rebuild(&ctl->store, stdin, &report);
	ctl_print_dump(&report, "taken");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct ctl_command ctl_rebuild = {
	.name = "rebuild",
	.arguments = "<FILE",
	.help = "make a store of an export, in an empty directory",
	.run = run,
	.works_on_store = true,
};
