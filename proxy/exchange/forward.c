#include "proxy/exchange/forward.h"

#include "proxy/exchange/identity.h"

#include <string.h>

static struct slice path_of(struct slice target)
{
	return slice_part(target, 0, slice_find(target, SLICE("?"), 0));
}

static bool is_below(struct slice path, const char *folder)
{
	struct slice name = slice_of(folder);
	return slice_starts_with(path, name) &&
	       (path.size == name.size || path.data[name.size] == '/');
}

const struct dialect *forward_dialect(struct slice method, struct slice target)
{
	return dialect_of(method, path_of(target));
}

struct slice forward_fetched(struct slice method, struct slice target)
{
	struct slice path = path_of(target);
	if (is_below(path, "/v1"))
		path = slice_part(path, 3, path.size);
	const struct slice folder = SLICE("/responses/");
	if (!slice_equal(method, SLICE("GET")) || !slice_starts_with(path, folder))
		return (struct slice){0};
	struct slice id = slice_part(path, folder.size, path.size);
	return slice_find(id, SLICE("/"), 0) == id.size ? id : (struct slice){0};
}

enum client_miss forward_miss(struct slice method, struct slice target)
{
	static const struct {
		struct slice end;
		enum client_miss miss;
	} misses[] = {
		/* OpenAI's and Ollama's older APIs, and Gemini's */
		{SLICE("/v1/completions"), CLIENT_MISS_API},
		{SLICE("/api/generate"), CLIENT_MISS_API},
		{SLICE(":generateContent"), CLIENT_MISS_API},
		{SLICE(":streamGenerateContent"), CLIENT_MISS_API},
		/* chats at a base URL that is none of ours; OpenAI's threads have /messages, too */
		{SLICE("/chat/completions"), CLIENT_MISS_BASE},
		{SLICE("/responses"), CLIENT_MISS_BASE},
		{SLICE("/v1/messages"), CLIENT_MISS_BASE},
		{SLICE("/api/chat"), CLIENT_MISS_BASE},
	};
	struct slice path = path_of(target);
	if (!slice_equal(method, SLICE("POST")) || dialect_of(method, path) != NULL)
		return CLIENT_MISS_NONE;
	while (path.size > 0 && path.data[path.size - 1] == '/')
		path.size--;
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++) {
		if (slice_ends_with(path, misses[i].end))
			return misses[i].miss;
	}
	return CLIENT_MISS_NONE;
}

bool forward_goes_on_with_http(const struct http_head *head)
{
	struct slice path = path_of(head->target);
	if (is_below(path, "/u"))
		path = slice_part(path, slice_find(path, SLICE("/"), 3), path.size);
	return slice_equal(head->method, SLICE("GET")) &&
	       (slice_equal(path, SLICE("/v1/responses")) ||
		slice_equal(path, SLICE("/responses")));
}

static struct slice origin_of(struct slice url)
{
	size_t host = slice_find(url, SLICE("://"), 0) + 3;
	return slice_part(url, 0, slice_find(url, SLICE("/"), host));
}

/* Anthropic's API, with or without memory. */
static bool is_messages(struct slice target)
{
	struct slice path = path_of(target);
	return is_below(path, "/v1/messages") || is_below(path, "/messages") ||
	       slice_equal(path, SLICE("/v1/complete"));
}

/* Anthropic's API (/v1/messages and below, /v1/complete) may have a server of its own. */
static bool goes_elsewhere(const struct config *config, struct slice target)
{
	return config->upstream.messages_base_url[0] != '\0' && is_messages(target);
}

static const char *base_url(const struct config *config, struct slice target)
{
	return goes_elsewhere(config, target) ? config->upstream.messages_base_url
					      : config->upstream.base_url;
}

/* Empty: the client's own key is used. */
static const char *api_key_for(const struct config *config, struct slice target)
{
	return goes_elsewhere(config, target) ? config->upstream.messages_api_key
					      : config->upstream.api_key;
}

bool forward_may_offer_key(const struct config *config, struct slice target)
{
	const struct slice model = origin_of(slice_of(config_model_base_url(config)));
	return slice_equal_nocase(origin_of(slice_of(base_url(config, target))), model);
}

bool forward_base_is_bare(const struct config *config, struct slice target)
{
	struct slice base = slice_of(base_url(config, target));
	return origin_of(base).size == base.size;
}

