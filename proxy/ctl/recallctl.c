/* recallctl: talks to the admin address of a running recalld. */
#include "proxy/config/config.h"
#include "proxy/ctl/ctl.h"
#include "proxy/runtime/descriptors.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_command *const commands[] = {
	&ctl_check,  &ctl_show,   &ctl_explain, &ctl_preview, &ctl_import,
	&ctl_forget, &ctl_unpark, &ctl_export,  &ctl_rebuild,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
	(void)fputs(
		"recallctl [-c FILE] [--admin HOST:PORT|unix:/PATH] [--token TOKEN] [--tenant T] "
		"[--json] COMMAND\n\n",
		out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)fprintf(out, "  %-7s %-15s %s\n", commands[i]->name, commands[i]->arguments,
			      commands[i]->help);
	(void)fputs("\npreview also takes --mode MODE, --session SESSION and --model MODEL, as the "
		    "request\nwould send them, and --body, which prints the body that would go "
		    "upstream.\n",
		    out);
	(void)fputs("\nimport reads {\"user\",\"messages\":[{\"role\",\"content\",\"created_at\","
		    "\"session\"}]},\none object or several.\n",
		    out);
	(void)fputs("\nexport and rebuild take --store DIRECTORY (default: [storage] path) and "
		    "contact no daemon;\nexport works beside a running one.\n",
		    out);
	(void)fputs("\nThe address and the token come from the configuration FILE, or "
		    "from\nRECALLD_LISTEN_ADMIN and RECALLD_LISTEN_ADMIN_TOKEN; default: "
		    "127.0.0.1:8081.\n",
		    out);
}

struct options {
	const char *file;
	struct ctl ctl; /* admin and token NULL: use the configuration's */
};

static const struct option option_names[] = {
	{"admin", required_argument, NULL, 'a'},  {"token", required_argument, NULL, 'k'},
	{"tenant", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
	{"mode", required_argument, NULL, 'm'},   {"session", required_argument, NULL, 's'},
	{"model", required_argument, NULL, 'o'},  {"store", required_argument, NULL, 'S'},
	{"body", no_argument, NULL, 'b'},         {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
};

/* False: the usage is wrong. */
static bool read_options(int count, char **arguments, struct options *options)
{
	struct ctl *ctl = &options->ctl;
	const char **const values[] = {
		['c'] = &options->file, ['a'] = &ctl->admin,      ['k'] = &ctl->token,
		['n'] = &ctl->tenant,   ['m'] = &ctl->mode,       ['s'] = &ctl->session,
		['o'] = &ctl->model,    ['S'] = &ctl->store.path,
	};
	bool is_right = true;
	for (int option;
	     (option = getopt_long(count, arguments, "c:h", option_names, NULL)) != -1;) {
		if (option == '?') {
			ctl_note_fault(
				ctl,
				"unknown option, or one without its value; see recallctl --help");
			is_right = false;
			continue;
		}
		if (option == 'V') {
			(void)puts("recallctl " RECALLD_VERSION);
			exit(descriptors_finish_output("recallctl") ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		if (option == 'h') {
			print_usage(stdout);
			exit(descriptors_finish_output("recallctl") ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		ctl->json = ctl->json || option == 'j';
		ctl->body = ctl->body || option == 'b';
		if (optarg != NULL)
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): all are in it */
			*values[option] = optarg;
	}
	return is_right;
}

/* Preview options given to a command that does not use them are an error. */
static bool takes_options(const struct ctl_command *command, const struct ctl *ctl)
{
	if (ctl->store.path != NULL && !command->works_on_store)
		return false;
	return command->previews ||
	       (ctl->mode == NULL && ctl->session == NULL && ctl->model == NULL && !ctl->body);
}

static const struct ctl_command *find_command(struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	ctl_fault(ctl, "unknown command %s; see recallctl --help", name);
	return NULL;
}

/* The command that the words name. NULL: there is none, which has been reported. */
static const struct ctl_command *read_command(int count, char **words, struct ctl *ctl)
{
	if (count == 0) {
		ctl_note_fault(ctl, "no command given; see recallctl --help");
		print_usage(stderr);
		return NULL;
	}
	const struct ctl_command *command = find_command(ctl, words[0]);
	if (command == NULL)
		return NULL;
	if (count - 1 < command->least || count - 1 > command->most)
		ctl_fault(ctl, "%s takes %s; see recallctl --help", command->name,
			  command->most == 0 ? "no argument" : command->arguments);
	else if (!takes_options(command, ctl))
		ctl_fault(ctl, "%s does not take that option; see recallctl --help", command->name);
	else
		return command;
	return NULL;
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
static struct config *read_config(struct options *options)
{
	char *faults = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&faults, &size);
	if (out == NULL)
		out_of_memory();
	struct config *config = config_read(options->file, out, NULL);
	(void)fclose(out);
	(void)fputs(faults, stderr);
	if (config == NULL) {
		faults[strcspn(faults, "\n")] = '\0';
		ctl_note_fault(&options->ctl, faults);
	}
	free(faults);
	return config;
}

static int run(const struct ctl_command *command, struct options *options)
{
	struct config *config = read_config(options);
	if (config == NULL)
		return EXIT_FAILURE;
	struct arena arena = {0};
	struct ctl *ctl = &options->ctl;
	const char *address = ctl->admin != NULL ? ctl->admin : config->listen.admin;
	ctl->admin = with_scheme(address, &arena);
	if (ctl->token == NULL)
		ctl->token = config->listen.admin_token;
	if (ctl->store.path == NULL)
		ctl->store.path = config->storage.path;
	ctl->store.map_size = config->storage.map_size;
	ctl->store.receipts = config->memory.receipts;
	int status = EXIT_FAILURE;
	if (address[0] == '\0' && !command->works_on_store)
		ctl_fault(ctl, "the configuration has no admin address; give --admin");
	else
		status = command->run(ctl);
	arena_finish(&arena);
	config_release(config);
	return status;
}

static int read_and_run(int count, char **arguments, struct options *options)
{
	if (!read_options(count, arguments, options)) {
		print_usage(stderr);
		return EXIT_FAILURE;
	}
	const struct ctl_command *command =
		read_command(count - optind, arguments + optind, &options->ctl);
	if (command == NULL)
		return EXIT_FAILURE;
	options->ctl.arguments = arguments + optind + 1;
	options->ctl.argument_count = count - optind - 1;
	return run(command, options);
}

int main(int count, char **arguments)
{
	descriptors_hold_standard();
	struct options options = {.ctl = {.tenant = ""}};
	int status = read_and_run(count, arguments, &options);
	ctl_print_faults(&options.ctl);
	free(options.ctl.fault);
	return descriptors_finish_output("recallctl") ? status : EXIT_FAILURE;
}
