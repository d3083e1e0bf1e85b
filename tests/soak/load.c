/* soak-load --port P --admin P --exchanges N [--clients 32] [--rests 1] [--seed 1]: so many
 * clients, one after the other as so many users, each exchange as chance has it: a plain or
 * streamed chat, or a fault. Prints "EXCHANGES FAULTS UNEXPECTED" each thousandth of the way, the
 * same after "rest" when all have left, and then waits for a line; fails where a reply was not as
 * it must be. */
#include "tests/bench/wire_client.h"
#include "tests/soak/scenarios.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLIENTS = 256, STALLED_SECONDS = 30 };

struct soak;

struct client {
	struct soak *soak;
	struct wire_client *wire;
	struct wire_client *admin;
	struct event *timer;
	const struct scenario *scenario;
	struct soak_talk talk;
	unsigned left; /* exchanges of this user */
	bool finished;
	bool resumes; /* the timer is to let it read on */
};

struct soak {
	struct event_base *base;
	struct event *watchdog;
	int port, admin_port;
	unsigned long exchanges, begun, done, faults, unexpected;
	unsigned long users;
	unsigned long seen; /* by the watchdog */
	unsigned clients;
	unsigned rests, rested; /* in the whole run, and so far */
	unsigned resting;       /* clients */
	struct client all[MAX_CLIENTS];
	char *body;
};

static void finished(struct client *client, bool as_it_must_be, const char *what)
{
	struct soak *soak = client->soak;
	if (client->finished)
		return;
	client->finished = true;
	event_del(client->timer);
	soak->done++;
	soak->faults += client->scenario->is_fault;
	if (!as_it_must_be && soak->unexpected++ < 20)
		(void)fprintf(stderr, "soak-load: %s: %s\n", client->scenario->name, what);
	if (soak->done % (soak->exchanges / 1000 + 1) == 0) {
		printf("%lu %lu %lu\n", soak->done, soak->faults, soak->unexpected);
		(void)fflush(stdout);
	}
	/* From the loop: whoever called may still look at its connection. */
	event_add(client->timer, &(struct timeval){0, 0});
}

static void drop_wire(struct client *client)
{
	wire_close(client->wire);
	client->wire = NULL;
}

static void judge(struct client *client, const struct wire_reply *reply)
{
	const struct scenario *scenario = client->scenario;
	char what[80];
	bool right = true;
	(void)snprintf(what, sizeof(what), "status %d, done %d, error %d", reply->status,
		       reply->has_done, reply->has_error);
	if (scenario->outcome == WHOLE)
		right = reply->status == 200 && !reply->has_error &&
			(!scenario->streams || reply->has_done);
	else if (scenario->outcome == STATUS)
		right = reply->status == scenario->status;
	else if (scenario->outcome == ERROR)
		right = reply->status == 200 && reply->has_error && !reply->has_done;
	finished(client, right, what);
}

static void on_wire(void *cookie, enum wire_event event, const struct wire_reply *reply)
{
	struct client *client = cookie;
	const struct scenario *scenario = client->scenario;
	if (event == WIRE_CLOSED) {
		client->wire = NULL;
		if (!client->finished)
			finished(client, scenario->outcome == CLIENT_LEAVES, "closed");
	} else if (event == WIRE_BEGUN && scenario->slow) {
		wire_read(client->wire, false);
		client->resumes = true;
		event_add(client->timer, &(struct timeval){0, 100000});
	} else if (event == WIRE_BEGUN && scenario->outcome == CLIENT_LEAVES) {
		drop_wire(client);
		finished(client, true, "");
	} else if (event == WIRE_REPLIED) {
		/* A refusal also closes the connection. */
		bool closes = scenario->raw != NULL || scenario->slow;
		judge(client, reply);
		if (closes)
			drop_wire(client);
	}
}

