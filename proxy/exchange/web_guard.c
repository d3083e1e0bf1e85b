#include "proxy/exchange/web_guard.h"

#include "proxy/exchange/identity.h"

/* One of the two addresses, and the key that lists its other hosts. */
struct listener {
	const char *address;
	const struct config_list *hosts;
	const char *key;
};

static bool refuse(struct refusal *refusal, int status, const char *code, struct slice message)
{
	*refusal = (struct refusal){.status = status, .code = code, .message = message};
	return false;
}

static struct slice field(const struct http_head *head, const char *name)
{
	return http_field_value(head->fields, head->field_count, slice_of(name));
}

/* ---- Host ---- */

/* The request's host if the listener does not know it; otherwise empty. An absolute-form's
 * authority takes precedence over Host (RFC 9112 section 3.2.2); both are checked. */
static struct slice foreign_host(const struct listener *listener, const struct http_head *head)
{
	const struct slice named[] = {head->authority, head->host};
	for (size_t i = 0; i < 2; i++) {
		if (named[i].size > 0 &&
		    !config_knows_host(listener->address, listener->hosts, named[i]))
			return named[i];
	}
	return (struct slice){0};
}

static bool admits_host(const struct listener *listener, const struct http_head *head,
			struct refusal *refusal, struct arena *arena)
{
	struct slice foreign = foreign_host(listener, head);
	if (foreign.size == 0 || !config_is_loopback_port(listener->address))
		return true;
	return refuse(refusal, 421, "foreign_host",
		      arena_printf(arena,
				   "This address does not serve the Host \"%.*s\". To allow it, "
				   "add the name to [listen] %s.",
				   SLICE_PRINT(foreign), listener->key));
}

/* ---- Origin ---- */

/* The part after the scheme of an origin ("https://host:port"). Empty for "null" and for an origin
 * that is not a web page's. */
static struct slice origin_authority(struct slice origin)
{
	static const struct slice schemes[] = {SLICE("http://"), SLICE("https://")};
	for (size_t i = 0; i < 2; i++) {
		if (slice_equal_nocase(slice_part(origin, 0, schemes[i].size), schemes[i]))
			return slice_part(origin, schemes[i].size, origin.size);
	}
	return (struct slice){0};
}

static bool is_foreign_page(const struct listener *listener, const struct http_head *head)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *sent = &head->fields[i];
		if (sent->value.size > 0 && slice_equal_nocase(sent->name, SLICE("Origin")) &&
		    !config_knows_host(listener->address, listener->hosts,
				       origin_authority(sent->value)))
			return true;
	}
	return slice_equal_nocase(field(head, "Sec-Fetch-Site"), SLICE("cross-site"));
}

static bool has_origin(const struct http_head *head)
{
	struct slice origin;
	return !identity_find_field(head, SLICE("Origin"), &origin) || origin.size > 0;
}

/* ---- the body ---- */

static bool ends_with_nocase(struct slice text, struct slice end)
{
	return text.size > end.size &&
	       slice_equal_nocase(slice_part(text, text.size - end.size, text.size), end);
}

/* A page can send these only after a preflight (OPTIONS), and no answer to that allows it. */
static bool is_declared_json(const struct http_head *head)
{
	struct slice type;
	if (!identity_find_field(head, SLICE("Content-Type"), &type))
		return false;
	type = slice_trim(slice_part(type, 0, slice_find(type, SLICE(";"), 0)));
	return slice_equal_nocase(type, SLICE("application/json")) ||
	       slice_equal_nocase(type, SLICE("application/zip")) ||
	       slice_equal_nocase(type, SLICE("application/x-ndjson")) ||
	       (slice_starts_with(type, SLICE("application/")) &&
		ends_with_nocase(type, SLICE("+json")));
}

static bool is_bare(const struct http_head *head)
{
	return field(head, "Content-Type").size == 0 && field(head, "Sec-Fetch-Site").size == 0 &&
	       !has_origin(head);
}

/* ---- all together ---- */

bool guard_is_dry_run(const struct http_head *head)
{
	struct slice dry = field(head, "X-Memory-Dry-Run");
	return dry.size > 0 && !slice_equal(dry, SLICE("0"));
}

/* The reply to a dry run contains the user's memory. */
static bool admits_dry_run(const struct config *config, const struct listener *listener,
			   const struct http_head *head, struct refusal *refusal)
{
	if (has_origin(head))
		return refuse(
			refusal, 403, "dry_run_forbidden",
			SLICE("Web pages may not ask for a dry run: the request has an Origin."));
	if (foreign_host(listener, head).size > 0 && !identity_is_admin(config, head))
		return refuse(
			refusal, 403, "dry_run_forbidden",
			SLICE("A request with a foreign Host may not ask for a dry run. To allow "
			      "it, add the name to [listen] hosts, or send the admin token."));
	return true;
}

bool guard_admits_traffic(const struct config *config, const char *address,
			  const struct http_head *head, bool has_body, struct refusal *refusal,
			  struct arena *arena)
{
	const struct listener listener = {address, &config->listen.hosts, "hosts"};
	if (guard_is_dry_run(head) && !admits_dry_run(config, &listener, head, refusal))
		return false;
	if (!admits_host(&listener, head, refusal, arena))
		return false;
	if (has_body && has_origin(head) && !is_declared_json(head))
		return refuse(refusal, 403, "foreign_page",
			      SLICE("A web page's request (it has an Origin) is accepted only with "
				    "\"Content-Type: application/json\"."));
	return true;
}

bool guard_admits_admin(const struct config *config, const char *address,
			const struct http_head *head, bool has_body, struct refusal *refusal,
			struct arena *arena)
{
	const struct listener listener = {address, &config->listen.admin_hosts, "admin_hosts"};
	if (!admits_host(&listener, head, refusal, arena))
		return false;
	if (is_foreign_page(&listener, head))
		return refuse(refusal, 403, "foreign_page",
			      SLICE("The admin address refuses web pages of other hosts. It "
				    "accepts those of loopback, its own host and the hosts in "
				    "[listen] admin_hosts."));
	if (has_body && !is_declared_json(head) && !is_bare(head))
		return refuse(refusal, 415, "unsupported_media_type",
			      SLICE("Send the body with \"Content-Type: application/json\"."));
	return true;
}
