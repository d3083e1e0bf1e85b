#include "core/base/word_map.h"
#include "core/text/terms.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const struct term *find(const struct term_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->terms[i].hash == word_hash(slice_of(word)))
			return &list->terms[i];
	}
	return NULL;
}

static struct term_list read(const char *text)
{
	struct term_list list;
	terms_read(slice_of(text), &list, &arena);
	return list;
}

static void assert_kind(const char *text, const char *word, enum term_kind kind)
{
	struct term_list list = read(text);
	const struct term *term = find(&list, word);
	ck_assert_msg(term != NULL, "%s has no term %s", text, word);
	ck_assert_uint_eq(term->kind, kind);
}

START_TEST(a_word_is_known_by_its_form_and_by_its_stem)
{
	assert_kind("She likes paintings", "paintings", TERM_FORM);
	assert_kind("She likes paintings", "paint", TERM_STEM);
	assert_kind("She likes paint", "paint", TERM_WORD);
	ck_assert_uint_eq(find(&(struct term_list){0}, "paint") == NULL, 1);
}
END_TEST

START_TEST(terms_rise_and_stand_once_with_their_counts)
{
	struct term_list list = read("Paint painted PAINT painting, painted");
	for (size_t i = 1; i < list.count; i++)
		ck_assert_uint_lt(list.terms[i - 1].hash, list.terms[i].hash);
	ck_assert_uint_eq(find(&list, "paint")->count, 5);
	ck_assert_uint_eq(find(&list, "painted")->count, 2);
	ck_assert_uint_eq(list.words, 5);
}
END_TEST

START_TEST(the_stem_follows_the_language_of_the_text)
{
	assert_kind("Wir haben die Wohnungen in der Stadt gesehen", "wohnung", TERM_STEM);
	assert_kind("Nous avons visité les maisons de la ville", "maison", TERM_STEM);
	assert_kind("Мы видели красивые книги в магазине", "книг", TERM_STEM);
}
END_TEST

static bool share_term(const char *a, const char *b, enum term_kind kind)
{
	struct term_list left = read(a), right = read(b);
	for (size_t i = 0; i < left.count; i++) {
		for (size_t j = 0; j < right.count; j++) {
			if (left.terms[i].hash == right.terms[j].hash &&
			    (left.terms[i].kind == kind || right.terms[j].kind == kind))
				return true;
		}
	}
	return false;
}

START_TEST(irregular_forms_and_derived_nouns_share_a_term)
{
	static const char *const kin[][2] = {
		{"When does she fly to the city?", "She flew there, and the flight was long"},
		{"What did he buy?", "He bought it"},
		{"Has she decided about that?", "It was her decision"},
		{"Was hast du gekauft?", "Ich kaufe das nicht"},
		{"Was hast du gestrickt?", "Ich stricke das mit der Familie"},
		{"Wann seid ihr umgezogen?", "Wir werden bald umziehen"},
		{"¿Cuánto cuesta el coche?", "Los coches suelen costar más"},
		{"Est-ce que tu as reçu la lettre ?", "Je vais recevoir une lettre de ma mère"},
		{"Che cosa hai scelto per la cena?", "Non so che cosa scegliere per la cena"},
		{"O que ele trouxe para a festa?", "Ele vai trazer um bolo para a festa"},
		{"Wat heb je gekocht voor mij?", "Ik wil het kopen voor je"},
		{"Что она купила?", "Хочу покупать книги"},
		{"أين سكن صديقي؟", "أصدقاء"},
	};
	for (size_t i = 0; i < sizeof(kin) / sizeof(kin[0]); i++)
		ck_assert_msg(share_term(kin[i][0], kin[i][1], TERM_STEM), "%s", kin[i][0]);
	ck_assert(!share_term("He bought it", "She flew there", TERM_STEM));
}
END_TEST

