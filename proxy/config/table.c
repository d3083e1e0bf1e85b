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
#define TIME_KEPT DURATION(0, LONGEST), .shortest = true
#define PII_ACTION WORD("keep|mask|drop|no_inject")
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
	 .help = "address for clients, HOST:PORT or unix:/PATH; their base URL is "
		 "http://ADDRESS/v1"},
	{KEY("listen", "hosts", ""), LIST(config_check_host), AT(listen.hosts),
	 .help = "on a loopback address: names that a request's Host may have, besides loopback's "
		 "and the address's own"},
	{KEY("listen", "admin", "127.0.0.1:8081"), TEXT(config_check_address),
	 FIXED_AT(listen.admin),
	 .help = "memory API, health and metrics, HOST:PORT or unix:/PATH; empty: none"},
	{KEY("listen", "admin_hosts", ""), LIST(config_check_host), AT(listen.admin_hosts),
	 .help = "the same for the admin address; also hosts whose web pages may call it"},
	{KEY("listen", "admin_token", ""), TEXT(config_check_secret), AT(listen.admin_token),
	 .help = "token that callers of the admin address send as \"Authorization: Bearer ...\" or "
		 "\"Token ...\"; required unless that address is loopback"},
	{KEY("listen", "admin_token_file", ""), TEXT(NULL), AT(listen.admin_token_file),
	 .help = "file that contains the admin_token, instead of the key"},
	{KEY("listen", "workers", "0"), NUMBER(0, 256), FIXED_AT(listen.workers),
	 .help = "event loops for traffic; 0: one per CPU"},
	{KEY("listen", "tls_certificate", ""), TEXT(NULL), AT(listen.tls_certificate),
	 .help = "PEM file with the certificate and its chain; with tls_key, clients connect by "
		 "TLS 1.2 or 1.3 (the admin address stays plain)"},
	{KEY("listen", "tls_key", ""), TEXT(NULL), AT(listen.tls_key),
	 .help = "PEM file with the certificate's key, without a passphrase"},
	{KEY("listen", "max_body", "64M"), SIZE(KIB, 2 * GIB), AT(listen.max_body),
	 .help = "largest request body; a larger one is answered 413"},
	{KEY("listen", "max_connections", "10000"), NUMBER(1, 1000000), AT(listen.max_connections),
	 .help = "open client connections; one more is answered 503 with Retry-After"},
	{KEY("listen", "max_in_flight", "1G"), SIZE(MIB, 1024 * GIB), AT(listen.max_in_flight),
	 .help = "bytes of requests and unsent replies held at once; a request beyond that is "
		 "answered 503 with Retry-After; the admin address may hold a quarter more"},
	{KEY("listen", "drain_timeout", "30s"), DURATION(0, HOUR), AT(listen.drain_timeout),
	 .help = "how long open exchanges may continue after SIGTERM"},

	{KEY("upstream", "base_url", "https://api.openai.com/v1"),
	 REQUIRED_TEXT(config_check_base_url), AT(upstream.base_url),
	 .help = "URL of the model provider; a client's /v1/x goes to BASE_URL/x"},
	{KEY("upstream", "proxy", ""), TEXT(config_check_proxy), AT(upstream.proxy),
	 .help = "proxy for upstream requests, http://HOST:PORT; empty: none (proxies set in the "
		 "environment are not used)"},
	{KEY("upstream", "api_key", ""), TEXT(config_check_secret), AT(upstream.api_key),
	 .help = "replaces any key that the client sends; empty: the client's own key is "
		 "forwarded"},
	{KEY("upstream", "api_key_file", ""), TEXT(NULL), AT(upstream.api_key_file),
	 .help = "file that contains the api_key, instead of the key"},
	{KEY("upstream", "messages_base_url", ""), TEXT(config_check_base_url),
	 AT(upstream.messages_base_url),
	 .help = "URL for /v1/messages, paths below it, and /v1/complete, such as "
		 "https://api.anthropic.com/v1; empty: base_url"},
	{KEY("upstream", "messages_api_key", ""), TEXT(config_check_secret),
	 AT(upstream.messages_api_key),
	 .help = "replaces any key that the client sends there; empty: the client's own key is "
		 "forwarded"},
	{KEY("upstream", "messages_api_key_file", ""), TEXT(NULL),
	 AT(upstream.messages_api_key_file),
	 .help = "file that contains the messages_api_key, instead of the key"},
	{KEY("upstream", "connect_timeout", "5s"), DURATION(1, HOUR), AT(upstream.connect_timeout),
	 .help = "time to connect, including TLS"},
	{KEY("upstream", "first_byte_timeout", "900s"), DURATION(1, DAY),
	 AT(upstream.first_byte_timeout),
	 .help = "time from the end of the request until the reply begins; should exceed the "
		 "clients' own timeouts, so that a slow model is not asked twice"},
	{KEY("upstream", "idle_timeout", "120s"), DURATION(1, DAY), AT(upstream.idle_timeout),
	 .help = "time between two chunks of a reply"},
	{KEY("upstream", "ca_file", ""), TEXT(config_check_readable), AT(upstream.ca_file),
	 .help = "PEM file with the authorities to trust; empty: the system's"},

	{KEY("identity", "user_header", "X-User-Id, X-OpenWebUI-User-Id"),
	 LIST(config_check_header_name), AT(identity.user_header),
	 .help = "headers that name the user; the first one present and not empty counts"},
	{KEY("identity", "session_header", "X-Session-Id, X-OpenWebUI-Chat-Id"),
	 LIST(config_check_header_name), AT(identity.session_header),
	 .help = "headers that name the session"},
	{KEY("identity", "client_session_header", "X-Claude-Code-Session-Id, thread-id"),
	 LIST(config_check_header_name), AT(identity.client_session_header),
	 .help = "used if none of those is sent: headers that clients send to their provider, "
		 "which receives them too"},
	{KEY("identity", "task_header", "X-Memory-Task"), LIST(config_check_header_name),
	 AT(identity.task_header),
	 .help = "headers that mark a side request (titles, tags): nothing is injected or learned"},
	{KEY("identity", "user_path", "on"), SWITCH, AT(identity.user_path),
	 .help = "base URLs http://ADDRESS/u/USER/v1 for clients that cannot set headers; with a "
		 "secret: /u/USER~SIGNATURE/v1"},
	{KEY("identity", "user_body", ""), LIST(config_check_body_field), AT(identity.user_body),
	 .help = "body fields that name the user: user, safety_identifier, metadata.user_id; "
		 "empty: none"},
	{KEY("identity", "tenant", "shared"), WORD("shared|api-key"), AT(identity.tenant),
	 .help = "api-key: users of different client API keys never share memory"},
	{KEY("identity", "drop_headers",
	     "X-OpenWebUI-User-Name, X-OpenWebUI-User-Email, X-OpenWebUI-User-Role"),
	 LIST(config_check_header_name), AT(identity.drop_headers),
	 .help = "headers about the user that are not forwarded to the upstream; empty: none"},
	{KEY("identity", "secret", ""), TEXT(NULL), AT(identity.secret),
	 .help = "if set, X-User-Signature must be the hex HMAC-SHA256 of the user id with this "
		 "key, otherwise 401"},
	{KEY("identity", "secret_file", ""), TEXT(NULL), AT(identity.secret_file),
	 .help = "file that contains the secret, instead of the key"},

	{KEY("memory", "mode", "hybrid"), WORD("off|buffer|summary|entity|vector|hybrid|auto"),
	 IN_MEMORY(mode),
	 .help = "what is injected: the last messages (buffer), the running summary (summary), the "
		 "facts (entity), turns that bear on the question (vector), or all of these "
		 "(hybrid); auto chooses"},
	{KEY("memory", "inject", "on"), SWITCH, IN_MEMORY(inject),
	 .help = "off: learn but never inject, for a shadow rollout"},
	{KEY("memory", "learn", "on"), SWITCH, IN_MEMORY(learn),
	 .help = "off: inject but never learn"},
	{KEY("memory", "mode_header", "on"), SWITCH, IN_MEMORY(mode_header),
	 .help = "clients may choose by X-Memory-Mode"},
	{KEY("memory", "stored_riders", "on"), SWITCH, IN_MEMORY(stored_riders),
	 .help = "off: of what a provider keeps (Responses with store or a chain), nothing holds "
		 "memory; it goes into instructions alone"},
	{KEY("memory", "role", "auto"), WORD("auto|system|developer|user"), IN_MEMORY(role),
	 .help = "message that carries the memory; auto: system, or user for a model that refuses "
		 "system"},
	{KEY("memory", "context_tokens", "1500"), NUMBER(0, 1000000), IN_MEMORY(context_tokens),
	 .help = "most new memory for one user turn; what does not bear on the question is left "
		 "out, whatever room there is"},
	{KEY("memory", "profile_tokens", "200"), NUMBER(0, 1000000), IN_MEMORY(profile_tokens),
	 .help = "of context_tokens, most for the core profile, which is given whatever is asked: "
		 "the user's name, language, allergies, how they want to be answered"},
	{KEY("memory", "conversation_tokens", "6000"), NUMBER(0, 10000000),
	 IN_MEMORY(conversation_tokens),
	 .help = "most memory in one request, including what earlier turns were given"},
	{KEY("memory", "buffer_messages", "20"), NUMBER(0, 400), IN_MEMORY(buffer_messages),
	 .help = "how many of the last messages are injected verbatim"},
	{KEY("memory", "summarize_after", "20"), NUMBER(2, 400), IN_MEMORY(summarize_after),
	 .help = "how many messages may wait before the oldest half is folded into the summary"},
	{KEY("memory", "summary_words", "150"), NUMBER(10, 2000), IN_MEMORY(summary_words),
	 .help = "longest summary"},
	{KEY("memory", "learn_idle", "5s"), DURATION(0, HOUR), IN_MEMORY(learn_idle),
	 .help = "a user's exchanges are learned from together once no other has come for so "
		 "long; what asks to forget or corrects is learned from at once"},
	{KEY("memory", "learn_batch", "6"), NUMBER(1, 16), IN_MEMORY(learn_batch),
	 .help = "or once so many wait; 1: each by itself"},
	{KEY("memory", "time_zone", "UTC"), .type = CONFIG_ZONE, IN_MEMORY(time_zone),
	 .help = "of users, an IANA name such as Europe/Berlin: there \"tomorrow\" is meant; a "
		 "request's X-Time-Zone wins"},
	{KEY("memory", "min_confidence", "0.7"), FRACTION(0, 1), IN_MEMORY(min_confidence),
	 .help = "only facts with a higher confidence are stored"},
	{KEY("memory", "user_limit", "1G"), SIZE(64 * KIB, 16384 * GIB), IN_MEMORY(user_limit),
	 .help = "approximate space in the store for one user's turns and their index; beyond it "
		 "the oldest turns are deleted"},
	{KEY("memory", "secrets", "redact"), SWITCH_OF("keep|redact"), IN_MEMORY(secrets_redact),
	 .help = "mask keys, tokens and card numbers in stored text and in text for the memory "
		 "model"},
	{KEY("memory", "history", "pass"), WORD("pass|trim"), IN_MEMORY(history),
	 .help = "trim: a summary replaces the oldest turns of a long history"},
	{KEY("memory", "history_tokens", "16000"), NUMBER(100, 10000000), IN_MEMORY(history_tokens),
	 .help = "longest history with history = trim; once the history is cut, memory gets what "
		 "it leaves, and the summary should fit into a quarter"},
	{KEY("memory", "auto_buffer_turns", "20"), NUMBER(0, 100000), IN_MEMORY(auto_buffer_turns),
	 .help = "auto: below this many turns, a user's only conversation is buffered; above, it "
		 "is summarized"},
	{KEY("memory", "auto_hybrid_sessions", "2"), NUMBER(1, 100000),
	 IN_MEMORY(auto_hybrid_sessions),
	 .help = "auto: hybrid from this many sessions of a user on"},
	{KEY("memory", "durability", "strict"), WORD("strict|relaxed"), IN_MEMORY(durability),
	 .help = "strict: a reply ends after its exchange is on disk"},
	{KEY("memory", "receipts", "100000"), NUMBER(0, 100000000), FIXED_IN_MEMORY(receipts),
	 .help = "how many receipts are kept; the oldest are deleted first"},

	{KEY("model", "base_url", ""), TEXT(config_check_base_url), AT(model.base_url),
	 .help = "URL of the memory model, which writes summaries and extracts facts; empty: the "
		 "upstream's"},
	{KEY("model", "api_key", ""), TEXT(config_check_secret), AT(model.api_key),
	 .help = "key for the memory model; empty: the upstream's; if that is empty too: the "
		 "exchange's own client key, kept in memory only"},
	{KEY("model", "api_key_file", ""), TEXT(NULL), AT(model.api_key_file),
	 .help = "file that contains the api_key, instead of the key"},
	{KEY("model", "name", ""), TEXT(NULL), AT(model.name),
	 .help = "the memory model; empty: gpt-4o-mini at api.openai.com, elsewhere the exchange's "
		 "own model"},
	{KEY("model", "embedding", ""), TEXT(NULL), AT(model.embedding),
	 .help = "model for base_url's /embeddings, to find past turns by meaning too; empty: by "
		 "their words alone"},
	{KEY("model", "embedding_timeout", "500ms"), DURATION(1, HOUR), AT(model.embedding_timeout),
	 .help = "how long a question waits for its embedding; after that only its words are used"},
	{KEY("model", "timeout", "30s"), DURATION(1, HOUR), AT(model.timeout),
	 .help = "for one call"},
	{KEY("model", "concurrency", "4"), NUMBER(1, 256), AT(model.concurrency),
	 .help = "calls in progress at once"},

	{KEY("retention", "messages", "0"), TIME_KEPT, IN_MEMORY(retention.messages),
	 .help = "how long turns are kept after they were said, and a summary after its newest "
		 "turn; 0: forever"},
	{KEY("retention", "facts", "0"), TIME_KEPT, IN_MEMORY(retention.facts),
	 .help = "how long facts are kept after they were last said; 0: forever"},
	{KEY("retention", "facts.user", "0"), TIME_KEPT,
	 IN_MEMORY(retention.fact_kinds[FACT_OF_USER]),
	 .help = "the same for facts about the user themselves; the shorter of the two counts"},
	{KEY("retention", "facts.person", "0"), TIME_KEPT,
	 IN_MEMORY(retention.fact_kinds[FACT_OF_PERSON]),
	 .help = "the same for facts about other people; the shorter of the two counts"},
	{KEY("retention", "facts.place", "0"), TIME_KEPT,
	 IN_MEMORY(retention.fact_kinds[FACT_OF_PLACE]),
	 .help = "the same for facts about places; the shorter of the two counts"},
	{KEY("retention", "facts.project", "0"), TIME_KEPT,
	 IN_MEMORY(retention.fact_kinds[FACT_OF_PROJECT]),
	 .help = "the same for facts about projects; the shorter of the two counts"},
	{KEY("retention", "facts.thing", "0"), TIME_KEPT,
	 IN_MEMORY(retention.fact_kinds[FACT_OF_THING]),
	 .help = "the same for facts about things; the shorter of the two counts"},
	{KEY("retention", "notes", "0"), TIME_KEPT, IN_MEMORY(retention.fact_kinds[FACT_OF_NOTE]),
	 .help = "the same for notes: texts without a key, as imports from other memories bring "
		 "them"},
	{KEY("retention", "summaries", "0"), TIME_KEPT, IN_MEMORY(retention.summaries),
	 .help = "how long a summary is kept after it was written; what it told of is summarized "
		 "anew when the user comes back; 0: forever"},
	{KEY("retention", "receipts", "0"), TIME_KEPT, IN_MEMORY(retention.receipts),
	 .help = "how long receipts are kept; 0: until [memory] receipts is reached"},
	{KEY("retention", "hidden", "30d"), TIME_KEPT, IN_MEMORY(retention.hidden),
	 .help = "how long a fact stays hidden that a wish to forget meant without naming it; it "
		 "is "
		 "then erased with its turn; 0: until a person decides"},
	{KEY("retention", "pii", "keep"), WORD("keep|redact|drop"), IN_MEMORY(retention.pii),
	 .help = "what to do with facts that, according to the memory model, identify a person; "
		 "redact records that there is one, without value and quote"},

	{KEY("pii", "email", "keep"), PII_ACTION, IN_MEMORY(pii[PII_EMAIL]),
	 .help = "e-mail addresses: mask writes \"[redacted: email]\" before anything is stored; "
		 "drop also keeps "
		 "no fact that holds one; no_inject stores them, but gives them to no model"},
	{KEY("pii", "phone", "keep"), PII_ACTION, IN_MEMORY(pii[PII_PHONE]),
	 .help = "the same for telephone numbers: international ones, others behind a word such as "
		 "tel or mobile"},
	{KEY("pii", "iban", "keep"), PII_ACTION, IN_MEMORY(pii[PII_IBAN]),
	 .help = "for account numbers whose check digits are right"},
	{KEY("pii", "card", "keep"), PII_ACTION, IN_MEMORY(pii[PII_CARD]),
	 .help = "for payment card numbers; with [memory] secrets = redact they are masked "
		 "whatever this says"},
	{KEY("pii", "national_id", "keep"), PII_ACTION, IN_MEMORY(pii[PII_NATIONAL_ID]),
	 .help = "for national numbers of US, DE, FR, ES, IT, NL, BR, PL, IN and CN, by form and "
		 "check digits"},
	{KEY("pii", "ip", "keep"), PII_ACTION, IN_MEMORY(pii[PII_IP]),
	 .help = "for IP addresses, except loopback"},
	{KEY("pii", "mac", "keep"), PII_ACTION, IN_MEMORY(pii[PII_MAC]),
	 .help = "for network cards' addresses"},
	{KEY("pii", "geo", "keep"), PII_ACTION, IN_MEMORY(pii[PII_GEO]),
	 .help = "for latitude and longitude with at least four decimals"},
	{KEY("pii", "birth_date", "keep"), PII_ACTION, IN_MEMORY(pii[PII_BIRTH_DATE]),
	 .help = "for dates beside a word such as born or birthday, in twelve languages"},
	{KEY("pii", "address", "keep"), PII_ACTION, IN_MEMORY(pii[PII_ADDRESS]),
	 .help = "for what is likely a street address: a street's word with a postcode"},
	{KEY("pii", "health", "keep"), PII_ACTION, IN_MEMORY(pii[PII_HEALTH]),
	 .help = "for what, according to the memory model, is about health; mask and drop take the "
		 "sentences that say it out of its turns once they are learned from, and no_inject "
		 "hides them; the same for the next five"},
	{KEY("pii", "religion", "keep"), PII_ACTION, IN_MEMORY(pii[PII_RELIGION]),
	 .help = "for facts about religion or belief"},
	{KEY("pii", "politics", "keep"), PII_ACTION, IN_MEMORY(pii[PII_POLITICS]),
	 .help = "for facts about political opinions"},
	{KEY("pii", "sex_life", "keep"), PII_ACTION, IN_MEMORY(pii[PII_SEX_LIFE]),
	 .help = "for facts about sex life or orientation"},
	{KEY("pii", "union", "keep"), PII_ACTION, IN_MEMORY(pii[PII_UNION]),
	 .help = "for facts about membership of a trade union"},
	{KEY("pii", "biometric", "keep"), PII_ACTION, IN_MEMORY(pii[PII_BIOMETRIC]),
	 .help = "for facts about the body's measures that identify a person"},

	{KEY("governance", "consent", "implied"), WORD("implied|required"), AT(governance.consent),
	 .help = "implied: a user is remembered until they object; required: only once their "
		 "settings say that they agreed"},
	{KEY("governance", "chat_may_forget_pinned", "on"), SWITCH,
	 AT(governance.chat_may_forget_pinned),
	 .help = "whether a user's \"forget that\" in a chat also erases a fact that somebody "
		 "pinned"},

	{KEY("audit", "keep", "365d"), DURATION(0, LONGEST), AT(audit.keep),
	 .help = "how long the log of who read or changed whose memory is kept; 0: forever"},
	{KEY("audit", "inject", "off"), SWITCH, AT(audit.inject),
	 .help = "whether that log also tells which requests were given whose memory"},
	{KEY("audit", "log", "off"), SWITCH, AT(audit.log),
	 .help = "whether each entry also goes to the log, once it is on disk"},

	{KEY("storage", "engine", "lmdb"), WORD("lmdb"), NOWHERE, .help = "storage engine"},
	{KEY("storage", "path", "/var/lib/recalld"), REQUIRED_TEXT(NULL), FIXED_AT(storage.path),
	 .help = "the store's directory; created if missing"},
	{KEY("storage", "map_size", "16G"), SIZE(MIB, 16384 * GIB), FIXED_AT(storage.map_size),
	 .help = "largest size of the store; reserves address space, not disk"},
	{KEY("storage", "scrub", "off"), DURATION(HOUR, LONGEST), .words = "off|start|after_delete",
	 AT(storage.scrub),
	 .help = "when the store's records are copied into a new file, so that erased texts leave "
		 "the disk's files: at each start, after a deletion, or within this time of it; "
		 "needs room for a second copy"},
	{KEY("storage", "encrypt", "off"), SWITCH, FIXED_AT(storage.encrypt),
	 .help = "whether the store is encrypted, each user with keys of their own; a store in the "
		 "clear is encrypted at the next start, which needs room for a second copy"},
	{KEY("storage", "key_file", ""), TEXT(NULL), FIXED_AT(storage.key_file),
	 .help = "file with the master key: 32 bytes, raw or in base64; only recalld's user may "
		 "read "
		 "it"},
	{KEY("storage", "key_command", ""), TEXT(NULL), FIXED_AT(storage.key_command),
	 .help = "shell command that prints the master key, instead of a file; it gets 10 s"},
	{KEY("storage", "rotate", "off"), DURATION(DAY, LONGEST), .words = "off",
	 AT(storage.rotate),
	 .help = "age of the master key from which the log, recallctl check and a metric ask for "
		 "another one: recallctl rotate-key"},
	{KEY("storage", "backup_keys_keep", "30d"), DURATION(DAY, LONGEST),
	 AT(storage.backup_keys_keep),
	 .help = "how long you keep a file of recallctl export-keys: as long can backups hold who "
		 "was erased, and the report of a deletion says so"},
	{KEY("storage", "erasure_list", "400d"), DURATION(DAY, LONGEST),
	 FIXED_AT(storage.erasure_list),
	 .help = "how long what was erased is kept from coming back with an old export or an "
		 "import"},

	{KEY("log", "level", "info"), WORD("error|warn|info|debug"), AT(log.level),
	 .help = "lowest level that is logged"},
	{KEY("log", "format", "text"), WORD("text|json"), AT(log.format),
	 .help = "format of a log line"},

	{KEY("trace", "endpoint", ""), TEXT(config_check_base_url), AT(trace.endpoint),
	 .help = "OpenTelemetry collector that receives spans of exchanges by OTLP/HTTP in JSON, "
		 "such as http://127.0.0.1:4318; without a path, /v1/traces is added; empty: none"},
	{KEY("trace", "sample", "1"), FRACTION(0, 1), AT(trace.sample),
	 .help = "share of exchanges that are traced; a client's traceparent decides for its own "
		 "requests"},
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
	if (key->type == CONFIG_DURATION && key->words != NULL) {
		buffer_append(&values, SLICE(", "));
		config_print_words(key, &values);
	}
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
