/* recalld, the daemon: its command line, its start, reloads, drain and end. */
#include "proxy/admin/admin.h"
#include "proxy/background/learner.h"
#include "proxy/background/retention.h"
#include "proxy/background/scrubber.h"
#include "proxy/config/store_key.h"
#include "proxy/daemon/watch.h"
#include "proxy/exchange/worker.h"
#include "proxy/http/server.h"
#include "proxy/runtime/background.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "proxy/runtime/process.h"
#include "proxy/runtime/version.h"
#include "proxy/service/service.h"
#include "proxy/service/tracer.h"
#include "storage/portable.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_WORKERS = 256,
	WATCH_SECONDS = 1,
	HEAP_SECONDS = 5 * WATCH_SECONDS,
	ERROR_SIZE = 1024,
	IMPORT_PATIENCE_MS = 2000, /* after the signal to stop */
};

struct server_process {
	struct config_watch config_watch;
	struct config *config;
	struct config *first; /* the startup configuration, whose addresses are bound */
	struct service service;
	struct loop *loop;
	struct admin *admin;
	struct worker *workers[MAX_WORKERS];
	size_t worker_count;
	size_t drained_workers;
	bool stopped;
	struct store_watch store_watch;
	unsigned heap_looks;
	struct event *signals[3];
	struct event *watch;
	struct event *drain_deadline;
	struct event *import_deadline;
};

/* ---- limits ---- */

static size_t workers_wanted(const struct config *config)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = (size_t)config->listen.workers;
	if (wanted == 0)
		wanted = processors > 0 ? (size_t)processors : 1;
	return wanted < MAX_WORKERS ? wanted : MAX_WORKERS;
}

/* Whether the process may open enough descriptors for max_connections. If not, `warning` says what
 * it does with fewer. */
static bool describe_limits(const struct config *config, char *warning, size_t warning_size)
{
	size_t wanted = (size_t)config->listen.max_connections;
	size_t limit = descriptors_limit();
	size_t most = descriptors_plan(limit, workers_wanted(config), wanted).connections;
	if (most < wanted)
		(void)snprintf(warning, warning_size,
			       "the limit of %zu open files allows %zu connections, fewer than "
			       "[listen] max_connections = %zu; raise the limit (ulimit -Hn, "
			       "LimitNOFILE of systemd), or lower max_connections",
			       limit, most, wanted);
	return most == wanted;
}

static void warn_of_limits(const struct config *config)
{
	char warning[ERROR_SIZE];
	if (!describe_limits(config, warning, sizeof(warning)))
		log_warn("%s", warning);
}

/* ---- reload ---- */

/* Compares with the startup configuration, which is in force for these keys until a restart. */
static void tell_of_fixed(const struct server_process *process, const struct config *config)
{
	char *names = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&names, &size);
	size_t count = config_unreloadable_changes(process->first, config, out);
	(void)fclose(out);
	for (size_t i = 0; i + 1 < size; i++)
		names[i] = names[i] == '\n' ? ' ' : names[i];
	if (count > 0)
		log_warn("restart recalld to apply the changed keys: %.*s", (int)size - 1, names);
	free(names);
}

static void apply(struct server_process *process, struct config *config)
{
	tell_of_fixed(process, config);
	warn_of_limits(config);
	config_release(process->config);
	process->config = config;
	log_configure((enum log_level)config->log.level, (enum log_format)config->log.format);
	for (size_t i = 0; i < process->worker_count; i++)
		worker_configure(process->workers[i], config);
	learner_configure(process->service.learner, config);
	retention_configure(process->service.retention, config);
	scrubber_configure(process->service.scrubber, config);
	admin_configure(process->admin, config);
	tracer_configure(process->service.tracer, config);
	metrics_count(METRIC_CONFIG_RELOADS, 1);
	log_info("configuration reloaded");
}

