/* The sender of a request. */
#include "proxy/exchange/identity.h"

#include "core/text/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

enum { MAX_ID = 256, TENANT_DIGITS = 16 };

static const struct slice signature_header = {"X-User-Signature", 16};

static bool is_in(const struct config_list *list, struct slice name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (slice_equal_nocase(name, slice_of(list->items[i])))
			return true;
	}
	return false;
}

bool identity_is_memory_header(struct slice name)
{
	static const struct slice memory = {"X-Memory-", 9};
	return name.size > memory.size &&
	       slice_equal_nocase(slice_part(name, 0, memory.size), memory);
}

bool identity_owns_header(const struct config *config, struct slice name)
{
	return is_in(&config->identity.user_header, name) ||
	       is_in(&config->identity.session_header, name) ||
	       is_in(&config->identity.task_header, name) ||
	       is_in(&config->identity.drop_headers, name) ||
	       slice_equal_nocase(name, signature_header) ||
	       slice_equal_nocase(name, SLICE("X-Time-Zone")) || identity_is_memory_header(name);
}

bool identity_is_key_header(struct slice name)
{
	/* used by OpenAI, Azure, Anthropic and Google */
	static const struct slice names[] = {SLICE("Authorization"), SLICE("api-key"),
					     SLICE("x-api-key"), SLICE("x-goog-api-key")};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

/* ---- header fields ---- */

bool identity_find_field(const struct http_head *head, struct slice name, struct slice *value)
{
	*value = (struct slice){0};
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *field = &head->fields[i];
		if (field->value.size == 0 || !slice_equal_nocase(field->name, name))
			continue;
		if (value->size > 0 && !slice_equal(*value, field->value))
			return false;
		*value = field->value;
	}
	return true;
}

/* The first non-empty value of several names, in order. False: two values of one name differ. */
static bool find_first(const struct http_head *head, const struct config_list *names,
		       struct slice *value)
{
	*value = (struct slice){0};
	for (size_t i = 0; i < names->count && value->size == 0; i++) {
		if (!identity_find_field(head, slice_of(names->items[i]), value))
			return false;
	}
	return true;
}

bool identity_names_user(const struct config *config, const struct http_head *head)
{
	struct slice user;
	return !find_first(head, &config->identity.user_header, &user) || user.size > 0;
}

/* Credentials with several parts, such as Digest's and AWS4-HMAC-SHA256's, change with each request
 * (RFC 9110, section 11.4: either one token or a list of parameters). */
static bool is_one_token(struct slice credentials)
{
	return slice_find(credentials, SLICE(","), 0) == credentials.size &&
	       slice_find(credentials, SLICE(" "), 0) == credentials.size;
}

/* The request's API key: Authorization: Bearer, api-key or x-api-key; otherwise the whole
 * Authorization value with another scheme or none, unless it has several parts, which change with
 * each request. Empty: none. */
static struct slice api_key_of(const struct http_head *head)
{
	struct slice sent, value;
	(void)identity_find_field(head, SLICE("Authorization"), &sent);
	size_t space = slice_find(sent, SLICE(" "), 0);
	bool is_bearer = slice_equal_nocase(slice_part(sent, 0, space), SLICE("Bearer"));
	struct slice key = slice_trim(slice_part(sent, space, sent.size));
	if (is_bearer && key.size > 0)
		return key;
	(void)identity_find_field(head, SLICE("api-key"), &value);
	if (value.size == 0)
		(void)identity_find_field(head, SLICE("x-api-key"), &value);
	return value.size > 0 || is_bearer || !is_one_token(key) ? value : sent;
}

/* The prefixes of subscription tokens and of a JSON Web Token's header, {" in base64. */
static bool is_login(struct slice key)
{
	return slice_starts_with(key, SLICE("sk-ant-oat")) || slice_starts_with(key, SLICE("eyJ"));
}

struct slice identity_key_field(const struct http_head *head, bool *is_bound, struct arena *arena)
{
	static const struct {
		struct slice sent, goes;
	} names[] = {
		{SLICE("Authorization"), SLICE("Authorization: ")},
		{SLICE("api-key"), SLICE("api-key: ")},
		{SLICE("x-api-key"), SLICE("Authorization: Bearer ")},
	};
	*is_bound = is_login(api_key_of(head));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !*is_bound; i++) {
		struct slice value;
		(void)identity_find_field(head, names[i].sent, &value);
		/* SDKs given an empty key send this, with the right key in another header */
		bool is_empty = slice_equal_nocase(value, SLICE("Bearer"));
		if (value.size > 0 && !is_empty)
			return arena_join(arena, (const struct slice[]){names[i].goes, value}, 2);
	}
	return (struct slice){0};
}

