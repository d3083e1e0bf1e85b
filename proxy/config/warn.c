/* Warnings: settings that are valid, but act differently than expected. */
#include "proxy/config/reader.h"
#include "proxy/http/tls.h"

static bool learns(const struct config_memory *memory)
{
	enum mode mode = (enum mode)memory->mode;
	return memory->learn && (mode_uses_facts(mode) || mode_uses_summary(mode));
}

static bool recalls(const struct config_memory *memory)
{
	return mode_recalls((enum mode)memory->mode);
}

/* Trimming removes only what a summary covers; with these settings no summary is written or
 * injected. */
static bool trims_in_vain(const struct config_memory *memory)
{
	return memory->history == HISTORY_TRIM &&
	       (!memory->learn || !memory->inject || memory->mode == MODE_OFF);
}

/* A quarter of history_tokens is for memory; a token is about three quarters of an English word. */
static bool trims_to_no_summary(const struct config_memory *memory)
{
	return memory->history == HISTORY_TRIM && !trims_in_vain(memory) &&
	       memory->history_tokens / 4 < memory->summary_words * 4 / 3;
}

/* Whether `is_so` holds for any request. */
static bool anywhere(const struct config *config, bool (*is_so)(const struct config_memory *))
{
	if (is_so(&config->memory))
		return true;
	for (size_t i = 0; i < config->override_count; i++) {
		struct config_memory memory = config->memory;
		config_apply(&config->overrides[i], &memory);
		if (is_so(&memory))
			return true;
	}
	return false;
}

/* Warns where a borrowed key is sent. `work` is "learning" or "embedding", `done` what it does to a
 * turn. */
static void warn_of_key(struct config_reader *reader, const char *work, const char *done)
{
	const struct config *config = reader->config;
	if (*config->model.api_key != '\0')
		return;
	struct slice upstream = config_url_origin(slice_of(config->upstream.base_url));
	struct slice model = config_url_origin(slice_of(config->model.base_url));
	bool elsewhere = model.size > 0 && !slice_equal_nocase(model, upstream);
	if (elsewhere && *config->upstream.api_key != '\0')
		config_warning(reader, "[model] base_url differs from the upstream's server but "
				       "gets the upstream's api_key; set [model] api_key");
	else if (elsewhere && slice_equal_nocase(model, SLICE("https://api.openai.com")))
		config_warning(reader,
			       "nothing will be %s: no key for [model] base_url, and the clients' "
			       "keys are for another server; set [model] api_key",
			       done);
	else if (elsewhere)
		config_warning(
			reader,
			"[model] base_url differs from the upstream's server, so clients' keys are "
			"not sent there, and turns of clients with a key will not be %s; set "
			"[model] api_key (to any word if it needs none)",
			done);
	else if (*config->upstream.api_key == '\0')
		config_note(reader,
			    "%s uses each client's own key; after a restart pending work waits for "
			    "that client's next request; set [model] api_key to have it %s at once",
			    work, done);
}

static void warn_of_learning(struct config_reader *reader)
{
	const struct config *config = reader->config;
	if (anywhere(config, learns))
		warn_of_key(reader, "learning", "learned");
	else if (config->memory.mode == MODE_OFF)
		config_warning(reader, "nothing will be learned: [memory] mode is off");
	else if (!config->memory.learn)
		config_warning(reader, "nothing will be learned: [memory] learn is off");
}

static void warn_of_recall(struct config_reader *reader)
{
	const struct config *config = reader->config;
	bool embeds = *config->model.embedding != '\0';
	if (embeds && !anywhere(config, recalls))
		config_warning(reader,
			       "[model] embedding helps only clients that choose vector, hybrid or "
			       "auto themselves: no configured [memory] mode recalls past turns");
	else if (embeds && !anywhere(config, learns))
		warn_of_key(reader, "embedding", "embedded");
}

static void warn_of_trimming(struct config_reader *reader)
{
	const struct config *config = reader->config;
	if (anywhere(config, trims_in_vain))
		config_warning(reader, "history = trim cannot trim where mode, inject or learn is "
				       "off: it needs summaries");
	if (anywhere(config, trims_to_no_summary))
		config_warning(reader,
			       "[memory] history_tokens is so small that a summary of "
			       "summary_words may not fit into the quarter left for memory after "
			       "history = trim cuts the history: the summary is then cut or "
			       "omitted; raise history_tokens or lower summary_words");
}

