/* Rules between keys, once all are read: which values cannot go together, and which act differently
 * than expected. */
#include "proxy/config/reader.h"
#include "proxy/config/store_key.h"
#include "proxy/http/tls.h"

#include <openssl/crypto.h>

static struct config_origin origin_of(const struct config_reader *reader, const char *section,
				      const char *name)
{
	return reader->origins[config_find(slice_of(section), slice_of(name))];
}

static bool is_set(struct config_origin origin)
{
	return origin.line > 0 || origin.variable != NULL;
}

/* Whether two keys can be compared: neither value was bad. A fault of both is told at `at`, the
 * first one's place if it was set, otherwise the second's. */
static bool can_compare(struct config_origin first, struct config_origin second,
			struct config_origin *at)
{
	*at = is_set(first) ? first : second;
	return !first.broken && !second.broken;
}

/* ---- addresses ---- */

static void check_addresses(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_origin at_admin = origin_of(reader, "listen", "admin");
	struct config_origin at;
	struct config_address address;
	struct config_address admin;
	if (!can_compare(at_admin, origin_of(reader, "listen", "address"), &at) ||
	    !config_address_read(slice_of(config->listen.address), &address) ||
	    !config_address_read(slice_of(config->listen.admin), &admin))
		return;
	if (config_address_clash(&address, &admin))
		config_fault(reader, at,
			     "[listen] admin is the same address as [listen] address; give one of "
			     "them a different port or path");
	if (!config_address_is_loopback(&admin) && *config->listen.admin_token == '\0' &&
	    *config->listen.admin_token_file == '\0' &&
	    !origin_of(reader, "listen", "admin_token").broken)
		config_fault(reader, at_admin,
			     "[listen] admin is open to other machines, but admin_token is empty; "
			     "set admin_token, or make admin a loopback address such as "
			     "127.0.0.1:8081");
}

/* Whether requests to the URL come back to the listener. */
static bool leads_back(struct config_reader *reader, const char *section, const char *key,
		       const char *url, struct config_origin *at)
{
	struct config_address address;
	return can_compare(origin_of(reader, section, key), origin_of(reader, "listen", "address"),
			   at) &&
	       *url != '\0' &&
	       config_address_read(slice_of(reader->config->listen.address), &address) &&
	       config_url_leads_to(slice_of(url), &address);
}

/* One request would use up all connections, because each one is sent back to the listener. */
static void check_for_a_loop(struct config_reader *reader, const char *key, const char *url)
{
	struct config_origin at;
	if (*reader->config->upstream.proxy == '\0' &&
	    leads_back(reader, "upstream", key, url, &at))
		config_fault(reader, at,
			     "[upstream] %s leads back to [listen] address; set the model "
			     "provider's URL, or choose another port",
			     key);
}

/* Each batch of spans would be an exchange, whose spans make another. */
static void check_trace(struct config_reader *reader)
{
	struct config_origin at;
	if (leads_back(reader, "trace", "endpoint", reader->config->trace.endpoint, &at))
		config_fault(reader, origin_of(reader, "trace", "endpoint"),
			     "[trace] endpoint leads back to [listen] address; set the collector's "
			     "URL, such as http://127.0.0.1:4318");
}

/* ---- certificates ---- */

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

/* ---- sizes ---- */

static void check_bytes(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_origin at;
	if (can_compare(origin_of(reader, "listen", "max_in_flight"),
			origin_of(reader, "listen", "max_body"), &at) &&
	    config->listen.max_body > config->listen.max_in_flight)
		config_fault(reader, at,
			     "[listen] max_body exceeds max_in_flight, so the largest body could "
			     "never be accepted; lower max_body or raise max_in_flight");
}

static bool exceeds(const struct config_memory *memory)
{
	return memory->context_tokens > memory->conversation_tokens;
}

