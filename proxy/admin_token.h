/* The admin token, as a request bears it. */
#ifndef RECALLD_PROXY_ADMIN_TOKEN_H
#define RECALLD_PROXY_ADMIN_TOKEN_H

#include "proxy/config.h"
#include "proxy/http_parser.h"

/* Whether an admin token is configured and the request has it, as "Authorization: Bearer ..." or
 * "Token ...". Takes the same time whatever differs. */
bool admin_token_is_borne(const struct config *config, const struct http_head *head);

#endif
