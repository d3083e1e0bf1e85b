#include "tests/unit/identity_fixture.h"

#include <string.h>

/* HMAC-SHA256 under "s3cret", as `printf %s ID | openssl dgst -sha256 -hmac s3cret` gives it. */
#define SIGNATURE_OF_ALICE "765542af1f1d587bc60c218dca532a258f56b9c21a427cc819de2a1ff6d3e146"
#define SIGNATURE_OF_UMLAUT "d775660a06588806e2c25e1013af595b10cf1d6fbd3cd956c2df7bf9a8d9d6db"

/* Asserts what becomes of one X-User-Id. */
static void assert_verdict(const char *id, enum identity_verdict verdict)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "x-user-id", id);
	ck_assert_msg(find(&fixture) == verdict, "%s", id);
	unit_assert_slice(fixture.identity.user, verdict == IDENTITY_OK ? id : "");
	finish(&fixture);
}

START_TEST(without_an_id_a_request_is_anonymous)
{
	struct fixture fixture = begin("[identity]\nsecret = s3cret\n");
	add_field(&fixture, "X-User-Id", "");
	fixture.request.user_fields[0] = (struct user_field){"user", SLICE("bob")};
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert_uint_eq(fixture.identity.user.size, 0);
	finish(&fixture);
}
END_TEST

START_TEST(the_first_header_that_is_present_and_not_empty_names_the_user)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "x-openwebui-user-id", "second");
	add_field(&fixture, "X-User-Id", "");
	add_field(&fixture, "X-OpenWebUI-Chat-Id", "my chat");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "second");
	unit_assert_slice(fixture.identity.session, "my chat");
	unit_assert_slice(fixture.identity.tenant, "");
	ck_assert(!fixture.identity.task);
	add_field(&fixture, "X-USER-ID", "first");
	add_field(&fixture, "X-Memory-Task", "title");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "first");
	ck_assert(fixture.identity.task);
	finish(&fixture);
}
END_TEST

START_TEST(an_id_is_256_bytes_of_visible_text)
{
	char id[258];
	memset(id, 'x', sizeof(id));
	id[257] = '\0';
	assert_verdict(id, IDENTITY_BAD);
	id[256] = '\0';
	assert_verdict(id, IDENTITY_OK);
	assert_verdict("J\xc3\xb6rg@example.com", IDENTITY_OK);
	assert_verdict("J\xf6rg", IDENTITY_BAD);
	assert_verdict("two words", IDENTITY_BAD);
	assert_verdict("no\xc2\xa0"
		       "break",
		       IDENTITY_BAD);
	assert_verdict("a\xe2\x80\x8b", IDENTITY_BAD);
	assert_verdict("{{LIBRECHAT_USER_ID}}", IDENTITY_BAD);
	assert_verdict("x{{", IDENTITY_BAD);
	assert_verdict("{x}", IDENTITY_OK);
}
END_TEST

START_TEST(two_different_ids_are_ambiguous)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, "x-user-id", "alice");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	add_field(&fixture, "X-User-Id", "bob");
	ck_assert_int_eq(find(&fixture), IDENTITY_BAD);
	finish(&fixture);
	fixture = begin("");
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, "X-Session-Id", "1");
	add_field(&fixture, "X-Session-Id", "2");
	ck_assert_int_eq(find(&fixture), IDENTITY_BAD_SESSION);
	finish(&fixture);
}
END_TEST

START_TEST(a_session_that_a_client_tells_its_provider_counts_where_none_is_sent)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "X-User-Id", "alex");
	add_field(&fixture, "thread-id", "thread");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.session, "thread");
	add_field(&fixture, "X-Session-Id", "mine");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.session, "mine");
	/* Its provider routes by it. */
	ck_assert(identity_owns_header(fixture.config, SLICE("X-Session-Id")));
	ck_assert(!identity_owns_header(fixture.config, SLICE("X-Claude-Code-Session-Id")));
	finish(&fixture);
	/* One that says nothing harms nothing. */
	fixture = begin("");
	add_field(&fixture, "X-User-Id", "alex");
	add_field(&fixture, "thread-id", "one");
	add_field(&fixture, "Thread-Id", "two");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert_uint_eq(fixture.identity.session.size, 0);
	finish(&fixture);
}
END_TEST

START_TEST(a_session_left_as_a_placeholder_is_none)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, "X-Session-Id", "{{CONVERSATION}}");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert_uint_eq(fixture.identity.session.size, 0);
	finish(&fixture);
}
END_TEST

static void assert_path(const char *target, const char *user, const char *rest)
{
	struct fixture fixture = begin("");
	ck_assert_msg(take_path(&fixture, target), "%s", target);
	unit_assert_slice(fixture.path.user, user);
	unit_assert_slice(fixture.path.rest, rest);
	ck_assert_uint_eq(fixture.path.signature.size, 0);
	ck_assert_int_eq(find(&fixture), *user == '\0' ? IDENTITY_BAD : IDENTITY_OK);
	finish(&fixture);
}

