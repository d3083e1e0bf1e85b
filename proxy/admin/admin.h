/* The admin address: health, metrics, and the memory of users to be read, imported and forgotten
 * (CONTRACT section 5). Runs on the main loop. */
#ifndef RECALLD_PROXY_ADMIN_ADMIN_H
#define RECALLD_PROXY_ADMIN_ADMIN_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/service.h"

struct admin;

/* Takes the listening socket. */
struct admin *admin_create(struct service *service, struct loop *loop, struct config *config,
			   int listen_fd);
void admin_configure(struct admin *admin, struct config *config);
/* No new connections; what is asked already is answered, then comes `drained`, from the loop. NULL,
 * no admin address, is drained. */
void admin_drain(struct admin *admin, struct loop *loop, void (*drained)(void *cookie),
		 void *cookie);
/* Closes its connections; callbacks of the store may still be posted. */
void admin_close(struct admin *admin);
void admin_destroy(struct admin *admin);

#endif
