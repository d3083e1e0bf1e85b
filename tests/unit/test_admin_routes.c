/* The table of the admin address's routes. That each route names its words in the audit log is the
 * compiler's to refuse; that the words are the right ones, integration/test_audit.py's. */
#include "tests/unit/unit.h"

#include "proxy/admin/call.h"

#include <string.h>

static bool begins_with(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

static const struct admin_route *find(const char *method, const char *path,
				      struct slice segments[ADMIN_MOST_SEGMENTS])
{
	struct arena arena = {0};
	struct slice taken;
	const struct admin_route *route =
		admin_find_route(slice_of(method), slice_of(path), segments, &taken, &arena);
	arena_finish(&arena);
	return route;
}

START_TEST(what_reads_or_changes_a_memory_is_recorded)
{
	static const char *const free_of_memory[] = {"GET /healthz",  "GET /readyz",
						     "GET /metrics",  "GET /v1/status",
						     "GET /v1/scrub", "POST /v1/scrub"};
	for (size_t i = 0; i < admin_route_count; i++) {
		const struct admin_route *route = &admin_routes[i];
		char name[128];
		bool needs_none = false;
		(void)snprintf(name, sizeof(name), "%s %s", route->method, route->path);
		for (size_t k = 0; k < sizeof(free_of_memory) / sizeof(free_of_memory[0]); k++)
			needs_none |= strcmp(free_of_memory[k], name) == 0;
		ck_assert_msg(needs_none == (route->action == NULL), "%s", name);
		ck_assert_msg(needs_none || (route->action[0] != '\0' && route->target[0] != '\0'),
			      "%s", name);
		ck_assert_msg(!needs_none || strchr(route->path, '{') == NULL, "%s", name);
	}
}
END_TEST

START_TEST(a_route_says_whom_its_path_names)
{
	for (size_t i = 0; i < admin_route_count; i++) {
		const struct admin_route *route = &admin_routes[i];
		ck_assert_msg((route->names >= NAMES_USER) ==
				      begins_with(route->path, "/v1/users/{}"),
			      "%s", route->path);
		ck_assert_msg((route->names <= NAMES_NOBODY_OPEN) ==
				      (strchr(route->path, '{') == NULL),
			      "%s", route->path);
		ck_assert_msg(route->names != NAMES_NOBODY_OPEN || route->action == NULL, "%s",
			      route->path);
	}
}
END_TEST

START_TEST(each_route_is_found_by_its_method_and_path)
{
	for (size_t i = 0; i < admin_route_count; i++) {
		struct slice segments[ADMIN_MOST_SEGMENTS];
		ck_assert_ptr_eq(find(admin_routes[i].method, admin_routes[i].path, segments),
				 &admin_routes[i]);
	}
}
END_TEST

START_TEST(segments_stand_where_the_form_has_braces)
{
	struct slice segments[ADMIN_MOST_SEGMENTS];
	ck_assert_ptr_nonnull(find("POST", "/v1/users/al%2Fex/facts/7/restore", segments));
	unit_assert_slice(segments[0], "al%2Fex");
	unit_assert_slice(segments[1], "7");
	ck_assert_ptr_nonnull(find("GET", "/v1/users", segments));
	ck_assert_uint_eq(segments[0].size, 0);
	static const char *const unknown[] = {"/", "/v1/users/", "/v1/users/x/y/z",
					      "/v1/users//memory", "/healthz/"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_ptr_null(find("GET", unknown[i], segments));
}
END_TEST

START_TEST(other_methods_of_a_path_are_listed)
{
	struct arena arena = {0};
	struct slice segments[ADMIN_MOST_SEGMENTS];
	struct slice taken;
	ck_assert_ptr_null(admin_find_route(SLICE("POST"), SLICE("/v1/users/x/settings"), segments,
					    &taken, &arena));
	unit_assert_slice(taken, "GET, HEAD, PUT");
	ck_assert_ptr_null(
		admin_find_route(SLICE("POST"), SLICE("/v1/none"), segments, &taken, &arena));
	ck_assert_uint_eq(taken.size, 0);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("admin_routes", what_reads_or_changes_a_memory_is_recorded,
	  a_route_says_whom_its_path_names, each_route_is_found_by_its_method_and_path,
	  segments_stand_where_the_form_has_braces, other_methods_of_a_path_are_listed)
