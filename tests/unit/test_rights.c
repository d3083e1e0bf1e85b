#include "core/facts/facts.h"
#include "core/facts/receipt_text.h"
#include "core/memory/user.h"
#include "core/pii/pii.h"
#include "tests/unit/rights_fixture.h"

/* Tests people's decisions about their memory and the choice of facts, without a store. */

enum { NOW = 1000 };

static struct arena arena;

/* ---- receipts ---- */

START_TEST(a_receipt_keeps_the_id_and_loses_the_text)
{
	const char *text = "{\"items\":[{\"kind\":\"fact\",\"id\":\"7\",\"text\":\"a \\\"b\\\\\","
			   "\"score\":1},{\"kind\":\"turn\",\"id\":\"7\",\"text\":\"t\"},"
			   "{\"kind\":\"fact\",\"id\":\"8\",\"text\":\"c\"}],\"dropped\":["
			   "{\"kind\":\"fact\",\"id\":\"7\",\"text\":\"\"}]}";
	unit_assert_slice(receipt_without(slice_of(text), "fact", 7, &arena),
			  "{\"items\":[{\"kind\":\"fact\",\"id\":\"7\",\"text\":null,"
			  "\"score\":1},{\"kind\":\"turn\",\"id\":\"7\",\"text\":\"t\"},"
			  "{\"kind\":\"fact\",\"id\":\"8\",\"text\":\"c\"}],\"dropped\":["
			  "{\"kind\":\"fact\",\"id\":\"7\",\"text\":null}]}");
	ck_assert_ptr_eq(receipt_without(slice_of(text), "fact", 9, &arena).data, text);
	/* Cut off, by whatever damage. */
	unit_assert_slice(receipt_without(SLICE("{\"kind\":\"fact\",\"id\":\"7\",\"text\":\"ab\\"),
					  "fact", 7, &arena),
			  "{\"kind\":\"fact\",\"id\":\"7\",\"text\":null");
	arena_finish(&arena);
}
END_TEST

struct told {
	uint64_t turn;
	const char *text;
};

static bool tell(void *cookie, uint64_t turn, struct slice *said)
{
	const struct told *told = cookie;
	*said = slice_of(told->text);
	return told->turn == turn;
}

/* An item as receipts hold it, and what a reader sees. */
static struct slice put_item(const char *text, const char *said)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, SLICE("{\"kind\":\"turn\",\"id\":\"7\",\"text\":"));
	receipt_put_text(&out, slice_of(text), slice_of(said));
	buffer_append(&out, SLICE(",\"score\":null}"));
	return arena_take(&arena, &out);
}

static struct slice read_item(struct slice stored, uint64_t turn, const char *said)
{
	struct told told = {turn, said};
	return receipt_with_turns(stored, tell, &told, &arena);
}

static void check_quote(const char *text, const char *said, const char *stored)
{
	const struct slice put = put_item(text, said);
	const struct slice whole = put_item(text, "");
	unit_assert_slice(put, arena_printf(&arena,
					    "{\"kind\":\"turn\",\"id\":\"7\",\"text\":%s,"
					    "\"score\":null}",
					    stored)
				       .data);
	const struct slice read = read_item(put, 7, said);
	ck_assert_msg(slice_equal(read, whole), "%.*s", SLICE_PRINT(read));
}

START_TEST(a_receipt_quotes_a_turn_without_its_words)
{
	const char *said = "My \"boat\" lies in the harbour of \303\204lesund.\nIt is red.";
	check_quote(said, said, "[\"\",53,\"\"]");
	check_quote(arena_printf(&arena, "user (3 May): %s\n\"", said).data, said,
		    "[\"user (3 May): \",53,\"\\n\\\"\"]");
	check_quote("user: My \"boat\" lies in the harbour of \303\204le", said,
		    "[\"user: \",37,\"\"]");
	/* Only whole characters are taken from the turn. */
	check_quote("My \"boat\" lies in the harbour of \303\205l", said,
		    "[\"\",33,\"\303\205l\"]");
	check_quote("... the harbour of \303\204lesund.", said,
		    "\"... the harbour of \303\204lesund.\"");
	check_quote("user: Yes.", "Yes.", "\"user: Yes.\"");
	arena_finish(&arena);
}
END_TEST

