#include "proxy/admin/admin.h"

#include "proxy/admin/call.h"
#include "proxy/exchange/identity.h"
#include "proxy/exchange/web_guard.h"
#include "proxy/runtime/metrics.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct admin {
	struct service *service;
	struct loop *loop;
	struct config *config;
	struct http_server *server;
	struct upstream *upstream; /* for question vectors */
	struct question_vectors *vectors;
	atomic_size_t connections;
};

enum {
	MAX_CONNECTIONS = 256,
	IN_FLIGHT_SHARE =
		4, /* a share of max_in_flight, separate from the traffic's; at least one body */
	IDLE_UPSTREAM_CONNECTIONS = 4,
	ANSWER_LIMIT = 256 << 20,
};

/* ---- routes ---- */

/* Admits only the token's holder, and no web page. False: the call has ended. */
static bool may_call(struct admin_call *call)
{
	const struct config *config = call->config;
	const struct http_head *head = http_request_head(call->request);
	static const struct http_field challenge = {SLICE("WWW-Authenticate"), SLICE("Bearer")};
	struct refusal refusal;
	if (!guard_admits_admin(config, call->service->bound->listen.admin, head,
				http_request_body(call->request).size > 0, &refusal,
				&call->arena)) {
		metrics_count(METRIC_ERRORS_CLIENT, 1);
		admin_refuse(call, refusal.status, refusal.code, refusal.message, NULL);
		return false;
	}
	bool is_admin = config->listen.admin_token[0] == '\0' || identity_is_admin(config, head);
	if (!is_admin)
		admin_refuse(call, 401, "invalid_admin_token",
			     SLICE("Send the admin token as \"Authorization: Bearer ...\"."),
			     &challenge);
	else if (call->is_crowded)
		admin_refuse_crowd(call);
	return is_admin && !call->is_crowded;
}

/* Reads what the path and the query say. False: the call has ended. */
static bool read_target(struct admin_call *call, const struct slice *segments)
{
	const struct admin_route *route = call->route;
	if (!percent_decode(segments[0], &call->parameter, &call->arena) ||
	    !percent_decode(segments[1], &call->item, &call->arena)) {
		admin_reply_error(call, 400, "invalid_path",
				  "The path has invalid percent-encoding.");
		return false;
	}
	const bool deletes = strcmp(route->method, "DELETE") == 0 && route->names != NAMES_TENANT;
	if ((deletes && !admin_query_add_body(call)) ||
	    (route->query != NULL && !admin_query_admits(call, route->query)) ||
	    !admin_query(call, "tenant", &call->tenant))
		return false;
	const char *fault =
		route->names == NAMES_NEW_USER ? identity_user_fault(call->parameter) : NULL;
	if (fault != NULL)
		admin_reply_error(call, 400, "invalid_user_id", fault);
	return fault == NULL;
}

/* `taken`: the methods that the path takes. */
static void refuse_path(struct admin_call *call, struct slice taken)
{
	const struct http_field allow = {SLICE("Allow"), taken};
	if (taken.size == 0)
		admin_reply_error(call, 404, "not_found", "There is no such path.");
	else
		admin_refuse(call, 405, "method_not_allowed",
			     SLICE("This path does not support that method."), &allow);
}

static void route(struct admin_call *call)
{
	const struct http_head *head = http_request_head(call->request);
	/* The request goes when its client leaves, and a call may outlive it. */
	const struct slice target = arena_copy(&call->arena, head->target);
	size_t question = slice_find(target, SLICE("?"), 0);
	struct slice path = slice_part(target, 0, question);
	struct slice segments[ADMIN_MOST_SEGMENTS];
	struct slice taken;
	/* the reply omits the body */
	bool is_head = slice_equal(head->method, SLICE("HEAD"));
	const struct admin_route *route = admin_find_route(is_head ? SLICE("GET") : head->method,
							   path, segments, &taken, &call->arena);
	if ((route == NULL || route->names != NAMES_NOBODY_OPEN) && !may_call(call))
		return;
	if (route == NULL) {
		refuse_path(call, taken);
		return;
	}
	call->route = route;
	if (question < target.size)
		call->query = slice_part(target, question + 1, target.size);
	if (!read_target(call, segments))
		return;
	call->user = store_user_key(call->tenant, call->parameter);
	call->action = route->action;
	call->is_of_user = route->names >= NAMES_USER;
	if (route->handle == admin_delete_user || admin_has_keys(call))
		route->handle(call);
}

static void on_gone(void *cookie)
{
	struct admin_call *call = cookie;
	call->request = NULL;
	if (call->gone != NULL)
		call->gone(call);
}

static void on_drained(void *cookie)
{
	(void)cookie;
}

static uint64_t max_in_flight(const struct config *config)
{
	uint64_t share = config->listen.max_in_flight / IN_FLIGHT_SHARE;
	return share > config->listen.max_body ? share : config->listen.max_body;
}

static void on_request(void *cookie, struct http_request *request)
{
	static const struct http_request_events events = {on_gone, on_drained};
	struct admin *admin = cookie;
	struct admin_call *call = xcalloc(1, sizeof(*call));
	call->service = admin->service;
	call->loop = admin->loop;
	call->config = config_retain(admin->config);
	call->vectors = admin->vectors;
	call->request = request;
	buffer_init(&call->out, ANSWER_LIMIT);
	call->is_crowded =
		atomic_load(&admin->service->admin_in_flight) > max_in_flight(admin->config);
	http_request_set_events(request, &events, call);
	admin_audit_client(call);
	route(call);
}

/* ---- its life ---- */

static struct http_server_options server_options(struct admin *admin)
{
	return (struct http_server_options){
		.max_body = admin->config->listen.max_body,
		.connections = &admin->connections,
		.max_connections = MAX_CONNECTIONS,
		.in_flight = &admin->service->admin_in_flight,
		.max_in_flight = max_in_flight(admin->config),
		.read_timeout = 30,
		.idle_timeout = 60,
		.write_timeout = 60,
	};
}

struct admin *admin_create(struct service *service, struct loop *loop, struct config *config,
			   int listen_fd)
{
	struct admin *admin = xcalloc(1, sizeof(*admin));
	admin->service = service;
	admin->loop = loop;
	admin->config = config_retain(config);
	admin->upstream = upstream_create(loop_base(loop), IDLE_UPSTREAM_CONNECTIONS);
	admin->vectors = question_vectors_create(loop, admin->upstream);
	const struct http_server_options options = server_options(admin);
	admin->server = http_server_create(loop_base(loop), &options, on_request, admin);
	http_server_listen(admin->server, listen_fd);
	return admin;
}

void admin_configure(struct admin *admin, struct config *config)
{
	if (admin == NULL)
		return;
	config_release(admin->config);
	admin->config = config_retain(config);
	const struct http_server_options options = server_options(admin);
	http_server_set_options(admin->server, &options);
}

void admin_drain(struct admin *admin, struct loop *loop, void (*drained)(void *cookie),
		 void *cookie)
{
	if (admin == NULL) {
		loop_post(loop, drained, cookie);
		return;
	}
	http_server_drain(admin->server, drained, cookie);
}

void admin_close(struct admin *admin)
{
	if (admin == NULL)
		return;
	http_server_destroy(admin->server);
	question_vectors_destroy(admin->vectors);
	upstream_destroy(admin->upstream);
	admin->server = NULL;
}

void admin_destroy(struct admin *admin)
{
	if (admin == NULL)
		return;
	config_release(admin->config);
	free(admin);
}
