/* Keeps web pages out. Any page that a browser on this machine has open can send requests to a
 * loopback address, and by DNS rebinding read the replies too (CONTRACT section 7). What gives such
 * a request away is its Host, its Origin or its Sec-Fetch-Site; programs that are no browsers send
 * neither of the last two. */
#ifndef RECALLD_PROXY_ACCESS_WEB_GUARD_H
#define RECALLD_PROXY_ACCESS_WEB_GUARD_H

#include "proxy/config/config.h"
#include "proxy/http/parser.h"

struct guard_refusal {
	int status;       /* 403, 415, 421 */
	const char *code; /* of the error; static */
	struct slice
		message; /* names the key that allows what was refused; static or in the arena */
};

/* Whether a request may come in at [listen] address, which is `address`. Refused are a foreign Host
 * where that is a loopback port, an Origin with a body that is not declared JSON, and dry runs with
 * an Origin or, unless they bear the admin token, a foreign Host. A request without Host, as
 * HTTP/1.0 has them, is no browser's. */
bool guard_admits_traffic(const struct config *config, const char *address,
			  const struct http_head *head, bool has_body,
			  struct guard_refusal *refusal, struct arena *arena);

/* The same for [listen] admin. Refused are a foreign Host where that is a loopback port, a foreign
 * Origin, a cross-site request, and a body that is not declared JSON, unless its client sends
 * neither Content-Type, Origin nor Sec-Fetch-Site. */
bool guard_admits_admin(const struct config *config, const char *address,
			const struct http_head *head, bool has_body, struct guard_refusal *refusal,
			struct arena *arena);

/* Whether the request asks for a dry run. */
bool guard_is_dry_run(const struct http_head *head);

#endif
