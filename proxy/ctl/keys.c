/* The keys of an encrypted store: another master key, and the users' keys for backups. */
#include "proxy/config/store_key.h"
#include "proxy/ctl/tool/ctl.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ctl_read_key(struct ctl *ctl, const char *file, unsigned char key[STORE_KEY_SIZE])
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	bool fine = store_key_read_file(file, key, &why);
	if (!fine)
		ctl_fault(ctl, "%s %.*s", file, SLICE_PRINT(buffer_slice(&why)));
	buffer_finish(&why);
	return fine;
}

static int rotate(struct ctl *ctl)
{
	unsigned char key[STORE_KEY_SIZE];
	char error[512];
	size_t users = 0;
	if (ctl->store.master == NULL) {
		ctl_fault(ctl, "the configuration says that the store is not encrypted");
		return EXIT_FAILURE;
	}
	if (!ctl_read_key(ctl, ctl->arguments[0], key))
		return EXIT_FAILURE;
	bool done = store_rotate_key(&ctl->store, key, &users, error, sizeof(error));
	OPENSSL_cleanse(key, sizeof(key));
	if (!done) {
		ctl_fault(ctl, "%s", error);
		return EXIT_FAILURE;
	}
	if (ctl->json)
		return ctl_print_json(json_pack("{s:I}", "users", (json_int_t)users));
	(void)printf("the keys of %zu users now need the new key: set [storage] key_file or "
		     "key_command to it, and destroy the old one\n",
		     users);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_rotate_key = {
	.name = "rotate-key",
	.arguments = "FILE",
	.help = "give an encrypted store the master key in FILE",
	.details = "Stop recalld first. The old key, from the configuration, then opens\n"
		   "nothing any more.",
	.example = "recallctl rotate-key /etc/recalld/new.key",
	.success = "the store needs the new key",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_STORE,
	.run = rotate,
};

static const uint64_t DAY_MS = 24 * 3600 * 1000;

static bool is_usable(struct ctl *ctl)
{
	const char *fault = NULL;
	if (ctl->store.master == NULL)
		fault = "the configuration says that the store is not encrypted";
	else if (ctl->to == NULL)
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
			       ctl->to);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	bool done =
		differs &&
		store_export_keys(&ctl->store, to, STDOUT_FILENO, users, error, sizeof(error)) &&
		ctl_sync_output(error, sizeof(error));
	if (!done)
		ctl_fault(ctl, "%s", error);
	return done;
}

static int run_export(struct ctl *ctl)
{
	unsigned char to[STORE_KEY_SIZE];
	size_t users = 0;
	ctl->json = false; /* standard output carries the keys */
	if (!is_usable(ctl) || !ctl_read_key(ctl, ctl->to, to))
		return EXIT_FAILURE;
	bool done = export_keys(ctl, to, &users);
	OPENSSL_cleanse(to, sizeof(to));
	if (!done)
		return EXIT_FAILURE;
	(void)fprintf(stderr,
		      "the keys of %zu users; delete the file within %" PRIu64
		      " days ([storage] backup_keys_keep): until then it opens what was erased\n",
		      users, ctl->keys_keep / DAY_MS);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_export_keys = {
	.name = "export-keys",
	.arguments = ">FILE",
	.help = "write an encrypted store's keys",
	.details = "The key in KEYFILE, not the store's own, then opens FILE. With both, rebuild\n"
		   "reads sealed exports. Whoever is erased after FILE was made can be read from\n"
		   "exports of before until FILE is deleted. Works beside a running daemon.",
	.example = "recallctl export-keys --to backup.key >keys-2026-12-01",
	.success = "the keys are on disk",
	.takes = CTL_TAKES_STORE | CTL_TAKES_TO,
	.run = run_export,
};
