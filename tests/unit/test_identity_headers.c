#include "tests/unit/identity_fixture.h"

static bool is_admin(const char *settings, const char *authorization)
{
	struct fixture fixture = begin(settings);
	if (authorization != NULL)
		add_field(&fixture, "authorization", authorization);
	fixture.head.fields = fixture.fields;
	bool is = identity_is_admin(fixture.config, &fixture.head);
	finish(&fixture);
	return is;
}

START_TEST(the_admin_is_who_brings_the_whole_token)
{
	static const char settings[] = "[listen]\nadmin_token = t0ken\n";
	ck_assert(is_admin(settings, "Bearer t0ken"));
	ck_assert(is_admin(settings, "bearer  t0ken"));
	ck_assert(is_admin(settings, "Token t0ken"));
	static const char *const others[] = {"t0ken",        "Basic t0ken",   "Bearer",
					     "Bearer ",      "Bearer t0ke",   "Bearer t0kem",
					     "Bearer T0KEN", "Bearer t0ken2", "Bearer t0ken t0ken",
					     "Bearert0ken"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!is_admin(settings, others[i]), "%s", others[i]);
	ck_assert(!is_admin(settings, NULL));
}
END_TEST

START_TEST(what_follows_a_token_in_memory_is_not_part_of_it)
{
	struct fixture fixture = begin("[listen]\nadmin_token = t0ken\n");
	add_field(&fixture, "Authorization", "Bearer t0ken");
	fixture.fields[0].value.size--;
	fixture.head.fields = fixture.fields;
	ck_assert(!identity_is_admin(fixture.config, &fixture.head));
	finish(&fixture);
}
END_TEST

START_TEST(without_a_token_nobody_is_admin)
{
	ck_assert(!is_admin("", NULL));
	ck_assert(!is_admin("", "Bearer"));
	ck_assert(!is_admin("", "Bearer "));
	ck_assert(!is_admin("", "Bearer x"));
}
END_TEST

START_TEST(two_tokens_that_differ_are_no_admins)
{
	struct fixture fixture = begin("[listen]\nadmin_token = t0ken\n");
	add_field(&fixture, "Authorization", "Bearer other");
	add_field(&fixture, "Authorization", "Bearer t0ken");
	fixture.head.fields = fixture.fields;
	ck_assert(!identity_is_admin(fixture.config, &fixture.head));
	finish(&fixture);
}
END_TEST

START_TEST(a_request_names_its_user_in_any_of_the_headers_even_twice)
{
	struct fixture fixture = begin("[identity]\nuser_header = X-One, X-Two\n");
	fixture.head.fields = fixture.fields;
	ck_assert(!identity_names_user(fixture.config, &fixture.head));
	add_field(&fixture, "X-User-Id", "alice");
	add_field(&fixture, "x-one", "");
	ck_assert(!identity_names_user(fixture.config, &fixture.head));
	add_field(&fixture, "x-two", "alice");
	ck_assert(identity_names_user(fixture.config, &fixture.head));
	/* Which of the two it means is not known, but it means somebody. */
	fixture.fields[1].value = SLICE("alice");
	add_field(&fixture, "X-One", "bob");
	ck_assert(identity_names_user(fixture.config, &fixture.head));
	finish(&fixture);
}
END_TEST

START_TEST(the_headers_with_a_key_are_known_in_any_case)
{
	static const char *const keys[] = {"AUTHORIZATION", "Api-Key", "X-API-Key",
					   "X-Goog-Api-Key"};
	static const char *const others[] = {"Proxy-Authorization", "api-keys", "X-Key", ""};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_msg(identity_is_key_header(slice_of(keys[i])), "%s", keys[i]);
		ck_assert_msg(!identity_is_key_header(slice_of(others[i])), "%s", others[i]);
	}
}
END_TEST

START_TEST(a_login_is_no_key_to_learn_with)
{
	static const char *const fields[][2] = {
		{"Authorization", "Bearer sk-ant-oat01-x"},
		{"x-api-key", "sk-ant-oat01-x"},
		{"Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x"},
		{"Authorization", "Bearer sk-ant-api03-x"},
	};
	for (size_t i = 0; i < 4; i++) {
		struct fixture fixture = begin("");
		bool is_bound;
		fixture.head.fields = fixture.fields;
		add_field(&fixture, fields[i][0], fields[i][1]);
		struct slice field = identity_key_field(&fixture.head, &is_bound, &fixture.arena);
		ck_assert_int_eq(is_bound, i < 3);
		ck_assert_int_eq(field.size == 0, i < 3);
		finish(&fixture);
	}
}
END_TEST

START_TEST(the_field_with_the_key_is_the_one_it_came_in)
{
	bool is_bound;
	struct fixture fixture = begin("");
	fixture.head.fields = fixture.fields;
	ck_assert_uint_eq(identity_key_field(&fixture.head, &is_bound, &fixture.arena).size, 0);
	add_field(&fixture, "X-API-Key", "k2");
	unit_assert_slice(identity_key_field(&fixture.head, &is_bound, &fixture.arena),
			  "Authorization: Bearer k2");
	add_field(&fixture, "Authorization", "");
	add_field(&fixture, "Authorization", "Bearer");
	add_field(&fixture, "api-key", "k1");
	unit_assert_slice(identity_key_field(&fixture.head, &is_bound, &fixture.arena),
			  "api-key: k1");
	fixture.fields[2].value = SLICE("Bearer k0");
	unit_assert_slice(identity_key_field(&fixture.head, &is_bound, &fixture.arena),
			  "Authorization: Bearer k0");
	finish(&fixture);
}
END_TEST

START_TEST(the_house_keeps_its_own_headers)
{
	struct fixture fixture = begin("[identity]\nuser_header = X-Who\n"
				       "drop_headers = X-Secret-Route, X-Team\n"
				       "task_header = X-Aside\n");
	static const char *const owned[] = {
		"x-who",         "x-secret-route",   "x-aside",
		"X-TEAM",        "X-Session-Id",     "x-memory-task",
		"X-Memory-Mode", "x-memory-dry-run", "x-user-signature"};
	static const char *const others[] = {"X-User-Id", "Authorization", "X-Memory-",
					     "X-Memory",  "x-request-id",  ""};
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		ck_assert_msg(identity_owns_header(fixture.config, slice_of(owned[i])), "%s",
			      owned[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!identity_owns_header(fixture.config, slice_of(others[i])), "%s",
			      others[i]);
	finish(&fixture);
}
END_TEST

UNIT_MAIN("identity_headers", the_admin_is_who_brings_the_whole_token,
	  what_follows_a_token_in_memory_is_not_part_of_it, without_a_token_nobody_is_admin,
	  two_tokens_that_differ_are_no_admins,
	  a_request_names_its_user_in_any_of_the_headers_even_twice,
	  the_headers_with_a_key_are_known_in_any_case, a_login_is_no_key_to_learn_with,
	  the_field_with_the_key_is_the_one_it_came_in, the_house_keeps_its_own_headers)
