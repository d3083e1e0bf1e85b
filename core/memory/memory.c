#include "core/memory/memory.h"

#include "core/base/ids.h"

static const char *const mode_names[] = {
	[MODE_OFF] = "off",       [MODE_BUFFER] = "buffer",     [MODE_SUMMARY] = "summary",
	[MODE_ENTITY] = "entity", [MODE_VECTOR] = "vector",     [MODE_HYBRID] = "hybrid",
	[MODE_AUTO] = "auto",     [MODE_READONLY] = "readonly",
};

const char *mode_name(enum mode mode)
{
	return mode_names[mode];
}

bool mode_read(struct slice word, enum mode *mode)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (slice_equal(word, slice_of(mode_names[i]))) {
			*mode = (enum mode)i;
			return true;
		}
	}
	return false;
}

bool mode_uses_facts(enum mode mode)
{
	return mode == MODE_ENTITY || mode == MODE_HYBRID || mode == MODE_AUTO;
}

bool mode_uses_summary(enum mode mode)
{
	return mode == MODE_SUMMARY || mode == MODE_HYBRID || mode == MODE_AUTO;
}

bool mode_uses_turns(enum mode mode)
{
	return mode_uses_summary(mode) || mode == MODE_BUFFER;
}

const char *role_name(enum role role)
{
	static const char *const names[] = {
		[ROLE_SYSTEM] = "system", [ROLE_DEVELOPER] = "developer",
		[ROLE_USER] = "user",     [ROLE_ASSISTANT] = "assistant",
		[ROLE_TOOL] = "tool",     [ROLE_OTHER] = "other",
	};
	return names[role];
}

bool mode_recalls(enum mode mode)
{
	return mode == MODE_VECTOR || mode == MODE_HYBRID || mode == MODE_AUTO;
}

bool turn_is_said_in(const struct turn *turn, const struct carried_texts *carried)
{
	return turn->hash != 0 && ids_hold(carried->hashes, carried->count, turn->hash);
}

bool turn_is_told_in(const struct turn *turn, const struct carried_texts *carried)
{
	enum { TELLING = 16 }; /* bytes */
	return turn->text.size >= TELLING && turn_is_said_in(turn, carried);
}

bool turn_is_asked_again(const struct turn *turn, uint64_t asked_again)
{
	return asked_again != 0 && turn->exchange == asked_again;
}

enum fact_kind fact_kind_of(struct slice kind)
{
	static const struct slice kinds[] = {
		[FACT_OF_USER] = SLICE("user"),   [FACT_OF_PERSON] = SLICE("person"),
		[FACT_OF_PLACE] = SLICE("place"), [FACT_OF_PROJECT] = SLICE("project"),
		[FACT_OF_NOTE] = SLICE("note"),
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (slice_equal(kind, kinds[i]))
			return (enum fact_kind)i;
	}
	return FACT_OF_THING;
}

bool fact_is_about_user(const struct fact *fact)
{
	return slice_equal_nocase(fact->entity, SLICE("user"));
}

static const char pii_mask[] = "[redacted: pii]";

void fact_mask(struct fact *fact)
{
	fact->value = slice_of(pii_mask);
	fact->metadata = (struct slice){0};
	fact_unquote(fact);
}

void fact_unquote(struct fact *fact)
{
	fact->quote = fact->keywords = (struct slice){0};
}

bool fact_is_masked(const struct fact *fact)
{
	return slice_equal(fact->value, slice_of(pii_mask));
}

bool summary_covers(const struct summary *summary, uint64_t turn)
{
	return turn <= summary->covers;
}
