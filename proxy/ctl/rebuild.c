#include "proxy/ctl/tool/ctl.h"
#include "storage/dump/dump.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <time.h>

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

/* Says so if the keys should have been deleted. */
static void tell_of_age(const struct ctl *ctl, int64_t made)
{
	static const int64_t SECOND_MS = 1000;
	static const int64_t DAY_MS = 24 * 3600 * 1000;
	const int64_t age = made == INT64_MAX ? 0 : (int64_t)time(NULL) * SECOND_MS - made;
	if (age > (int64_t)ctl->keys_keep)
		(void)fprintf(stderr,
			      "the keys in %s are %" PRId64
			      " days old, more than [storage] backup_keys_keep: delete the file\n",
			      ctl->keys, age / DAY_MS);
}

/* `key` NULL: there are no exported keys. */
static int rebuild(struct ctl *ctl, const unsigned char *key)
{
	struct dump_report report;
	struct ctl_progress bar;
	const struct dump_keys keys = {ctl->keys, key};
	int64_t made = INT64_MAX;
	ctl_progress_begin(&bar, "rebuilding");
	if (bar.out != NULL && ctl_share_read(stdin) >= 0)
		ctl->store.progress = (struct store_progress){move_bar, &bar};
	bool done = store_rebuild_sealed(&ctl->store, stdin, key == NULL ? NULL : &keys, &made,
					 &report);
	ctl_progress_end(&bar);
	tell_of_age(ctl, made);
	if (done && ctl->json)
		return ctl_print_json(as_json(&report));
	ctl_print_dump(ctl, &report, "taken");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	if ((ctl->keys == NULL) != (ctl->from_key == NULL)) {
		ctl_fault(ctl, "--keys and --from-key belong together: a file of \"recallctl "
			       "export-keys\", and the key that opens it");
		return EXIT_FAILURE;
	}
	if (ctl->keys == NULL)
		return rebuild(ctl, NULL);
	if (!ctl_read_key(ctl, ctl->from_key, key))
		return EXIT_FAILURE;
	int status = rebuild(ctl, key);
	OPENSSL_cleanse(key, sizeof(key));
	return status;
}

const struct ctl_command ctl_rebuild = {
	.name = "rebuild",
	.arguments = "<FILE",
	.help = "build a store from an export, in an empty directory",
	.details =
		"Contacts no daemon. A sealed export needs the file of export-keys and its key;\n"
		"records that those do not open are left out and counted.",
	.example = "recallctl rebuild --store /var/lib/recalld.new <backup.jsonl\n"
		   "recallctl rebuild --store /var/lib/recalld.new --keys keys-2026-12-01 \\\n"
		   "    --from-key backup.key <backup.jsonl",
	.success = "the store is on disk",
	.takes = CTL_TAKES_STORE | CTL_TAKES_KEYS,
	.run = run,
};
