#include "storage/record/stored.h"

#include <limits.h>
#include <string.h>

static uint64_t number(struct record *record, uint64_t value)
{
	return record_number(record, value, UINT64_MAX);
}

static uint32_t number32(struct record *record, uint32_t value)
{
	return (uint32_t)record_number(record, value, UINT32_MAX);
}

static enum mode mode(struct record *record, enum mode value)
{
	return (enum mode)record_number(record, value, MODE_READONLY);
}

void stored_user_fields(struct record *record, void *noun)
{
	struct stored_user *user = noun;
	user->tenant = record_slice(record, user->tenant);
	user->user = record_slice(record, user->user);
	user->first_seen = record_time(record, user->first_seen);
	user->last_seen = record_time(record, user->last_seen);
	user->next_turn = number(record, user->next_turn);
	user->next_fact = number(record, user->next_fact);
	user->next_conversation = number32(record, user->next_conversation);
	user->deferred = record_flag(record, user->deferred);
	(void)record_flag(record, false); /* "hidden_since_summary", which earlier versions set */
	if (record_goes_on(record))
		(void)number(record, 0); /* "bytes", which earlier versions set */
}

/* In minutes. No clocks are a day ahead or behind. */
static int offset(struct record *record, int value)
{
	enum { DAY = 24 * 60 };
	int64_t read = record_time(record, value);
	if (read > -DAY && read < DAY)
		return (int)read;
	record->failed = true;
	return 0;
}

void stored_turn_fields(struct record *record, void *noun)
{
	struct stored_turn *stored = noun;
	struct turn *turn = &stored->turn;
	turn->exchange = number(record, turn->exchange);
	turn->conversation = number32(record, turn->conversation);
	turn->ordinal = number32(record, turn->ordinal);
	turn->role = (enum role)record_number(record, turn->role, ROLE_OTHER);
	turn->state = (enum turn_state)record_number(record, turn->state, TURN_HIDDEN);
	turn->complete = record_flag(record, turn->complete);
	turn->created_at = record_time(record, turn->created_at);
	turn->hash = record_hash(record, turn->hash);
	turn->text = record_slice(record, turn->text);
	stored->learn = record_flag(record, stored->learn);
	stored->earlier = number(record, stored->earlier);
	if (record_goes_on(record))
		turn->utc_offset = offset(record, turn->utc_offset);
}

void stored_exchange_fields(struct record *record, void *noun)
{
	struct stored_exchange *exchange = noun;
	exchange->answer = number(record, exchange->answer);
	exchange->user_hash = record_hash(record, exchange->user_hash);
	exchange->queued = record_flag(record, exchange->queued);
	if (record_goes_on(record))
		exchange->taken_back_at = record_time(record, exchange->taken_back_at);
}

void stored_conversation_fields(struct record *record, void *noun)
{
	struct past_conversation *conversation = noun;
	conversation->session = record_slice(record, conversation->session);
	conversation->last_active = record_time(record, conversation->last_active);
	conversation->answers = number32(record, conversation->answers);
	if (!record_goes_on(record))
		return;
	conversation->carries_history = record_flag(record, conversation->carries_history);
	conversation->branched = record_flag(record, conversation->branched);
}

void stored_answer_fields(struct record *record, void *noun)
{
	struct stored_answer *answer = noun;
	answer->user_hash = record_hash(record, answer->user_hash);
	answer->tool_calls = record_flag(record, answer->tool_calls);
}

/* Returns the ids, as other fields' functions do; without an arena it returns none. */
static const uint64_t *id_list(struct record *record, const uint64_t *ids, size_t *count)
{
	if (record->form != NULL)
		return record->form->ids(record, ids, count);
	/* An id takes at least a byte: a larger count would only request memory. */
	size_t limit = record->out == NULL ? record->rest.size : SIZE_MAX;
	*count = (size_t)record_number(record, *count, limit);
	if (record->out != NULL) {
		for (size_t i = 0; i < *count; i++)
			number(record, ids[i]);
		return ids;
	}
	if (record->arena == NULL) {
		for (size_t i = 0; i < *count; i++)
			number(record, 0);
		*count = 0;
		return NULL;
	}
	uint64_t *read = arena_alloc(record->arena, *count * sizeof(*read));
	for (size_t i = 0; i < *count; i++)
		read[i] = number(record, 0);
	return read;
}

/* Earlier versions kept what the summary covers among the turns. */
static uint64_t newest_of(const uint64_t *turns, size_t count)
{
	uint64_t newest = 0;
	for (size_t i = 0; i < count; i++)
		newest = turns[i] > newest ? turns[i] : newest;
	return newest;
}

