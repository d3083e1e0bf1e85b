/* The table of all keys: everything that can be configured, and all that the program knows about
 * each key. */
#include "proxy/config/reader.h"

#include <assert.h>
#include <string.h>

#define KEY(section_, name_, initial_) .section = (section_), .name = (name_), .initial = (initial_)
#define TEXT(check_) .type = CONFIG_TEXT, .check = (check_)
#define REQUIRED_TEXT(check_) TEXT(check_), .required = true
#define LIST(check_) .type = CONFIG_LIST, .check = (check_)
#define WORD(words_) .type = CONFIG_WORD, .words = (words_)
#define SWITCH_OF(words_) .type = CONFIG_SWITCH, .words = (words_)
#define SWITCH SWITCH_OF("off|on")
#define NUMBER(least_, most_) .type = CONFIG_NUMBER, .least = (least_), .most = (most_)
#define FRACTION(least_, most_) .type = CONFIG_FRACTION, .least = (least_), .most = (most_)
#define SIZE(least_, most_) .type = CONFIG_SIZE, .least = (least_), .most = (most_)
#define DURATION(least_, most_) .type = CONFIG_DURATION, .least = (least_), .most = (most_)

/* Where the value is stored. A running daemon does not apply changes to a FIXED key. */
#define FIXED_AT(member) .offset = offsetof(struct config, member)
#define FIXED_IN_MEMORY(member) .offset = offsetof(struct config_memory, member)
#define AT(member) FIXED_AT(member), .reloadable = true
#define IN_MEMORY(member) FIXED_IN_MEMORY(member), .reloadable = true
#define NOWHERE .offset = CONFIG_NOT_STORED, .reloadable = true

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define HOUR UINT64_C(3600000)
#define DAY (24 * HOUR)
#define LONGEST (36525 * DAY) /* a hundred years */