static void check_tokens(struct config_reader *reader)
{
	static const char too_many[] =
		"[memory] context_tokens exceeds conversation_tokens, which limits it; lower "
		"context_tokens or raise conversation_tokens";
	size_t context = config_find(SLICE("memory"), SLICE("context_tokens"));
	size_t conversation = config_find(SLICE("memory"), SLICE("conversation_tokens"));
	const struct config *config = reader->config;
	struct config_origin at;
	if (!can_compare(reader->origins[context], reader->origins[conversation], &at))
		return;
	if (exceeds(&config->memory))
		config_fault(reader, at, "%s", too_many);
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		struct config_memory memory = config->memory;
		config_apply(override, &memory);
		unsigned line = override->lines[context] > 0 ? override->lines[context]
							     : override->lines[conversation];
		if (line > 0 && exceeds(&memory))
			config_fault(reader, (struct config_origin){.line = line}, "%s", too_many);
	}
}

/* ---- the store ---- */

/* Anyone may test a configuration; only the daemon's user need have access to the path. */
static void tell_of_store(struct config_reader *reader, struct config_origin origin,
			  enum store_look look, const char *why)
{
	if (look == STORE_LOOK_HELD)
		config_warning_at(reader, origin,
				  "[storage] path: %s; two daemons cannot share a store: stop that "
				  "one, or set another path",
				  why);
	else if (look == STORE_LOOK_DENIED && !is_set(origin))
		config_warning_at(reader, origin,
				  "[storage] path: %s; test as recalld's user, or set another path",
				  why);
	else
		config_fault(reader, origin,
			     "[storage] path: %s; give recalld's user a writable directory, or set "
			     "another path",
			     why);
}

