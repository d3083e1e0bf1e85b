#include "proxy/ctl/tool/ctl.h"
#include "proxy/http/percent.h"
#include "proxy/upstream/upstream.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_LIMIT = 256 << 20,
	PATH_LIMIT = 64 * 1024,
	TIMEOUT_MS = 60000,
	QUIET_TIMEOUT_MS = 3000,
};

struct call {
	struct event_base *base;
	int status;
	char *detail; /* why there is no reply; NULL: there is one */
	struct buffer answer;
};

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct call *call = cookie;
	call->status = head->status;
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct call *call = cookie;
	return buffer_append(&call->answer, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
}

static bool on_full(void *cookie)
{
	(void)cookie;
	return false;
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct call *call = cookie;
	if (result != UPSTREAM_OK) {
		call->detail = xstrdup(detail);
		call->status = 0;
	}
	event_base_loopbreak(call->base);
}

/* An archive is told by how it begins. */
static struct slice type_of(const struct slice *body)
{
	bool is_archive = body != NULL && slice_starts_with(*body, SLICE("PK"));
	return is_archive ? SLICE("application/zip") : SLICE("application/json");
}

static void perform(const struct ctl *ctl, const char *method, const char *path,
		    const struct slice *body, uint32_t timeout, struct call *call)
{
	static const struct upstream_events events = {on_head, on_data, on_full, on_end};
	struct arena arena = {0};
	bool is_local = slice_starts_with(slice_of(ctl->admin), SLICE("unix:"));
	struct slice token = arena_printf(&arena, "Bearer %s", ctl->token);
	const struct http_field fields[] = {
		{SLICE("Content-Type"), type_of(body)},
		{SLICE("Authorization"), token},
	};
	const struct upstream_request request = {
		.method = slice_of(method),
		.url = arena_printf(&arena, "%s%s", is_local ? "http://localhost" : ctl->admin,
				    path)
			       .data,
		.local_socket = is_local ? ctl->admin + strlen("unix:") : NULL,
		.proxy = "",
		.ca_file = "",
		.fields = fields,
		.field_count = ctl->token[0] == '\0' ? 1 : 2,
		.has_body = body != NULL,
		.body = body,
		.body_count = body != NULL,
		.connect_timeout = timeout,
		.first_byte_timeout = timeout,
		.idle_timeout = timeout,
	};
	struct upstream *upstream = upstream_create(call->base, 1);
	upstream_start(upstream, &request, &events, call);
	event_base_loop(call->base, EVLOOP_NO_EXIT_ON_EMPTY);
	upstream_destroy(upstream);
	arena_finish(&arena);
}

static void report_unreachable(struct ctl *ctl, const char *detail)
{
	if (detail != NULL)
		ctl_fault(ctl, "%s", detail);
	ctl_fault(ctl,
		  "recalld's admin address %s cannot be reached; is it running, and is --admin "
		  "right?",
		  ctl->admin);
}

/* Fills `answer`, which the caller finishes. */
static int ask(struct ctl *ctl, const char *method, const char *path, const struct slice *body,
	       bool quietly, struct buffer *answer)
{
	struct call call = {.base = event_base_new()};
	buffer_init(&call.answer, ANSWER_LIMIT);
	if (call.base != NULL) {
		perform(ctl, method, path, body, quietly ? QUIET_TIMEOUT_MS : TIMEOUT_MS, &call);
		event_base_free(call.base);
	}
	if (call.status == 0 && !quietly)
		report_unreachable(ctl, call.detail);
	free(call.detail);
	*answer = call.answer;
	return call.status;
}

int ctl_get(struct ctl *ctl, const char *path, bool quietly, struct buffer *answer)
{
	return ask(ctl, "GET", path, NULL, quietly, answer);
}

json_t *ctl_read_json(struct slice text)
{
	return text.size == 0 ? NULL : json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
}

int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer)
{
	struct buffer reply;
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	const struct slice bytes = slice_of(text);
	int status = ask(ctl, method, path, text == NULL ? NULL : &bytes, false, &reply);
	free(text);
	if (answer != NULL)
		*answer = ctl_read_json(buffer_slice(&reply));
	buffer_finish(&reply);
	return status;
}

int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer)
{
	struct buffer reply;
	int status = ask(ctl, "POST", path, &body, false, &reply);
	*answer = ctl_read_json(buffer_slice(&reply));
	buffer_finish(&reply);
	return status;
}

struct buffer ctl_begin_path(const struct ctl *ctl, const char *folder, const char *name,
			     const char *rest)
{
	struct buffer path;
	buffer_init(&path, PATH_LIMIT);
	buffer_append(&path, slice_of(folder));
	percent_encode(&path, slice_of(name));
	buffer_append(&path, slice_of(rest));
	if (ctl->tenant[0] != '\0') {
		buffer_append(&path, SLICE("?tenant="));
		percent_encode(&path, slice_of(ctl->tenant));
	}
	return path;
}

char *ctl_path(const struct ctl *ctl, const char *folder, const char *name, const char *rest)
{
	struct buffer path = ctl_begin_path(ctl, folder, name, rest);
	buffer_append_byte(&path, '\0');
	return path.data;
}

int ctl_fail(struct ctl *ctl, int status, json_t *answer)
{
	json_t *error = json_object_get(answer, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	ctl->fault_status = status;
	(void)snprintf(ctl->fault_code, sizeof(ctl->fault_code), "%s", ctl_text(error, "code"));
	if (status != 0 && message == NULL)
		ctl_fault(ctl, "%d, not an answer of recalld; is --admin right?", status);
	else if (status != 0)
		ctl_fault(ctl, "%d: %s%s", status, message,
			  status == 401 ? " Give it with --token." : "");
	json_decref(answer);
	return EXIT_FAILURE;
}

int ctl_fail_as_unknown(struct ctl *ctl)
{
	ctl->fault_status = 404;
	(void)strcpy(ctl->fault_code, "not_found");
	ctl_fault(ctl, "nothing is stored under that name; with [identity] tenant = api-key, give "
		       "the user's --tenant");
	return EXIT_FAILURE;
}

int ctl_fail_of_user(struct ctl *ctl, int status, json_t *answer)
{
	const char *code = ctl_text(json_object_get(answer, "error"), "code");
	if (status != 404 || strcmp(code, "not_found") != 0)
		return ctl_fail(ctl, status, answer);
	json_decref(answer);
	return ctl_fail_as_unknown(ctl);
}

int ctl_fail_to_read(struct ctl *ctl, json_t *answer)
{
	ctl_fault(ctl, "%s did not answer like recalld; is --admin right?", ctl->admin);
	json_decref(answer);
	return EXIT_FAILURE;
}

const char *ctl_text(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

int ctl_print_json(json_t *answer)
{
	(void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	(void)putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}

int ctl_print_answer(const struct ctl *ctl, json_t *answer, void (*print)(json_t *answer))
{
	if (answer == NULL)
		return EXIT_FAILURE;
	if (ctl->json)
		return ctl_print_json(answer);
	print(answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}