/* Added later; an export has none. */
static void receipt_ids(struct record *record, struct stored_receipt *stored)
{
	struct receipt *receipt = &stored->receipt;
	if (record->form != NULL || !record_goes_on(record))
		return;
	stored->tells_ids = record_flag(record, stored->tells_ids);
	receipt->turns = id_list(record, receipt->turns, &receipt->turn_count);
	receipt->facts = id_list(record, receipt->facts, &receipt->fact_count);
	if (!record_goes_on(record)) {
		receipt->covers = newest_of(receipt->turns, receipt->turn_count);
		return;
	}
	receipt->covers = number(record, receipt->covers);
	const bool counts = record->out != NULL || record->arena != NULL;
	const size_t turns = counts ? receipt->turn_count : SIZE_MAX;
	const size_t facts = counts ? receipt->fact_count : SIZE_MAX;
	receipt->turns_left_out = (size_t)record_number(record, receipt->turns_left_out, turns);
	receipt->facts_left_out = (size_t)record_number(record, receipt->facts_left_out, facts);
}

void stored_receipt_fields(struct record *record, void *noun)
{
	struct stored_receipt *receipt = noun;
	struct slice user = {(const char *)receipt->user.bytes, sizeof(receipt->user.bytes)};
	user = record_slice(record, user);
	if (user.size != sizeof(receipt->user.bytes))
		record->failed = true;
	else if (record->out == NULL)
		memcpy(receipt->user.bytes, user.data, user.size);
	receipt->age = number(record, receipt->age);
	receipt->receipt.text = record_slice(record, receipt->receipt.text);
	receipt_ids(record, receipt);
}

void stored_frozen_fields(struct record *record, void *noun)
{
	struct frozen *frozen = noun;
	frozen->mode = mode(record, frozen->mode);
	frozen->tokens = (size_t)record_number(record, frozen->tokens, SIZE_MAX);
	frozen->block = record_slice(record, frozen->block);
	frozen->chat_turns = record_slice(record, frozen->chat_turns);
	frozen->receipt_items = record_slice(record, frozen->receipt_items);
	frozen->facts = id_list(record, frozen->facts, &frozen->fact_count);
	if (!record_goes_on(record))
		return;
	frozen->cut_before = number32(record, frozen->cut_before);
	frozen->given = id_list(record, frozen->given, &frozen->given_count);
	if (record_goes_on(record))
		frozen->covers = number(record, frozen->covers);
	if (record_goes_on(record))
		frozen->turns = record_slice(record, frozen->turns);
	if (record_goes_on(record))
		frozen->ended = id_list(record, frozen->ended, &frozen->ended_count);
}

void stored_replay_fields(struct record *record, void *noun)
{
	struct replay *replay = noun;
	replay->user_hash = record_hash(record, replay->user_hash);
	replay->tokens = (size_t)record_number(record, replay->tokens, SIZE_MAX);
	replay->text = record_slice(record, replay->text);
	replay->receipt_items = record_slice(record, replay->receipt_items);
	replay->turns = id_list(record, replay->turns, &replay->turn_count);
	replay->facts = id_list(record, replay->facts, &replay->fact_count);
}

void stored_link_fields(struct record *record, void *noun)
{
	struct chain_link *link = noun;
	link->conversation = number32(record, link->conversation);
	link->next_ordinal = number32(record, link->next_ordinal);
	link->at = record_time(record, link->at);
	link->block_is_kept = record_flag(record, link->block_is_kept);
	link->tokens = (size_t)record_number(record, link->tokens, SIZE_MAX);
	link->turns = id_list(record, link->turns, &link->turn_count);
	link->facts = id_list(record, link->facts, &link->fact_count);
	link->is_pending = record_flag(record, link->is_pending);
	link->user_text = record_slice(record, link->user_text);
	link->user_hash = record_hash(record, link->user_hash);
	link->started_at = record_time(record, link->started_at);
	if (record_goes_on(record))
		link->provider_conversation = record_slice(record, link->provider_conversation);
	if (record_goes_on(record)) {
		link->model = record_slice(record, link->model);
		link->keeps_no_answer = record_flag(record, link->keeps_no_answer);
		link->explicit_mode = record_flag(record, link->explicit_mode);
		link->mode = (enum mode)record_number(record, link->mode, MODE_READONLY);
	}
}

/* Added later, before the last byte, and only where there are any: earlier versions read the rest.
 */
static bool has_more(const struct record *record, bool is_there)
{
	if (record->form != NULL)
		return record_goes_on(record);
	return record->out != NULL ? is_there : record->rest.size > 1;
}

