/* The commands on a store's directory, and on its keys. */
#include "proxy/config/config.h"
#include "proxy/config/store_key.h"
#include "proxy/ctl/ctl.h"
#include "storage/dump/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND_MS = 1000;
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* Reports on standard error what happened to an export's records. */
static void print_dump(struct ctl *ctl, const struct dump_report *report, const char *what)
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

static bool read_key(struct ctl *ctl, const char *file, unsigned char key[STORE_KEY_SIZE])
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	bool fine = store_key_read_file(file, key, &why);
	if (!fine)
		ctl_fault(ctl, "%s %.*s", file, SLICE_PRINT(buffer_slice(&why)));
	buffer_finish(&why);
	return fine;
}

/* ---- export ---- */

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

/* Puts on disk what was written to standard output. False: `why` says what failed. */
static bool sync_output(char *why, size_t why_size)
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
	bool done = (ctl->given.plain ? store_export : store_export_sealed)(
		&ctl->store, STDOUT_FILENO, bar.out == NULL ? NULL : &progress, &report);
	ctl_progress_end(&bar);
	done = done && sync_output(report.error, sizeof(report.error));
	print_dump(ctl, &report, "written");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int export_user(struct ctl *ctl)
{
	struct buffer answer;
	char why[512] = "";
	int status = ctl_get(ctl, "/v1/users/{1}/export?include&tenant", false, &answer);
	if (status != 200) {
		json_t *fault = ctl_read_json(buffer_slice(&answer));
		buffer_finish(&answer);
		return status == 0 ? EXIT_FAILURE : ctl_fail_call(ctl, status, fault);
	}
	bool done =
		fwrite(answer.data, 1, answer.size, stdout) == answer.size && fflush(stdout) == 0;
	buffer_finish(&answer);
	if (!done)
		return ctl_fault(ctl, "cannot write the export: %s", strerror(errno));
	return sync_output(why, sizeof(why)) ? EXIT_SUCCESS : ctl_fault(ctl, "%s", why);
}

/* What was encrypted is about to lie in the clear. */
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
	ctl_fault(ctl, "--plain writes an encrypted store in the clear; confirm it with --yes");
	return false;
}

