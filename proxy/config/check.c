/* Checks across keys: faults for keys that cannot go together, warnings for combinations that act
 * differently than expected. */
#include "proxy/config/reader.h"
#include "proxy/http/tls.h"

static struct config_origin origin_of(const struct config_reader *reader, const char *section,
				      const char *name)
{
	return reader->origins[config_find(slice_of(section), slice_of(name))];
}

static bool is_set(struct config_origin origin)
{
	return origin.line > 0 || origin.variable != NULL;
}

/* The origin of the first of two keys if it was set, otherwise the second's. */
static struct config_origin either(struct config_origin first, struct config_origin second)
{
	return is_set(first) ? first : second;
}

static void check_addresses(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_origin at_address = origin_of(reader, "listen", "address");
	struct config_origin at_admin = origin_of(reader, "listen", "admin");
	struct config_address address;
	struct config_address admin;
	if (at_address.broken || at_admin.broken ||
	    !config_address_read(slice_of(config->listen.address), &address) ||
	    !config_address_read(slice_of(config->listen.admin), &admin))
		return;
	if (config_address_clash(&address, &admin))
		config_fault(reader, either(at_admin, at_address),
			     "[listen] admin is the same address as [listen] address; give one of "
			     "them a different port or path");
	if (!config_address_is_loopback(&admin) && *config->listen.admin_token == '\0' &&
	    !origin_of(reader, "listen", "admin_token").broken)
		config_fault(reader, at_admin,
			     "[listen] admin is open to other machines, but admin_token is empty; "
			     "set admin_token, or make admin a loopback address such as "
			     "127.0.0.1:8081");
}

/* One request would use up all connections, because each one is sent back to the listener. */
static void check_for_a_loop(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_origin at_address = origin_of(reader, "listen", "address");
	struct config_origin at_url = origin_of(reader, "upstream", "base_url");
	struct config_address address;
	if (at_address.broken || at_url.broken || *config->upstream.proxy != '\0' ||
	    !config_address_read(slice_of(config->listen.address), &address))
		return;
	if (config_url_leads_to(slice_of(config->upstream.base_url), &address))
		config_fault(reader, either(at_url, at_address),
			     "[upstream] base_url leads back to [listen] address; set the model "
			     "provider's URL, or choose another port");
}

static void tls_fault(struct config_reader *reader, enum tls_fault fault, const char *why)
{
	struct config_origin at_certificate = origin_of(reader, "listen", "tls_certificate");
	struct config_origin at_key = origin_of(reader, "listen", "tls_key");
	if (fault == TLS_NO_PAIR)
		config_fault(reader, at_key,
			     "[listen] tls_key does not belong to tls_certificate; name a matching "
			     "pair of files");
	else if (fault == TLS_BAD_KEY)
		config_fault(reader, at_key,
			     "[listen] tls_key cannot be used (%s); name a readable PEM file that "
			     "holds a key without a passphrase",
			     why);
	else
		config_fault(reader, at_certificate,
			     "[listen] tls_certificate cannot be used (%s); name a readable PEM "
			     "file with the certificate first and then its chain",
			     why);
}

/* Without usable authorities no request reaches the upstream, and only then would anybody
 * notice. */
static void check_authorities(struct config_reader *reader)
{
	struct config_origin at_file = origin_of(reader, "upstream", "ca_file");
	const char *file = reader->config->upstream.ca_file;
	char why[256];
	if (*file == '\0' || at_file.broken || reader->warnings == NULL ||
	    tls_has_authorities(file, why, sizeof(why)))
		return;
	config_fault(reader, at_file,
		     "[upstream] ca_file has no usable certificates (%s); name a PEM file of the "
		     "authorities to trust",
		     why);
}

