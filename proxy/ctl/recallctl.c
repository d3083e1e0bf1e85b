/* recallctl: talks to the admin address of a running recalld. */
#include "proxy/config/store_key.h"
#include "proxy/ctl/tool/ctl.h"
#include "proxy/runtime/descriptors.h"
#include "proxy/runtime/version.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

const struct ctl_command *const ctl_commands[] = {
	&ctl_check,    &ctl_top,    &ctl_users,   &ctl_show,       &ctl_receipts,    &ctl_explain,
	&ctl_preview,  &ctl_facts,  &ctl_correct, &ctl_pin,        &ctl_restore,     &ctl_suggested,
	&ctl_settings, &ctl_import, &ctl_forget,  &ctl_audit,      &ctl_unpark,      &ctl_export,
	&ctl_rebuild,  &ctl_scrub,  &ctl_dedupe,  &ctl_rotate_key, &ctl_export_keys,
};

const size_t ctl_command_count = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

static const struct ctl_command *find_command(struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < ctl_command_count; i++) {
		if (strcmp(ctl_commands[i]->name, name) == 0)
			return ctl_commands[i];
	}
	ctl_fault(ctl, "unknown command %s; see recallctl --help", name);
	return NULL;
}

/* False: the number of arguments is wrong, or an option is not the command's. */
static bool fits(struct ctl *ctl, const struct ctl_command *command, uint64_t given)
{
	if (ctl->argument_count >= command->least && ctl->argument_count <= command->most)
		return ctl_takes_options(ctl, command, given) && ctl_check_color(ctl);
	ctl_fault(ctl, "%s takes %s; see recallctl %s --help", command->name,
		  command->most == 0 ? "no argument" : command->arguments, command->name);
	return false;
}

/* Adds the scheme, since the paths of calls are appended. */
static const char *with_scheme(const char *address, struct arena *arena)
{
	struct slice text = slice_of(address);
	if (slice_starts_with(text, SLICE("unix:")))
		return address;
	while (text.size > 0 && text.data[text.size - 1] == '/')
		text.size--;
	const char *scheme = slice_starts_with(text, SLICE("http://")) ? "" : "http://";
	return arena_printf(arena, "%s%.*s", scheme, SLICE_PRINT(text)).data;
}

/* Prints its faults unchanged: they name file and line. */
static struct config *read_config(struct ctl *ctl)
{
	char *faults = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&faults, &size);
	if (out == NULL)
		out_of_memory();
	struct config *config = config_read(ctl->file, out, NULL);
	(void)fclose(out);
	(void)fputs(faults, stderr);
	if (config == NULL) {
		faults[strcspn(faults, "\n")] = '\0';
		ctl_note_fault(ctl, faults);
	}
	free(faults);
	return config;
}

/* False: it cannot be read, which has been reported. */
static bool read_store_key(struct ctl *ctl, const struct config *config,
			   unsigned char key[STORE_KEY_SIZE])
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	bool fine = !config->storage.encrypt || store_key_read(config, key, &why);
	if (!fine)
		ctl_fault(ctl, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	ctl->store.master = config->storage.encrypt ? key : NULL;
	buffer_finish(&why);
	return fine;
}

static int run(const struct ctl_command *command, struct ctl *ctl)
{
	struct config *config = read_config(ctl);
	if (config == NULL)
		return EXIT_FAILURE;
	struct arena arena = {0};
	const char *address = ctl->admin != NULL ? ctl->admin : config->listen.admin;
	ctl->is_remote = ctl->admin != NULL && ctl->store.path == NULL;
	ctl->admin = with_scheme(address, &arena);
	if (ctl->token == NULL)
		ctl->token = config->listen.admin_token;
	if (ctl->store.path == NULL)
		ctl->store.path = config->storage.path;
	ctl->store.map_size = config->storage.map_size;
	ctl->store.receipts = config->memory.receipts;
	ctl->keys_keep = config->storage.backup_keys_keep;
	unsigned char key[STORE_KEY_SIZE];
	const bool takes_store = (command->takes & CTL_TAKES_STORE) != 0;
	const bool needs_key =
		takes_store && (command->needs_key == NULL || command->needs_key(ctl));
	int status = EXIT_FAILURE;
	if (address[0] == '\0' && !takes_store)
		ctl_fault(ctl, "the configuration has no admin address; give --admin");
	else if (!needs_key || read_store_key(ctl, config, key))
		status = command->run(ctl);
	ctl->store.master = NULL;
	OPENSSL_cleanse(key, sizeof(key));
	arena_finish(&arena);
	config_release(config);
	return status;
}

/* Runs the command that the words name. */
static int run_named(int count, char **words, uint64_t given, struct ctl *ctl)
{
	if (count == 0) {
		ctl_note_fault(ctl, "no command given; see recallctl --help");
		ctl_print_usage(stderr);
		return EXIT_FAILURE;
	}
	const struct ctl_command *command = find_command(ctl, words[0]);
	ctl->arguments = words + 1;
	ctl->argument_count = count - 1;
	if (command == NULL || !fits(ctl, command, given))
		return EXIT_FAILURE;
	return run(command, ctl);
}

/* The usage, or the help of the command that the words name. */
static int help(int count, char **words, struct ctl *ctl)
{
	const struct ctl_command *command = count == 0 ? NULL : find_command(ctl, words[0]);
	if (count > 0 && command == NULL)
		return EXIT_FAILURE;
	if (command == NULL)
		ctl_print_usage(stdout);
	else
		ctl_print_help(command);
	return EXIT_SUCCESS;
}

static int read_and_run(int count, char **words, struct ctl *ctl)
{
	uint64_t given = 0;
	switch (ctl_read_options(count, words, ctl, &given)) {
	case CTL_HELP:
		return help(count - optind, words + optind, ctl);
	case CTL_VERSION:
		(void)printf("recallctl %s\n", version_text);
		return EXIT_SUCCESS;
	case CTL_COMPLETE:
		ctl_print_completions();
		return EXIT_SUCCESS;
	case CTL_RUN:
		return run_named(count - optind, words + optind, given, ctl);
	case CTL_WRONG:
		break;
	}
	ctl_print_usage(stderr);
	return EXIT_FAILURE;
}

int main(int count, char **words)
{
	store_key_take_environment();
	descriptors_hold_standard();
	struct ctl ctl = {.tenant = ""};
	int status = read_and_run(count, words, &ctl);
	ctl_print_faults(&ctl);
	free(ctl.fault);
	return descriptors_finish_output("recallctl") ? status : EXIT_FAILURE;
}