static void reload(struct server_process *process)
{
	struct failure_words fault = {0};
	struct config *config = config_watch_read(&process->config_watch, process->config,
						  fault.text, sizeof(fault.text));
	if (config != NULL) {
		last_failure_end(&process->service.reload);
		apply(process, config);
		return;
	}
	(void)last_failure_note(&process->service.reload, &fault);
	metrics_count(METRIC_CONFIG_FAULTS, 1);
	log_error("configuration not reloaded because of the faults above; the old one stays in "
		  "force");
}

static void on_reload(evutil_socket_t signal, short what, void *cookie)
{
	(void)signal;
	(void)what;
	reload(cookie);
}

static void on_watch(evutil_socket_t fd, short what, void *cookie)
{
	struct server_process *process = cookie;
	(void)fd;
	(void)what;
	store_watch_look(&process->store_watch, process->service.store,
			 process->config->storage.rotate);
	if (++process->heap_looks % HEAP_SECONDS == 0)
		malloc_give_back();
	if (config_watch_look(&process->config_watch, process->config))
		reload(process);
}

/* ---- drain ---- */

static void on_admin_drained(void *cookie)
{
	loop_stop(((struct server_process *)cookie)->loop);
}

/* The admin address closes last: until then its probes report the drain. */
static void on_worker_drained(void *cookie)
{
	struct server_process *process = cookie;
	if (process->stopped)
		return; /* cut off, and the admin address is closed */
	if (++process->drained_workers == process->worker_count)
		admin_drain(process->admin, process->loop, on_admin_drained, process);
}

static void post_worker_drained(void *cookie)
{
	struct server_process *process = cookie;
	loop_post(process->loop, on_worker_drained, process);
}

static void on_drain_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct server_process *process = cookie;
	(void)fd;
	(void)what;
	log_warn("drain_timeout expired; cutting off open exchanges");
	loop_stop(process->loop);
}

/* An import can be run again, so it does not hold up the end. */
static void on_import_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct server_process *process = cookie;
	(void)fd;
	(void)what;
	background_hurry(process->service.imports);
	store_end_imports(process->service.store);
}

static void on_stop(evutil_socket_t signal, short what, void *cookie)
{
	struct server_process *process = cookie;
	(void)signal;
	(void)what;
	if (atomic_exchange(&process->service.draining, true)) {
		loop_stop(process->loop); /* the second signal: stop at once */
		return;
	}
	log_info("draining: finishing open exchanges, refusing new connections");
	for (size_t i = 0; i < process->worker_count; i++)
		worker_drain(process->workers[i], post_worker_drained, process);
	loop_wait(process->drain_deadline, (int64_t)process->config->listen.drain_timeout);
	loop_wait(process->import_deadline, IMPORT_PATIENCE_MS);
}

/* ---- start ---- */

static bool fail(const char *what, const char *error)
{
	log_error("%s: %s", what, error);
	return false;
}

static bool is_local(const char *address)
{
	return strncmp(address, "unix:", 5) == 0;
}

/* Workers share the address with SO_REUSEPORT, which would also let a second daemon share it
 * unnoticed, so the address is first bound alone. A local socket is taken over only once the store
 * is open, so that a second daemon with this configuration never takes it away. */
static bool claim_address(struct server_process *process)
{
	char error[ERROR_SIZE];
	if (is_local(process->config->listen.address))
		return true;
	int fd = http_listen_socket(process->config->listen.address, false, error, sizeof(error));
	if (fd < 0)
		return fail("[listen] address", error);
	close(fd);
	return true;
}

/* Workers share a TCP address by SO_REUSEPORT. There is only one local socket; the first worker to
 * accept gets the connection. `shared` is that socket, or -1. */
static bool start_worker(struct server_process *process, int shared)
{
	char error[ERROR_SIZE] = "out of descriptors";
	int fd = shared >= 0 ? fcntl(shared, F_DUPFD_CLOEXEC, 0)
			     : http_listen_socket(process->config->listen.address, true, error,
						  sizeof(error));
	if (fd < 0)
		return fail("[listen] address", error);
	struct worker *worker =
		worker_start(&process->service, process->config, fd, process->worker_count);
	if (worker == NULL)
		return fail("workers", "cannot start a thread");
	process->workers[process->worker_count++] = worker;
	return true;
}