/* A program that ignores warnings does not serve TLS either, and may not read the daemon's key. */
static void load_tls(struct config_reader *reader)
{
	struct config *config = reader->config;
	bool has_certificate = *config->listen.tls_certificate != '\0';
	bool has_key = *config->listen.tls_key != '\0';
	if (has_certificate != has_key) {
		config_fault(reader,
			     origin_of(reader, "listen", has_key ? "tls_key" : "tls_certificate"),
			     "[listen] %s is set without %s; set both, or neither",
			     has_key ? "tls_key" : "tls_certificate",
			     has_key ? "tls_certificate" : "tls_key");
		return;
	}
	if (!has_key || reader->warnings == NULL)
		return;
	char why[256];
	enum tls_fault fault;
	config->listen.tls = tls_context_create(config->listen.tls_certificate,
						config->listen.tls_key, &fault, why, sizeof(why));
	if (config->listen.tls == NULL)
		tls_fault(reader, fault, why);
}

static void check_bytes(struct config_reader *reader)
{
	struct config_origin at_body = origin_of(reader, "listen", "max_body");
	struct config_origin at_all = origin_of(reader, "listen", "max_in_flight");
	const struct config *config = reader->config;
	if (!at_body.broken && !at_all.broken &&
	    config->listen.max_body > config->listen.max_in_flight)
		config_fault(reader, either(at_all, at_body),
			     "[listen] max_body exceeds max_in_flight, so the largest body could "
			     "never be accepted; lower max_body or raise max_in_flight");
}

static bool exceeds(const struct config_memory *memory)
{
	return memory->context_tokens > memory->conversation_tokens;
}

static const char too_many_tokens[] =
	"[memory] context_tokens exceeds conversation_tokens, which limits it; lower "
	"context_tokens or raise conversation_tokens";

static void check_tokens(struct config_reader *reader)
{
	size_t context = config_find(SLICE("memory"), SLICE("context_tokens"));
	size_t conversation = config_find(SLICE("memory"), SLICE("conversation_tokens"));
	const struct config_origin *origins = reader->origins;
	const struct config *config = reader->config;
	if (origins[context].broken || origins[conversation].broken)
		return;
	if (exceeds(&config->memory))
		config_fault(reader, either(origins[context], origins[conversation]), "%s",
			     too_many_tokens);
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		struct config_memory memory = config->memory;
		config_apply(override, &memory);
		unsigned line = override->lines[context] > 0 ? override->lines[context]
							     : override->lines[conversation];
		if (line > 0 && exceeds(&memory))
			config_fault(reader, (struct config_origin){.line = line}, "%s",
				     too_many_tokens);
	}
}

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
	bool upstream_key = *config->upstream.api_key != '\0';
	if (elsewhere && upstream_key)
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
			"[model] base_url differs from the upstream's server but gets the clients' "
			"own keys; set [model] api_key (to any word if it needs none)");
	else if (!upstream_key)
		config_warning(
			reader,
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

static void warn_of_version(struct config_reader *reader, const char *section, const char *url)
{
	if (*url != '\0' && !config_url_has_version(slice_of(url)))
		config_warning_at(
			reader, origin_of(reader, section, "base_url"),
			"[%s] base_url has no version such as /v1 in its path, and chats go to "
			"base_url/chat/completions; most servers need /v1 at its end",
			section);
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

void config_check(struct config_reader *reader)
{
	check_addresses(reader);
	check_for_a_loop(reader);
	check_authorities(reader);
	load_tls(reader);
	check_bytes(reader);
	config_check_store(reader);
	check_tokens(reader);
	if (reader->fault_count > 0)
		return;
	warn_of_version(reader, "upstream", reader->config->upstream.base_url);
	warn_of_version(reader, "model", reader->config->model.base_url);
	warn_of_learning(reader);
	warn_of_recall(reader);
	warn_of_trimming(reader);
	warn_of_identity(reader);
	warn_of_tokens(reader);
	warn_of_ports(reader);
	warn_of_strangers(reader);
	warn_of_hosts(reader);
	warn_of_certificate(reader);
	warn_of_short_keeping(reader, "messages", reader->config->retention.messages);
	warn_of_short_keeping(reader, "facts", reader->config->retention.facts);
}
