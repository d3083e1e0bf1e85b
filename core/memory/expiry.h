/* What is past its time, and goes. */
#ifndef RECALLD_CORE_MEMORY_EXPIRY_H
#define RECALLD_CORE_MEMORY_EXPIRY_H

#include "core/memory/memory.h"

struct expiry {
	int64_t now;
	/* Exchanges of which the user's turn was said then or before go, and summaries that are
	 * made of none said later; INT64_MIN: none do. */
	int64_t turns_until;
	int64_t facts_until; /* facts that were last said then or before; the same */
	enum pii pii;
	/* With the last part the user's bytes go from `counted` to `left`, as store_measure() gave
	 * them; both 0: they are left alone. */
	uint64_t counted;
	uint64_t left;
};

struct expired_count {
	size_t exchanges;
	size_t facts; /* deleted or masked */
	bool more;    /* it is to be called again */
};

#endif
