/* An exchange: one request's life from its last byte to its log line. */
#ifndef RECALLD_PROXY_EXCHANGE_EXCHANGE_H
#define RECALLD_PROXY_EXCHANGE_EXCHANGE_H

#include "proxy/exchange/worker.h"

/* Handles a request; the exchange ends by itself. Call on the worker's thread. */
void exchange_begin(struct worker *worker, struct http_request *request);

/* Ends all of a worker's exchanges: cuts off their replies, and journals what was answered. */
void exchange_end_all(struct worker *worker);

#endif
