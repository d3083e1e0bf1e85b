#include "proxy/ctl/ctl.h"
#include "proxy/http/percent.h"
#include "proxy/upstream/upstream.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_LIMIT = 256 << 20,
	PATH_LIMIT = 64 * 1024,
	PAGE = 1000,
	TIMEOUT_MS = 60000,
	QUIET_TIMEOUT_MS = 3000,
};

struct call {
	struct upstream_answer answer; /* first: it is filled */
	struct event_base *base;
	char *detail; /* why there is no reply; NULL: there is one */
};

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct call *call = cookie;
	if (result != UPSTREAM_OK) {
		call->detail = xstrdup(detail);
		call->answer.status = 0;
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
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
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

/* ---- paths ---- */

static void add_query(struct buffer *path, struct slice name, struct slice value)
{
	bool is_first = memchr(path->data, '?', path->size) == NULL;
	buffer_printf(path, "%c%.*s=", is_first ? '?' : '&', SLICE_PRINT(name));
	percent_encode(path, value);
}

/* An option's name, in a path with "_" for its "-". */
static bool is_named(const char *option, struct slice name)
{
	if (strlen(option) != name.size)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (option[i] != name.data[i] && (option[i] != '-' || name.data[i] != '_'))
			return false;
	}
	return true;
}

/* The argument of that number, or the option's value; "1" for a switch. NULL: it is not given. */
static const char *value_of(const struct ctl *ctl, struct slice name)
{
	const int argument = name.data[0] - '1';
	if (argument >= 0 && argument < 9)
		return argument < ctl->argument_count ? ctl->arguments[argument] : NULL;
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		const void *place = (const char *)&ctl->given + ctl_options[i].place;
		if (!is_named(ctl_options[i].name, name))
			continue;
		if (ctl_options[i].argument != NULL)
			return *(const char *const *)place;
		return *(const bool *)place ? "1" : NULL;
	}
	return NULL;
}

/* The value of "{NAME}", where it begins. */
static const char *value_in_braces(const struct ctl *ctl, const char *text)
{
	return value_of(ctl, (struct slice){text + 1, strcspn(text, "}") - 1});
}

/* Takes "NAME", "NAME=WORD" or "NAME={NAME}" apart. False: it has no value. */
static bool read_parameter(const struct ctl *ctl, struct slice text, struct slice *name,
			   struct slice *value)
{
	const size_t equals = slice_find(text, SLICE("="), 0);
	const char *found;
	*name = slice_part(text, 0, equals);
	*value = slice_part(text, equals + 1, text.size);
	if (equals < text.size && !slice_starts_with(*value, SLICE("{")))
		return true;
	found = equals < text.size ? value_in_braces(ctl, value->data) : value_of(ctl, *name);
	*value = slice_of(found);
	return found != NULL;
}

static struct buffer fill_path(const struct ctl *ctl, const char *at)
{
	struct buffer path;
	struct slice name, value;
	buffer_init(&path, PATH_LIMIT);
	for (; *at != '\0' && *at != '?'; at++) {
		if (*at == '[' && value_in_braces(ctl, strchr(at, '{')) == NULL) {
			at += strcspn(at, "]");
		} else if (*at == '{') {
			percent_encode(&path, slice_of(value_in_braces(ctl, at)));
			at += strcspn(at, "}");
		} else if (*at != '[' && *at != ']') {
			buffer_append_byte(&path, *at);
		}
	}
	while (*at != '\0') {
		const struct slice text = {at + 1, strcspn(at + 1, "&")};
		if (read_parameter(ctl, text, &name, &value))
			add_query(&path, name, value);
		at += 1 + text.size;
	}
	return path;
}

static json_t *body_of(const struct ctl *ctl)
{
	const char *at = ctl->command->body;
	struct slice name, value;
	json_t *body = at == NULL ? NULL : json_object();
	while (at != NULL && *at != '\0') {
		const struct slice text = {at, strcspn(at, " ")};
		char key[32];
		if (read_parameter(ctl, text, &name, &value)) {
			(void)snprintf(key, sizeof(key), "%.*s", SLICE_PRINT(name));
			json_object_set_new(body, key, json_stringn(value.data, value.size));
		}
		at += text.size + (at[text.size] == ' ');
	}
	return body;
}

/* ---- calls ---- */

/* Fills `answer`, which the caller finishes. */
static int ask(struct ctl *ctl, const char *method, struct buffer path, const struct slice *body,
	       bool quietly, struct buffer *answer)
{
	struct call call = {.base = event_base_new()};
	buffer_init(&call.answer.body, ANSWER_LIMIT);
	buffer_append_byte(&path, '\0');
	if (path.overflowed)
		(void)ctl_fault(ctl, "an argument is too long");
	else if (call.base != NULL)
		perform(ctl, method, path.data, body, quietly ? QUIET_TIMEOUT_MS : TIMEOUT_MS,
			&call);
	if (call.base != NULL)
		event_base_free(call.base);
	if (call.answer.status == 0 && !quietly && !path.overflowed)
		report_unreachable(ctl, call.detail);
	free(call.detail);
	buffer_finish(&path);
	*answer = call.answer.body;
	return call.answer.status;
}