START_TEST(a_turn_that_is_gone_leaves_null)
{
	const char *said = "The boat lies in the harbour of Bergen.";
	const struct slice stored = put_item(said, said);
	const char *null = "{\"kind\":\"turn\",\"id\":\"7\",\"text\":null,\"score\":null}";
	unit_assert_slice(read_item(stored, 8, said), null);
	unit_assert_slice(read_item(stored, 7, "The boat"), null);
	/* An item that quotes no turn, or is damaged, stays as it is. */
	for (size_t size = 0; size < 41; size++) {
		struct slice cut = slice_part(stored, 0, size);
		ck_assert_ptr_eq(read_item(cut, 7, said).data, cut.data);
	}
	const struct slice twice = put_item("no turn says this of the harbour", said);
	ck_assert_ptr_eq(read_item(twice, 7, said).data, twice.data);
	const struct slice odd = SLICE("{\"kind\":\"turn\",\"id\":\"7\",\"text\":[\"\","
				       "99999999999999999999,\"\"]}");
	ck_assert_ptr_eq(read_item(odd, 7, said).data, odd.data);
	arena_finish(&arena);
}
END_TEST

/* ---- settings ---- */

START_TEST(settings_restrict_and_never_allow_more)
{
	struct user_settings settings = settings_default();
	ck_assert(settings_are_default(&settings) && !settings_restrict(&settings));
	ck_assert(settings_may_learn(&settings, false) && settings_may_inject(&settings, false));
	ck_assert(!settings_may_learn(&settings, true) && !settings_may_inject(&settings, true));
	settings.consent_at = 5;
	ck_assert(!settings_are_default(&settings));
	ck_assert(settings_may_learn(&settings, true) && settings_may_inject(&settings, true));
	settings.learn = false;
	ck_assert(!settings_may_learn(&settings, true) && settings_may_inject(&settings, true));
	ck_assert(settings_restrict(&settings));
	settings.learn = true;
	settings.inject = false;
	ck_assert(settings_may_learn(&settings, false) && !settings_may_inject(&settings, false));
	ck_assert(settings_restrict(&settings));
	arena_finish(&arena);
}
END_TEST

START_TEST(what_outlives_a_memory_tells_nothing)
{
	struct user_settings settings = settings_default();
	settings.learn = false;
	settings.note = SLICE("asked by phone");
	settings.consent_at = 5;
	settings.consent_by = SLICE("alex");
	settings.keep_facts = 7;
	struct user_settings bare = settings_bare(&settings);
	ck_assert(!bare.learn && bare.inject);
	ck_assert_uint_eq(bare.note.size + bare.consent_by.size, 0);
	ck_assert_int_eq(bare.consent_at, 0);
	ck_assert_int_eq(bare.keep_facts, SETTING_UNSET);
	settings.learn = true;
	bare = settings_bare(&settings);
	ck_assert(settings_are_default(&bare));
	arena_finish(&arena);
}
END_TEST

START_TEST(each_setting_is_worth_storing)
{
	struct user_settings settings = settings_default();
	settings.keep_messages = 0;
	ck_assert(!settings_are_default(&settings));
	settings = settings_default();
	settings.keep_facts = 0;
	ck_assert(!settings_are_default(&settings));
	settings = settings_default();
	settings.pii = PII_KEEP;
	ck_assert(!settings_are_default(&settings));
	settings = settings_default();
	settings.hold_until = 1;
	ck_assert(!settings_are_default(&settings));
	settings = settings_default();
	settings.note = SLICE("n");
	ck_assert(!settings_are_default(&settings));
	arena_finish(&arena);
}
END_TEST

START_TEST(the_stricter_way_with_personal_facts_wins)
{
	struct user_settings settings = settings_default();
	ck_assert_int_eq(settings_pii(&settings, PII_REDACT), PII_REDACT);
	settings.pii = PII_KEEP;
	ck_assert_int_eq(settings_pii(&settings, PII_REDACT), PII_REDACT);
	settings.pii = PII_DROP;
	ck_assert_int_eq(settings_pii(&settings, PII_REDACT), PII_DROP);
	arena_finish(&arena);
}
END_TEST

