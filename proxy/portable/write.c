#include "proxy/portable/forms.h"

#include "core/facts/facts.h"
#include "core/json/json.h"
#include "core/text/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* Exact: whole milliseconds of RFC 3339. */
static void put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	struct slice seconds = text_time(at, arena);
	int fraction = (int)((at % 1000 + 1000) % 1000);
	seconds.size--; /* its "Z" */
	buffer_printf(out, ",\"%s\":\"%.*s.%03dZ\"", name, SLICE_PRINT(seconds), fraction);
}

static const char *const turn_states[] = {"current", "superseded", "hidden"};
static const char *const learning[] = {"none", "pending", "done"};

void portable_write_said(struct buffer *out, const struct fact *fact)
{
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\"", fact->id);
	json_put_text(out, "entity", fact->entity);
	json_put_text(out, "kind", fact->kind);
	json_put_text(out, "key", fact->key);
	json_put_text(out, "value", fact->value);
	json_put_flag(out, "many", fact->many);
}

void portable_write_labels(struct buffer *out, const struct fact *fact)
{
	if (fact->agent.size > 0)
		json_put_text(out, "agent", fact->agent);
	if (fact->app.size > 0)
		json_put_text(out, "app", fact->app);
	if (fact->metadata.size == 0)
		return;
	buffer_append(out, SLICE(",\"metadata\":"));
	buffer_append(out, fact->metadata);
}

static void put_fact(struct buffer *out, const struct fact *fact, struct arena *arena)
{
	portable_write_said(out, fact);
	buffer_printf(out, ",\"confidence\":%.17g", fact->confidence);
	json_put_flag(out, "pii", fact->pii);
	if (fact->classes != 0) {
		buffer_append(out, SLICE(",\"pii_classes\":"));
		pii_print(fact->classes, out);
	}
	json_put_flag(out, "pinned", fact->pinned);
	if (fact->by.size > 0)
		json_put_text(out, "by", fact->by);
	buffer_printf(out, ",\"repeats\":%" PRIu64 ",\"source\":{\"type\":\"%s\"", fact->repeats,
		      fact_source_name(fact->source));
	json_put_id(out, "exchange", fact->exchange);
	json_put_text(out, "quote", fact->quote);
	if (fact->keywords.size > 0)
		json_put_text(out, "keywords", fact->keywords);
	buffer_append_byte(out, '}');
	put_time(out, "observed_at", fact->observed_at, arena);
	if (fact->expires_at != 0)
		put_time(out, "valid_until", fact->expires_at, arena);
	buffer_printf(out, ",\"state\":\"%s\"", fact_state_name(fact->state));
	json_put_id(out, "superseded_by", fact->superseded_by);
	if (fact->ended_at != 0)
		put_time(out, "ended_at", fact->ended_at, arena);
	portable_write_labels(out, fact);
	buffer_append_byte(out, '}');
}

static void put_turn(struct buffer *out, const struct portable_turn *from, struct arena *arena)
{
	const struct turn *turn = &from->turn;
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\"", turn->id);
	json_put_id(out, "exchange", turn->exchange);
	buffer_printf(out, ",\"ordinal\":%" PRIu32 ",\"role\":\"%s\"", turn->ordinal,
		      role_name(turn->role));
	json_put_text(out, "content", turn->text);
	put_time(out, "created_at", turn->created_at, arena);
	buffer_printf(out, ",\"utc_offset\":%d", turn->utc_offset);
	json_put_flag(out, "complete", turn->complete);
	buffer_printf(out, ",\"state\":\"%s\",\"hash\":\"%016" PRIx64 "\"",
		      turn_states[turn->state], turn->hash);
	json_put_flag(out, "summarize", from->learn);
	if (from->earlier != 0)
		json_put_id(out, "replaces", from->earlier);
	if (turn->role == ROLE_USER) {
		json_put_id(out, "answer", from->answer);
		buffer_printf(out, ",\"own_hash\":\"%016" PRIx64 "\",\"learned\":\"%s\"",
			      from->own_hash, learning[from->learning]);
		if (from->taken_back_at != 0)
			put_time(out, "taken_back_at", from->taken_back_at, arena);
	}
	buffer_append_byte(out, '}');
}

