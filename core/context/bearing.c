/* What bears on the question, and what is given whatever is asked. */
#include "core/context/pick.h"

#include "core/base/word_map.h"
#include "core/facts/facts.h"

/* The maps of core_keys.txt. */
enum { CORE_KEY_WORDS, CORE_KEY_WHOLE };

#include "core_keys_map.h"

/* A word of the question in three, weighed by its kind: a text of many words holds some by chance.
 */
static const float least_coverage = 0.3f;

enum { LONGEST_STEM = 32 }; /* bytes of a word that may go on */

/* A bit for each rank. */
static uint32_t ranks_of_word(struct slice word)
{
	const struct word_map *words = &core_keys_maps[CORE_KEY_WORDS];
	uint32_t ranks = word_map_find(words, word_hash(word));
	char stem[LONGEST_STEM + 1];
	for (size_t size = 1; size <= word.size && size <= LONGEST_STEM; size++) {
		stem[size - 1] = word.data[size - 1];
		stem[size] = '*';
		ranks |= word_map_find(words, word_hash((struct slice){stem, size + 1}));
	}
	return ranks;
}

unsigned core_rank(const struct fact *fact)
{
	if (!fact_is_about_user(fact))
		return 0;
	uint32_t ranks = word_map_find(&core_keys_maps[CORE_KEY_WHOLE], word_hash(fact->key));
	for (size_t at = 0; at < fact->key.size;) {
		size_t end = slice_find(fact->key, SLICE("_"), at);
		ranks |= ranks_of_word(slice_part(fact->key, at, end));
		at = end + 1;
	}
	unsigned rank = 1;
	while (rank <= CORE_RANKS && (ranks >> rank & 1) == 0)
		rank++;
	return rank <= CORE_RANKS ? rank : 0;
}

bool text_bears(const struct context_input *input, struct slice text, struct arena *arena)
{
	const struct recall_question *question = input->question;
	return question == NULL || question->is_broad ||
	       recall_coverage(question, text, arena) >= least_coverage;
}

bool summary_is_wanted(const struct context_input *input, struct arena *arena)
{
	bool is_sent = input->carried_from == 0 || input->conversation == 0;
	if (input->summary == NULL || !input->has_floor || input->cut_before > 0 || !is_sent)
		return true;
	return text_bears(input, input->summary->text, arena);
}