START_TEST(an_ideograph_is_a_term_of_its_own)
{
	ck_assert(share_term("我们搬家啦", "他搬到城里", TERM_PART));
	assert_kind("柏崎に引っ越しました", "越", TERM_PART);
	struct term_list list = read("我们搬家啦");
	ck_assert_ptr_null(find(&list, "我"));
	list = read("さくら");
	for (size_t i = 0; i < list.count; i++)
		ck_assert_uint_ne(list.terms[i].kind, TERM_PART);
	struct term_list wanted = read("搬");
	const struct slice text = SLICE("我们搬家啦");
	ck_assert_uint_ne(terms_find(&wanted, &text, 1, &arena), 0);
}
END_TEST

/* Snowball itself is the oracle: stems are remembered, and one must not be taken for another's. */
START_TEST(a_stem_is_the_same_whenever_and_after_whatever_it_is_asked_for)
{
	static const struct {
		const char *stemmer;
		const char *before; /* tells the language */
	} languages[] = {{"english", "what did you do about the"},
			 {"german", "und ich habe nicht die"},
			 {"french", "nous avons dans les"}};
	enum { ENDINGS = 5, ROUNDS = 5000 };
	static const char *const endings[ENDINGS] = {"", "s", "ed", "en", "ations"};
	struct random random = {.state = 11};
	for (int round = 0; round < ROUNDS; round++) {
		size_t language = random_below(&random, 3);
		struct slice word =
			arena_printf(&arena, "w%cr%co%s", (int)('a' + random_below(&random, 26)),
				     (int)('a' + random_below(&random, 26)),
				     endings[random_below(&random, ENDINGS)]);
		struct sb_stemmer *stemmer = sb_stemmer_new(languages[language].stemmer, NULL);
		const char *stem = (const char *)sb_stemmer_stem(
			stemmer, (const sb_symbol *)word.data, (int)word.size);
		struct term_list list = read(
			arena_printf(&arena, "%s %s", languages[language].before, word.data).data);
		ck_assert_msg(find(&list, stem) != NULL, "%s, %s", word.data, stem);
		sb_stemmer_delete(stemmer);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(function_words_are_those_of_the_texts_language)
{
	assert_kind("when is the war over", "the", TERM_FUNCTION);
	assert_kind("when is the war over", "war", TERM_WORD);
	assert_kind("wann war das und wo war ich", "war", TERM_FUNCTION);
	assert_kind("please remind me", "remind", TERM_LIGHT);
}
END_TEST

START_TEST(an_apostrophe_parts_words)
{
	struct term_list list = read("Caroline's friend; l’homme");
	ck_assert_ptr_nonnull(find(&list, "caroline"));
	ck_assert_ptr_nonnull(find(&list, "homme"));
	ck_assert_ptr_null(find(&list, "s"));
}
END_TEST

START_TEST(who_says_i_speaks_of_himself)
{
	ck_assert(read("What did I say?").says_i);
	ck_assert(read("I'm here").says_i);
	ck_assert(read("Wie heißt mein Hund?").says_i);
	ck_assert(read("我的猫叫什么").says_i);
	ck_assert(!read("What did you say?").says_i);
}
END_TEST

START_TEST(any_bytes_give_bounded_terms)
{
	enum { SIZE = 4096, ROUNDS = 50 };
	char *bytes = malloc(SIZE);
	struct random random = {.state = 7};
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < SIZE; i++)
			bytes[i] = (char)random_below(&random, 256);
		struct term_list list;
		terms_read((struct slice){bytes, SIZE}, &list, &arena);
		ck_assert_uint_le(list.count, 2 * SIZE);
		arena_finish(&arena);
	}
	free(bytes);
}
END_TEST

START_TEST(of_a_long_text_only_the_beginning_counts)
{
	size_t size = 2 * TERMS_TEXT_LIMIT;
	char *text = malloc(size);
	memset(text, ' ', size);
	memcpy(text, "first", 5);
	memcpy(text + TERMS_TEXT_LIMIT, "second", 6);
	struct term_list list;
	terms_read((struct slice){text, size}, &list, &arena);
	ck_assert_ptr_nonnull(find(&list, "first"));
	ck_assert_ptr_null(find(&list, "second"));
	free(text);
}
END_TEST

