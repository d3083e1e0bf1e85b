/* recallctl: talks to the admin address of a running recalld. */
#include "proxy/config/store_key.h"
#include "proxy/ctl/ctl.h"
#include "proxy/runtime/descriptors.h"
#include "proxy/runtime/version.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

enum {
	OPTION_HELP = 256, /* past every letter */
	OPTION_VERSION,
	OPTION_COMPLETE,
	OPTION_FIRST, /* ctl_options[0] */
};

enum wish { RUN, HELP, VERSION, COMPLETE, WRONG };

static void keep(struct ctl *ctl, const struct ctl_option *option, const char *value)
{
	void *place = (char *)&ctl->given + option->place;
	if (option->argument == NULL)
		*(bool *)place = true;
	else
		*(const char **)place = value;
}

/* The table as getopt_long() wants it; what every program has comes first. */
static void list_names(struct option names[])
{
	*names++ = (struct option){"help", no_argument, NULL, OPTION_HELP};
	*names++ = (struct option){"version", no_argument, NULL, OPTION_VERSION};
	*names++ = (struct option){"complete", no_argument, NULL, OPTION_COMPLETE};
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		bool has_value = ctl_options[i].argument != NULL;
		*names++ = (struct option){ctl_options[i].name,
					   has_value ? required_argument : no_argument, NULL,
					   OPTION_FIRST + (int)i};
	}
	*names = (struct option){NULL, 0, NULL, 0};
}

/* Reads the options and moves them before the arguments, as getopt_long() does. Returns what they
 * ask for, WRONG for options that are wrong (reported), and the options given as bits of
 * ctl_options in `given`. */
static enum wish read_options(int count, char **words, struct ctl *ctl, uint64_t *given)
{
	struct option names[CTL_OPTIONS + 4];
	enum wish wish = RUN;
	bool is_right = true;
	list_names(names);
	for (int read; (read = getopt_long(count, words, "c:h", names, NULL)) != -1;) {
		if (read == '?') {
			ctl_note_fault(ctl,
				       "unknown option, or a missing value; see recallctl --help");
			is_right = false;
		} else if (read == 'h' || read == OPTION_HELP) {
			wish = HELP;
		} else if (read == OPTION_VERSION) {
			wish = VERSION;
		} else if (read == OPTION_COMPLETE) {
			wish = COMPLETE;
		} else {
			int row = read == 'c' ? 0 : read - OPTION_FIRST;
			keep(ctl, &ctl_options[row], optarg);
			*given |= (uint64_t)1 << row;
		}
	}
	return is_right ? wish : WRONG;
}

/* Reports the first option that the command does not take. */
static bool takes_options(struct ctl *ctl, uint64_t given)
{
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		if (ctl_options[i].is_general || ((given & ~ctl->command->takes) >> i & 1) == 0)
			continue;
		ctl_fault(ctl, "%s does not take --%s; see recallctl %s --help", ctl->command->name,
			  ctl_options[i].name, ctl->command->name);
		return false;
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
static bool fits(struct ctl *ctl, uint64_t given)
{
	const struct ctl_command *command = ctl->command;
	if (ctl->argument_count >= command->least && ctl->argument_count <= command->most)
		return takes_options(ctl, given) && ctl_check_color(ctl);
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

bool ctl_read_store_key(struct ctl *ctl)
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	const bool is_sealed = ctl->config->storage.encrypt;
	bool fine = !is_sealed || store_key_read(ctl->config, ctl->key, &why);
	if (!fine)
		ctl_fault(ctl, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	ctl->store.master = is_sealed ? ctl->key : NULL;
	buffer_finish(&why);
	return fine;
}

static bool takes_store(const struct ctl_command *command)
{
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		if (strcmp(ctl_options[i].name, "store") == 0)
			return (command->takes >> i & 1) != 0;
	}
	return false;
}

static int run(struct ctl *ctl)
{
	struct config *config = read_config(ctl);
	if (config == NULL)
		return EXIT_FAILURE;
	struct arena arena = {0};
	const struct ctl_given *given = &ctl->given;
	const char *address = given->admin != NULL ? given->admin : config->listen.admin;
	ctl->config = config;
	if (given->tenant != NULL && given->tenant[0] == '\0')
		ctl->given.tenant = NULL;
	ctl->admin = with_scheme(address, &arena);
	ctl->token = given->token != NULL ? given->token : config->listen.admin_token;
	ctl->store.path = given->store != NULL ? given->store : config->storage.path;
	ctl->store.map_size = config->storage.map_size;
	ctl->store.receipts = config->memory.receipts;
	int status = EXIT_FAILURE;
	if (address[0] == '\0' && !takes_store(ctl->command))
		ctl_fault(ctl, "the configuration has no admin address; give --admin");
	else
		status = ctl->command->run(ctl);
	OPENSSL_cleanse(ctl->key, sizeof(ctl->key));
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
	ctl->command = find_command(ctl, words[0]);
	ctl->arguments = words + 1;
	ctl->argument_count = count - 1;
	return ctl->command != NULL && fits(ctl, given) ? run(ctl) : EXIT_FAILURE;
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
	switch (read_options(count, words, ctl, &given)) {
	case HELP:
		return help(count - optind, words + optind, ctl);
	case VERSION:
		(void)printf("recallctl %s\n", version_text);
		return EXIT_SUCCESS;
	case COMPLETE:
		ctl_print_completions();
		return EXIT_SUCCESS;
	case RUN:
		return run_named(count - optind, words + optind, given, ctl);
	case WRONG:
		break;
	}
	ctl_print_usage(stderr);
	return EXIT_FAILURE;
}

int main(int count, char **words)
{
	store_key_take_environment();
	descriptors_hold_standard();
	struct ctl ctl = {0};
	int status = read_and_run(count, words, &ctl);
	ctl_print_faults(&ctl);
	free(ctl.fault);
	return descriptors_finish_output("recallctl") ? status : EXIT_FAILURE;
}