START_TEST(a_path_names_the_user)
{
	assert_path("/u/alice/v1/chat/completions?x=/1", "alice", "/v1/chat/completions?x=/1");
	assert_path("/u/J%c3%B6rg/v1/models", "J\xc3\xb6rg", "/v1/models");
	assert_path("/u/a%2Fb~c+d/", "a/b~c+d", "/");
	assert_path("/u//v1", "", "/v1");
	assert_path("/u/v1/chat/completions", "", "/v1/chat/completions");
	assert_path("/u/v1/models?x=/v1", "", "/v1/models?x=/v1");
	assert_path("/u/api/chat", "", "/api/chat");
	assert_path("/u/v1/v1/chat/completions", "v1", "/v1/chat/completions");
	assert_path("/u/v1/v1", "v1", "/v1");
	assert_path("/u/v1/api/chat", "v1", "/api/chat");
	assert_path("/u/api/v1/messages", "api", "/v1/messages");
	assert_path("/u/a%2/v1", "", "/v1");
	assert_path("/u/a%zz/v1", "", "/v1");
	assert_path("/u/%/v1", "", "/v1");
	struct fixture fixture = begin("");
	ck_assert(!take_path(&fixture, "/u/alice"));
	ck_assert(!take_path(&fixture, "/u/alice?x=/v1"));
	ck_assert(!take_path(&fixture, "/users/alice/v1"));
	ck_assert(!take_path(&fixture, "/v1/u/alice/"));
	ck_assert(!take_path(&fixture, "*"));
	finish(&fixture);
	fixture = begin("[identity]\nuser_path = off\n");
	ck_assert(!take_path(&fixture, "/u/alice/v1"));
	finish(&fixture);
}
END_TEST

START_TEST(a_decoded_nul_or_space_is_no_id)
{
	static const char *const targets[] = {"/u/a%00b/v1", "/u/a%20b/v1", "/u/%ff/v1",
					      "/u/%0a/v1"};
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct fixture fixture = begin("");
		ck_assert(take_path(&fixture, targets[i]));
		ck_assert_int_eq(find(&fixture), IDENTITY_BAD);
		finish(&fixture);
	}
}
END_TEST

START_TEST(a_header_wins_over_the_path_and_the_path_over_the_body)
{
	struct fixture fixture = begin("[identity]\nuser_body = metadata.user_id, user\n");
	fixture.request.user_fields[0] = (struct user_field){"user", SLICE("body")};
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "body");
	fixture.request.user_fields[1] = (struct user_field){"metadata.user_id", SLICE("metadata")};
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "metadata");
	ck_assert(take_path(&fixture, "/u/path/v1"));
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "path");
	add_field(&fixture, "X-User-Id", "header");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "header");
	finish(&fixture);
}
END_TEST

static enum identity_verdict find_signed(const char *user, const char *signature)
{
	struct fixture fixture = begin("[identity]\nsecret = s3cret\n");
	add_field(&fixture, "X-User-Id", user);
	if (signature != NULL)
		add_field(&fixture, "X-User-Signature", signature);
	enum identity_verdict verdict = find(&fixture);
	ck_assert(verdict == IDENTITY_OK || fixture.identity.user.size == 0);
	finish(&fixture);
	return verdict;
}

START_TEST(with_a_secret_an_id_must_be_signed)
{
	char signature[] = SIGNATURE_OF_ALICE;
	ck_assert_int_eq(find_signed("alice", signature), IDENTITY_OK);
	ck_assert_int_eq(find_signed("J\xc3\xb6rg", SIGNATURE_OF_UMLAUT), IDENTITY_OK);
	ck_assert_int_eq(find_signed("alicf", signature), IDENTITY_UNSIGNED);
	ck_assert_int_eq(find_signed("alice", NULL), IDENTITY_UNSIGNED);
	ck_assert_int_eq(find_signed("alice", signature + 2), IDENTITY_UNSIGNED);
	ck_assert_int_eq(find_signed("alice", SIGNATURE_OF_ALICE "00"), IDENTITY_UNSIGNED);
	for (size_t i = 0; i < 64; i++) {
		char digit = signature[i];
		signature[i] = digit == '0' ? '1' : '0';
		ck_assert_int_eq(find_signed("alice", signature), IDENTITY_UNSIGNED);
		signature[i] = digit >= 'a' ? (char)(digit - 'a' + 'A') : digit;
	}
	ck_assert_int_eq(find_signed("alice", signature), IDENTITY_OK);
	signature[7] = 'g';
	ck_assert_int_eq(find_signed("alice", signature), IDENTITY_UNSIGNED);
}
END_TEST