/* `endpoint` is what recalld appends to the URL. */
static void warn_of_version(struct config_reader *reader, const char *section, const char *key,
			    const char *url, const char *endpoint)
{
	if (*url != '\0' && !config_url_has_version(slice_of(url)))
		config_warning_at(reader,
				  reader->origins[config_find(slice_of(section), slice_of(key))],
				  "[%s] %s has no version such as /v1 in its path, and chats go to "
				  "%s/%s; most servers need /v1 at its end",
				  section, key, key, endpoint);
}

static void warn_of_identity(struct config_reader *reader)
{
	const struct config *config = reader->config;
	if (config->identity.user_header.count == 0 && !config->identity.user_path &&
	    config->identity.user_body.count == 0)
		config_warning(reader, "nothing will be remembered: no request can name its user; "
				       "set user_header, user_path or user_body in [identity]");
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		if (override->selector == SELECT_TENANT && config->identity.tenant == TENANT_SHARED)
			config_warning(reader,
				       "the [memory tenant=...] of line %u never applies; set "
				       "tenant = api-key in [identity]",
				       override->line);
	}
}

static void warn_of_tokens(struct config_reader *reader)
{
	const struct config_memory *memory = &reader->config->memory;
	if (memory->context_tokens > 0 && memory->context_tokens == memory->conversation_tokens)
		config_warning(reader,
			       "[memory] conversation_tokens does not exceed context_tokens: one "
			       "turn may use all of it, and the conversation's memory is then "
			       "built anew; raise conversation_tokens");
}

/* The kernel then chooses the port, a different one for each worker. */
static void warn_of_ports(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_address address;
	if (config_address_read(slice_of(config->listen.address), &address) &&
	    address.path.size == 0 && address.port == 0)
		config_warning(reader, "[listen] address has port 0: each worker listens on a "
				       "random port; choose a port");
	if (config_address_read(slice_of(config->listen.admin), &address) &&
	    address.path.size == 0 && address.port == 0)
		config_warning(
			reader,
			"[listen] admin has port 0: it listens on a random port; choose a port");
}

/* Anyone on the network then has access to memory and to the provider's key. */
static void warn_of_strangers(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_address address;
	if (!config_address_read(slice_of(config->listen.address), &address) ||
	    config_address_is_loopback(&address))
		return;
	if (*config->identity.secret == '\0' && config->identity.tenant == TENANT_SHARED)
		config_warning(reader, "[listen] address is open to other machines: anyone who "
				       "reaches it can name any user and get that user's memory; "
				       "set secret in [identity], or tenant = api-key");
	if (*config->upstream.api_key != '\0')
		config_warning(reader, "[listen] address is open to other machines: anyone who "
				       "reaches it uses [upstream] api_key; restrict access to it, "
				       "or leave api_key empty so that clients send their own");
}

static void warn_of_hosts(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_address address;
	if (config->listen.hosts.count > 0 &&
	    config_address_read(slice_of(config->listen.address), &address) &&
	    !config_address_is_loopback(&address))
		config_warning(reader, "[listen] hosts has no effect: address is open to other "
				       "machines and accepts requests with any Host");
}

static void warn_of_certificate(struct config_reader *reader)
{
	struct tls_context *tls = reader->config->listen.tls;
	char end[32];
	if (tls != NULL && tls_has_expired(tls, end, sizeof(end)))
		config_warning(reader,
			       "[listen] tls_certificate expired at %s UTC, and clients refuse it; "
			       "renew it",
			       end);
}

/* Data deleted by mistake does not come back, and "3m" means minutes. */
static void warn_of_short_keeping(struct config_reader *reader, const char *key, uint64_t kept)
{
	if (kept > 0 && kept < (uint64_t)24 * 3600 * 1000)
		config_warning(
			reader,
			"[retention] %s is less than a day: older data is deleted permanently and "
			"at once; m means minutes: write months as days, such as 90d",
			key);
}

void config_warn(struct config_reader *reader)
{
	const struct config *config = reader->config;
	warn_of_version(reader, "upstream", "base_url", config->upstream.base_url,
			"chat/completions");
	warn_of_version(reader, "upstream", "messages_base_url", config->upstream.messages_base_url,
			"messages");
	warn_of_version(reader, "model", "base_url", config->model.base_url, "chat/completions");
	warn_of_learning(reader);
	warn_of_recall(reader);
	warn_of_trimming(reader);
	warn_of_identity(reader);
	warn_of_tokens(reader);
	warn_of_ports(reader);
	warn_of_strangers(reader);
	warn_of_hosts(reader);
	warn_of_certificate(reader);
	warn_of_short_keeping(reader, "messages", reader->config->memory.retention.messages);
	warn_of_short_keeping(reader, "facts", reader->config->memory.retention.facts);
}