bool identity_is_admin(const struct config *config, const struct http_head *head)
{
	struct slice token = slice_of(config->listen.admin_token);
	struct slice given;
	(void)identity_find_field(head, SLICE("Authorization"), &given);
	size_t space = slice_find(given, SLICE(" "), 0);
	struct slice scheme = slice_part(given, 0, space);
	if (!slice_equal_nocase(scheme, SLICE("Bearer")) &&
	    !slice_equal_nocase(scheme, SLICE("Token")))
		return false;
	given = slice_trim(slice_part(given, space, given.size));
	return token.size > 0 && given.size == token.size &&
	       CRYPTO_memcmp(given.data, token.data, token.size) == 0;
}

/* ---- the path ---- */

/* Cuts the signature, after the last "~", off the user. */
static void cut_signature(struct identity_path *path)
{
	const char *tilde = memrchr(path->user.data, '~', path->user.size);
	if (tilde == NULL)
		return;
	size_t at = (size_t)(tilde - path->user.data);
	path->signature = slice_part(path->user, at + 1, path->user.size);
	path->user.size = at;
}

/* Whether the base URL /u/ stands before a path of an API, without an id between them. */
static bool lacks_id(struct slice user, struct slice rest)
{
	if (slice_equal(user, SLICE("api")))
		return slice_equal(rest, SLICE("/chat"));
	return slice_equal(user, SLICE("v1")) && !slice_starts_with(rest, SLICE("/v1")) &&
	       !slice_starts_with(rest, SLICE("/api/"));
}

bool identity_split_path(const struct config *config, struct slice target,
			 struct identity_path *path, struct arena *arena)
{
	static const struct slice prefix = {"/u/", 3};
	if (!config->identity.user_path || !slice_starts_with(target, prefix))
		return false;
	size_t end = slice_find(target, SLICE("/"), prefix.size);
	struct slice user = slice_part(target, prefix.size, end);
	if (end == target.size || slice_find(user, SLICE("?"), 0) < user.size)
		return false;
	if (lacks_id(user, slice_part(target, end, target.size))) {
		*path = (struct identity_path){
			.rest = slice_part(target, prefix.size - 1, target.size)};
		return true;
	}
	*path = (struct identity_path){.rest = slice_part(target, end, target.size)};
	/* After decoding, since some clients encode the "~" too. */
	if (percent_decode(user, &path->user, arena) && *config->identity.secret != '\0')
		cut_signature(path);
	return true;
}

/* ---- what an id must be ---- */

static bool is_placeholder(struct slice id)
{
	return slice_find(id, SLICE("{{"), 0) < id.size;
}

const char *identity_user_fault(struct slice user)
{
	if (user.size == 0)
		return "The path has no user id after /u/, or its percent-encoding is broken: "
		       "set the base URL to http://ADDRESS/u/USER/v1, without /v1 for the "
		       "clients of Anthropic and Ollama.";
	if (user.size > MAX_ID)
		return "The user id is longer than 256 bytes.";
	if (is_placeholder(user))
		return "The user id is a placeholder that the client has not filled in.";
	if (!text_is_visible(user))
		return "The user id must be visible characters in UTF-8, without spaces.";
	return NULL;
}

/* ---- signature and tenant ---- */

/* The value of two hex digits; -1 if they are not. */
static int hex_byte(const char *digits)
{
	int high = http_hex_digit(digits[0]);
	int low = http_hex_digit(digits[1]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Whether `signature` is the hex HMAC-SHA256 (RFC 2104) of the user id. */
static bool is_signed(const char *secret, struct slice user, struct slice signature)
{
	unsigned char expected[SHA256_DIGEST_LENGTH];
	unsigned char given[SHA256_DIGEST_LENGTH];
	if (signature.size != 2 * sizeof(given))
		return false;
	for (size_t i = 0; i < sizeof(given); i++) {
		int byte = hex_byte(signature.data + 2 * i);
		if (byte < 0)
			return false;
		given[i] = (unsigned char)byte;
	}
	unsigned size = 0;
	return HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)user.data,
		    user.size, expected, &size) != NULL &&
	       size == sizeof(expected) && CRYPTO_memcmp(expected, given, sizeof(given)) == 0;
}