static int compare_order(const void *left, const void *right)
{
	const struct portable_turn *const *a = left, *const *b = right;
	if ((*a)->turn.conversation != (*b)->turn.conversation)
		return (*a)->turn.conversation < (*b)->turn.conversation ? -1 : 1;
	return (*a > *b) - (*a < *b);
}

/* The turns by conversation, so that writing them takes one walk. */
static const struct portable_turn **order_turns(const struct portable_memory *memory,
						struct arena *arena)
{
	const struct portable_turn **order =
		arena_alloc(arena, (memory->turn_count + 1) * sizeof(*order));
	for (size_t i = 0; i < memory->turn_count; i++)
		order[i] = &memory->turns[i];
	if (memory->turn_count > 1)
		qsort(order, memory->turn_count, sizeof(*order), compare_order);
	return order;
}

/* `next` walks through the turns in order. */
static void put_conversation(struct buffer *out, const struct portable_memory *memory, size_t at,
			     const struct portable_turn *const *order, size_t *next,
			     struct arena *arena)
{
	const struct portable_conversation *one = &memory->conversations[at];
	bool first = true;
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\"", one->id);
	if (one->conversation.session.size > 0)
		json_put_text(out, "session", one->conversation.session);
	else
		buffer_append(out, SLICE(",\"session\":null"));
	put_time(out, "last_active", one->conversation.last_active, arena);
	buffer_printf(out, ",\"answers\":%" PRIu32, one->conversation.answers);
	json_put_flag(out, "carries_history", one->conversation.carries_history);
	json_put_flag(out, "branched", one->conversation.branched);
	buffer_append(out, SLICE(",\"turns\":["));
	for (; *next < memory->turn_count && order[*next]->turn.conversation <= one->id; ++*next) {
		if (order[*next]->turn.conversation < one->id)
			continue;
		buffer_append(out, first ? SLICE("") : SLICE(","));
		put_turn(out, order[*next], arena);
		first = false;
	}
	buffer_append(out, SLICE("]}"));
}

static void put_summary(struct buffer *out, const struct portable_memory *memory,
			struct arena *arena)
{
	const struct summary *summary = &memory->summary;
	if (!memory->has_summary) {
		buffer_append(out, SLICE(",\"summary\":null"));
		return;
	}
	buffer_append(out, SLICE(",\"summary\":{\"text\":"));
	json_quote(out, summary->text);
	json_put_id(out, "covers", summary->covers);
	put_time(out, "updated_at", summary->updated_at, arena);
	json_put_text(out, "model", summary->model);
	buffer_append_byte(out, '}');
}

static void put_settings(struct buffer *out, const struct portable_memory *memory,
			 struct arena *arena)
{
	if (!memory->settings.is_stored) {
		buffer_append(out, SLICE(",\"settings\":null"));
		return;
	}
	buffer_append(out, SLICE(",\"settings\":{"));
	portable_write_settings(out, &memory->settings, arena);
	buffer_append_byte(out, '}');
}

void portable_write(struct buffer *out, const struct portable_memory *memory, int64_t now,
		    const char *version, struct arena *arena)
{
	buffer_append(out, SLICE("{\"format\":\"recalld-export-1\""));
	put_time(out, "exported_at", now, arena);
	buffer_append(out, SLICE(",\"source\":{\"program\":\"recalld\""));
	json_put_text(out, "version", slice_of(version));
	buffer_append_byte(out, '}');
	json_put_text(out, "user", memory->user);
	json_put_text(out, "tenant", memory->tenant);
	put_settings(out, memory, arena);
	buffer_append(out, SLICE(",\"facts\":["));
	for (size_t i = 0; i < memory->fact_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_fact(out, &memory->facts[i], arena);
	}
	const struct portable_turn **order = order_turns(memory, arena);
	size_t next = 0;
	buffer_append(out, SLICE("],\"conversations\":["));
	for (size_t i = 0; i < memory->conversation_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_conversation(out, memory, i, order, &next, arena);
	}
	buffer_append_byte(out, ']');
	put_summary(out, memory, arena);
}