static bool start_workers(struct server_process *process)
{
	char error[ERROR_SIZE];
	const char *address = process->config->listen.address;
	int shared = -1;
	if (is_local(address)) {
		shared = http_listen_socket(address, false, error, sizeof(error));
		if (shared < 0)
			return fail("[listen] address", error);
	}
	bool started = true;
	for (size_t i = process->service.workers; i > 0 && started; i--)
		started = start_worker(process, shared);
	if (shared >= 0)
		close(shared); /* the workers hold duplicates, which they close to stop accepting */
	return started;
}

static bool start_admin(struct server_process *process)
{
	char error[ERROR_SIZE];
	if (process->config->listen.admin[0] == '\0')
		return true;
	int fd = http_listen_socket(process->config->listen.admin, false, error, sizeof(error));
	if (fd < 0)
		return fail("[listen] admin", error);
	process->service.imports = background_start("import");
	if (process->service.imports == NULL)
		return fail("import", "cannot start a thread");
	process->admin = admin_create(&process->service, process->loop, process->config, fd);
	return true;
}

static bool read_key(const struct config *config, unsigned char key[STORE_KEY_SIZE], char *error,
		     size_t error_size)
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	bool fine = store_key_read(config, key, &why);
	if (!fine)
		(void)snprintf(error, error_size, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	buffer_finish(&why);
	return fine;
}

/* Logs what takes long. NULL: `error` says why. */
static struct store *open_store(const struct config *config, char *error, size_t error_size)
{
	unsigned char key[STORE_KEY_SIZE];
	const bool encrypts = config->storage.encrypt;
	struct indexing_watch indexing = indexing_watch_begin();
	struct indexing_watch converting = indexing_watch_begin();
	if (encrypts && !read_key(config, key, error, error_size))
		return NULL;
	const struct store_options options = {
		.progress = {indexing_watch_tell, &indexing},
		.converting = {conversion_watch_tell, &converting},
		.path = config->storage.path,
		.map_size = config->storage.map_size,
		.receipts = config->memory.receipts,
		.scrubs = config->storage.scrub == CONFIG_SCRUB_START,
		.erased_since = clock_wall() - (int64_t)config->storage.erasure_list,
		.master = encrypts ? key : NULL,
	};
	struct store *store = store_open(&options, error, error_size);
	OPENSSL_cleanse(key, sizeof(key));
	if (store != NULL)
		store_watch_tell_of_opening(store, options.path);
	return store;
}

static bool start_store(struct server_process *process)
{
	char error[ERROR_SIZE];
	process->service.store = open_store(process->config, error, sizeof(error));
	if (process->service.store == NULL)
		return fail("[storage] path", error);
	process->service.model_traits = model_traits_create();
	process->service.learner = learner_start(&process->service, process->config);
	if (process->service.learner == NULL)
		return fail("learner", "cannot start a thread");
	process->service.embedder = learner_embedder(process->service.learner);
	process->service.retention = retention_start(process->service.store, process->config);
	if (process->service.retention == NULL)
		return fail("retention", "cannot start a thread");
	process->service.scrubber = scrubber_start(process->service.store, process->config);
	if (process->service.scrubber == NULL)
		return fail("scrub", "cannot start a thread");
	return true;
}