static void send_chat(struct client *client)
{
	const struct scenario *scenario = client->scenario;
	unsigned long number = client->soak->begun;
	char head[1024];
	char session[64] = "";
	size_t size = soak_write_body(&client->talk, scenario, number, client->soak->body);
	/* Each third user names the session. */
	if (client->talk.user % 3 == 0)
		(void)snprintf(session, sizeof(session), "X-Session-Id: s%u\r\n",
			       client->left / 12);
	int head_size = snprintf(
		head, sizeof(head),
		"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: %s%lu\r\n%s%s"
		"Authorization: Bearer key\r\nX-Stub: say=%lu %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		client->talk.user % 5 == 0 ? "trim-" : "user-", client->talk.user, session,
		scenario->fields, number, scenario->stub, size);
	wire_send(client->wire, head, (size_t)head_size);
	wire_send(client->wire, client->soak->body, size);
	/* The history that it resends is the stub's answer to plain chats. */
	if (scenario_is_plain(scenario))
		client->talk.said[client->talk.turn++ % SOAK_HISTORY] = number;
}

static void begin_exchange(struct client *client)
{
	const struct scenario *scenario = client->scenario = scenario_choose();
	struct soak *soak = client->soak;
	if (client->wire != NULL && (scenario->raw != NULL || scenario->slow || chance(50) == 0))
		drop_wire(client);
	if (client->wire == NULL)
		client->wire = wire_open(soak->base, soak->port, scenario->slow ? 8192 : 0, on_wire,
					 client);
	client->finished = client->resumes = false;
	if (scenario->raw != NULL)
		wire_send(client->wire, scenario->raw, strlen(scenario->raw));
	else
		send_chat(client);
	if (scenario->leave_ms > 0)
		event_add(client->timer, &(struct timeval){0, scenario->leave_ms * 1000});
}

static void on_admin(void *cookie, enum wire_event event, const struct wire_reply *reply)
{
	struct client *client = cookie;
	if (event == WIRE_BEGUN)
		return;
	if ((event == WIRE_CLOSED || reply->status >= 500) && client->soak->unexpected++ < 20)
		(void)fprintf(stderr, "soak-load: admin: status %d\n",
			      event == WIRE_CLOSED ? 0 : reply->status);
	if (event == WIRE_REPLIED)
		wire_close(client->admin);
	client->admin = NULL;
	event_add(client->timer, &(struct timeval){0, 0});
}

static void ask_admin(struct client *client, const char *method, const char *what, const char *body)
{
	char request[1024];
	int size = snprintf(request, sizeof(request),
			    "%s /v1/users/%s%lu%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			    "application/json\r\nContent-Length: %zu\r\n\r\n%s",
			    method, client->talk.user % 5 == 0 ? "trim-" : "user-",
			    client->talk.user, what, strlen(body), body);
	client->admin =
		wire_open(client->soak->base, client->soak->admin_port, 0, on_admin, client);
	wire_send(client->admin, request, (size_t)size);
}

static void begin_user(struct client *client)
{
	client->talk.user = ++client->soak->users;
	client->left = 20 + (unsigned)chance(60);
	client->talk.turn = 0;
	ask_admin(client, "POST", "/messages",
		  "{\"learn\":true,\"messages\":[{\"role\":\"user\",\"content\":\"I sailed to "
		  "Lisbon\",\"session\":\"past\"},{\"role\":\"assistant\",\"content\":\"A fine "
		  "city.\",\"session\":\"past\"}]}");
}

/* Where all clients leave for a while; the last time it is the end. */
static unsigned long next_rest(const struct soak *soak)
{
	return soak->exchanges * (soak->rested + 1) / soak->rests;
}

/* All have left: whoever watches looks at the daemon, and says with a line when to go on. */
static void on_all_left(evutil_socket_t fd, short what, void *cookie)
{
	struct soak *soak = cookie;
	char line[8];
	(void)fd;
	(void)what;
	printf("rest %lu %lu %lu\n", soak->done, soak->faults, soak->unexpected);
	(void)fflush(stdout);
	(void)!fgets(line, sizeof(line), stdin);
	soak->resting = 0;
	soak->seen = ULONG_MAX; /* by the watchdog, too */
	if (++soak->rested == soak->rests)
		event_base_loopbreak(soak->base);
	for (unsigned i = 0; i < soak->clients; i++)
		event_add(soak->all[i].timer, &(struct timeval){0, 0});
}

