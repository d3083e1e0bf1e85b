/* recalld, the daemon: its command line. */
#include "proxy/config/log.h"
#include "proxy/config/store_key.h"
#include "proxy/daemon/daemon.h"
#include "proxy/runtime/descriptors.h"
#include "proxy/runtime/version.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

enum { WARNING_SIZE = 512 };

static const char usage[] =
	"recalld [-c FILE] [-t] [--version] [--help]\n\nA reverse proxy that gives every "
	"OpenAI-compatible chat a memory.\n  -c FILE    read the configuration from FILE; default: "
	"built-in values and the environment\n  -t         check the configuration and exit: 0 if "
	"it is valid, else 1 and every fault\n  --version  print the version and exit\n  --help    "
	" print this and exit\n\nIt runs in the foreground and logs to standard error. SIGTERM "
	"drains and exits, SIGHUP\nreloads the configuration. The environment variable "
	"RECALLD_<SECTION>_<KEY> overrides a key.\n";

struct options {
	const char *file;
	bool test;
	int exit_status; /* -1: go on */
};

static struct options read_options(int count, char **arguments)
{
	static const struct option names[] = {
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.exit_status = -1};
	for (int option; (option = getopt_long(count, arguments, "c:th", names, NULL)) != -1;) {
		switch (option) {
		case 'c':
			options.file = optarg;
			break;
		case 't':
			options.test = true;
			break;
		case 'V':
			(void)printf("recalld %s\n", version_text);
			options.exit_status = EXIT_SUCCESS;
			return options;
		case 'h':
			(void)fputs(usage, stdout);
			options.exit_status = EXIT_SUCCESS;
			return options;
		default:
			(void)fputs(usage, stderr);
			options.exit_status = EXIT_FAILURE;
			return options;
		}
	}
	if (optind < count) {
		(void)fprintf(stderr,
			      "recalld: unexpected argument \"%s\"; give a file with -c\n%s",
			      arguments[optind], usage);
		options.exit_status = EXIT_FAILURE;
	}
	return options;
}

/* Holds SIGHUP back until the daemon handles it. Ignores SIGUSR1 and SIGUSR2, which make other
 * proxies reopen logs or hand over. */
static void hold_signals(void)
{
	sigset_t reload;
	(void)signal(SIGHUP, SIG_IGN); /* the daemon handles it no longer */
	(void)signal(SIGUSR1, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &reload, NULL);
}

int main(int count, char **arguments)
{
	store_key_take_environment();
	hold_signals();
	descriptors_hold_standard();
	struct options options = read_options(count, arguments);
	if (options.exit_status >= 0)
		return descriptors_finish_output("recalld") ? options.exit_status : EXIT_FAILURE;
	struct config *config = options.test ? config_test(options.file, stderr)
					     : config_read_at_start(options.file);
	if (config == NULL)
		return EXIT_FAILURE;
	if (!options.test)
		return daemon_run(options.file, config);
	const char *name = options.file == NULL ? "defaults" : options.file;
	char warning[WARNING_SIZE];
	if (!daemon_describe_limits(config, warning, sizeof(warning)))
		(void)fprintf(stderr, "%s: warning: %s\n", name, warning);
	(void)printf("%s: the configuration is fine\n", name);
	config_release(config);
	return EXIT_SUCCESS;
}
