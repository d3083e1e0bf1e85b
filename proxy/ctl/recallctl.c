/* recallctl: talks to the admin address of a running recalld. */
#include "proxy/config/store_key.h"
#include "proxy/ctl/ctl.h"
#include "proxy/runtime/process.h"
#include "proxy/runtime/version.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

/* Reads the options and moves them before the arguments, as getopt_long() does. Returns 0 to run a
 * command, the code of --help, --version or --complete, or "?" if one is wrong (reported). */
static int read_options(int count, char **words, struct ctl *ctl)
{
	int wish = 0;
	bool is_right = true;
	for (int read; (read = getopt_long(count, words, "c:h", ctl_options, NULL)) != -1;) {
		if (read == '?') {
			ctl_note_fault(ctl,
				       "unknown option, or a missing value; see recallctl --help");
			is_right = false;
		} else if (read < CTL_OPTIONS || read == 'c') {
			ctl->given.values[read == 'c' ? 0 : read] = optarg == NULL ? "1" : optarg;
		} else {
			wish = read;
		}
	}
	return is_right ? wish : '?';
}

/* False: one was given that is not the command's. */
static bool takes_options(struct ctl *ctl)
{
	const struct ctl_command *command = ctl->command;
	for (const struct option *option = ctl_options; option->name != NULL; option++) {
		const int place = option->val;
		if (place < CTL_OPTIONS && ctl->given.values[place] != NULL &&
		    (command->takes >> place & 1) == 0)
			return ctl_fault(ctl, "%s does not take --%s; see recallctl %s --help",
					 command->name, option->name, command->name);
	}
	return true;
}

/* ---- commands ---- */

static const struct ctl_command *find_command(struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		if (strcmp(ctl_commands[i].name, name) == 0)
			return &ctl_commands[i];
	}
	ctl_fault(ctl, "unknown command %s; see recallctl --help", name);
	return NULL;
}

/* False: the number of arguments is wrong, or an option is not the command's. */
static bool fits(struct ctl *ctl)
{
	const struct ctl_command *command = ctl->command;
	if (ctl->argument_count >= command->least && ctl->argument_count <= command->most)
		return takes_options(ctl) && ctl_check_color(ctl);
	return ctl_fault(ctl, "%s takes %s; see recallctl %s --help", command->name,
			 command->most == 0 ? "no argument" : command->arguments, command->name);
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
	struct config *config = config_read(ctl->given.c, out, NULL);
	(void)fclose(out);
	(void)fputs(faults, stderr);
	if (config == NULL) {
		faults[strcspn(faults, "\n")] = '\0';
		ctl_note_fault(ctl, faults);
	}
	free(faults);
	return config;
}

static bool run(struct ctl *ctl)
{
	struct config *config = read_config(ctl);
	if (config == NULL)
		return false;
	union ctl_given *given = &ctl->given;
	const char *address = given->admin != NULL ? given->admin : config->listen.admin;
	ctl->config = config;
	if (given->tenant != NULL && given->tenant[0] == '\0')
		given->tenant = NULL;
	ctl->admin = with_scheme(address, &ctl->arena);
	ctl->token = given->token != NULL ? given->token : config->listen.admin_token;
	ctl->store.path = given->store != NULL ? given->store : config->storage.path;
	ctl->store.map_size = config->storage.map_size;
	ctl->store.receipts = config->memory.receipts;
	const bool needs_address = (ctl->command->takes >> CTL_STORE & 1) == 0;
	const bool done =
		address[0] == '\0' && needs_address
			? ctl_fault(ctl, "the configuration has no admin address; give --admin")
			: ctl->command->run(ctl);
	OPENSSL_cleanse(ctl->key, sizeof(ctl->key));
	config_release(config);
	return done;
}

/* Runs the command that the words name. */
static bool run_named(int count, char **words, struct ctl *ctl)
{
	if (count == 0) {
		ctl_note_fault(ctl, "no command given; see recallctl --help");
		(void)fputs(ctl_usage, stderr);
		return false;
	}
	ctl->command = find_command(ctl, words[0]);
	ctl->arguments = words + 1;
	ctl->argument_count = count - 1;
	return ctl->command != NULL && fits(ctl) && run(ctl);
}

/* The usage, or the help of the command that the words name. */
static bool help(int count, char **words, struct ctl *ctl)
{
	const struct ctl_command *command = count == 0 ? NULL : find_command(ctl, words[0]);
	if (count == 0 || command != NULL)
		(void)fputs(count == 0 ? ctl_usage : command->manual, stdout);
	return count == 0 || command != NULL;
}

static bool read_and_run(int count, char **words, struct ctl *ctl)
{
	switch (read_options(count, words, ctl)) {
	case 'h':
		return help(count - optind, words + optind, ctl);
	case 'v':
		(void)printf("recallctl %s\n", version_text);
		return true;
	case 'l':
		(void)fputs(ctl_completions, stdout);
		return true;
	case 0:
		return run_named(count - optind, words + optind, ctl);
	default:
		(void)fputs(ctl_usage, stderr);
		return false;
	}
}

int main(int count, char **words)
{
	store_key_take_environment();
	descriptors_hold_standard();
	struct ctl ctl = {0};
	const bool done = read_and_run(count, words, &ctl);
	ctl_print_faults(&ctl);
	arena_finish(&ctl.arena);
	return descriptors_finish_output("recallctl") && done ? EXIT_SUCCESS : EXIT_FAILURE;
}