static struct slice tenant_of(const struct config *config, const struct http_head *head,
			      struct arena *arena)
{
	if (config->identity.tenant == TENANT_SHARED)
		return (struct slice){0};
	struct slice key = api_key_of(head);
	if (key.size == 0)
		return SLICE("none");
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[SHA256_DIGEST_LENGTH];
	(void)SHA256((const unsigned char *)key.data, key.size, hash);
	char *tenant = arena_alloc(arena, TENANT_DIGITS);
	for (size_t i = 0; i < TENANT_DIGITS / 2; i++) {
		tenant[2 * i] = digits[hash[i] >> 4];
		tenant[2 * i + 1] = digits[hash[i] & 15];
	}
	return (struct slice){tenant, TENANT_DIGITS};
}

/* ---- all together ---- */

static struct slice user_field(const struct request *request, const char *name)
{
	for (size_t i = 0; i < REQUEST_USER_FIELDS && request->user_fields[i].name != NULL; i++) {
		if (strcmp(request->user_fields[i].name, name) == 0)
			return request->user_fields[i].value;
	}
	return (struct slice){0};
}

static struct slice body_user(const struct config *config, const struct request *request)
{
	const struct config_list *fields = &config->identity.user_body;
	struct slice user = {0};
	for (size_t i = 0; request != NULL && i < fields->count && user.size == 0; i++)
		user = user_field(request, fields->items[i]);
	return user;
}

static bool is_session_id(struct slice session)
{
	return session.size <= MAX_ID && text_is_utf8(session) && !is_placeholder(session);
}

/* The client's metadata is meant for its provider, not for us: an invalid id counts as none. */
static struct slice clients_session(const struct config *config, const struct http_head *head)
{
	struct slice session;
	bool is_one = find_first(head, &config->identity.client_session_header, &session);
	return is_one && is_session_id(session) ? session : (struct slice){0};
}

/* A session id may contain spaces. A placeholder counts as none: it would merge all
 * conversations. */
static bool read_session(const struct config *config, const struct http_head *head,
			 struct slice *session, const char **fault)
{
	if (!find_first(head, &config->identity.session_header, session)) {
		*fault = "The session header is given more than once, with different ids.";
		return false;
	}
	if (session->size == 0) {
		*session = clients_session(config, head);
		return true;
	}
	if (is_placeholder(*session)) {
		*session = (struct slice){0};
		return true;
	}
	if (session->size <= MAX_ID && text_is_utf8(*session))
		return true;
	*fault = "The session header's id must be at most 256 bytes of UTF-8.";
	return false;
}

/* The sender that the request names. */
struct claim {
	bool made;
	struct slice user;
	struct slice signature;
};

/* False: the request names two different senders. */
static bool read_claim(const struct config *config, const struct http_head *head,
		       const struct identity_path *path, const struct request *request,
		       struct claim *claim, const char **fault)
{
	*fault = "The user id or its signature is given more than once.";
	if (!find_first(head, &config->identity.user_header, &claim->user) ||
	    !identity_find_field(head, signature_header, &claim->signature))
		return false;
	*fault = NULL;
	claim->made = true;
	if (claim->user.size > 0)
		return true;
	if (path != NULL) {
		claim->user = path->user;
		if (path->signature.size > 0)
			claim->signature = path->signature;
		return true;
	}
	claim->user = body_user(config, request);
	claim->made = claim->user.size > 0;
	return true;
}

enum identity_verdict identity_find(const struct config *config, const struct http_head *head,
				    const struct identity_path *path, const struct request *request,
				    struct identity *identity, const char **fault,
				    struct arena *arena)
{
	struct claim claim;
	struct slice task;
	*identity = (struct identity){0};
	/* any value marks a side request, even two that differ */
	(void)find_first(head, &config->identity.task_header, &task);
	identity->task = task.size > 0;
	if (!read_claim(config, head, path, request, &claim, fault))
		return IDENTITY_BAD;
	if (!claim.made)
		return IDENTITY_OK;
	*fault = identity_user_fault(claim.user);
	if (*fault != NULL)
		return IDENTITY_BAD;
	const char *secret = config->identity.secret;
	if (*secret != '\0' && !is_signed(secret, claim.user, claim.signature)) {
		*fault = "The user id's signature, in X-User-Signature or after ~ in the base URL, "
			 "is missing or wrong.";
		return IDENTITY_UNSIGNED;
	}
	identity->user = claim.user;
	identity->tenant = tenant_of(config, head, arena);
	return read_session(config, head, &identity->session, fault) ? IDENTITY_OK
								     : IDENTITY_BAD_SESSION;
}
