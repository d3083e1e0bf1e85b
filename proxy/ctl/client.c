/* Calls to the admin address, as commands.txt writes them. */
#include "proxy/ctl/ctl.h"
#include "proxy/upstream/upstream.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_LIMIT = 256 << 20,
	PATH_LIMIT = 64 * 1024,
	PAGE = 1000,
	NAME_SIZE = 32,
	TIMEOUT_MS = 60000,
	QUIET_TIMEOUT_MS = 3000,
};

/* ---- paths and bodies ---- */

/* The argument of that number, or the option's value. NULL: it is not given. */
static const char *given(const struct ctl *ctl, struct slice name)
{
	const int argument = name.data[0] - '1';
	if (argument >= 0 && argument < 9)
		return argument < ctl->argument_count ? ctl->arguments[argument] : NULL;
	for (const struct option *option = ctl_options; option->name != NULL; option++) {
		if (slice_equal(slice_of(option->name), name))
			return ctl->given.values[option->val];
	}
	return ctl->after; /* no option */
}

/* The value of "NAME", or the word that "NAME?WORD" or "NAME?WORD:OTHER" stands for. Without data:
 * none. */
static struct slice value_of(const struct ctl *ctl, struct slice text)
{
	const size_t name = slice_find(text, SLICE("?"), 0);
	const size_t colon = slice_find(text, SLICE(":"), name);
	const char *value = given(ctl, slice_part(text, 0, name));
	if (name == text.size)
		return slice_of(value);
	const struct slice word =
		value != NULL ? slice_part(text, name + 1, colon)
			      : slice_part(text, size_min(colon + 1, text.size), text.size);
	return word.size == 0 ? slice_of(NULL) : word;
}

/* The value of "{...}", where it begins. */
static struct slice value_in_braces(const struct ctl *ctl, const char *text)
{
	return value_of(ctl, (struct slice){text + 1, strcspn(text, "}") - 1});
}

/* Takes "NAME", "NAME=WORD" or "NAME={...}" apart. False: it has no value. */
static bool read_parameter(const struct ctl *ctl, struct slice text, struct slice *name,
			   struct slice *value)
{
	const size_t equals = slice_find(text, SLICE("="), 0);
	*name = slice_part(text, 0, equals);
	if (equals == text.size)
		*value = value_of(ctl, *name);
	else if (text.data[equals + 1] == '{')
		*value = value_in_braces(ctl, text.data + equals + 1);
	else
		*value = slice_part(text, equals + 1, text.size);
	return value->data != NULL;
}

static struct buffer fill_path(const struct ctl *ctl, const char *at)
{
	struct buffer path;
	struct slice name, value;
	char mark = '?';
	buffer_init(&path, PATH_LIMIT);
	for (; *at != '\0' && *at != '?'; at++) {
		if (*at == '[' && value_in_braces(ctl, strchr(at, '{')).data == NULL) {
			at += strcspn(at, "]");
		} else if (*at == '{') {
			percent_encode(&path, value_in_braces(ctl, at));
			at += strcspn(at, "}");
		} else if (*at != '[' && *at != ']') {
			buffer_append_byte(&path, *at);
		}
	}
	while (*at != '\0') {
		const struct slice text = {at + 1, strcspn(at + 1, "&")};
		if (read_parameter(ctl, text, &name, &value)) {
			buffer_printf(&path, "%c%.*s=", mark, SLICE_PRINT(name));
			percent_encode(&path, value);
			mark = '&';
		}
		at += 1 + text.size;
	}
	buffer_append_byte(&path, '\0');
	return path;
}

/* Makes the command's body; NULL: it has none. False: a value is not UTF-8. */
static bool make_body(struct ctl *ctl, json_t **body)
{
	const char *at = ctl->command->body;
	struct slice name, value;
	*body = at == NULL ? NULL : json_object();
	for (; at != NULL && *at != '\0'; at += strspn(at, " ")) {
		const struct slice text = {at, strcspn(at, " ")};
		char key[NAME_SIZE];
		at += text.size;
		if (!read_parameter(ctl, text, &name, &value))
			continue;
		const bool is_json = slice_ends_with(name, SLICE(":"));
		(void)snprintf(key, sizeof(key), "%.*s", (int)name.size - is_json, name.data);
		if (json_object_set_new(
			    *body, key,
			    is_json ? json_loadb(value.data, value.size, JSON_DECODE_ANY, NULL)
				    : json_stringn(value.data, value.size)) == 0)
			continue;
		json_decref(*body);
		return ctl_fault(ctl, "the %s is not UTF-8", key);
	}
	return true;
}

/* ---- calls ---- */

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

