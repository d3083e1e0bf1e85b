/* demo-model: a small server of the APIs of OpenAI (Chat Completions and Responses), Anthropic and
 * Ollama that answers only from what it finds in the request. */
#include "tests/model/api.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_BODY = 64 * 1024 * 1024, MAX_HEADERS = 64 * 1024, MAX_DELAY = 600 * 1000 };

struct server {
	struct event_base *base;
	struct prompt_cache cache;
	long delay_ms; /* before the first byte */
	long chunk_ms; /* between two chunks */
};

/* One reply under way. */
struct reply {
	struct server *server;
	struct evhttp_request *request;
	struct event *timer;
	enum api api;
	json_t *body;   /* the request, as one of Chat Completions */
	json_t *events; /* of a streamed reply */
	struct completion completion;
	struct arena arena;
	size_t next_event;
	bool started;
	bool client_gone;
};

static void send_json(struct evhttp_request *request, int status, json_t *value)
{
	char *printed = json_dumps(value, JSON_COMPACT);
	struct evbuffer *out = evbuffer_new();
	evbuffer_add(out, printed, strlen(printed));
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "application/json");
	evhttp_send_reply(request, status, NULL, out);
	evbuffer_free(out);
	free(printed);
	json_decref(value);
}

static void send_error(struct evhttp_request *request, enum api api, int status,
		       const char *message)
{
	send_json(request, status, api_error(api, message));
}

static void reply_destroy(struct reply *reply)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(reply->request);
	if (connection != NULL)
		evhttp_connection_set_closecb(connection, NULL, NULL);
	event_free(reply->timer);
	completion_finish(&reply->completion);
	json_decref(reply->body);
	json_decref(reply->events);
	arena_finish(&reply->arena);
	free(reply);
}

static void on_client_gone(struct evhttp_connection *connection, void *cookie)
{
	(void)connection;
	((struct reply *)cookie)->client_gone = true;
}

static void reply_wait(struct reply *reply, long milliseconds)
{
	struct timeval delay = {milliseconds / 1000, milliseconds % 1000 * 1000};
	evtimer_add(reply->timer, &delay);
}

/* NULL: what follows the last. */
static void send_event(struct reply *reply, const json_t *event)
{
	struct buffer bytes;
	buffer_init(&bytes, MAX_BODY);
	api_frame(reply->api, event, &bytes);
	if (bytes.size > 0) {
		struct evbuffer *out = evbuffer_new();
		evbuffer_add(out, bytes.data, bytes.size);
		evhttp_send_reply_chunk(reply->request, out);
		evbuffer_free(out);
	}
	buffer_finish(&bytes);
}

static void reply_end(struct reply *reply)
{
	struct evhttp_request *request = reply->request;
	reply_destroy(reply);
	evhttp_send_reply_end(request);
}

static void stream_next(struct reply *reply)
{
	const json_t *event = json_array_get(reply->events, reply->next_event++);
	send_event(reply, event);
	if (event == NULL)
		reply_end(reply);
	else
		reply_wait(reply, reply->server->chunk_ms);
}

static void stream_start(struct reply *reply)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(reply->request);
	evhttp_add_header(headers, "Content-Type", api_stream_type(reply->api));
	evhttp_add_header(headers, "Cache-Control", "no-cache");
	evhttp_send_reply_start(reply->request, HTTP_OK, "OK");
	reply->events = api_events(reply->api, &reply->completion);
	reply->started = true;
}

static void on_timer(evutil_socket_t fd, short events, void *cookie)
{
	struct reply *reply = cookie;
	(void)fd;
	(void)events;
	if (reply->client_gone) {
		reply_end(reply);
	} else if (!reply->completion.stream) {
		struct evhttp_request *request = reply->request;
		json_t *object = api_object(reply->api, &reply->completion);
		reply_destroy(reply);
		send_json(request, HTTP_OK, object);
	} else {
		if (!reply->started)
			stream_start(reply);
		stream_next(reply);
	}
}

static json_t *read_body(struct evhttp_request *request)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(request);
	size_t size = evbuffer_get_length(in);
	const char *bytes = (const char *)evbuffer_pullup(in, -1);
	return bytes == NULL ? NULL : json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);
}

