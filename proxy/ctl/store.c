/* The commands on a store's directory, and on its keys. */
#include "proxy/config/config.h"
#include "proxy/config/store_key.h"
#include "proxy/ctl/ctl.h"
#include "storage/dump/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ERROR_SIZE = 512 };

static const int64_t SECOND_MS = 1000;
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* ---- keys ---- */

/* Reads a key from a file, or the store's own (NULL). */
static bool read_key(struct ctl *ctl, const char *file, unsigned char key[STORE_KEY_SIZE])
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	const bool done = file != NULL ? store_key_read_file(file, key, &why)
				       : store_key_read(ctl->config, key, &why);
	if (!done)
		ctl_fault(ctl, "%s%s%.*s", file == NULL ? "" : file, file == NULL ? "" : " ",
			  SLICE_PRINT(buffer_slice(&why)));
	buffer_finish(&why);
	return done;
}

/* Reads the store's master key, if the configuration says that it is encrypted. */
static bool read_store_key(struct ctl *ctl)
{
	const bool is_sealed = ctl->config->storage.encrypt;
	ctl->store.master = is_sealed ? ctl->key : NULL;
	return !is_sealed || read_key(ctl, NULL, ctl->key);
}

static bool is_sealed(struct ctl *ctl)
{
	return ctl->store.master != NULL ||
	       ctl_fault(ctl, "the configuration says that the store is not encrypted");
}

bool ctl_rotate_key(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	char error[ERROR_SIZE];
	size_t users = 0;
	if (!read_store_key(ctl) || !is_sealed(ctl) || !read_key(ctl, ctl->arguments[0], key))
		return false;
	const bool done = store_rotate_key(&ctl->store, key, &users, error, sizeof(error));
	OPENSSL_cleanse(key, sizeof(key));
	return done ? ctl_show(ctl, json_pack("{s:I}", "users", (json_int_t)users))
		    : ctl_fault(ctl, "%s", error);
}

/* ---- standard output ---- */