static void watch(struct server_process *process)
{
	static const struct {
		int signal;
		event_callback_fn callback;
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	struct event_base *base = loop_base(process->loop);
	sigset_t heard;
	(void)sigemptyset(&heard);
	for (size_t i = 0; i < 3; i++) {
		process->signals[i] =
			evsignal_new(base, signals[i].signal, signals[i].callback, process);
		event_add(process->signals[i], NULL);
		(void)sigaddset(&heard, signals[i].signal);
	}
	(void)sigprocmask(SIG_UNBLOCK, &heard, NULL); /* SIGHUP was held back until here */
	process->drain_deadline = evtimer_new(base, on_drain_deadline, process);
	process->import_deadline = evtimer_new(base, on_import_deadline, process);
	process->watch = event_new(base, -1, EV_PERSIST, on_watch, process);
	loop_wait(process->watch, WATCH_SECONDS * 1000);
}

static bool start(struct server_process *process)
{
	descriptors_raise();
	last_failure_init(&process->service.upstream);
	last_failure_init(&process->service.learning);
	last_failure_init(&process->service.embedding);
	last_failure_init(&process->service.reload);
	client_log_init(&process->service.misses, LOG_BETWEEN_WARNINGS, false);
	client_log_init(&process->service.failures, LOG_BETWEEN_WARNINGS, true);
	process->service.descriptors = descriptors_limit();
	process->service.workers = workers_wanted(process->config);
	warn_of_limits(process->config);
	malloc_set_up();
	(void)signal(SIGPIPE, SIG_IGN);
	store_watch_lost_pages();
	(void)signal(SIGXFSZ, SIG_IGN); /* the store handles a file that may not grow */
	process->loop = loop_create();
	process->service.tracer = tracer_create(process->loop, process->config);
	watch(process);
	return claim_address(process) && start_store(process) && start_admin(process) &&
	       start_workers(process);
}

/* ---- stop ---- */

/* Threads first, then the store, whose callbacks are posted to the loops; the loops go last. */
static void stop(struct server_process *process)
{
	process->stopped = true;
	for (size_t i = 0; i < process->worker_count; i++)
		worker_stop(process->workers[i]);
	admin_close(process->admin);
	background_stop(process->service.imports);
	tracer_flush(process->service.tracer);
	if (process->service.learner != NULL)
		learner_stop(process->service.learner);
	if (process->service.retention != NULL)
		retention_stop(process->service.retention);
	if (process->service.scrubber != NULL)
		scrubber_stop(process->service.scrubber);
	if (process->service.store != NULL)
		store_close(process->service.store);
	process->service.store = NULL;
	for (size_t i = 0; i < process->worker_count; i++)
		worker_destroy(process->workers[i]);
	for (size_t i = 0; i < 3; i++)
		event_free(process->signals[i]);
	event_free(process->watch);
	event_free(process->drain_deadline);
	event_free(process->import_deadline);
	tracer_destroy(process->service.tracer);
	loop_destroy(process->loop);
	learner_destroy(process->service.learner);
	retention_destroy(process->service.retention);
	scrubber_destroy(process->service.scrubber);
	admin_destroy(process->admin);
	background_destroy(process->service.imports);
	model_traits_destroy(process->service.model_traits);
	http_listen_clear(process->first->listen.address);
	http_listen_clear(process->first->listen.admin);
	config_release(process->first);
	config_release(process->config);
}

/* Serves until a signal ends it. Takes the reference to `config`. A reload reads `file`; NULL:
 * there is none. Returns the process's exit status. */
static int serve(const char *file, struct config *config)
{
	struct server_process *process = xcalloc(1, sizeof(*process));
	process->config = config;
	config_watch_start(&process->config_watch, file, config);
	process->first = config_retain(config);
	process->service.bound = process->first;
	bool local = is_local(config->listen.address);
	const char *scheme = config->listen.tls != NULL ? "https://" : "http://";
	bool started = start(process);
	if (started) {
		log_info("clients use %s%s%s, upstream %s, mode %s", local ? "" : scheme,
			 config->listen.address, local ? "" : "/v1", config->upstream.base_url,
			 mode_name((enum mode)config->memory.mode));
		loop_run(process->loop);
		log_info("stopped");
	}
	stop(process);
	free(process);
	return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the command line ---- */

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
		return serve(options.file, config);
	const char *name = options.file == NULL ? "defaults" : options.file;
	char warning[ERROR_SIZE];
	if (!describe_limits(config, warning, sizeof(warning)))
		(void)fprintf(stderr, "%s: warning: %s\n", name, warning);
	(void)printf("%s: the configuration is fine\n", name);
	config_release(config);
	return EXIT_SUCCESS;
}