START_TEST(what_is_found_in_texts_are_the_terms_that_are_read_of_them)
{
	static const char *const pieces[] = {
		"paint", "painting", "Wohnungen", "die", "und",     "user_id", "don't",  "the",
		"Katze", "книги",    "東京",      "I",   "running", "",        "maisons"};
	struct random random = {.state = 13};
	for (int round = 0; round < 5000; round++) {
		struct slice texts[4];
		for (size_t i = 0; i < 4; i++)
			texts[i] =
				arena_printf(&arena, "%s %s %s", pieces[random_below(&random, 15)],
					     pieces[random_below(&random, 15)],
					     pieces[random_below(&random, 15)]);
		struct term_list wanted = read(texts[3].data);
		uint64_t found = terms_find(&wanted, texts, 3, &arena);
		struct term_list list = read(arena_printf(&arena, "%s %s %s", texts[0].data,
							  texts[1].data, texts[2].data)
						     .data);
		for (size_t i = 0, at = 0; i < wanted.count; i++) {
			while (at < list.count && list.terms[at].hash < wanted.terms[i].hash)
				at++;
			bool is_in = at < list.count && list.terms[at].hash == wanted.terms[i].hash;
			ck_assert_uint_eq(found >> i & 1, is_in);
		}
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(of_many_wanted_terms_the_first_are_found)
{
	struct buffer text;
	buffer_init(&text, SIZE_MAX);
	for (int i = 0; i < 100; i++)
		buffer_printf(&text, "word%d ", i);
	struct term_list wanted;
	terms_read(buffer_slice(&text), &wanted, &arena);
	ck_assert_uint_gt(wanted.count, TERMS_FIND_LIMIT);
	struct slice texts[] = {buffer_slice(&text)};
	ck_assert_uint_eq(terms_find(&wanted, texts, 1, &arena), UINT64_MAX);
	ck_assert_uint_eq(terms_find(&(struct term_list){0}, texts, 1, &arena), 0);
	buffer_finish(&text);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_text_says_a_word_in_any_of_its_forms)
{
	ck_assert(terms_say(SLICE("I have two CATS and a dog"), SLICE("cat")));
	ck_assert(terms_say(SLICE("My cat is old"), SLICE(" cats ")));
	ck_assert(terms_say(SLICE("Ich habe zwei Katzen"), SLICE("Katze")));
	ck_assert(terms_say(SLICE("It is Bob's"), SLICE("Bob")));
	ck_assert(!terms_say(SLICE("A category of tea"), SLICE("cat")));
	ck_assert(!terms_say(SLICE("My team meets"), SLICE("tea")));
	ck_assert(!terms_say(SLICE("Joanna called"), SLICE("Ann")));
	ck_assert(terms_say(SLICE("the old  car, you know"), SLICE("old car")));
	ck_assert(!terms_say(SLICE("the older cars"), SLICE("old car")));
	ck_assert(!terms_say(SLICE("the and"), SLICE("")));
	ck_assert(terms_say(SLICE("I get 4200 euros a month"), SLICE("4200 Euro")));
	ck_assert(!terms_say(SLICE("I get 4300 euros a month"), SLICE("4200 Euro")));
	ck_assert(terms_say(SLICE("born on May 7, 1984 in Ulm"), SLICE("7 May 1984")));
	ck_assert(terms_say(SLICE("Geboren am 7. Mai 1984."), SLICE("7 Mai 1984")));
	ck_assert(terms_say(SLICE("on May 7th... no, 7 May, 1984"), SLICE("May 7 1984")));
	ck_assert(!terms_say(SLICE("from 7, 1984. May I?"), SLICE("7 June 1984")));
	ck_assert(!terms_say(SLICE("Use 11.3"), SLICE("3.11")));
	ck_assert(terms_say(SLICE("She has two cats."), SLICE("two cat")));
	ck_assert(terms_say(SLICE("ich habe zwei alte Katzen"), SLICE("zwei alte Katze")));
	ck_assert(terms_say(SLICE("a golden-retriever"), SLICE("Golden Retrievers")));
	ck_assert(terms_say(SLICE("moved to New York"), SLICE("New-York")));
	ck_assert(!terms_say(SLICE("It is new. York is far"), SLICE("New York")));
	ck_assert(!terms_say(SLICE("York is new"), SLICE("New York")));
	ck_assert(!terms_say(SLICE("new in York"), SLICE("New York")));
	ck_assert(!terms_say(SLICE("I am vegan"), SLICE("not vegan")));
	ck_assert(!terms_say(SLICE("It is new - York is far"), SLICE("New York")));
	ck_assert(!terms_say(SLICE("It is a universal law"), SLICE("university law")));
	/* Marks mean something. */
	ck_assert(!terms_say(SLICE("I want a dog"), SLICE("A-")));
	ck_assert(!terms_say(SLICE("I want a dog"), SLICE("-a")));
	ck_assert(!terms_say(SLICE("I want a dog"), SLICE("A.")));
	ck_assert(!terms_say(SLICE("apples, etc."), SLICE("/etc")));
	ck_assert(!terms_say(SLICE("It was 5 degrees"), SLICE("-5")));
	ck_assert(!terms_say(SLICE("Vitamin C"), SLICE("C++")));
	ck_assert(!terms_say(SLICE("She was born on 7/7/1984"), SLICE("7 May 1984")));
	ck_assert(!terms_say(SLICE("may 2024/2024 be better"), SLICE("2 May 2024")));
	/* Only dates may be told in another order. */
	ck_assert(!terms_say(SLICE("My computer room has 11 windows."), SLICE("Windows 11")));
	ck_assert(!terms_say(SLICE("The office has 5 rooms."), SLICE("Room 5")));
	ck_assert(!terms_say(SLICE("I was born in 1984. May I ask?"), SLICE("May 1984")));
	ck_assert(!terms_say(SLICE("open from 9. May I help?"), SLICE("9 May")));
	ck_assert(!terms_say(SLICE("I need 3, 5 or 7"), SLICE("3.5")));
	ck_assert(!terms_say(SLICE("Call 123, 456 or 789"), SLICE("123 456")));
	ck_assert(!terms_say(SLICE("Take 2 (5 mg each)"), SLICE("2.5 mg")));
	ck_assert(!terms_say(SLICE("a net"), SLICE(".NET")));
	ck_assert(terms_say(SLICE("I live in Ulm"), SLICE("Ulm.")));
	ck_assert(terms_say(SLICE("私は東京に住む"), SLICE("東京")));
	ck_assert(terms_say(SLICE("Tengo dos gatos y un perro"), SLICE("gato")));
	ck_assert(terms_say(SLICE("Ho due gatti e un cane, che sono vecchi"), SLICE("gatto")));
	ck_assert(terms_say(SLICE("Eu tenho dois gatos e um cachorro"), SLICE("gato")));
	ck_assert(!terms_say(SLICE("We met the team"), SLICE("the_project")));
	ck_assert(!terms_say(SLICE("A user called"), SLICE("user_sessions")));
	ck_assert(!terms_say(SLICE("They rock"), SLICE("rock'n'roll")));
	ck_assert(!terms_say(SLICE("Having it"), SLICE("have")));
}
END_TEST

UNIT_MAIN("terms", a_word_is_known_by_its_form_and_by_its_stem,
	  terms_rise_and_stand_once_with_their_counts, the_stem_follows_the_language_of_the_text,
	  irregular_forms_and_derived_nouns_share_a_term, an_ideograph_is_a_term_of_its_own,
	  a_stem_is_the_same_whenever_and_after_whatever_it_is_asked_for,
	  function_words_are_those_of_the_texts_language, an_apostrophe_parts_words,
	  who_says_i_speaks_of_himself, any_bytes_give_bounded_terms,
	  of_a_long_text_only_the_beginning_counts,
	  what_is_found_in_texts_are_the_terms_that_are_read_of_them,
	  of_many_wanted_terms_the_first_are_found, a_text_says_a_word_in_any_of_its_forms)