/* A failed write explains itself; a signal would look like a damaged page. */
static void ignore_write_signals(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

/* Puts on disk what was written to standard output. False: `why` says what failed. */
static bool sync_output(char why[ERROR_SIZE])
{
	/* EINVAL: not a file. */
	if (fsync(STDOUT_FILENO) == 0 || errno == EINVAL || errno == EROFS)
		return true;
	(void)snprintf(why, ERROR_SIZE, "cannot write the export: %s", strerror(errno));
	return false;
}

/* ---- export ---- */

/* Reports on standard error what happened to an export's records. */
static void print_dump(struct ctl *ctl, const struct dump_report *report, const char *what)
{
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		const uint64_t records = report->tables[i].records;
		const uint64_t unreadable = report->tables[i].unreadable;
		const uint64_t holes = report->tables[i].holes;
		if (records + unreadable + holes == 0)
			continue;
		(void)fprintf(stderr, "%12s  %" PRIu64 " %s", report->tables[i].name, records,
			      what);
		if (unreadable > 0)
			(void)fprintf(stderr, ", %" PRIu64 " unusable", unreadable);
		if (holes > 0)
			(void)fprintf(stderr, ", lost: what lay in %" PRIu64 " damaged places",
				      holes);
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

static const char *file_of(struct ctl *ctl)
{
	return arena_printf(&ctl->arena, "%s/data.mdb", ctl->store.path).data;
}

static void move_bar(void *cookie, double share)
{
	ctl_progress_move(cookie, share);
}

static bool export_store(struct ctl *ctl)
{
	struct dump_report report;
	struct ctl_progress bar;
	const struct store_progress progress = {move_bar, &bar};
	/* Otherwise, the commonest of all errors, starts nothing and says what to do. */
	if (access(file_of(ctl), R_OK) != 0)
		return ctl_fault(ctl,
				 "cannot read the store in %s: %s; name its directory with --store "
				 "or its configuration with -c, and run as its user or root",
				 ctl->store.path, strerror(errno));
	ignore_write_signals();
	ctl_progress_begin(&bar, "exporting");
	bool done = (ctl->given.plain ? store_export : store_export_sealed)(
		&ctl->store, STDOUT_FILENO, bar.out == NULL ? NULL : &progress, &report);
	ctl_progress_end(&bar);
	done = done && sync_output(report.error);
	print_dump(ctl, &report, "written");
	return done;
}

static bool export_user(struct ctl *ctl)
{
	struct buffer answer;
	char why[ERROR_SIZE];
	const int status = ctl_ask(ctl, "GET", ctl->command->path, slice_of(NULL), &answer);
	json_t *fault = status == 200 ? NULL : ctl_read_json(buffer_slice(&answer));
	const bool written = status == 200 &&
			     fwrite(answer.data, 1, answer.size, stdout) == answer.size &&
			     fflush(stdout) == 0;
	buffer_finish(&answer);
	if (status != 200)
		return ctl_fail(ctl, status, fault, ctl->command->unknown);
	if (!written)
		return ctl_fault(ctl, "cannot write the export: %s", strerror(errno));
	return sync_output(why) || ctl_fault(ctl, "%s", why);
}

/* Encrypted data is about to be written in the clear. */
static bool may_be_plain(struct ctl *ctl)
{
	char answer[8] = "";
	if (ctl->store.master == NULL || ctl->given.yes)
		return true;
	if (isatty(STDIN_FILENO)) {
		(void)fputs("Write the whole memory of an encrypted store in the clear? (yes) ",
			    stderr);
		if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0)
			return true;
	}
	return ctl_fault(ctl,
			 "--plain writes an encrypted store in the clear; confirm it with --yes");
}

bool ctl_export(struct ctl *ctl)
{
	const bool is_of_user = ctl->argument_count > 0;
	ctl->given.json = NULL; /* standard output carries the export */
	if (isatty(STDOUT_FILENO))
		return ctl_fault(ctl, "an export contains all memory; write it to a file: "
				      "recallctl export >FILE");
	if (is_of_user && ctl->given.plain)
		return ctl_fault(ctl, "--plain is for the whole store: a user's memory is never "
				      "sealed");
	if (!is_of_user && ctl->given.include != NULL)
		return ctl_fault(ctl, "--include is for a user's memory: name one");
	if (is_of_user)
		return export_user(ctl);
	if (ctl->given.plain && (!read_store_key(ctl) || !may_be_plain(ctl)))
		return false;
	return export_store(ctl);
}

static bool has_key_file(struct ctl *ctl)
{
	if (ctl->given.to == NULL)
		return ctl_fault(ctl, "name the file of the key that is to open them: --to "
				      "KEYFILE");
	return !isatty(STDOUT_FILENO) ||
	       ctl_fault(ctl, "write the keys to a file: recallctl export-keys --to KEYFILE "
			      ">FILE");
}

static bool export_keys(struct ctl *ctl, const unsigned char *to)
{
	char error[ERROR_SIZE] = "";
	size_t users = 0;
	if (CRYPTO_memcmp(to, ctl->store.master, STORE_KEY_SIZE) == 0)
		return ctl_fault(ctl,
				 "%s holds the store's own key, which opens the store, too; make "
				 "another",
				 ctl->given.to);
	ignore_write_signals();
	if (!store_export_keys(&ctl->store, to, STDOUT_FILENO, &users, error, sizeof(error)) ||
	    !sync_output(error))
		return ctl_fault(ctl, "%s", error);
	(void)fprintf(stderr,
		      "the keys of %zu users; delete the file within %" PRId64
		      " days ([storage] backup_keys_keep): until then it opens what was erased\n",
		      users, (int64_t)ctl->config->storage.backup_keys_keep / DAY_MS);
	return true;
}

bool ctl_export_keys(struct ctl *ctl)
{
	unsigned char to[STORE_KEY_SIZE];
	ctl->given.json = NULL; /* standard output carries the keys */
	if (!read_store_key(ctl) || !is_sealed(ctl) || !has_key_file(ctl) ||
	    !read_key(ctl, ctl->given.to, to))
		return false;
	const bool done = export_keys(ctl, to);
	OPENSSL_cleanse(to, sizeof(to));
	return done;
}

/* ---- rebuild ---- */

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
static void move_by_reading(void *cookie, double share)
{
	(void)share;
	ctl_progress_move(cookie, ctl_share_read(stdin));
}

/* Says so if the keys should have been deleted. */
static void tell_of_age(const struct ctl *ctl, int64_t made)
{
	const int64_t age = made == INT64_MAX ? 0 : (int64_t)time(NULL) * SECOND_MS - made;
	if (age > (int64_t)ctl->config->storage.backup_keys_keep)
		(void)fprintf(stderr,
			      "the keys in %s are %" PRId64
			      " days old, more than [storage] backup_keys_keep: delete the file\n",
			      ctl->given.keys, age / DAY_MS);
}

/* `keys` NULL: there are no exported keys. */
static bool rebuild(struct ctl *ctl, const struct dump_keys *keys)
{
	struct dump_report report;
	struct ctl_progress bar;
	int64_t made = INT64_MAX;
	ctl_progress_begin(&bar, "rebuilding");
	if (bar.out != NULL && ctl_share_read(stdin) >= 0)
		ctl->store.progress = (struct store_progress){move_by_reading, &bar};
	const bool done = store_rebuild_sealed(&ctl->store, stdin, keys, &made, &report);
	ctl_progress_end(&bar);
	tell_of_age(ctl, made);
	if (done && ctl->given.json)
		return ctl_print_json(as_json(&report));
	print_dump(ctl, &report, "taken");
	return done;
}

bool ctl_rebuild(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	const struct dump_keys keys = {ctl->given.keys, key};
	if (!read_store_key(ctl))
		return false;
	if ((ctl->given.keys == NULL) != (ctl->given.from_key == NULL))
		return ctl_fault(ctl,
				 "--keys and --from-key belong together: a file of \"recallctl "
				 "export-keys\", and the key that opens it");
	if (ctl->given.keys == NULL)
		return rebuild(ctl, NULL);
	const bool done = read_key(ctl, ctl->given.from_key, key) && rebuild(ctl, &keys);
	OPENSSL_cleanse(key, sizeof(key));
	return done;
}

/* ---- scrub ---- */

/* In bytes; 0: there is no such file. */
static json_int_t size_of_store(struct ctl *ctl)
{
	struct stat status;
	return stat(file_of(ctl), &status) == 0 ? status.st_size : 0;
}

static bool show_scrubbed(struct ctl *ctl, json_int_t before, json_int_t after)
{
	return ctl_show(ctl, json_pack("{s:I,s:I}", "bytes_before", before, "bytes_after", after));
}

static bool scrub_stopped(struct ctl *ctl)
{
	char error[ERROR_SIZE];
	if (!read_store_key(ctl))
		return false;
	const json_int_t before = size_of_store(ctl);
	if (before == 0)
		return ctl_fault(ctl,
				 "there is no store in %s; give --store, or --admin where recalld "
				 "runs elsewhere",
				 ctl->store.path);
	ctl->store.scrubs = true;
	struct store *store = store_open(&ctl->store, error, sizeof(error));
	if (store == NULL)
		return ctl_fault(ctl, "%s", error);
	store_close(store);
	return show_scrubbed(ctl, before, size_of_store(ctl));
}

/* Sets `size` to 0 if an earlier recalld does not tell. False: nobody answers. */
static bool ask_size(struct ctl *ctl, json_int_t *size)
{
	json_t *answer = NULL;
	const int status = ctl_call(ctl, "GET", "/v1/status", NULL, &answer);
	*size = ctl_number(answer, "file_bytes");
	json_decref(answer);
	return status != 0;
}

/* The daemon that has the store open does it, here or elsewhere. */
static bool scrub_running(struct ctl *ctl)
{
	enum { LOOK_US = 200 * 1000 };
	struct ctl_progress bar;
	json_t *state = NULL;
	json_int_t before, after;
	if (!ask_size(ctl, &before))
		return false;
	int status = ctl_call(ctl, "POST", "/v1/scrub", NULL, &state);
	ctl_progress_begin(&bar, "scrubbing");
	while (status / 100 == 2 && json_is_true(json_object_get(state, "running"))) {
		ctl_progress_move(&bar, json_number_value(json_object_get(state, "share")));
		json_decref(state);
		(void)usleep(LOOK_US);
		status = ctl_call(ctl, "GET", "/v1/scrub", NULL, &state);
	}
	ctl_progress_end(&bar);
	if (status / 100 != 2)
		return ctl_fail(ctl, status, state, NULL);
	(void)ask_size(ctl, &after);
	const bool done =
		*ctl_text(state, "error") == '\0' || ctl_fault(ctl, "%s", ctl_text(state, "error"));
	json_decref(state);
	return done && show_scrubbed(ctl, before, after);
}

bool ctl_scrub(struct ctl *ctl)
{
	char why[ERROR_SIZE];
	const bool is_remote = ctl->given.admin != NULL && ctl->given.store == NULL;
	const bool asks_daemon =
		is_remote || store_look(ctl->store.path, why, sizeof(why)) == STORE_LOOK_HELD;
	return (asks_daemon ? scrub_running : scrub_stopped)(ctl);
}