static void perform(const struct ctl *ctl, const char *method, const char *path, struct slice body,
		    struct call *call)
{
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
	struct arena arena = {0};
	const bool is_local = slice_starts_with(slice_of(ctl->admin), SLICE("unix:"));
	const bool is_archive = slice_starts_with(body, SLICE("PK"));
	const uint32_t timeout = ctl->is_quiet ? QUIET_TIMEOUT_MS : TIMEOUT_MS;
	const struct http_field fields[] = {
		{SLICE("Content-Type"),
		 is_archive ? SLICE("application/zip") : SLICE("application/json")},
		{SLICE("Authorization"), arena_printf(&arena, "Bearer %s", ctl->token)},
	};
	const struct upstream_request request = {
		.method = slice_of(method),
		.url = arena_printf(&arena, "%s%s", is_local ? "http://localhost" : ctl->admin,
				    path)
			       .data,
		.local_socket = is_local ? ctl->admin + strlen("unix:") : NULL,
		.fields = fields,
		.field_count = ctl->token[0] == '\0' ? 1 : 2,
		.has_body = body.data != NULL,
		.body = &body,
		.body_count = body.data != NULL,
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

int ctl_ask(struct ctl *ctl, const char *method, const char *path, struct slice body,
	    struct buffer *answer)
{
	struct call call = {.base = event_base_new()};
	struct buffer whole = fill_path(ctl, path);
	buffer_init(&call.answer.body, ANSWER_LIMIT);
	if (whole.overflowed)
		ctl_fault(ctl, "an argument is too long");
	else if (call.base != NULL)
		perform(ctl, method, whole.data, body, &call);
	if (call.base != NULL)
		event_base_free(call.base);
	if (call.answer.status == 0 && !ctl->is_quiet && !whole.overflowed)
		report_unreachable(ctl, call.detail);
	free(call.detail);
	buffer_finish(&whole);
	*answer = call.answer.body;
	return call.answer.status;
}

json_t *ctl_read_json(struct slice text)
{
	return text.size == 0 ? NULL : json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
}

static int ask_json(struct ctl *ctl, const char *method, const char *path, struct slice body,
		    json_t **answer)
{
	struct buffer reply;
	const int status = ctl_ask(ctl, method, path, body, &reply);
	*answer = ctl_read_json(buffer_slice(&reply));
	buffer_finish(&reply);
	return status;
}

int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	const int status = ask_json(ctl, method, path, slice_of(text), answer);
	free(text);
	json_decref(body);
	return status;
}

int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer)
{
	return ask_json(ctl, "POST", path, body, answer);
}

bool ctl_run(struct ctl *ctl)
{
	const struct ctl_command *command = ctl->command;
	json_t *answer = NULL, *body;
	if (command->list != NULL)
		return ctl_show(ctl,
				ctl_collect(ctl, command->path, command->list, command->usual));
	if (!make_body(ctl, &body))
		return false;
	if (command->fact != NULL && !ctl_find_fact(ctl)) {
		json_decref(body);
		return false;
	}
	const int status = ctl_call(ctl, command->method, command->path, body, &answer);
	return ctl_finish(ctl, status, answer);
}

/* ---- lists ---- */

static bool read_limit(struct ctl *ctl, size_t *limit)
{
	const char *text = ctl->given.limit;
	char *end;
	if (text == NULL)
		return true;
	unsigned long long number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number >= SIZE_MAX)
		return ctl_fault(ctl, "--limit must be a whole number; 0: no limit");
	*limit = number == 0 ? SIZE_MAX : (size_t)number;
	return true;
}

/* Adds the next page. NULL: it failed, which has been reported; `all` is gone. */
static json_t *add_page(struct ctl *ctl, const char *path, const char *name, size_t wanted,
			json_t *all)
{
	char limit[24];
	json_t *page = NULL;
	(void)snprintf(limit, sizeof(limit), "%zu", size_min(wanted, PAGE));
	ctl->given.limit = limit;
	ctl->after = json_string_value(json_object_get(all, "next"));
	const int status = ctl_call(ctl, "GET", path, NULL, &page);
	json_t *more = json_object_get(page, name), *next = json_object_get(page, "next");
	const bool leads_back = ctl->after != NULL && json_is_string(next) &&
				strcmp(ctl->after, json_string_value(next)) == 0;
	if (status != 200 || !json_is_array(more) || leads_back) {
		json_decref(all);
		if (status != 200)
			ctl_fail(ctl, status, page, ctl_unknown);
		else
			ctl_fail_to_read(ctl, page);
		return NULL;
	}
	if (all == NULL)
		return page;
	json_array_extend(json_object_get(all, name), more);
	json_object_set(all, "next", next);
	json_decref(page);
	return all;
}

json_t *ctl_collect(struct ctl *ctl, const char *path, const char *name, size_t usual)
{
	const char *asked = ctl->given.limit;
	size_t limit = usual, count = 0;
	json_t *all = NULL;
	if (!read_limit(ctl, &limit))
		return NULL;
	do {
		all = add_page(ctl, path, name, limit - count, all);
		count = json_array_size(json_object_get(all, name));
	} while (count < limit && json_is_string(json_object_get(all, "next")));
	ctl->given.limit = asked;
	ctl->after = NULL;
	return all;
}
