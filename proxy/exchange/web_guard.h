/* Keeps web pages out. Any page open in a browser on this machine can send requests to a loopback
 * address and, by DNS rebinding, read the replies (CONTRACT section 7). Such a request gives itself
 * away by its Host, Origin or Sec-Fetch-Site; programs that are not browsers send neither of the
 * last two. */
#ifndef RECALLD_PROXY_EXCHANGE_WEB_GUARD_H
#define RECALLD_PROXY_EXCHANGE_WEB_GUARD_H

#include "core/dialect/dialect.h"
#include "proxy/config/config.h"
#include "proxy/http/parser.h"

/* Whether to admit a request at [listen] address, which is `address`. The refusal (403, 415, 421)
 * names the key that would allow the request. Refuses a foreign Host if the address is a loopback
 * port; an Origin with a body that is not declared as JSON; a dry run with an Origin; and a dry run
 * with a foreign Host unless it carries the admin token. A request without Host (HTTP/1.0) does not
 * come from a browser. */
bool guard_admits_traffic(const struct config *config, const char *address,
			  const struct http_head *head, bool has_body, struct refusal *refusal,
			  struct arena *arena);

/* Guards [listen] admin likewise. Refuses a foreign Host if the address is a loopback port; a
 * foreign Origin; a cross-site request; and a body that is not declared as JSON, unless the client
 * sends neither Content-Type, Origin nor Sec-Fetch-Site. */
bool guard_admits_admin(const struct config *config, const char *address,
			const struct http_head *head, bool has_body, struct refusal *refusal,
			struct arena *arena);

/* Whether the request asks for a dry run. */
bool guard_is_dry_run(const struct http_head *head);

#endif