static void rest(struct client *client)
{
	struct soak *soak = client->soak;
	drop_wire(client);
	/* A bufferevent closes its socket only in a later turn of the loop. */
	if (++soak->resting == soak->clients)
		event_base_once(soak->base, -1, EV_TIMEOUT, on_all_left, soak,
				&(struct timeval){0, 100000});
}

/* The next thing that this client does. */
static void next(struct client *client)
{
	struct soak *soak = client->soak;
	if (client->talk.user == 0) {
		begin_user(client);
	} else if (soak->begun == next_rest(soak)) {
		rest(client);
	} else if (client->left == 0) {
		ask_admin(client, "DELETE", "", "");
		client->talk.user = 0;
	} else if (chance(40) == 0) {
		client->left--;
		ask_admin(client, "GET", "/memory", "");
	} else {
		client->left--;
		soak->begun++;
		begin_exchange(client);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	struct client *client = cookie;
	(void)fd;
	(void)what;
	if (!client->finished && client->resumes) {
		client->resumes = false;
		wire_read(client->wire, true);
	} else if (!client->finished && client->scenario != NULL) {
		drop_wire(client);
		finished(client, true, "");
	} else {
		next(client);
	}
}

/* A reply that never comes would hold everything up for ever. */
static void on_watchdog(evutil_socket_t fd, short what, void *cookie)
{
	struct soak *soak = cookie;
	(void)fd;
	(void)what;
	if (soak->done == soak->seen) {
		(void)fprintf(stderr, "soak-load: nothing has moved for %d s\n", STALLED_SECONDS);
		for (int i = 0; i < MAX_CLIENTS; i++) {
			if (soak->all[i].scenario != NULL && !soak->all[i].finished)
				(void)fprintf(stderr, "  %s\n", soak->all[i].scenario->name);
		}
		soak->unexpected++;
		event_base_loopbreak(soak->base);
	}
	soak->seen = soak->done;
}

static void run(struct soak *soak)
{
	unsigned clients = soak->clients;
	soak->base = event_base_new();
	soak->watchdog = event_new(soak->base, -1, EV_PERSIST, on_watchdog, soak);
	event_add(soak->watchdog, &(struct timeval){STALLED_SECONDS, 0});
	for (unsigned i = 0; i < clients; i++) {
		soak->all[i].soak = soak;
		soak->all[i].finished = true;
		soak->all[i].timer = event_new(soak->base, -1, 0, on_timer, &soak->all[i]);
		event_add(soak->all[i].timer, &(struct timeval){0, 0});
	}
	event_base_dispatch(soak->base);
	for (unsigned i = 0; i < clients; i++) {
		wire_close(soak->all[i].wire);
		wire_close(soak->all[i].admin);
		event_free(soak->all[i].timer);
	}
	event_free(soak->watchdog);
	event_base_free(soak->base);
}

int main(int argc, char **argv)
{
	static struct soak soak = {.clients = 32, .rests = 1};
	unsigned seed = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned long number = strtoul(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--port") == 0)
			soak.port = (int)number;
		else if (strcmp(argv[i], "--admin") == 0)
			soak.admin_port = (int)number;
		else if (strcmp(argv[i], "--exchanges") == 0)
			soak.exchanges = number;
		else if (strcmp(argv[i], "--clients") == 0 && number <= MAX_CLIENTS)
			soak.clients = (unsigned)number;
		else if (strcmp(argv[i], "--rests") == 0)
			soak.rests = (unsigned)number;
		else if (strcmp(argv[i], "--seed") == 0)
			seed = (unsigned)number;
	}
	if (soak.port == 0 || soak.admin_port == 0 || soak.exchanges == 0 || soak.rests == 0 ||
	    soak.exchanges < soak.rests)
		return EXIT_FAILURE;
	srandom(seed);
	(void)signal(SIGPIPE, SIG_IGN);
	soak.body = malloc(SOAK_MAX_BODY);
	run(&soak);
	free(soak.body);
	return soak.unexpected == 0 && soak.done == soak.exchanges ? EXIT_SUCCESS : EXIT_FAILURE;
}
