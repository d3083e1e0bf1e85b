/* Shared by all threads of the daemon: the store, the learner, the embedder and a few counters. The
 * configuration is not here: each thread holds its own snapshot and is handed new ones. */
#ifndef RECALLD_PROXY_SERVICE_H
#define RECALLD_PROXY_SERVICE_H

#include "proxy/client_log.h"
#include "proxy/forgotten.h"
#include "proxy/unsettled.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/model_traits.h"
#include "storage/store.h"

#include <stdatomic.h>

struct background;
struct config;
struct embedder;
struct learner;
struct retention;
struct scrubber;
struct tracer;

struct service {
	const struct config *bound; /* the startup configuration, whose addresses are bound */
	struct store *store;
	struct learner *learner;
	struct retention *retention;
	struct scrubber *scrubber;
	struct tracer *tracer;
	struct background *imports; /* reads them */
	struct model_traits *model_traits;
	struct embedder *embedder;     /* the learner's */
	struct last_failure upstream;  /* with the model provider */
	struct last_failure learning;  /* with the memory model */
	struct last_failure embedding; /* with the embedding model */
	struct last_failure reload;    /* of the configuration, whose old one is in force */
	atomic_size_t connections;
	atomic_size_t exchanges;       /* open; each has, or soon opens, an upstream connection */
	atomic_size_t in_flight;       /* bytes, see struct http_server_options */
	atomic_size_t admin_in_flight; /* the same for the admin address */
	atomic_size_t held;            /* bytes of replies' ends that wait for the disk */
	size_t descriptors;            /* limit for the process, divided among the workers */
	size_t workers;
	atomic_bool draining;
	struct unsettled unsettled;
	struct forgotten forgotten;
	struct client_log misses;      /* calls that get no memory */
	struct client_log failures;    /* of the upstream */
	atomic_bool warned_of_key;     /* that a client's key cannot be used to learn with */
	atomic_uint_fast64_t receipts; /* issued since startup */
};

#endif