/* NULL, or what is wrong with the request. */
static const char *read_request(struct reply *reply)
{
	const char *fault = NULL;
	json_t *body = read_body(reply->request);
	if (body == NULL)
		return "The body is not valid JSON.";
	reply->body = api_read(reply->api, body, &fault);
	json_decref(body);
	if (fault != NULL)
		return fault;
	return completion_create(reply->body, &reply->server->cache, time(NULL), &reply->completion,
				 &reply->arena);
}

static void handle_completion(struct server *server, struct evhttp_request *request, enum api api)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));
	reply->server = server;
	reply->request = request;
	reply->api = api;
	reply->timer = evtimer_new(server->base, on_timer, reply);
	const char *fault = read_request(reply);
	if (fault != NULL) {
		reply_destroy(reply);
		send_error(request, api, HTTP_BADREQUEST, fault);
		return;
	}
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_client_gone,
				      reply);
	reply_wait(reply, server->delay_ms);
}

static void handle(struct evhttp_request *request, void *cookie)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	bool post = evhttp_request_get_command(request) == EVHTTP_REQ_POST;
	bool models = path != NULL && strcmp(path, "/v1/models") == 0;
	enum api api = api_of(path);
	if (!models && api == API_NONE)
		send_error(request, api, HTTP_NOTFOUND, "There is nothing at this path.");
	else if (post == models)
		send_error(request, api, HTTP_BADMETHOD,
			   "This path is not to be asked with this method.");
	else if (models)
		send_json(request, HTTP_OK,
			  json_pack("{s:s,s:[{s:s,s:s,s:i,s:s}]}", "object", "list", "data", "id",
				    "demo-model", "object", "model", "created", 0, "owned_by",
				    "recalld"));
	else
		handle_completion(cookie, request, api);
}

static bool listen_on(struct evhttp *http, const char *host, uint16_t port)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof(address);
	int on = 1;
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, host, port);
	if (bound == NULL)
		return false;
	evutil_socket_t fd = evhttp_bound_socket_get_fd(bound);
	/* Accepted sockets inherit it; without it small chunks wait for each other's
	 * acknowledgement. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return false;
	printf("listening on http://%s:%u/v1\n", host, (unsigned)ntohs(address.sin_port));
	(void)fflush(stdout);
	return true;
}

static void on_signal(evutil_socket_t number, short events, void *cookie)
{
	(void)number;
	(void)events;
	event_base_loopbreak(cookie);
}

static bool serve(struct server *server, const char *host, uint16_t port)
{
	struct evhttp *http = evhttp_new(server->base);
	struct event *term = evsignal_new(server->base, SIGTERM, on_signal, server->base);
	struct event *interrupt = evsignal_new(server->base, SIGINT, on_signal, server->base);
	evsignal_add(term, NULL);
	evsignal_add(interrupt, NULL);
	evhttp_set_max_body_size(http, MAX_BODY);
	evhttp_set_max_headers_size(http, MAX_HEADERS);
	evhttp_set_gencb(http, handle, server);
	bool listening = listen_on(http, host, port);
	if (listening)
		event_base_dispatch(server->base);
	else
		(void)fprintf(stderr, "demo-model: cannot listen on %s:%u: %s\n", host,
			      (unsigned)port, strerror(errno));
	evhttp_free(http);
	event_free(term);
	event_free(interrupt);
	return listening;
}

/* A whole number from 0 to `most`; ends the program when it is none. */
static long number_option(const char *text, long most)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < 0 || number > most) {
		(void)fprintf(stderr, "demo-model: '%s' is not a number from 0 to %ld\n", text,
			      most);
		exit(EXIT_FAILURE);
	}
	return number;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'},
						{"host", required_argument, NULL, 'h'},
						{"delay-ms", required_argument, NULL, 'd'},
						{"chunk-ms", required_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	struct server server = {0};
	const char *host = "127.0.0.1";
	long port = 0;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			port = number_option(optarg, UINT16_MAX);
		else if (option == 'h')
			host = optarg;
		else if (option == 'd')
			server.delay_ms = number_option(optarg, MAX_DELAY);
		else if (option == 'c')
			server.chunk_ms = number_option(optarg, MAX_DELAY);
		else
			return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	server.base = event_base_new();
	bool served = serve(&server, host, (uint16_t)port);
	event_base_free(server.base);
	prompt_cache_finish(&server.cache);
	return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