START_TEST(a_path_carries_its_signature)
{
	struct fixture fixture = begin("[identity]\nsecret = s3cret\nuser_body = user\n");
	ck_assert(take_path(&fixture, "/u/alice~" SIGNATURE_OF_ALICE "/v1/models"));
	unit_assert_slice(fixture.path.rest, "/v1/models");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.user, "alice");
	ck_assert(take_path(&fixture, "/u/alice%7E" SIGNATURE_OF_ALICE "/v1"));
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert(take_path(&fixture, "/u/bob~" SIGNATURE_OF_ALICE "/v1"));
	ck_assert_int_eq(find(&fixture), IDENTITY_UNSIGNED);
	ck_assert(take_path(&fixture, "/u/alice/v1"));
	ck_assert_int_eq(find(&fixture), IDENTITY_UNSIGNED);
	ck_assert(take_path(&fixture, "/u/~" SIGNATURE_OF_ALICE "/v1"));
	ck_assert_int_eq(find(&fixture), IDENTITY_BAD);
	/* The path's signature vouches for the path's user only. */
	ck_assert(take_path(&fixture, "/u/alice~" SIGNATURE_OF_ALICE "/v1"));
	add_field(&fixture, "X-User-Id", "mallory");
	ck_assert_int_eq(find(&fixture), IDENTITY_UNSIGNED);
	finish(&fixture);
	fixture = begin("[identity]\nsecret = s3cret\nuser_body = user\n");
	fixture.request.user_fields[0] = (struct user_field){"user", SLICE("alice")};
	ck_assert_int_eq(find(&fixture), IDENTITY_UNSIGNED);
	add_field(&fixture, "X-User-Signature", SIGNATURE_OF_ALICE);
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	finish(&fixture);
}
END_TEST

/* The first 16 hex digits of SHA-256("sk-1"). */
#define TENANT_OF_KEY "0f2c10bf3d128c71"

static void assert_tenant(const char *name, const char *value, const char *tenant)
{
	struct fixture fixture = begin("[identity]\ntenant = api-key\n");
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, name, value);
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	unit_assert_slice(fixture.identity.tenant, tenant);
	finish(&fixture);
}

START_TEST(the_tenant_is_made_from_the_api_key)
{
	assert_tenant("Authorization", "Bearer sk-1", TENANT_OF_KEY);
	assert_tenant("authorization", "bearer  sk-1", TENANT_OF_KEY);
	assert_tenant("Api-Key", "sk-1", TENANT_OF_KEY);
	assert_tenant("x-api-key", "sk-1", TENANT_OF_KEY);
	assert_tenant("Authorization", "Bearer", "none");
	assert_tenant("Authorization", "sk-1", TENANT_OF_KEY);
	assert_tenant("Authorization", "Digest username=\"a\", nonce=\"1\"", "none");
	assert_tenant("Accept", "sk-1", "none");
}
END_TEST

START_TEST(a_session_is_at_most_256_bytes_of_utf8)
{
	char id[258];
	memset(id, 's', sizeof(id));
	id[257] = '\0';
	struct fixture fixture = begin("");
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, "X-Session-Id", id);
	ck_assert_int_eq(find(&fixture), IDENTITY_BAD_SESSION);
	fixture.fields[1].value.size = 256;
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert_uint_eq(fixture.identity.session.size, 256);
	fixture.fields[1].value = SLICE("caf\xe9");
	ck_assert_int_eq(find(&fixture), IDENTITY_BAD_SESSION);
	finish(&fixture);
}
END_TEST

START_TEST(any_value_of_a_task_header_makes_a_side_request)
{
	struct fixture fixture = begin("");
	add_field(&fixture, "X-Memory-Task", "title");
	add_field(&fixture, "X-Memory-Task", "tags");
	ck_assert_int_eq(find(&fixture), IDENTITY_OK);
	ck_assert(fixture.identity.task);
	finish(&fixture);
}
END_TEST

UNIT_MAIN("identity", a_session_is_at_most_256_bytes_of_utf8,
	  any_value_of_a_task_header_makes_a_side_request, without_an_id_a_request_is_anonymous,
	  the_first_header_that_is_present_and_not_empty_names_the_user,
	  an_id_is_256_bytes_of_visible_text, two_different_ids_are_ambiguous,
	  a_session_that_a_client_tells_its_provider_counts_where_none_is_sent,
	  a_session_left_as_a_placeholder_is_none, a_path_names_the_user,
	  a_decoded_nul_or_space_is_no_id, a_header_wins_over_the_path_and_the_path_over_the_body,
	  with_a_secret_an_id_must_be_signed, a_path_carries_its_signature,
	  the_tenant_is_made_from_the_api_key)