int ctl_export(struct ctl *ctl)
{
	const bool is_of_user = ctl->argument_count > 0;
	ctl->given.json = false; /* standard output carries the export */
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
	if (ctl->given.plain && (!ctl_read_store_key(ctl) || !may_be_plain(ctl)))
		return EXIT_FAILURE;
	return export_store(ctl);
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

/* `key` NULL: there are no exported keys. */
static int rebuild(struct ctl *ctl, const unsigned char *key)
{
	struct dump_report report;
	struct ctl_progress bar;
	const struct dump_keys keys = {ctl->given.keys, key};
	int64_t made = INT64_MAX;
	ctl_progress_begin(&bar, "rebuilding");
	if (bar.out != NULL && ctl_share_read(stdin) >= 0)
		ctl->store.progress = (struct store_progress){move_by_reading, &bar};
	bool done = store_rebuild_sealed(&ctl->store, stdin, key == NULL ? NULL : &keys, &made,
					 &report);
	ctl_progress_end(&bar);
	tell_of_age(ctl, made);
	if (done && ctl->given.json)
		return ctl_print_json(as_json(&report));
	print_dump(ctl, &report, "taken");
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

int ctl_rebuild(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	if (!ctl_read_store_key(ctl))
		return EXIT_FAILURE;
	if ((ctl->given.keys == NULL) != (ctl->given.from_key == NULL))
		return ctl_fault(ctl,
				 "--keys and --from-key belong together: a file of \"recallctl "
				 "export-keys\", and the key that opens it");
	if (ctl->given.keys == NULL)
		return rebuild(ctl, NULL);
	if (!read_key(ctl, ctl->given.from_key, key))
		return EXIT_FAILURE;
	int status = rebuild(ctl, key);
	OPENSSL_cleanse(key, sizeof(key));
	return status;
}

/* ---- scrub ---- */

enum { LOOK_US = 200 * 1000 };

/* 0: there is no such file. */
static uint64_t size_of_store(const char *path)
{
	struct arena arena = {0};
	struct stat status;
	const char *file = arena_printf(&arena, "%s/data.mdb", path).data;
	uint64_t size = stat(file, &status) == 0 ? (uint64_t)status.st_size : 0;
	arena_finish(&arena);
	return size;
}

struct sizes {
	uint64_t before, after; /* of the store's file, in bytes */
};

static bool scrub_stopped(struct ctl *ctl, struct sizes *sizes)
{
	char error[512];
	if (!ctl_read_store_key(ctl))
		return false;
	sizes->before = size_of_store(ctl->store.path);
	if (sizes->before == 0) {
		ctl_fault(ctl,
			  "there is no store in %s; give --store, or --admin where recalld runs "
			  "elsewhere",
			  ctl->store.path);
		return false;
	}
	ctl->store.scrubs = true;
	struct store *store = store_open(&ctl->store, error, sizeof(error));
	if (store == NULL)
		ctl_fault(ctl, "%s", error);
	store_close(store);
	sizes->after = size_of_store(ctl->store.path);
	return store != NULL;
}

/* 0: an earlier recalld does not tell. False: nobody answers, which has been reported. */
static bool ask_size(struct ctl *ctl, uint64_t *size)
{
	json_t *answer = NULL;
	int status = ctl_call(ctl, "GET", "/v1/status", NULL, &answer);
	*size = (uint64_t)ctl_number(answer, "file_bytes");
	json_decref(answer);
	return status != 0;
}

/* The daemon that has the store open does it, here or elsewhere. */
static bool scrub_running(struct ctl *ctl, struct sizes *sizes)
{
	struct ctl_progress bar;
	json_t *state = NULL;
	if (!ask_size(ctl, &sizes->before))
		return false;
	int status = ctl_call(ctl, "POST", "/v1/scrub", NULL, &state);
	ctl_progress_begin(&bar, "scrubbing");
	while (status / 100 == 2 && json_is_true(json_object_get(state, "running"))) {
		ctl_progress_move(&bar, json_number_value(json_object_get(state, "share")));
		json_decref(state);
		state = NULL;
		(void)usleep(LOOK_US);
		status = ctl_call(ctl, "GET", "/v1/scrub", NULL, &state);
	}
	ctl_progress_end(&bar);
	if (status / 100 != 2) {
		(void)ctl_fail(ctl, status, state);
		return false;
	}
	(void)ask_size(ctl, &sizes->after);
	const char *error = ctl_text(state, "error");
	bool done = error[0] == '\0';
	if (!done)
		ctl_fault(ctl, "%s", error);
	json_decref(state);
	return done;
}

static bool asks_daemon(const struct ctl *ctl)
{
	char why[512];
	const bool is_remote = ctl->given.admin != NULL && ctl->given.store == NULL;
	return is_remote || store_look(ctl->store.path, why, sizeof(why)) == STORE_LOOK_HELD;
}

int ctl_scrub(struct ctl *ctl)
{
	struct sizes sizes = {0};
	if (!(asks_daemon(ctl) ? scrub_running : scrub_stopped)(ctl, &sizes))
		return EXIT_FAILURE;
	return ctl_show(ctl, json_pack("{s:I,s:I}", "bytes_before", (json_int_t)sizes.before,
				       "bytes_after", (json_int_t)sizes.after));
}

/* ---- keys ---- */

static const char NOT_SEALED[] = "the configuration says that the store is not encrypted";

int ctl_rotate_key(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	char error[512];
	size_t users = 0;
	if (!ctl_read_store_key(ctl))
		return EXIT_FAILURE;
	if (ctl->store.master == NULL)
		return ctl_fault(ctl, "%s", NOT_SEALED);
	if (!read_key(ctl, ctl->arguments[0], key))
		return EXIT_FAILURE;
	bool done = store_rotate_key(&ctl->store, key, &users, error, sizeof(error));
	OPENSSL_cleanse(key, sizeof(key));
	if (!done)
		return ctl_fault(ctl, "%s", error);
	return ctl_show(ctl, json_pack("{s:I}", "users", (json_int_t)users));
}

static bool is_usable(struct ctl *ctl)
{
	const char *fault = NULL;
	if (ctl->store.master == NULL)
		fault = NOT_SEALED;
	else if (ctl->given.to == NULL)
		fault = "name the file of the key that is to open them: --to KEYFILE";
	else if (isatty(STDOUT_FILENO))
		fault = "write the keys to a file: recallctl export-keys --to KEYFILE >FILE";
	if (fault != NULL)
		ctl_fault(ctl, "%s", fault);
	return fault == NULL;
}

static bool export_keys(struct ctl *ctl, const unsigned char *to, size_t *users)
{
	char error[512] = "";
	bool differs = CRYPTO_memcmp(to, ctl->store.master, STORE_KEY_SIZE) != 0;
	if (!differs)
		(void)snprintf(error, sizeof(error),
			       "%s holds the store's own key, which opens the store, too; make "
			       "another",
			       ctl->given.to);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	bool done =
		differs &&
		store_export_keys(&ctl->store, to, STDOUT_FILENO, users, error, sizeof(error)) &&
		sync_output(error, sizeof(error));
	if (!done)
		ctl_fault(ctl, "%s", error);
	return done;
}

int ctl_export_keys(struct ctl *ctl)
{
	unsigned char to[STORE_KEY_SIZE];
	size_t users = 0;
	ctl->given.json = false; /* standard output carries the keys */
	if (!ctl_read_store_key(ctl) || !is_usable(ctl) || !read_key(ctl, ctl->given.to, to))
		return EXIT_FAILURE;
	bool done = export_keys(ctl, to, &users);
	OPENSSL_cleanse(to, sizeof(to));
	if (!done)
		return EXIT_FAILURE;
	(void)fprintf(stderr,
		      "the keys of %zu users; delete the file within %" PRId64
		      " days ([storage] backup_keys_keep): until then it opens what was erased\n",
		      users, (int64_t)ctl->config->storage.backup_keys_keep / DAY_MS);
	return EXIT_SUCCESS;
}
