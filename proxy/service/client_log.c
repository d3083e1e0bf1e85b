#include "proxy/service/client_log.h"

#include "core/base/utf8.h"
#include "core/text/text.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"

#include <stdio.h>
#include <string.h>

enum { MAX_NAME = 64, MAX_PATH = 128, MESSAGE_SIZE = 512 };

void without_memory_count(struct slice path)
{
	static const struct {
		struct slice path;
		enum metric_counter counter;
	} known[] = {
		{SLICE("/responses"), METRIC_WITHOUT_RESPONSES},
		{SLICE("/completions"), METRIC_WITHOUT_COMPLETIONS},
		{SLICE("/messages"), METRIC_WITHOUT_MESSAGES},
		{SLICE("/embeddings"), METRIC_WITHOUT_EMBEDDINGS},
		{SLICE("/models"), METRIC_WITHOUT_MODELS},
		{SLICE("/api/chat"), METRIC_WITHOUT_API_CHAT},
		{SLICE("/api/generate"), METRIC_WITHOUT_API_GENERATE},
	};
	if (slice_starts_with(path, SLICE("/v1/")))
		path = slice_part(path, 3, path.size);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal(path, known[i].path)) {
			metrics_count(known[i].counter, 1);
			return;
		}
	}
	metrics_count(METRIC_WITHOUT_OTHER, 1);
}

/* ---- names ---- */

/* The part of the text, from its beginning, that consists of letters, digits and `marks`. */
static struct slice name_of(struct slice text, const char *marks, size_t most)
{
	size_t size = 0;
	while (size < text.size && size < most) {
		const char c = text.data[size];
		const bool is_plain =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_plain && (c == '\0' || strchr(marks, c) == NULL))
			break;
		size++;
	}
	return slice_part(text, 0, size);
}

struct slice client_program(struct slice user_agent)
{
	const struct slice name = name_of(user_agent, "-_./", MAX_NAME);
	for (size_t i = 0; i + 1 < name.size; i++) {
		if (name.data[i] == '/' && name.data[i + 1] >= '0' && name.data[i + 1] <= '9')
			return slice_part(name, 0, i);
	}
	return name.size > 0 ? name : SLICE("without a name");
}

struct slice client_name(struct slice name)
{
	const struct slice shown = name_of(name, "-_./:@+[]", MAX_NAME);
	return shown.size > 0 ? shown : SLICE("-");
}

/* ---- once ---- */

void client_log_init(struct client_log *log, uint64_t span, bool repeats)
{
	*log = (struct client_log){.span = span, .repeats = repeats};
	pthread_mutex_init(&log->lock, NULL);
}

void client_log_clear(struct client_log *log)
{
	pthread_mutex_lock(&log->lock);
	memset(log->told, 0, sizeof(log->told));
	pthread_mutex_unlock(&log->lock);
}

/* The line's slot; if it has none, the oldest one. A free slot is older than all others. */
static size_t find_slot(const struct client_log *log, uint64_t hash)
{
	size_t oldest = 0;
	for (size_t i = 0; i < CLIENT_LOG_SLOTS; i++) {
		if (log->told[i].hash == hash)
			return i;
		if (log->told[i].at < log->told[oldest].at)
			oldest = i;
	}
	return oldest;
}

/* Whether the line is to be written now; notes it. */
static bool is_due(struct client_log *log, struct slice line)
{
	const uint64_t hash = text_hash(line) | 1;
	const uint64_t now = clock_steady();
	pthread_mutex_lock(&log->lock);
	const size_t slot = find_slot(log, hash);
	const bool is_told = log->told[slot].hash == hash;
	const bool is_free = log->told[slot].hash == 0;
	const bool is_old = now - log->told[slot].at >= log->span;
	const bool due = is_told ? log->repeats && is_old : is_free || is_old;
	if (due) {
		log->told[slot].hash = hash;
		log->told[slot].at = now;
	}
	pthread_mutex_unlock(&log->lock);
	return due;
}

/* ---- what is told ---- */

/* Anthropic's and Ollama's clients add the path's version themselves. */
static bool adds_version(struct slice path)
{
	return slice_ends_with(path, SLICE("/messages")) ||
	       slice_ends_with(path, SLICE("/api/chat"));
}

