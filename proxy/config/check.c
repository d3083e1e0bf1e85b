/* Faults: keys that cannot go together. */
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
	    *config->listen.admin_token_file == '\0' &&
	    !origin_of(reader, "listen", "admin_token").broken)
		config_fault(reader, at_admin,
			     "[listen] admin is open to other machines, but admin_token is empty; "
			     "set admin_token, or make admin a loopback address such as "
			     "127.0.0.1:8081");
}

/* One request would use up all connections, because each one is sent back to the listener. */
static void check_for_a_loop(struct config_reader *reader, const char *key, const char *url)
{
	const struct config *config = reader->config;
	struct config_origin at_address = origin_of(reader, "listen", "address");
	struct config_origin at_url = origin_of(reader, "upstream", key);
	struct config_address address;
	if (at_address.broken || at_url.broken || *url == '\0' || *config->upstream.proxy != '\0' ||
	    !config_address_read(slice_of(config->listen.address), &address))
		return;
	if (config_url_leads_to(slice_of(url), &address))
		config_fault(reader, either(at_url, at_address),
			     "[upstream] %s leads back to [listen] address; set the model "
			     "provider's URL, or choose another port",
			     key);
}

/* Each batch of spans would be an exchange, whose spans make another. */
static void check_trace(struct config_reader *reader)
{
	const struct config *config = reader->config;
	struct config_origin at_address = origin_of(reader, "listen", "address");
	struct config_origin at_url = origin_of(reader, "trace", "endpoint");
	struct config_address address;
	if (*config->trace.endpoint == '\0' || at_address.broken || at_url.broken ||
	    !config_address_read(slice_of(config->listen.address), &address))
		return;
	if (config_url_leads_to(slice_of(config->trace.endpoint), &address))
		config_fault(reader, at_url,
			     "[trace] endpoint leads back to [listen] address; set the collector's "
			     "URL, such as http://127.0.0.1:4318");
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

void config_check(struct config_reader *reader)
{
	check_addresses(reader);
	check_for_a_loop(reader, "base_url", reader->config->upstream.base_url);
	check_for_a_loop(reader, "messages_base_url", reader->config->upstream.messages_base_url);
	check_trace(reader);
	check_authorities(reader);
	load_tls(reader);
	check_bytes(reader);
	config_check_store(reader);
	check_tokens(reader);
	if (reader->fault_count == 0)
		config_warn(reader);
}