const char *forward_url(const struct config *config, struct slice target, struct arena *arena)
{
	struct slice base = slice_of(base_url(config, target));
	struct slice path = path_of(target);
	if (is_below(path, "/v1"))
		return arena_printf(arena, "%s%.*s", base.data,
				    SLICE_PRINT(slice_part(target, 3, target.size)))
			.data;
	if (is_below(path, "/chat/completions") || is_below(path, "/responses") ||
	    is_below(path, "/messages") || is_below(path, "/models") ||
	    is_below(path, "/embeddings"))
		return arena_printf(arena, "%s%.*s", base.data, SLICE_PRINT(target)).data;
	struct slice origin = origin_of(base);
	if (slice_equal(target, SLICE("*")))
		target = SLICE("/");
	return arena_printf(arena, "%.*s%.*s", SLICE_PRINT(origin), SLICE_PRINT(target)).data;
}

static bool goes_upstream(const struct config *config, const struct http_head *head,
			  const struct dialect *dialect, bool has_key, struct slice name)
{
	if (http_field_is_hop_by_hop(head->fields, head->field_count, name) ||
	    slice_equal_nocase(name, SLICE("Host")) ||
	    slice_equal_nocase(name, SLICE("Content-Length")) ||
	    slice_equal_nocase(name, SLICE("Expect")) || identity_owns_header(config, name))
		return false;
	if (dialect != NULL && slice_equal_nocase(name, SLICE("Accept-Encoding")))
		return false;
	return !has_key || !identity_is_key_header(name);
}

/* Anthropic's API has its own header for the key, also where memory takes no part. */
static struct http_field key_field(const struct dialect *dialect, struct slice target,
				   const char *api_key, struct arena *arena)
{
	if (dialect == NULL && is_messages(target))
		return (struct http_field){SLICE("x-api-key"), slice_of(api_key)};
	const struct dialect *form = dialect_or_usual(dialect);
	const struct slice key[] = {form->key_scheme, slice_of(api_key)};
	return (struct http_field){form->key_header, arena_join(arena, key, 2)};
}

/* A server that recognizes a key would answer another body with what it answered the first one. */
static struct http_field field_again(struct http_field field, struct arena *arena)
{
	const bool is_quoted = slice_ends_with(field.value, SLICE("\""));
	if (slice_equal_nocase(field.name, SLICE("Idempotency-Key")) && field.value.size > 0)
		field.value = arena_printf(
			arena, "%.*s-plain%s",
			SLICE_PRINT(slice_part(field.value, 0, field.value.size - is_quoted)),
			is_quoted ? "\"" : "");
	return field;
}

size_t forward_request_fields(const struct config *config, const struct http_head *head,
			      struct slice target, const struct dialect *dialect, bool is_again,
			      const struct http_field **fields, struct arena *arena)
{
	const char *api_key = api_key_for(config, target);
	bool has_key = api_key[0] != '\0';
	struct http_field *out = arena_alloc(arena, (head->field_count + 2) * sizeof(*out));
	size_t count = 0;
	for (size_t i = 0; i < head->field_count; i++) {
		if (goes_upstream(config, head, dialect, has_key, head->fields[i].name))
			out[count++] =
				is_again ? field_again(head->fields[i], arena) : head->fields[i];
	}
	if (dialect != NULL)
		out[count++] = (struct http_field){SLICE("Accept-Encoding"), SLICE("identity")};
	if (has_key)
		out[count++] = key_field(dialect, target, api_key, arena);
	*fields = out;
	return count;
}

static struct slice expose(struct slice value, const struct http_field *memory, size_t memory_count,
			   struct arena *arena)
{
	for (size_t i = 0; i < memory_count; i++)
		value = arena_printf(arena, "%.*s%s%.*s", SLICE_PRINT(value),
				     value.size == 0 ? "" : ", ", SLICE_PRINT(memory[i].name));
	return value;
}

size_t forward_reply_fields(const struct http_field *reply, size_t reply_count,
			    const struct http_field *memory, size_t memory_count,
			    const struct http_field **fields, struct arena *arena)
{
	struct http_field *out = arena_alloc(arena, (reply_count + memory_count) * sizeof(*out));
	size_t count = 0;
	bool exposed = false;
	for (size_t i = 0; i < reply_count; i++) {
		if (memory_count > 0 && identity_is_memory_header(reply[i].name))
			continue;
		out[count] = reply[i];
		if (!exposed &&
		    slice_equal_nocase(reply[i].name, SLICE("Access-Control-Expose-Headers"))) {
			out[count].value = expose(reply[i].value, memory, memory_count, arena);
			exposed = true;
		}
		count++;
	}
	if (memory_count > 0)
		memcpy(out + count, memory, memory_count * sizeof(*memory));
	*fields = out;
	return count + memory_count;
}