struct slice client_path(struct slice path, struct arena *arena)
{
	static const struct slice ways[] = {SLICE("/v1/"), SLICE("/api/")};
	size_t begin = 0; /* behind the first /u/ */
	size_t last = 0;  /* the last one's second slash */
	for (size_t i = 0; i + 3 <= path.size; i++) {
		if (!slice_equal_nocase(slice_part(path, i, i + 3), SLICE("/u/")))
			continue;
		begin = begin == 0 ? i + 3 : begin;
		last = i + 2;
	}
	size_t end = path.size;
	for (size_t i = 0; begin > 0 && i < 2; i++) {
		const size_t way = slice_find(path, ways[i], last);
		end = way < end ? way : end;
	}
	if (begin == 0 || end <= begin)
		return path;
	return arena_printf(arena, "%.*s...%.*s", SLICE_PRINT(slice_part(path, 0, begin)),
			    SLICE_PRINT(slice_part(path, end, path.size)));
}

void client_log_miss(struct client_log *log, enum client_miss miss, struct slice user_agent,
		     struct slice path, struct slice origin)
{
	static const struct {
		const char *what;
		const char *base; /* NULL: no other base URL helps */
	} words[] = {
		[CLIENT_MISS_API] = {", which recalld forwards without memory: POST "
				     "/v1/chat/completions, /v1/responses, /v1/messages and "
				     "/api/chat have memory; recalld(8) shows how to configure "
				     "frameworks for them",
				     NULL},
		[CLIENT_MISS_BASE] = {", which recalld forwards without memory: set its base URL "
				      "to ",
				      ""},
		[CLIENT_MISS_USER] = {", which has no user id after /u/: set its base URL to ",
				      "/u/USER"},
		[CLIENT_MISS_ID] = {" without a user id, so nothing is remembered: send one of "
				    "[identity] user_header, or set its base URL to ",
				    "/u/USER"},
	};
	const struct slice program = client_program(user_agent);
	char line[MESSAGE_SIZE];
	struct arena arena = {0};
	const struct slice shown = client_path(utf8_cut(path, MAX_PATH), &arena);
	const bool names_user = shown.data != path.data;
	(void)snprintf(line, sizeof(line), "%d %.*s %.*s", (int)miss, SLICE_PRINT(program),
		       SLICE_PRINT(shown));
	const bool due = is_due(log, slice_of(line));
	const bool loses_user = miss == CLIENT_MISS_BASE && names_user;
	const char *base = loses_user ? "/u/USER" : words[miss].base;
	(void)snprintf(line, sizeof(line), "%.*s%s%s", SLICE_PRINT(origin),
		       base == NULL ? "" : base, adds_version(path) ? "" : "/v1");
	/* Nobody has to be remembered. */
	if (due)
		(miss == CLIENT_MISS_ID ? log_info : log_warn)(
			"client program %.*s calls %.*s%s%s (logged once per program and path)",
			SLICE_PRINT(program), SLICE_PRINT(shown), words[miss].what,
			base == NULL ? "" : line);
	arena_finish(&arena);
}

void client_log_failure(struct client_log *log, const char *why, int status,
			struct slice user_agent, struct slice model, uint64_t receipt)
{
	const struct slice program = client_program(user_agent);
	const struct slice name = client_name(model);
	char number[16];
	char id[17];
	char line[MESSAGE_SIZE];
	(void)snprintf(number, sizeof(number), "%d", status);
	(void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)receipt);
	(void)snprintf(line, sizeof(line), "%s %d %.*s %.*s", why, status, SLICE_PRINT(program),
		       SLICE_PRINT(name));
	if (!is_due(log, slice_of(line)))
		return;
	(void)snprintf(line, sizeof(line), "upstream call failed: %s", why);
	const struct log_field fields[] = {
		{"status", slice_of(number), true},
		{"program", program, false},
		{"model", name, false},
		{receipt != 0 ? "receipt" : NULL, slice_of(id), false},
		{NULL, {0}, false},
	};
	log_event(LOG_LEVEL_WARN, line, fields);
}
