/* The line that each exchange leaves in the log. It names no user and none of their words. */
#include "proxy/exchange/state.h"
#include "proxy/runtime/log.h"

#include <stdio.h>

static struct slice receipt_text(struct exchange *exchange)
{
	if (exchange->chat.injected.receipt == 0)
		return SLICE("-");
	return arena_printf(&exchange->arena, "%016llx",
			    (unsigned long long)exchange->chat.injected.receipt);
}

void exchange_log(struct exchange *exchange, const char *reason)
{
	if (!log_wants(LOG_LEVEL_INFO))
		return;
	struct arena *arena = &exchange->arena;
	uint64_t now = clock_steady();
	char user[9] = "-";
	if (exchange->dialect != NULL && exchange->chat.identity.user.size > 0) {
		const unsigned char *key = exchange->chat.user.bytes;
		(void)snprintf(user, sizeof(user), "%02x%02x%02x%02x", key[0], key[1], key[2],
			       key[3]);
	}
	uint64_t first_byte =
		exchange->first_byte == 0 ? 0 : exchange->first_byte - exchange->begun;
	struct log_field fields[] = {
		{"method", exchange->method, false},
		{"path", exchange->path, false},
		{"status", arena_number(arena, (uint64_t)exchange->status), true},
		{"memory",
		 slice_of(exchange->dialect != NULL ? chat_status_name(exchange->chat.status)
						    : "none"),
		 false},
		{"user", slice_of(user), false},
		{"receipt", receipt_text(exchange), false},
		{"tokens", arena_number(arena, exchange->chat.injected.tokens), true},
		{"bytes", arena_number(arena, exchange->relay.bytes), true},
		{"first_byte_us", arena_number(arena, first_byte), true},
		{"elapsed_us", arena_number(arena, now - exchange->begun), true},
		{"end", slice_of(reason), false},
		{NULL, {0}, false}, /* room for fields that not every line has, and the end */
		{NULL, {0}, false},
		{NULL, {0}, false},
	};
	size_t count = sizeof(fields) / sizeof(fields[0]) - 3;
	if (exchange->cause.size > 0)
		fields[count++] = (struct log_field){"cause", exchange->cause, false};
	if (exchange->trace != NULL)
		fields[count++] = (struct log_field){"trace", exchange_trace_id(exchange), false};
	log_event(LOG_LEVEL_INFO, "exchange", fields);
}
