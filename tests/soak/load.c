/* soak-load --port P --admin P --exchanges N [--clients 32] [--seed 1]: so many clients, one after
 * the other as so many users, each exchange as chance has it: a plain or streamed chat, or a fault.
 * Prints "EXCHANGES FAULTS UNEXPECTED" each thousandth of the way, and fails where a reply was not
 * as it must be. */
#include "tests/bench/wire_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLIENTS = 256, MAX_BODY = 3 << 20, HISTORY = 6, STALLED_SECONDS = 30 };

/* What an exchange must come to. */
enum outcome { WHOLE, STATUS, ERROR, BROKEN, CLIENT_LEAVES, ANYTHING };

struct scenario {
	const char *name;
	int weight;
	bool is_fault;
	bool streams;
	const char *stub;   /* for X-Stub */
	const char *fields; /* further ones, each with its line end */
	enum outcome outcome;
	int status;      /* with STATUS */
	int big;         /* KB of text more */
	int leave_ms;    /* with CLIENT_LEAVES; 0: once the reply has begun */
	const char *raw; /* instead of a chat */
	bool tools;
	bool slow; /* to read, or with leave_ms to send */
};

#define CHUNKY "events=40 interval=5"

static const struct scenario scenarios[] = {
	{"plain", 300, false, false, "events=8", "", WHOLE},
	{"streamed", 300, false, true, "events=12", "", WHOLE},
	{"buffer", 15, false, true, "", "X-Memory-Mode: buffer\r\n", WHOLE},
	{"summary", 15, false, false, "", "X-Memory-Mode: summary\r\n", WHOLE},
	{"entity", 15, false, true, "", "X-Memory-Mode: entity\r\n", WHOLE},
	{"vector", 15, false, false, "", "X-Memory-Mode: vector\r\n", WHOLE},
	{"auto", 15, false, true, "", "X-Memory-Mode: auto\r\n", WHOLE},
	{"off", 10, false, true, "", "X-Memory-Mode: off\r\n", WHOLE},
	{"readonly", 10, false, false, "", "X-Memory-Mode: readonly\r\n", WHOLE},
	{"dry run", 10, false, false, "", "X-Memory-Dry-Run: 1\r\n", STATUS, 200},
	{"tools", 30, false, false, "tools=1", "", WHOLE, .tools = true},
	{"tool results", 30, false, true, "", "", WHOLE, .tools = true},
	{"side", 10, false, false, "", "X-Memory-Task: title\r\n", WHOLE},
	{"big", 12, false, false, "events=200", "", WHOLE, .big = 60},
	{"huge", 2, false, true, "", "", WHOLE, .big = 1500},
	{"compact stream", 10, false, true, "events=20 bytes=4000", "", WHOLE},
	{"unknown mode", 10, true, false, "", "X-Memory-Mode: purple\r\n", STATUS, 400},
	{"leaves at once", 20, true, true, "delay=20", "", CLIENT_LEAVES, .leave_ms = 5},
	{"leaves mid-stream", 20, true, true, CHUNKY, "", CLIENT_LEAVES},
	{"leaves a plain reply", 10, true, false, "delay=20", "", CLIENT_LEAVES, .leave_ms = 5},
	{"reads slowly", 5, true, true, "events=60 bytes=8000", "", WHOLE, .slow = true},
	{"upstream 500", 15, true, false, "status=500", "", STATUS, 500},
	{"upstream 429", 15, true, true, "status=429", "", STATUS, 429},
	{"refused", 20, true, true, "refuse=1", "", WHOLE},
	{"refused anyway", 10, true, false, "status=400", "", STATUS, 400},
	{"breaks before its head", 10, true, false, "cut=0", "", STATUS, 502},
	{"breaks mid-stream", 15, true, true, "events=9 cut=4", "", ERROR},
	{"garbage", 10, true, true, "garbage=1", "", STATUS, 502},
	{"no JSON", 10, true, false, "garbage=2", "", WHOLE},
	{"malformed request", 10, true, .outcome = STATUS, .status = 400,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n"},
	{"two framings", 5, true, .outcome = STATUS, .status = 400,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"no request", 5, true, .outcome = STATUS, .status = 400,
	 .raw = "\x16\x03\x01 hello\r\n\r\n"},
	{"half a request", 5, true, .outcome = CLIENT_LEAVES, .leave_ms = 3,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{\"m"},
	{"body is no JSON", 10, true, .outcome = STATUS, .status = 200,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-User-Id: broken\r\n"
		"Content-Length: 14\r\n\r\n{\"messages\":[["},
	{"other path", 10, false, .outcome = STATUS, .status = 200,
	 .raw = "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"upgrade", 5, true, .outcome = STATUS, .status = 501,
	 .raw = "GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
		"Upgrade: websocket\r\n\r\n"},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

struct soak;

struct client {
	struct soak *soak;
	struct wire_client *wire;
	struct wire_client *admin;
	struct event *timer;
	const struct scenario *scenario;
	unsigned long user;
	unsigned left; /* exchanges of this user */
	unsigned turn; /* of the conversation */
	unsigned long said[HISTORY];
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
	struct client all[MAX_CLIENTS];
	char *body;
};

static unsigned long chance(unsigned long below)
{
	return (unsigned long)random() % below;
}

static const struct scenario *choose(void)
{
	long all = 0;
	for (int i = 0; i < SCENARIOS; i++)
		all += scenarios[i].weight;
	long at = (long)chance((unsigned long)all);
	int i = 0;
	while (at >= scenarios[i].weight)
		at -= scenarios[i++].weight;
	return &scenarios[i];
}

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
		/* What refuses also closes. */
		bool closes = scenario->raw != NULL || scenario->slow;
		judge(client, reply);
		if (closes)
			drop_wire(client);
	}
}

static size_t put(char *body, size_t at, const char *text)
{
	size_t size = strlen(text);
	memcpy(body + at, text, size + 1);
	return at + size;
}

static size_t put_turn(char *body, size_t at, unsigned long number, unsigned long user)
{
	static const char *const subjects[] = {"ship",  "garden",  "boiler", "violin",
					       "novel", "bicycle", "kitchen"};
	return at + (size_t)sprintf(body + at,
				    "{\"role\":\"user\",\"content\":\"My %s number %lu stands in "
				    "town %lu and I paid %lu for it\"}",
				    subjects[number % 7], number % 1000, (number * 7 + user) % 500,
				    number);
}

static size_t put_history(struct client *client, char *body, size_t at)
{
	unsigned count = client->turn < HISTORY ? client->turn : HISTORY;
	for (unsigned i = count; i > 0; i--) {
		unsigned long number = client->said[(client->turn - i) % HISTORY];
		at = put_turn(body, at, number, client->user);
		at += (size_t)sprintf(body + at,
				      ",{\"role\":\"assistant\",\"content\":\"Answer %lu word word "
				      "word word word word word\"},",
				      number);
	}
	return at;
}

static size_t write_body(struct client *client, unsigned long number)
{
	const struct scenario *scenario = client->scenario;
	char *body = client->soak->body;
	size_t at = put(body, 0, "{\"model\":\"stub\",");
	at = put(body, at, scenario->streams ? "\"stream\":true," : "");
	at = put(body, at, "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief. ");
	for (int i = 0; i < scenario->big * 16; i++)
		at = put(body, at,
			 "The quick brown fox jumps over the lazy dog, and then it naps. ");
	at = put(body, at, "\"},");
	at = put_history(client, body, at);
	at = put_turn(body, at, number, client->user);
	if (scenario->tools && scenario->streams)
		at = put(body, at,
			 ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_"
			 "1\","
			 "\"type\":\"function\",\"function\":{\"name\":\"look_up\",\"arguments\":"
			 "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":"
			 "\"42\"}");
	return put(body, at, "]}");
}

static void send_chat(struct client *client)
{
	const struct scenario *scenario = client->scenario;
	unsigned long number = client->soak->begun;
	char head[1024];
	char session[64] = "";
	size_t size = write_body(client, number);
	/* Each third user names the session. */
	if (client->user % 3 == 0)
		(void)snprintf(session, sizeof(session), "X-Session-Id: s%u\r\n",
			       client->left / 12);
	int head_size = snprintf(
		head, sizeof(head),
		"POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nX-User-Id: %s%lu\r\n%s%s"
		"Authorization: Bearer key\r\nX-Stub: say=%lu %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		client->user % 5 == 0 ? "trim-" : "user-", client->user, session, scenario->fields,
		number, scenario->stub, size);
	wire_send(client->wire, head, (size_t)head_size);
	wire_send(client->wire, client->soak->body, size);
	/* What it will resend as history is what the stub says to plain chats. */
	if (scenario == &scenarios[0])
		client->said[client->turn++ % HISTORY] = number;
}

static void begin_exchange(struct client *client)
{
	const struct scenario *scenario = client->scenario = choose();
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
			    "%s /v1/users/%s%lu%s HTTP/1.1\r\nHost: soak\r\nContent-Type: "
			    "application/json\r\nContent-Length: %zu\r\n\r\n%s",
			    method, client->user % 5 == 0 ? "trim-" : "user-", client->user, what,
			    strlen(body), body);
	client->admin =
		wire_open(client->soak->base, client->soak->admin_port, 0, on_admin, client);
	wire_send(client->admin, request, (size_t)size);
}