const struct config_key config_keys[] = {
	{KEY("listen", "address", "127.0.0.1:8080"), REQUIRED_TEXT(config_check_address),
	 FIXED_AT(listen.address),
	 .help = "where clients connect, HOST:PORT or unix:/PATH; their base URL is "
		 "http://ADDRESS/v1"},
	{KEY("listen", "hosts", ""), LIST(config_check_host), AT(listen.hosts),
	 .help = "names, beside loopback's and the address's own, that a request's Host may have "
		 "where the address is loopback"},
	{KEY("listen", "admin", "127.0.0.1:8081"), TEXT(config_check_address),
	 FIXED_AT(listen.admin),
	 .help = "memory API, health and metrics, HOST:PORT or unix:/PATH; empty: none"},
	{KEY("listen", "admin_hosts", ""), LIST(config_check_host), AT(listen.admin_hosts),
	 .help = "the same for the admin address, and hosts whose web pages may ask it"},
	{KEY("listen", "admin_token", ""), TEXT(config_check_secret), AT(listen.admin_token),
	 .help = "what callers of the admin address send as \"Authorization: Bearer ...\" or "
		 "\"Token ...\"; needed when that address is not loopback"},
	{KEY("listen", "admin_token_file", ""), TEXT(NULL), AT(listen.admin_token_file),
	 .help = "file that holds the admin_token, in its place"},
	{KEY("listen", "workers", "0"), NUMBER(0, 256), FIXED_AT(listen.workers),
	 .help = "event loops for traffic; 0: one per CPU"},
	{KEY("listen", "tls_certificate", ""), TEXT(NULL), AT(listen.tls_certificate),
	 .help = "PEM file of the certificate and its chain; with tls_key: clients connect by TLS "
		 "1.2 or 1.3 (the admin address stays plain)"},
	{KEY("listen", "tls_key", ""), TEXT(NULL), AT(listen.tls_key),
	 .help = "PEM file of the certificate's key, without a passphrase"},
	{KEY("listen", "max_body", "64M"), SIZE(KIB, 2 * GIB), AT(listen.max_body),
	 .help = "largest request body; a larger one is answered 413"},
	{KEY("listen", "max_connections", "10000"), NUMBER(1, 1000000), AT(listen.max_connections),
	 .help = "open at once; one more is answered 503 with Retry-After"},
	{KEY("listen", "max_in_flight", "1G"), SIZE(MIB, 1024 * GIB), AT(listen.max_in_flight),
	 .help = "bytes of requests and unsent replies held at once; a request beyond them is "
		 "answered 503 with Retry-After; the admin address may hold a quarter beside"},
	{KEY("listen", "drain_timeout", "30s"), DURATION(0, HOUR), AT(listen.drain_timeout),
	 .help = "how long open exchanges may go on after SIGTERM"},

	{KEY("upstream", "base_url", "https://api.openai.com/v1"),
	 REQUIRED_TEXT(config_check_base_url), AT(upstream.base_url),
	 .help = "the model provider; /v1/x of a client goes to BASE_URL/x"},
	{KEY("upstream", "proxy", ""), TEXT(config_check_proxy), AT(upstream.proxy),
	 .help = "http://HOST:PORT to go through; empty: none (the environment's proxies are not "
		 "used)"},
	{KEY("upstream", "api_key", ""), TEXT(config_check_secret), AT(upstream.api_key),
	 .help = "sent in place of any key that the client sends; empty: the client's own is "
		 "passed on"},
	{KEY("upstream", "api_key_file", ""), TEXT(NULL), AT(upstream.api_key_file),
	 .help = "file that holds the api_key, in its place"},
	{KEY("upstream", "messages_base_url", ""), TEXT(config_check_base_url),
	 AT(upstream.messages_base_url),
	 .help = "where /v1/messages, what is below it, and /v1/complete go, such as "
		 "https://api.anthropic.com/v1; empty: base_url"},
	{KEY("upstream", "messages_api_key", ""), TEXT(config_check_secret),
	 AT(upstream.messages_api_key),
	 .help = "sent there in place of any key that the client sends; empty: the client's own "
		 "is passed on"},
	{KEY("upstream", "messages_api_key_file", ""), TEXT(NULL),
	 AT(upstream.messages_api_key_file),
	 .help = "file that holds the messages_api_key, in its place"},
	{KEY("upstream", "connect_timeout", "5s"), DURATION(1, HOUR), AT(upstream.connect_timeout),
	 .help = "to connect, TLS included"},
	{KEY("upstream", "first_byte_timeout", "900s"), DURATION(1, DAY),
	 AT(upstream.first_byte_timeout),
	 .help = "until a reply begins, from when the last of the request went up; longer than the "
		 "clients' own, so that a slow model is not asked twice"},
	{KEY("upstream", "idle_timeout", "120s"), DURATION(1, DAY), AT(upstream.idle_timeout),
	 .help = "between two chunks of a reply"},
	{KEY("upstream", "ca_file", ""), TEXT(config_check_readable), AT(upstream.ca_file),
	 .help = "PEM file of the authorities to trust; empty: the system's"},

	{KEY("identity", "user_header", "X-User-Id, X-OpenWebUI-User-Id"),
	 LIST(config_check_header_name), AT(identity.user_header),
	 .help = "headers that name the user; the first that is present and not empty"},
	{KEY("identity", "session_header", "X-Session-Id, X-OpenWebUI-Chat-Id"),
	 LIST(config_check_header_name), AT(identity.session_header),
	 .help = "headers that name the conversation"},
	{KEY("identity", "client_session_header", "X-Claude-Code-Session-Id, thread-id"),
	 LIST(config_check_header_name), AT(identity.client_session_header),
	 .help = "the same where none of those is sent: headers that clients send their provider, "
		 "which gets them too"},
	{KEY("identity", "task_header", "X-Memory-Task"), LIST(config_check_header_name),
	 AT(identity.task_header),
	 .help = "headers that mark a side request (titles, tags): nothing is injected or learned"},
	{KEY("identity", "user_path", "on"), SWITCH, AT(identity.user_path),
	 .help = "base URLs http://ADDRESS/u/USER/v1 for clients that cannot set headers; with a "
		 "secret /u/USER~SIGNATURE/v1"},
	{KEY("identity", "user_body", ""), LIST(config_check_body_field), AT(identity.user_body),
	 .help = "fields of the body that name the user: user, safety_identifier, "
		 "metadata.user_id; empty: none"},
	{KEY("identity", "tenant", "shared"), WORD("shared|api-key"), AT(identity.tenant),
	 .help = "api-key: users of different client API keys never share memory"},
	{KEY("identity", "drop_headers",
	     "X-OpenWebUI-User-Name, X-OpenWebUI-User-Email, X-OpenWebUI-User-Role"),
	 LIST(config_check_header_name), AT(identity.drop_headers),
	 .help = "headers about the user that the upstream does not get; empty: none"},
	{KEY("identity", "secret", ""), TEXT(NULL), AT(identity.secret),
	 .help = "set: X-User-Signature must be the hex HMAC-SHA256 of the user id under it, else "
		 "401"},
	{KEY("identity", "secret_file", ""), TEXT(NULL), AT(identity.secret_file),
	 .help = "file that holds the secret, in its place"},

	{KEY("memory", "mode", "hybrid"), WORD("off|buffer|summary|entity|vector|hybrid|auto"),
	 IN_MEMORY(mode),
	 .help = "what is injected: the last messages (buffer), the running summary, the facts "
		 "(entity), what bears on the question (vector), or all of it (hybrid); auto "
		 "picks"},
	{KEY("memory", "inject", "on"), SWITCH, IN_MEMORY(inject),
	 .help = "off: learn but never inject, a shadow roll-out"},
	{KEY("memory", "learn", "on"), SWITCH, IN_MEMORY(learn),
	 .help = "off: inject but never learn"},
	{KEY("memory", "mode_header", "on"), SWITCH, IN_MEMORY(mode_header),
	 .help = "clients may choose by X-Memory-Mode"},
	{KEY("memory", "stored_riders", "on"), SWITCH, IN_MEMORY(stored_riders),
	 .help = "off: of what a provider keeps (Responses with store or a chain), nothing holds "
		 "memory; it goes into instructions alone"},
	{KEY("memory", "role", "auto"), WORD("auto|system|developer|user"), IN_MEMORY(role),
	 .help = "which message carries the memory; auto: system, and user for a model that "
		 "refuses it"},
	{KEY("memory", "context_tokens", "1500"), NUMBER(0, 1000000), IN_MEMORY(context_tokens),
	 .help = "new memory for one user turn, at most"},
	{KEY("memory", "conversation_tokens", "6000"), NUMBER(0, 10000000),
	 IN_MEMORY(conversation_tokens),
	 .help = "all memory in one request, what earlier turns were given included"},
	{KEY("memory", "buffer_messages", "20"), NUMBER(0, 400), IN_MEMORY(buffer_messages),
	 .help = "how many of the last messages are kept verbatim"},
	{KEY("memory", "summarize_after", "20"), NUMBER(2, 400), IN_MEMORY(summarize_after),
	 .help = "messages not yet summarized before the oldest half is folded into the summary"},
	{KEY("memory", "summary_words", "150"), NUMBER(10, 2000), IN_MEMORY(summary_words),
	 .help = "length of a summary, at most"},
	{KEY("memory", "min_confidence", "0.7"), FRACTION(0, 1), IN_MEMORY(min_confidence),
	 .help = "only facts above it are stored"},
	{KEY("memory", "user_limit", "1G"), SIZE(64 * KIB, 16384 * GIB), IN_MEMORY(user_limit),
	 .help = "what one user's turns and their index may take in the store, about; beyond it "
		 "the oldest turns give way"},
	{KEY("memory", "secrets", "redact"), SWITCH_OF("keep|redact"), IN_MEMORY(secrets_redact),
	 .help = "keys, tokens and card numbers in what is stored and what the memory model sees"},
	{KEY("memory", "history", "pass"), WORD("pass|trim"), IN_MEMORY(history),
	 .help = "trim: the oldest turns of a long history give way to their summary"},
	{KEY("memory", "history_tokens", "16000"), NUMBER(100, 10000000), IN_MEMORY(history_tokens),
	 .help = "how long a history may be with history = trim; once it is cut, memory has what "
		 "the history leaves of it, and the summary is to fit into a quarter"},
	{KEY("memory", "auto_buffer_turns", "20"), NUMBER(0, 100000), IN_MEMORY(auto_buffer_turns),
	 .help = "auto: a user's only conversation is buffered below so many turns, then "
		 "summarized"},
	{KEY("memory", "auto_hybrid_sessions", "2"), NUMBER(1, 100000),
	 IN_MEMORY(auto_hybrid_sessions),
	 .help = "auto: from so many sessions of a user on it is hybrid"},
	{KEY("memory", "durability", "strict"), WORD("strict|relaxed"), IN_MEMORY(durability),
	 .help = "strict: a reply ends after its exchange is on disk"},
	{KEY("memory", "receipts", "100000"), NUMBER(0, 100000000), FIXED_IN_MEMORY(receipts),
	 .help = "how many receipts are kept; the oldest go first"},

	{KEY("model", "base_url", ""), TEXT(config_check_base_url), AT(model.base_url),
	 .help = "of the model that writes summaries and extracts facts; empty: the upstream's"},
	{KEY("model", "api_key", ""), TEXT(config_check_secret), AT(model.api_key),
	 .help = "empty: the upstream's; that empty too: the exchange's own client key, in memory "
		 "only"},
	{KEY("model", "api_key_file", ""), TEXT(NULL), AT(model.api_key_file),
	 .help = "file that holds the api_key, in its place"},
	{KEY("model", "name", ""), TEXT(NULL), AT(model.name),
	 .help = "empty: gpt-4o-mini at api.openai.com, elsewhere the exchange's own model"},
	{KEY("model", "embedding", ""), TEXT(NULL), AT(model.embedding),
	 .help = "model for /embeddings of base_url, by which past turns are found too; empty: "
		 "they "
		 "are found by their words alone"},
	{KEY("model", "embedding_timeout", "500ms"), DURATION(1, HOUR), AT(model.embedding_timeout),
	 .help = "how long a question waits for its embedding; past it the words alone serve"},
	{KEY("model", "timeout", "30s"), DURATION(1, HOUR), AT(model.timeout),
	 .help = "for one call"},
	{KEY("model", "concurrency", "4"), NUMBER(1, 256), AT(model.concurrency),
	 .help = "calls under way at once"},

	{KEY("retention", "messages", "0"), DURATION(0, LONGEST), AT(retention.messages),
	 .help = "how long turns are kept after they were said, and a summary after the last one "
		 "that it was made of; 0: for ever"},
	{KEY("retention", "facts", "0"), DURATION(0, LONGEST), AT(retention.facts),
	 .help = "how long facts are kept after they were last said; 0: for ever"},
	{KEY("retention", "pii", "keep"), WORD("keep|redact|drop"), AT(retention.pii),
	 .help = "what becomes of facts that the memory model says identify a person: redact keeps "
		 "that there is one, but neither its value nor its quote"},

	{KEY("storage", "engine", "lmdb"), WORD("lmdb"), NOWHERE, .help = "how memory is kept"},
	{KEY("storage", "path", "/var/lib/recalld"), REQUIRED_TEXT(NULL), FIXED_AT(storage.path),
	 .help = "the directory; made when it is missing"},
	{KEY("storage", "map_size", "16G"), SIZE(MIB, 16384 * GIB), FIXED_AT(storage.map_size),
	 .help = "the most that the store may grow to; address space, not disk"},

	{KEY("log", "level", "info"), WORD("error|warn|info|debug"), AT(log.level),
	 .help = "what is logged at least"},
	{KEY("log", "format", "text"), WORD("text|json"), AT(log.format),
	 .help = "how a line is written"},

	{KEY("trace", "endpoint", ""), TEXT(config_check_base_url), AT(trace.endpoint),
	 .help = "OpenTelemetry collector that takes spans of exchanges by OTLP/HTTP in JSON, such "
		 "as http://127.0.0.1:4318; without a path, /v1/traces is added; empty: none"},
	{KEY("trace", "sample", "1"), FRACTION(0, 1), AT(trace.sample),
	 .help = "share of the exchanges that are traced; a client's traceparent decides for its "
		 "own"},
	{KEY("trace", "service", "recalld"), REQUIRED_TEXT(NULL), AT(trace.service),
	 .help = "service.name of the spans"},
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_MAX_KEYS,
	      "the arrays that the table indexes are large enough");

static void print_key(const struct config_key *key, FILE *out)
{
	struct buffer values;
	buffer_init(&values, 256);
	if (key->type == CONFIG_WORD || key->type == CONFIG_SWITCH)
		config_print_words(key, &values);
	else
		config_print_range(key, &values);
	(void)fprintf(out, "| `%s` | %s%s%s | %.*s | %s |\n", key->name,
		      *key->initial == '\0' ? "" : "`", key->initial,
		      *key->initial == '\0' ? "" : "`", SLICE_PRINT(values), key->help);
	buffer_finish(&values);
}

void config_print_reference(FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (strcmp(section, key->section) != 0) {
			(void)fprintf(out,
				      "%s**[%s]**\n\n| key | default | values | |\n"
				      "| --- | --- | --- | --- |\n",
				      i == 0 ? "" : "\n", key->section);
			section = key->section;
		}
		print_key(key, out);
	}
}
