/* Shared by all threads of the daemon: the store, the learner, the embedder and a few counters. The
 * configuration is not here: each thread holds its own snapshot and is handed new ones. */
#ifndef RECALLD_PROXY_SERVICE_SERVICE_H
#define RECALLD_PROXY_SERVICE_SERVICE_H

#include "proxy/service/client_log.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/model_traits.h"
#include "storage/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct background;
struct config;
struct embedder;
struct learner;
struct retention;
struct scrubber;
struct tracer;

/* Users whose exchanges are on their way to the disk while no reply waits for them: [memory]
 * durability is relaxed, or the client left. A request that follows at once, as in a loop of tool
 * calls, would not find what the request before it was given. Any thread may call. */

enum { UNSETTLED_SLOTS = 4096 };

/* Users may share a slot: one of them then waits in vain, and not for long. All zero at first. */
struct unsettled {
	atomic_uint counts[UNSETTLED_SLOTS];
};

/* One more exchange of the user's is on its way. */
void unsettled_add(struct unsettled *unsettled, struct user_key user);
/* One is on disk, or failed. */
void unsettled_remove(struct unsettled *unsettled, struct user_key user);
bool unsettled_has(struct unsettled *unsettled, struct user_key user);

/* How many facts and texts users' wishes to forget have taken, until a reply tells of it. A restart
 * forgets the counts. Any thread may call. */

enum { FORGOTTEN_SLOTS = 1024 };

/* A user whose slot another one takes is told nothing. All zero at first. */
struct forgotten {
	pthread_mutex_t lock;
	struct forgotten_count {
		struct user_key user;
		unsigned count;
	} counts[FORGOTTEN_SLOTS];
};

void forgotten_add(struct forgotten *forgotten, struct user_key user, unsigned count);
/* Takes the user's count: the next call gets 0. */
unsigned forgotten_take(struct forgotten *forgotten, struct user_key user);

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