json_t *ctl_read_json(struct slice text)
{
	return text.size == 0 ? NULL : json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
}

static int ask_json(struct ctl *ctl, const char *method, struct buffer path,
		    const struct slice *body, json_t **answer)
{
	struct buffer reply;
	int status = ask(ctl, method, path, body, false, &reply);
	*answer = ctl_read_json(buffer_slice(&reply));
	buffer_finish(&reply);
	return status;
}

int ctl_get(struct ctl *ctl, const char *path, bool quietly, struct buffer *answer)
{
	return ask(ctl, "GET", fill_path(ctl, path), NULL, quietly, answer);
}

int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	const struct slice bytes = slice_of(text);
	int status =
		ask_json(ctl, method, fill_path(ctl, path), text == NULL ? NULL : &bytes, answer);
	free(text);
	return status;
}

int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer)
{
	return ask_json(ctl, "POST", fill_path(ctl, path), &body, answer);
}

/* ---- lists ---- */

/* False: it has been reported. */
static bool read_limit(struct ctl *ctl, size_t *limit)
{
	const char *text = ctl->given.limit;
	char *end;
	if (text == NULL)
		return true;
	unsigned long long number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number >= SIZE_MAX) {
		ctl_fault(ctl, "--limit must be a whole number; 0: no limit");
		return false;
	}
	*limit = number == 0 ? SIZE_MAX : (size_t)number;
	return true;
}

static int call_for_page(struct ctl *ctl, const char *path, size_t wanted, const char *after,
			 json_t **page)
{
	char limit[24];
	struct buffer whole = fill_path(ctl, path);
	(void)snprintf(limit, sizeof(limit), "%zu", wanted < PAGE ? wanted : PAGE);
	add_query(&whole, SLICE("limit"), slice_of(limit));
	if (after != NULL)
		add_query(&whole, SLICE("after"), slice_of(after));
	return ask_json(ctl, "GET", whole, NULL, page);
}

/* Adds the next page. NULL: it failed, which has been reported; `all` is gone. */
static json_t *add_page(struct ctl *ctl, const char *path, const char *name, size_t limit,
			json_t *all)
{
	json_t *page = NULL;
	size_t count = json_array_size(json_object_get(all, name));
	const char *after = json_string_value(json_object_get(all, "next"));
	int status = call_for_page(ctl, path, limit - count, after, &page);
	if (status != 200) {
		json_decref(all);
		ctl_fail_call(ctl, status, page);
		return NULL;
	}
	json_t *more = json_object_get(page, name);
	const char *next = json_string_value(json_object_get(page, "next"));
	bool leads_back = after != NULL && next != NULL && strcmp(after, next) == 0;
	if (!json_is_array(more) || leads_back) {
		json_decref(all);
		ctl_fail_to_read(ctl, page);
		return NULL;
	}
	if (all == NULL)
		return page;
	json_array_extend(json_object_get(all, name), more);
	json_object_set(all, "next", json_object_get(page, "next"));
	json_decref(page);
	return all;
}

json_t *ctl_collect(struct ctl *ctl, const char *path, const char *name, size_t usual)
{
	size_t limit = usual;
	json_t *all = NULL;
	if (!read_limit(ctl, &limit))
		return NULL;
	do
		all = add_page(ctl, path, name, limit, all);
	while (all != NULL && json_array_size(json_object_get(all, name)) < limit &&
	       json_is_string(json_object_get(all, "next")));
	return all;
}

/* ---- failures ---- */

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
	return ctl_fault(ctl, "%s", ctl->command->unknown);
}

int ctl_fail_call(struct ctl *ctl, int status, json_t *answer)
{
	const char *code = ctl_text(json_object_get(answer, "error"), "code");
	if (status != 404 || ctl->command->unknown == NULL || strcmp(code, "not_found") != 0)
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

int ctl_run(struct ctl *ctl)
{
	const struct ctl_command *command = ctl->command;
	json_t *answer = NULL;
	if (command->list != NULL)
		return ctl_show(ctl,
				ctl_collect(ctl, command->path, command->list, command->usual));
	json_t *body = body_of(ctl);
	int status = ctl_call(ctl, command->method, command->path, body, &answer);
	json_decref(body);
	return status == command->status ? ctl_show(ctl, answer)
					 : ctl_fail_call(ctl, status, answer);
}
