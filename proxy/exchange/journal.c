#include "core/learn/learn.h"
#include "proxy/background/embedder.h"
#include "proxy/background/learner.h"
#include "proxy/background/next_job.h"
#include "proxy/exchange/open.h"
#include "proxy/exchange/state.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

/* CONTRACT, durability: at most 2 s late. */
enum { COMMIT_PATIENCE_MS = 2000 };

static void log_failure(const char *message, uint64_t receipt, const char *cause)
{
	char id[sizeof("0123456789abcdef")];
	(void)snprintf(id, sizeof(id), "%016" PRIx64, receipt);
	const struct log_field fields[] = {
		{"cause", slice_of(cause), false},
		{receipt == 0 ? NULL : "receipt", slice_of(id), false},
		{NULL, {0}, false},
	};
	log_event(LOG_LEVEL_ERROR, message, fields);
}

static void on_committed(void *cookie, enum store_result result)
{
	struct commit *commit = cookie;
	struct exchange *exchange = commit->exchange;
	metrics_observe(METRIC_COMMIT_SECONDS, clock_steady() - commit->started);
	if (commit->is_unsettled)
		unsettled_remove(&commit->service->unsettled, commit->user);
	if (result == STORE_OK && commit->learns)
		learner_wake(commit->service->learner, commit->user, commit->is_pressing);
	if (result == STORE_OK && commit->embeds)
		embedder_wake(commit->service->embedder, commit->user);
	if (result != STORE_OK && result != STORE_STALE) {
		metrics_count(result == STORE_FULL ? METRIC_BYPASS_FULL : METRIC_BYPASS_COMMIT, 1);
		log_failure("exchange not journalled; check the store's disk and map_size",
			    commit->receipt, store_result_name(result));
	}
	free(commit);
	if (exchange != NULL) {
		exchange->commit = NULL;
		event_del(exchange->commit_deadline);
		exchange_release_reply(exchange);
	}
}

/* Whether the learner has something to do now: with this exchange, or with others that it
 * releases. */
static bool wakes_learner(const struct exchange *exchange, const struct append *append)
{
	const struct chat *chat = &exchange->chat;
	bool releases = chat->view->deferred && !append->explicit_mode;
	bool takes_back = append->supersede || append->same_exchange != 0;
	/* A retraction may need a new summary, whatever this exchange teaches. */
	if (takes_back)
		return true;
	if (!append->learn || releases)
		return append->learn;
	const struct config_memory memory =
		config_memory_for(exchange->config, append->model, append->tenant, append->user);
	return learner_follows(&memory, chat->mode, append->forgets);
}

static void on_commit_late(evutil_socket_t fd, short what, void *cookie)
{
	struct exchange *exchange = cookie;
	(void)fd;
	(void)what;
	metrics_count(METRIC_BYPASS_COMMIT, 1);
	log_failure("exchange not on disk within 2 s; the reply ends without waiting",
		    exchange->chat.injected.receipt, "late");
	exchange_detach_commit(exchange);
	exchange_release_reply(exchange);
}

static void offer_key(struct exchange *exchange, struct append *append)
{
	const struct config *config = exchange->config;
	struct service *service = exchange->worker->service;
	struct slice key = exchange->key_field;
	bool is_kept_back = exchange->key_is_bound || exchange->key_is_foreign;
	if (config->model.api_key[0] != '\0' || config->upstream.api_key[0] != '\0' ||
	    (key.size == 0 && !is_kept_back))
		return;
	append->client_key = true;
	if (!is_kept_back)
		learner_offer_key(service->learner, exchange->chat.user, key);
	else if (!atomic_exchange(&service->warned_of_key, true))
		log_warn("learning waits for a key: a client %s; set [model] base_url and api_key",
			 exchange->key_is_bound
				 ? "uses a login token that only its own product may use"
				 : "has a key for another server than the memory model's");
}

bool exchange_journal(struct exchange *exchange, bool broke_off)
{
	struct service *service = exchange->worker->service;
	struct relay *relay = &exchange->relay;
	if (exchange->journalled || relay->reader == NULL)
		return false;
	exchange->journalled = true;
	/* The client need not wait for the work here. */
	if (relay->holds && exchange->request != NULL)
		http_reply_send_now(exchange->request);
	struct reply reply = reply_result(relay->reader);
	struct append append;
	if (exchange->fetches && !chat_is_fetched(&reply, broke_off))
		return false;
	exchange_trace_usage(exchange, &reply);
	chat_note_tokens(&exchange->chat, service->model_traits, &reply, &exchange->arena);
	if (!chat_append(&exchange->chat, &reply, broke_off, exchange->begun_at, clock_wall(),
			 &append, &exchange->arena))
		return false;
	append.declines = append.journal && learn_declines(append.user_text, &exchange->arena);
	const enum learn_plea plea =
		append.learn ? learn_plea(append.user_text, &exchange->arena) : LEARN_PLEA_NONE;
	append.forgets = plea == LEARN_PLEA_FORGET;
	offer_key(exchange, &append);
	append.receipt = chat_receipt(&exchange->chat, &exchange->arena);
	exchange->receipt_kept = true;
	metrics_count(append.complete ? METRIC_EXCHANGES_JOURNALLED : METRIC_EXCHANGES_INCOMPLETE,
		      1);
	bool waits = relay->holds && exchange->request != NULL;
	bool learns = wakes_learner(exchange, &append);
	/* A retraction, a request to forget or a correction is learned at once. */
	bool is_pressing = append.supersede || append.same_exchange != 0 || plea != LEARN_PLEA_NONE;
	struct commit *commit = xmalloc(sizeof(*commit));
	*commit = (struct commit){.exchange = waits ? exchange : NULL,
				  .service = service,
				  .user = exchange->chat.user,
				  .learns = learns,
				  .is_pressing = learns && is_pressing,
				  .embeds = chat_wants_vectors(&exchange->chat),
				  .is_unsettled = !waits,
				  .receipt = exchange->chat.injected.receipt,
				  .started = clock_steady()};
	if (!waits)
		unsettled_add(&service->unsettled, commit->user);
	/* The callback is never cancelled, since it also wakes the learner. */
	store_append(service->store, &append,
		     (struct store_waiter){loop_for_store(exchange->worker->loop), on_committed,
					   commit});
	if (!waits)
		return false;
	exchange->commit = commit;
	exchange->commit_deadline =
		evtimer_new(loop_base(exchange->worker->loop), on_commit_late, exchange);
	loop_wait(exchange->commit_deadline, COMMIT_PATIENCE_MS);
	exchange_change_state(exchange, EXCHANGE_COMMITTING);
	return true;
}
