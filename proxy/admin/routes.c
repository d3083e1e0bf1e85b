/* The admin address's routes: one table, in which each row says what it takes, what the audit log
 * notes of it, and who handles it. */
#include "proxy/admin/call.h"

enum { SEGMENT = sizeof("{}") - 1 };

/* The log's two words for a call, its action and its target, must be literals: no route goes
 * without them by mistake. Then come the handler and the query's parameters. */
#define ROUTE(method, path, names, action, target, handle, query)                                  \
	{                                                                                          \
		method, path, query, names, "" action, "" target, handle                           \
	}
/* For what neither reads nor changes anybody's memory. */
#define UNRECORDED(method, path, names, handle, query)                                             \
	{                                                                                          \
		method, path, query, names, NULL, NULL, handle                                     \
	}

#define USER "/v1/users/{}"
#define OF_DELETION "dry_run with_source keep_facts keep_chain never_again plan force"

/* clang-format off */
const struct admin_route admin_routes[] = {
	UNRECORDED("GET", "/healthz", NAMES_NOBODY_OPEN, admin_get_health, NULL),
	UNRECORDED("GET", "/readyz", NAMES_NOBODY_OPEN, admin_get_readiness, NULL),
	UNRECORDED("GET", "/metrics", NAMES_NOBODY, admin_get_metrics, NULL),
	UNRECORDED("GET", "/v1/status", NAMES_NOBODY, admin_get_status, ""),
	UNRECORDED("GET", "/v1/scrub", NAMES_NOBODY, admin_get_scrub, ""),
	UNRECORDED("POST", "/v1/scrub", NAMES_NOBODY, admin_post_scrub, ""),
	ROUTE("GET", "/v1/audit", NAMES_NOBODY, "read", "audit", admin_get_audit,
	      "user action since until lines after limit"),
	ROUTE("POST", "/v1/unpark", NAMES_NOBODY, "correct", "jobs", admin_post_unpark, ""),
	ROUTE("POST", "/v1/dedupe", NAMES_NOBODY, "correct", "facts", admin_dedupe_all, "dry_run"),
	ROUTE("GET", "/v1/receipts/{}", NAMES_RECEIPT, "read", "receipt", admin_get_receipt, ""),
	ROUTE("DELETE", "/v1/tenants/{}", NAMES_TENANT, "delete", "tenant", admin_delete_tenant,
	      "dry_run force"),
	ROUTE("GET", "/v1/users", NAMES_NOBODY, "read", "users", admin_get_users,
	      "prefix log_id after limit"),
	ROUTE("DELETE", USER, NAMES_USER, "delete", "user", admin_delete_user,
	      "keep_restriction dry_run force"),
	ROUTE("GET", USER "/memory", NAMES_USER, "read", "memory", admin_get_memory, "pii"),
	ROUTE("DELETE", USER "/memory", NAMES_USER, "delete", "span", admin_delete_span,
	      OF_DELETION " since until"),
	ROUTE("POST", USER "/forget", NAMES_USER, "delete", "topic", admin_forget_topic,
	      OF_DELETION),
	ROUTE("GET", USER "/facts", NAMES_USER, "read", "facts", admin_get_facts,
	      "state pii entity kind q since until after limit"),
	ROUTE("POST", USER "/facts", NAMES_NEW_USER, "correct", "fact", admin_post_fact, "replace"),
	ROUTE("DELETE", USER "/facts/{}", NAMES_USER, "delete", "fact", admin_delete_fact,
	      OF_DELETION),
	ROUTE("GET", USER "/facts/{}", NAMES_USER, "read", "fact", admin_get_fact, ""),
	ROUTE("PATCH", USER "/facts/{}", NAMES_USER, "correct", "fact", admin_patch_fact, "replace"),
	ROUTE("POST", USER "/facts/{}/restore", NAMES_USER, "correct", "fact", admin_restore_fact,
	      "replace"),
	ROUTE("POST", USER "/dedupe", NAMES_USER, "correct", "facts", admin_dedupe_user, "dry_run"),
	ROUTE("DELETE", USER "/turns/{}", NAMES_USER, "delete", "turn", admin_delete_turn,
	      OF_DELETION),
	ROUTE("DELETE", USER "/conversations/{}", NAMES_USER, "delete", "conversation",
	      admin_delete_conversation, OF_DELETION),
	ROUTE("DELETE", USER "/conversations", NAMES_USER, "delete", "conversation",
	      admin_delete_session, OF_DELETION " session"),
	ROUTE("POST", USER "/messages", NAMES_NEW_USER, "import", "turns", admin_post_messages, ""),
	ROUTE("GET", USER "/export", NAMES_USER, "export", "memory", admin_get_export, "include"),
	ROUTE("POST", USER "/import", NAMES_NEW_USER, "import", "memory", admin_post_import,
	      "format dry_run learn"),
	ROUTE("POST", USER "/preview", NAMES_USER, "preview", "memory", admin_post_preview,
	      "dialect"),
	ROUTE("GET", USER "/receipts", NAMES_USER, "read", "receipts", admin_get_receipts,
	      "since until after limit"),
	ROUTE("GET", USER "/settings", NAMES_USER, "read", "settings", admin_get_settings, ""),
	ROUTE("PUT", USER "/settings", NAMES_NEW_USER, "settings", "settings", admin_put_settings,
	      ""),
	ROUTE("POST", USER "/unpark", NAMES_USER, "correct", "jobs", admin_post_unpark, ""),
};
/* clang-format on */

const size_t admin_route_count = sizeof(admin_routes) / sizeof(admin_routes[0]);

/* Whether the path is the route's; returns the segments at "{}". */
static bool path_matches(const char *of_route, struct slice path,
			 struct slice segments[ADMIN_MOST_SEGMENTS])
{
	struct slice pattern = slice_of(of_route);
	for (size_t i = 0; i < ADMIN_MOST_SEGMENTS; i++)
		segments[i] = (struct slice){0};
	for (size_t i = 0; i < ADMIN_MOST_SEGMENTS; i++) {
		size_t hole = slice_find(pattern, SLICE("{}"), 0);
		if (hole == pattern.size)
			break;
		if (!slice_starts_with(path, slice_part(pattern, 0, hole)))
			return false;
		path = slice_part(path, hole, path.size);
		size_t end = slice_find(path, SLICE("/"), 0);
		segments[i] = slice_part(path, 0, end);
		if (end == 0)
			return false;
		path = slice_part(path, end, path.size);
		pattern = slice_part(pattern, hole + SEGMENT, pattern.size);
	}
	return slice_equal(pattern, path);
}

/* Adds the method to a list for the head Allow. */
static struct slice and_method(struct slice list, struct slice method, struct arena *arena)
{
	const struct slice parts[] = {list, list.size > 0 ? SLICE(", ") : SLICE(""),
				      slice_equal(method, SLICE("GET")) ? SLICE("GET, HEAD")
									: method};
	return arena_join(arena, parts, 3);
}

const struct admin_route *admin_find_route(struct slice method, struct slice path,
					   struct slice segments[ADMIN_MOST_SEGMENTS],
					   struct slice *taken, struct arena *arena)
{
	*taken = (struct slice){0};
	for (size_t i = 0; i < admin_route_count; i++) {
		const struct admin_route *route = &admin_routes[i];
		if (!path_matches(route->path, path, segments))
			continue;
		if (slice_equal(method, slice_of(route->method)))
			return route;
		*taken = and_method(*taken, slice_of(route->method), arena);
	}
	return NULL;
}