static void check_key(struct config_reader *reader)
{
	const struct config *config = reader->config;
	const bool has_file = *config->storage.key_file != '\0';
	const bool has_command = *config->storage.key_command != '\0';
	const struct config_origin origin = origin_of(reader, "storage", "encrypt");
	const bool has_variable = store_key_in_environment();
	unsigned char key[STORE_KEY_SIZE];
	struct buffer why;
	if (has_variable)
		config_warning(reader, STORE_KEY_VARIABLE "%s",
			       config->storage.encrypt
				       ? " gives the store's key: programs of the same user, and "
					 "who may look at how this one was started, can read an "
					 "environment; [storage] key_file is safer"
				       : " is set, but [storage] encrypt is off: nothing is "
					 "encrypted");
	if (origin.broken || !config->storage.encrypt)
		return;
	if (has_file + has_command + has_variable != 1) {
		config_fault(reader, origin,
			     "[storage] encrypt = on needs one key; set key_file or key_command, "
			     "one of the two%s",
			     has_variable ? ", or unset " STORE_KEY_VARIABLE : "");
		return;
	}
	buffer_init(&why, CONFIG_MAX_REASON);
	if (reader->looks_at_store && !has_command && !store_key_read(config, key, &why))
		config_fault(reader, origin, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	OPENSSL_cleanse(key, sizeof(key));
	buffer_finish(&why);
}

static void check_store(struct config_reader *reader)
{
	const char *path = reader->config->storage.path;
	struct config_origin origin = origin_of(reader, "storage", "path");
	char why[512];
	check_key(reader);
	if (origin.broken)
		return;
	/* recalld does not expand ~ as a shell does: it would create a directory with that name. */
	if (path[0] == '~') {
		config_fault(reader, origin,
			     "[storage] path begins with ~, which recalld does not expand; write "
			     "the whole path, or ${HOME}");
		return;
	}
	enum store_look look =
		reader->looks_at_store ? store_look(path, why, sizeof(why)) : STORE_LOOK_FINE;
	if (look != STORE_LOOK_FINE)
		tell_of_store(reader, origin, look, why);
}

/* ---- warnings ---- */

static void warn_if(struct config_reader *reader, bool applies, const char *message)
{
	if (applies)
		config_warning(reader, "%s", message);
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

/* `endpoint` is what recalld appends to the URL. */
static void warn_of_version(struct config_reader *reader, const char *section, const char *key,
			    const char *url, const char *endpoint)
{
	if (*url != '\0' && !config_url_has_version(slice_of(url)))
		config_warning_at(reader, origin_of(reader, section, key),
				  "[%s] %s has no version such as /v1 in its path, and chats go to "
				  "%s/%s; most servers need /v1 at its end",
				  section, key, key, endpoint);
}

/* The kernel then chooses the port. */
static bool has_any_port(const char *text)
{
	struct config_address address;
	return config_address_read(slice_of(text), &address) && address.path.size == 0 &&
	       address.port == 0;
}

/* Other machines can reach it. */
static bool is_open(const char *text)
{
	struct config_address address;
	return config_address_read(slice_of(text), &address) &&
	       !config_address_is_loopback(&address);
}

static void warn_of_tenants(struct config_reader *reader)
{
	const struct config *config = reader->config;
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		if (override->selector == SELECT_TENANT && config->identity.tenant == TENANT_SHARED)
			config_warning(reader,
				       "the [memory tenant=...] of line %u never applies; set "
				       "tenant = api-key in [identity]",
				       override->line);
	}
}

static void warn_of_listeners(struct config_reader *reader)
{
	const struct config *config = reader->config;
	const bool is_everybodys = is_open(config->listen.address);
	warn_if(reader, has_any_port(config->listen.address),
		"[listen] address has port 0: each worker listens on a random port; choose a port");
	warn_if(reader, has_any_port(config->listen.admin),
		"[listen] admin has port 0: it listens on a random port; choose a port");
	/* Anyone on the network has access to memory and to the provider's key. */
	warn_if(reader,
		is_everybodys && *config->identity.secret == '\0' &&
			config->identity.tenant == TENANT_SHARED,
		"[listen] address is open to other machines: anyone who reaches it can name any "
		"user and get that user's memory; set secret in [identity], or tenant = api-key");
	warn_if(reader, is_everybodys && *config->upstream.api_key != '\0',
		"[listen] address is open to other machines: anyone who reaches it uses [upstream] "
		"api_key; restrict access to it, or leave api_key empty so that clients send their "
		"own");
	warn_if(reader, is_everybodys && config->listen.hosts.count > 0,
		"[listen] hosts has no effect: address is open to other machines and accepts "
		"requests with any Host");
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

static void warn(struct config_reader *reader)
{
	const struct config *config = reader->config;
	const struct config_memory *memory = &config->memory;
	warn_of_version(reader, "upstream", "base_url", config->upstream.base_url,
			"chat/completions");
	warn_of_version(reader, "upstream", "messages_base_url", config->upstream.messages_base_url,
			"messages");
	warn_of_version(reader, "model", "base_url", config->model.base_url, "chat/completions");
	warn_of_learning(reader);
	warn_of_recall(reader);
	warn_if(reader, anywhere(config, trims_in_vain),
		"history = trim cannot trim where mode, inject or learn is off: it needs "
		"summaries");
	warn_if(reader, anywhere(config, trims_to_no_summary),
		"[memory] history_tokens is so small that a summary of summary_words may not fit "
		"into the quarter left for memory after history = trim cuts the history: the "
		"summary is then cut or omitted; raise history_tokens or lower summary_words");
	warn_if(reader,
		config->identity.user_header.count == 0 && !config->identity.user_path &&
			config->identity.user_body.count == 0,
		"nothing will be remembered: no request can name its user; set user_header, "
		"user_path or user_body in [identity]");
	warn_of_tenants(reader);
	warn_if(reader,
		memory->context_tokens > 0 && memory->context_tokens == memory->conversation_tokens,
		"[memory] conversation_tokens does not exceed context_tokens: one turn may use all "
		"of it, and the conversation's memory is then built anew; raise "
		"conversation_tokens");
	warn_of_listeners(reader);
	warn_of_certificate(reader);
	warn_of_short_keeping(reader, "messages", memory->retention.messages);
	warn_of_short_keeping(reader, "facts", memory->retention.facts);
}

void config_apply_rules(struct config_reader *reader)
{
	check_addresses(reader);
	check_for_a_loop(reader, "base_url", reader->config->upstream.base_url);
	check_for_a_loop(reader, "messages_base_url", reader->config->upstream.messages_base_url);
	check_trace(reader);
	check_authorities(reader);
	load_tls(reader);
	check_bytes(reader);
	check_store(reader);
	check_tokens(reader);
	if (reader->fault_count == 0)
		warn(reader);
}
