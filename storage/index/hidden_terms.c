/* What an encrypted store holds of a term is a hash with the user's key: without it, nobody can
 * test whether the user said a word. */
#include "core/base/ids.h"
#include "storage/index/index.h"

#include <stdlib.h>

static bool has_keys(struct sealer *sealer, struct user_key user, bool stores)
{
	const struct user_key hidden = sealer_hide(sealer, user);
	return stores ? sealer_begin_new(sealer, hidden) : sealer_begin(sealer, hidden);
}

/* Many at once: for a single one, the call of the cipher takes longer than the cipher. */
static void hash_terms(struct sealer *sealer, const struct term *terms, size_t count,
		       struct term *hidden)
{
	uint64_t hashes[SEAL_HASHES];
	for (size_t i = 0; i < count; i++)
		hashes[i] = terms[i].hash;
	sealer_hash(sealer, hashes, count);
	for (size_t i = 0; i < count; i++) {
		hidden[i] = terms[i];
		hidden[i].hash = hashes[i];
	}
}

struct term_list terms_hidden(const struct memory *memory, const struct term_list *terms,
			      bool stores, struct arena *arena)
{
	struct sealer *sealer = memory->transaction->sealer;
	if (sealer == NULL || terms->count == 0)
		return *terms;
	struct term_list hidden = {0};
	if (!has_keys(sealer, memory->user, stores)) {
		if (stores)
			transaction_fail(memory->transaction);
		return hidden;
	}
	hidden = *terms;
	hidden.terms = (struct term *)arena_bytes(arena, terms->count * sizeof(*hidden.terms));
	for (size_t i = 0; i < terms->count; i += SEAL_HASHES) {
		const size_t left = terms->count - i;
		hash_terms(sealer, terms->terms + i, left < SEAL_HASHES ? left : SEAL_HASHES,
			   hidden.terms + i);
	}
	if (stores)
		qsort(hidden.terms, hidden.count, sizeof(*hidden.terms), ids_compare);
	return hidden;
}