/* ---- filters ---- */

static bool takes(struct fact_filter filter, const struct fact *fact)
{
	filter.until = filter.until == 0 ? INT64_MAX : filter.until;
	return fact_filter_takes(&filter, fact, &arena);
}

START_TEST(a_filter_takes_what_it_names)
{
	struct fact fact = user_fact(1, "favourite_drink", "Green tea");
	const struct fact_filter any = {.pii = -1, .now = NOW};
	struct fact_filter filter = any;
	ck_assert(takes(filter, &fact));
	filter.after = 1;
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.since = 101;
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.until = 100;
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.entity = SLICE("USER");
	ck_assert(takes(filter, &fact));
	filter.entity = SLICE("Maria");
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.kind = SLICE("person");
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.text = SLICE("green");
	ck_assert(takes(filter, &fact));
	filter.text = SLICE("drink");
	ck_assert(takes(filter, &fact));
	filter.text = SLICE("user");
	ck_assert(takes(filter, &fact));
	filter.text = SLICE("coffee");
	ck_assert(!takes(filter, &fact));
	filter = any;
	filter.pii = 1;
	ck_assert(!takes(filter, &fact));
	filter.pii = 0;
	ck_assert(takes(filter, &fact));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_filter_takes_classes_whoever_found_them)
{
	struct fact fact = user_fact(1, "mail", "alex@example.com");
	struct fact_filter filter = {.pii = -1, .classes = PII_BIT(PII_EMAIL), .now = NOW};
	ck_assert_uint_eq(fact_classes(&fact), PII_BIT(PII_EMAIL));
	ck_assert(takes(filter, &fact));
	filter.pii = 1;
	ck_assert(takes(filter, &fact));
	filter.pii = 0;
	ck_assert(!takes(filter, &fact));
	filter = (struct fact_filter){.pii = -1, .classes = PII_BIT(PII_HEALTH), .now = NOW};
	ck_assert(!takes(filter, &fact));
	fact.classes = PII_BIT(PII_HEALTH);
	ck_assert(takes(filter, &fact));
	fact.value = SLICE("asthma");
	fact.entity = SLICE("alex@example.com");
	ck_assert_uint_eq(fact_classes(&fact), PII_BIT(PII_HEALTH) | PII_BIT(PII_EMAIL));
	fact.entity = SLICE("user");
	fact.classes = 0;
	filter = (struct fact_filter){.pii = 1, .now = NOW};
	ck_assert(!takes(filter, &fact));
	fact.pii = true;
	ck_assert(takes(filter, &fact));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_filter_takes_states)
{
	struct fact fact = user_fact(1, "city", "Rome");
	struct fact_filter filter = {.pii = -1, .now = NOW};
	fact.expires_at = NOW;
	ck_assert(!takes(filter, &fact));
	fact.expires_at = NOW + 1;
	ck_assert(takes(filter, &fact));
	fact.state = FACT_SUPERSEDED;
	ck_assert(!takes(filter, &fact));
	filter.all = true;
	ck_assert(takes(filter, &fact));
	filter.only_suggested = true;
	ck_assert(!takes(filter, &fact));
	fact.state = FACT_SUGGESTED;
	ck_assert(takes(filter, &fact));
	fact.state = FACT_FORGOTTEN;
	filter.only_suggested = false;
	ck_assert(!takes(filter, &fact));
	arena_finish(&arena);
}
END_TEST

START_TEST(states_and_sources_have_names)
{
	ck_assert_str_eq(fact_state_name(FACT_SUGGESTED), "suggested");
	ck_assert_str_eq(fact_state_name(FACT_CURRENT), "current");
	ck_assert_str_eq(fact_source_name(FACT_FROM_NOTE), "note");
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("rights", a_receipt_keeps_the_id_and_loses_the_text,
	  a_receipt_quotes_a_turn_without_its_words, a_turn_that_is_gone_leaves_null,
	  settings_restrict_and_never_allow_more, what_outlives_a_memory_tells_nothing,
	  each_setting_is_worth_storing, the_stricter_way_with_personal_facts_wins,
	  a_filter_takes_what_it_names, a_filter_takes_classes_whoever_found_them,
	  a_filter_takes_states, states_and_sources_have_names)
