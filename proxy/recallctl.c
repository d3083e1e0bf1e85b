/* recallctl: talks to the admin address of a running recalld. */
#include "proxy/config.h"
#include "proxy/ctl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_command *const commands[] = {
	&ctl_check, &ctl_show, &ctl_import, &ctl_forget, &ctl_unpark,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
	(void)fputs("recallctl [-c FILE] [--admin HOST:PORT] [--token TOKEN] [--tenant T] [--json] "
		    "COMMAND\n\n",
		    out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)fprintf(out, "  %-6s %-7s %s\n", commands[i]->name, commands[i]->arguments,
			      commands[i]->help);
	(void)fputs("\nThe address and the token are taken from the configuration FILE, or from\n"
		    "RECALLD_LISTEN_ADMIN and RECALLD_LISTEN_ADMIN_TOKEN; else 127.0.0.1:8081.\n",
		    out);
}

struct options {
	const char *file;
	const char *admin;
	const char *token;
	const char *tenant;
	bool json;
};

/* False: the usage is wrong. */
static bool read_options(int count, char **arguments, struct options *options)
{
	static const struct option names[] = {
		{"admin", required_argument, NULL, 'a'},
		{"token", required_argument, NULL, 'k'},
		{"tenant", required_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	for (int option; (option = getopt_long(count, arguments, "c:h", names, NULL)) != -1;) {
		switch (option) {
		case 'c':
			options->file = optarg;
			break;
		case 'a':
			options->admin = optarg;
			break;
		case 'k':
			options->token = optarg;
			break;
		case 'n':
			options->tenant = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'V':
			(void)puts("recallctl " RECALLD_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			print_usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			return false;
		}
	}
	return true;
}

static const struct ctl_command *find_command(const char *name)
{
	for (size_t i = 0; name != NULL && i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int run(const struct ctl_command *command, const struct options *options, char **arguments,
	       int count)
{
	struct config *config = config_read(options->file, stderr, NULL);
	if (config == NULL)
		return EXIT_FAILURE;
	struct arena arena = {0};
	const char *address = options->admin != NULL ? options->admin : config->listen.admin;
	bool has_scheme = slice_starts_with(slice_of(address), SLICE("http://"));
	struct ctl ctl = {
		.admin = has_scheme ? address : arena_printf(&arena, "http://%s", address).data,
		.token = options->token != NULL ? options->token : config->listen.admin_token,
		.tenant = options->tenant == NULL ? "" : options->tenant,
		.json = options->json,
		.arguments = arguments,
		.argument_count = count,
	};
	int status = EXIT_FAILURE;
	if (address[0] == '\0')
		(void)fputs("recallctl: the configuration has no admin address; give --admin\n",
			    stderr);
	else
		status = command->run(&ctl);
	arena_finish(&arena);
	config_release(config);
	return status;
}

int main(int count, char **arguments)
{
	struct options options = {0};
	bool understood = read_options(count, arguments, &options);
	const struct ctl_command *command =
		find_command(understood && optind < count ? arguments[optind] : NULL);
	int own = count - optind - 1;
	if (command == NULL || own < command->least || own > command->most) {
		print_usage(stderr);
		return EXIT_FAILURE;
	}
	return run(command, &options, arguments + optind + 1, own);
}
