#include "core/facts/intake.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct arena arena;

static struct intake careful(void)
{
	return (struct intake){.masks_secrets = true,
			       .policy = {.mask = PII_BIT(PII_EMAIL) | PII_BIT(PII_HEALTH),
					  .drop = PII_BIT(PII_IP)}};
}

START_TEST(a_turn_keeps_all_but_what_is_masked)
{
	struct intake intake = careful();
	const struct slice parts[] = {
		SLICE("token ghp_"), SLICE("a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 of "),
		SLICE("alex@example.com,\n  +49 30 1234567 from 203.0.113.9")};
	struct slice secret = arena_join(&arena, parts, 3);
	unit_assert_slice(intake_text(&intake, secret, INTAKE_TURN, &arena),
			  "token [redacted: token] of [redacted: email],\n  +49 30 1234567 from "
			  "[redacted: ip]");
	ck_assert_uint_eq(intake.masked, 1);
	ck_assert_uint_eq(intake.cut, 0);
	intake.masks_secrets = false;
	ck_assert(slice_starts_with(intake_text(&intake, secret, INTAKE_TURN, &arena),
				    slice_part(secret, 0, 40)));
	arena_finish(&arena);
}
END_TEST

START_TEST(each_kind_has_its_limit_and_no_half_of_a_secret_stays)
{
	static const struct {
		enum intake_kind kind;
		size_t limit;
	} kinds[] = {{INTAKE_NAME, 64},
		     {INTAKE_KEYWORDS, 96},
		     {INTAKE_VALUE, 512},
		     {INTAKE_NOTE, 4096},
		     {INTAKE_QUOTE, 4096},
		     {INTAKE_SETTING, 1024},
		     {INTAKE_SUMMARY, TURN_TEXT_LIMIT},
		     {INTAKE_TURN, TURN_TEXT_LIMIT}};
	enum { SIZE = 3 << 20 };
	char *text = arena_bytes(&arena, SIZE);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct intake intake = careful();
		const size_t limit = kinds[i].limit;
		memset(text, 'w', SIZE);
		text[limit - 6] = ' ';
		memcpy(text + limit - 5, "alex@example.com ", 17);
		struct slice kept =
			intake_text(&intake, (struct slice){text, SIZE}, kinds[i].kind, &arena);
		ck_assert_uint_eq(intake_limit(kinds[i].kind), limit);
		ck_assert_uint_eq(kept.size, limit);
		ck_assert_uint_eq(slice_find(kept, SLICE("alex@"), 0), kept.size);
		ck_assert_uint_eq(intake.cut, 1);
		ck_assert_uint_eq(intake.masked, 1);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(nothing_invisible_is_kept_in_a_fact)
{
	struct intake intake = careful();
	static const char hidden[] = "te\0a\xe2\x80\x8b\n with\xe2\x80\xae milk";
	struct slice text = {hidden, sizeof(hidden) - 1};
	unit_assert_slice(intake_text(&intake, text, INTAKE_VALUE, &arena), "tea with milk");
	unit_assert_slice(intake_text(&intake, text, INTAKE_NOTE, &arena), "tea\n with milk");
	arena_finish(&arena);
}
END_TEST

static struct fact a_fact(void)
{
	return (struct fact){.entity = SLICE("Maria alex@example.com"),
			     .kind = SLICE("person"),
			     .key = SLICE("alex@example.com"),
			     .value = SLICE("alex@example.com"),
			     .quote = SLICE("mail alex@example.com"),
			     .keywords = SLICE("alex@example.com"),
			     .by = SLICE("alex@example.com"),
			     .agent = SLICE("alex@example.com"),
			     .app = SLICE("alex@example.com"),
			     .metadata = SLICE("{\"a\":\"alex@example.com\"}")};
}

START_TEST(every_text_of_a_fact_is_masked)
{
	struct intake intake = careful();
	struct fact fact = a_fact();
	ck_assert(intake_fact(&intake, &fact, &arena));
	const struct slice texts[] = {fact.entity, fact.key,      fact.value,
				      fact.quote,  fact.keywords, fact.by,
				      fact.agent,  fact.app,      fact.metadata};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_uint_eq(slice_find(texts[i], SLICE("alex@"), 0), texts[i].size);
		ck_assert_uint_lt(slice_find(texts[i], SLICE("[redacted: email]"), 0),
				  texts[i].size);
	}
	ck_assert_uint_eq(intake.masked, 9);
	ck_assert_uint_eq(intake.found, PII_BIT(PII_EMAIL));
	/* what was taken in once stays as it is */
	const struct fact before = fact;
	ck_assert(intake_fact(&intake, &fact, &arena));
	ck_assert(slice_equal(before.value, fact.value) && slice_equal(before.quote, fact.quote) &&
		  slice_equal(before.metadata, fact.metadata));
	ck_assert_uint_eq(intake.masked, 9);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_fact_of_an_unwanted_class_is_left_out_or_says_nothing)
{
	struct intake intake = careful();
	struct fact fact = {
		.entity = SLICE("user"), .key = SLICE("host"), .value = SLICE("203.0.113.9")};
	ck_assert(!intake_fact(&intake, &fact, &arena));
	fact.value = SLICE("a laptop");
	fact.quote = SLICE("203.0.113.9 is my laptop");
	ck_assert(intake_fact(&intake, &fact, &arena));
	unit_assert_slice(fact.quote, "[redacted: ip] is my laptop");
	fact.classes = PII_BIT(PII_HEALTH);
	ck_assert(intake_fact(&intake, &fact, &arena));
	ck_assert(fact_is_masked(&fact) && fact.quote.size == 0);
	fact = a_fact();
	fact.pii = true;
	intake.pii = PII_REDACT;
	ck_assert(intake_fact(&intake, &fact, &arena));
	ck_assert(fact_is_masked(&fact));
	intake.pii = PII_DROP;
	ck_assert(!intake_fact(&intake, &fact, &arena));
	ck_assert_uint_eq(intake_left_out(&intake), 2);
	ck_assert_uint_eq(intake.left_out[LEFT_PERSONAL], 2);
	struct buffer out;
	buffer_init(&out, 1024);
	intake.masked = 3;
	intake.left_out[LEFT_EMPTY] = 1;
	intake_print(&intake, &out);
	unit_assert_slice(buffer_slice(&out), ",\"masked\":3,\"cut\":0,\"reasons\":{\"empty\":1,"
					      "\"personal\":2}");
	buffer_finish(&out);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("intake", a_turn_keeps_all_but_what_is_masked,
	  each_kind_has_its_limit_and_no_half_of_a_secret_stays,
	  nothing_invisible_is_kept_in_a_fact, every_text_of_a_fact_is_masked,
	  a_fact_of_an_unwanted_class_is_left_out_or_says_nothing)