static void begin_user(struct client *client)
{
	client->user = ++client->soak->users;
	client->left = 20 + (unsigned)chance(60);
	client->turn = 0;
	ask_admin(client, "POST", "/messages",
		  "{\"learn\":true,\"messages\":[{\"role\":\"user\",\"content\":\"I sailed to "
		  "Lisbon\",\"session\":\"past\"},{\"role\":\"assistant\",\"content\":\"A fine "
		  "city.\",\"session\":\"past\"}]}");
}

/* The next thing that this client does. */
static void next(struct client *client)
{
	struct soak *soak = client->soak;
	if (client->user == 0) {
		begin_user(client);
	} else if (client->left == 0 || soak->begun == soak->exchanges) {
		if (soak->begun == soak->exchanges)
			soak->clients--;
		if (soak->clients == 0)
			event_base_loopbreak(soak->base);
		if (soak->begun == soak->exchanges)
			return;
		ask_admin(client, "DELETE", "", "");
		client->user = 0;
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
	static struct soak soak = {.clients = 32};
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
		else if (strcmp(argv[i], "--seed") == 0)
			seed = (unsigned)number;
	}
	if (soak.port == 0 || soak.admin_port == 0 || soak.exchanges == 0)
		return EXIT_FAILURE;
	srandom(seed);
	(void)signal(SIGPIPE, SIG_IGN);
	soak.body = malloc(MAX_BODY);
	run(&soak);
	free(soak.body);
	printf("%lu %lu %lu\n", soak.done, soak.faults, soak.unexpected);
	return soak.unexpected == 0 && soak.done == soak.exchanges ? EXIT_SUCCESS : EXIT_FAILURE;
}
