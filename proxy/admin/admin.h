/* The admin address: health, metrics, and reading, importing and forgetting users' memory (CONTRACT
 * section 5). Runs on the main loop. */
#ifndef RECALLD_PROXY_ADMIN_ADMIN_H
#define RECALLD_PROXY_ADMIN_ADMIN_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/service/service.h"

struct admin;

/* Takes ownership of the listening socket. */
struct admin *admin_create(struct service *service, struct loop *loop, struct config *config,
			   int listen_fd);
void admin_configure(struct admin *admin, struct config *config);
/* Stops accepting connections, answers the requests that have arrived, then calls `drained` from
 * the loop. NULL (no admin address) drains immediately. */
void admin_drain(struct admin *admin, struct loop *loop, void (*drained)(void *cookie),
		 void *cookie);
/* Closes all connections. Store callbacks may still be posted. */
void admin_close(struct admin *admin);
void admin_destroy(struct admin *admin);

#endif