/* Each of these is there if it or one that follows is. */
static void fact_details(struct record *record, struct fact *fact)
{
	const bool has_labels =
		fact->agent.size > 0 || fact->app.size > 0 || fact->metadata.size > 0;
	const bool has_classes = fact->classes != 0 || has_labels;
	if (has_more(record, fact->keywords.size > 0 || has_classes))
		fact->keywords = record_slice(record, fact->keywords);
	if (has_more(record, has_classes))
		fact->classes = (unsigned)record_number(record, fact->classes, UINT_MAX);
	if (!has_more(record, has_labels))
		return;
	fact->agent = record_slice(record, fact->agent);
	fact->app = record_slice(record, fact->app);
	fact->metadata = record_slice(record, fact->metadata);
}

void stored_fact_fields(struct record *record, void *noun)
{
	struct fact *fact = noun;
	fact->entity = record_slice(record, fact->entity);
	fact->kind = record_slice(record, fact->kind);
	fact->key = record_slice(record, fact->key);
	fact->value = record_slice(record, fact->value);
	fact->many = record_flag(record, fact->many);
	fact->pii = record_flag(record, fact->pii);
	fact->confidence = record_real(record, fact->confidence);
	fact->quote = record_slice(record, fact->quote);
	fact->exchange = number(record, fact->exchange);
	fact->observed_at = record_time(record, fact->observed_at);
	fact->expires_at = record_time(record, fact->expires_at);
	fact->ended_at = record_time(record, fact->ended_at);
	fact->superseded_by = number(record, fact->superseded_by);
	fact->state = (enum fact_state)record_number(record, fact->state, FACT_HIDDEN);
	if (!record_goes_on(record))
		return;
	fact->pinned = record_flag(record, fact->pinned);
	fact->source = (enum fact_source)record_number(record, fact->source, FACT_FROM_AGENT);
	fact->by = record_slice(record, fact->by);
	fact->repeats = number(record, fact->repeats);
	fact_details(record, fact);
	/* Once more on the disk, for stored_fact_state(): keep it the last. */
	if (record->form == NULL)
		fact->state = (enum fact_state)record_number(record, fact->state, FACT_HIDDEN);
}

/* The last field, one byte. */
unsigned stored_fact_state(struct slice value)
{
	return value.size == 0 ? UINT_MAX : (unsigned char)value.data[value.size - 1];
}

void stored_summary_fields(struct record *record, void *noun)
{
	struct summary *summary = noun;
	summary->text = record_slice(record, summary->text);
	summary->covers = number(record, summary->covers);
	summary->updated_at = record_time(record, summary->updated_at);
	summary->model = record_slice(record, summary->model);
}

void stored_job_fields(struct record *record, void *noun)
{
	struct job *job = noun;
	job->model = record_slice(record, job->model);
	job->explicit_mode = record_flag(record, job->explicit_mode);
	job->mode = mode(record, job->mode);
	job->client_key = record_flag(record, job->client_key);
	job->tries = number32(record, job->tries);
	job->unusable = number32(record, job->unusable);
	job->not_before = record_time(record, job->not_before);
	job->uncovered = (size_t)record_number(record, job->uncovered, SIZE_MAX);
	job->last_active = record_time(record, job->last_active);
	if (record_goes_on(record))
		job->forgets = record_flag(record, job->forgets);
}

void stored_number_fields(struct record *record, void *noun)
{
	uint64_t *value = noun;
	*value = number(record, *value);
}

void stored_audit_fields(struct record *record, void *noun)
{
	struct slice *line = noun;
	*line = record_slice(record, *line);
}

void stored_tombstone_fields(struct record *record, void *noun)
{
	struct tombstone *tombstone = noun;
	tombstone->entity = record_slice(record, tombstone->entity);
	tombstone->key = record_slice(record, tombstone->key);
	tombstone->at = record_time(record, tombstone->at);
}

void stored_settings_fields(struct record *record, void *noun)
{
	struct user_settings *settings = noun;
	settings->is_stored = true;
	settings->learn = record_flag(record, settings->learn);
	settings->inject = record_flag(record, settings->inject);
	settings->keep_messages = record_time(record, settings->keep_messages);
	settings->keep_facts = record_time(record, settings->keep_facts);
	settings->pii = (int)record_number(record, (uint64_t)settings->pii + 1, PII_DROP + 1) - 1;
	settings->hold_until = record_time(record, settings->hold_until);
	settings->consent_at = record_time(record, settings->consent_at);
	settings->consent_by = record_slice(record, settings->consent_by);
	settings->consent_text = record_slice(record, settings->consent_text);
	settings->note = record_slice(record, settings->note);
	settings->changed_at = record_time(record, settings->changed_at);
}
