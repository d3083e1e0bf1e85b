/* Tests the slips of small models in quoting a user. */
#include "tests/unit/borne_fixture.h"

#include <stdio.h>

/* clang-format off */
static const struct {
	const char *user;
	const char *entry;
	const char *entity;
	const char *key;
	const char *value;
} mended[] = {
	/* translated */
	{"Я работаю библиотекарем в Твери.", FACT("job", "librarian", "Я работаю библиотекарем"), "user", "job", "библиотекарем"},
	{"Я работаю библиотекарем в Твери.", FACT("city", "Tver", "в Твери"), "user", "city", "Твери"},
	{"Меня зовут Фаина.", FACT("name", "Fiona", "Меня зовут"), "user", "name", "Фаина"},
	{"Меня зовут Фаина.", OF("Fiona", "name", "Fiona", "Меня зовут Фаина"), "user", "name", "Фаина"},
	{"金沢で和菓子職人をしています。", FACT("occupation", "sweets maker", "金沢で和菓子職人をしています"), "user", "occupation",
	 "金沢で和菓子職人をしています"},
	{"我叫沈佳，在苏州做护士。", FACT("name", "Shen Jia", "我叫沈佳"), "user", "name", "沈佳"},
	{"اسمي هناء وأعمل صيدلانية.", FACT("name", "Hana", "اسمي هناء"), "user", "name", "هناء"},
	{"Я обожаю грибы.", FACT("food", "mushrooms", "Я обожаю грибы"), "user", "note", "Я обожаю грибы"},
	/* misfiled */
	{"Mein Kater Pumuckl frisst nur Thunfisch.", OF("Pumuckl", "dislikes", "Thunfisch", "frisst nur Thunfisch"), "Pumuckl", "note",
	 "frisst nur Thunfisch"},
	{"I can't stand seafood.", FACT("dislikes", "seafood", "I can't stand seafood"), "user", "dislikes", "seafood"},
	{"Odio el cilantro.", FACT("dislikes", "cilantro", "Odio el cilantro"), "user", "dislikes", "cilantro"},
	{"Моя кошка живёт в Казани.", OF("cat", "home", "Казань", "Моя кошка живёт в Казани"), "cat", "home", "Казань"},
	{"We bought a Saab.", OF("Saab", "car", "Saab", "a Saab"), "user", "car", "Saab"},
	{"I can't eat shellfish.", OF("shellfish", "cannot_eat", "shellfish", "I can't eat shellfish"), "user", "cannot_eat", "shellfish"},
	{"أعمل صيدلانية في طرابلس.", OF("Hani", "city", "طرابلس", "أعمل صيدلانية في طرابلس"), "user", "city", "طرابلس"},
	{"Vivo en Lugo y toco la gaita.", OF("Lugo", "instrument", "gaita", "y toco la gaita"), "user", "instrument", "gaita"},
	{"I live in Hull, and I've a nut allergy.", OF("Hull", "allergy", "nut", "I've a nut allergy"), "user", "allergy", "nut"},
	{"Now I run a dog van.", OF("dog_van", "company", "dog van", "I run a dog van"), "user", "company", "dog van"},
	{"我是老师，住在长沙。", OF("teacher", "home", "长沙", "住在长沙"), "user", "home", "长沙"},
	{"Gwen works in Whitby, and the rent is 400 euros.", OF("Whitby", "rent", "400 euros", "the rent is 400 euros"), "Whitby", "rent",
	 "400 euros"},
	{"Я живу тут, учусь на врача.", OF("doctor", "studies", "врача", "учусь на врача"), "user", "studies", "врача"},
	{"Estamos en Lugo, y usamos Zulip.", OF("Lugo", "tool", "Zulip", "y usamos Zulip"), "user", "tool", "Zulip"},
	{"We call the Larch app slow, and use Rust.", OF("Larch", "speed", "slow", "We call the Larch app slow"), "Larch", "speed", "slow"},
	{"I bought Tom a bike.", OF("Tom", "vehicle", "bike", "I bought Tom a bike"), "Tom", "vehicle", "bike"},
	{"I live with Mina in Cork.", OF("Mina", "city", "Cork", "I live with Mina in Cork"), "Mina", "city", "Cork"},
	{"We met Tom. He keeps bees.", OF("Tom", "keeps", "bees", "He keeps bees"), "Tom", "keeps", "bees"},
	/* of somebody of theirs */
	{"Mon patron s'appelle Hervé.", OF("Patron", "name", "Hervé", "s'appelle Hervé"), "Hervé", "relation", "patron"},
	{"Mein Kater heißt Momo.", OF("Momo", "name", "Momo", "Mein Kater heißt Momo"), "Momo", "kind", "Kater"},
	{"Mi hija Lucía duerme.", OF("Lucía", "pet", "hija", "Mi hija Lucía"), "Lucía", "relation", "hija"},
	{"My sister Maria lives in Bern. My brother is a nurse.", OF("brother", "job", "nurse", "is a nurse"), "brother", "job", "nurse"},
	{"My wife Tamsin sings and our son Jude is four.", OF("Tamsin", "hobby", "sings", "My wife Tamsin sings"), "Tamsin", "hobby", "sings"},
	{"Mi mejor amiga se llama Noelia y es piloto.", OF("Noelia", "job", "piloto", "y es piloto"), "Noelia", "job", "piloto"},
	{"Mi mejor amiga se llama Noelia y es piloto.", OF("Noelia", "name", "Noelia", "se llama Noelia"), "Noelia", "relation", "amiga"},
	{"Mon fils Gaspard lit.", OF("Gaspard", "name", "Mon fils Gaspard", "Mon fils Gaspard"), "Gaspard", "relation", "fils"},
	/* in another form */
	{"Ich arbeite als Optikerin.", FACT("job", "optiker", "Ich arbeite als Optikerin"), "user", "job", "Optikerin"},
	{"I love hiking.", FACT("likes", "hike", "I love hiking"), "user", "likes", "hiking"},
	/* in fewer words than say something */
	{"Now I run a dog van.", FACT("job", "run", "now I run a dog van"), "user", "job", "run a dog van"},
	{"Los jueves juego al pádel.", FACT("game", "juego", "juego al pádel"), "user", "game", "juego al pádel"},
	{"I live here, but I don't eat pork.", FACT("food", "pork", "I don't eat pork"), "user", "note", "I don't eat pork"},
};

static const struct try unmendable[] = {
	{"Переведи слово «подоконник».", FACT("noun", "windowsill", "подоконник")},
	{"Как дела?", FACT("mood", "fine", "Как дела")},
	{"Моя сестра Алла живёт в Твери.", OF("Ella", "city", "Tver", "живёт в Твери")},
	{"Mein Name ist 山田.", FACT("name", "Yamada", "Mein Name ist")},
	{"My dog can't eat shellfish.", OF("shellfish", "cannot_eat", "shellfish", "can't eat shellfish")},
	{"I live in Berlin.", FACT("city", "Berlin", "I live in Paris")},
	{"I like tea.", FACT("drink", "tram", "I like tea")},
	{"I'm off to Leeds.", FACT("note", "hand_me_anything", "I'm off to Leeds")},
	{"Good morning, I'm here.", FACT("date", "2026-11-21", "Good morning")},
	{"Ich bin allergisch gegen Staub und schlafe schlecht.", OF("allergies", "allergies", "schlafe", "schlafe schlecht")},
	{"Our office took to Zulip last month.", OF("Zulip", "date", "October 2026", "took to Zulip last month")},
	{"我女朋友对海鲜过敏。", FACT("person", "女朋友", "我女朋友对海鲜过敏")},
	{"Give me three names for a bakery.", FACT("name", "three names", "Give me three names")},
	{"Please write a poem about Leeds.", FACT("city", "Leeds", "a poem about Leeds")},
	{"Schreib mir bitte eine Einladung zum Sommerfest.", FACT("event", "Sommerfest", "Einladung zum Sommerfest")},
	{"推荐三本科幻小说。", FACT("likes", "科幻小说", "三本科幻小说")},
	{"この文を英語に訳してください。", FACT("subject", "英語", "英語に訳して")},
	{"Could you please translate it to Welsh?", FACT("subject", "Welsh", "to Welsh")},
	{"Tell me how to convert cups.", FACT("how", "convert", "how to convert cups")},
	{"I live here, I don't eat pork.", FACT("food", "pork", "eat pork")},
	{"My sisters Ada and Bea swim. My sister Ada reads. My sister Bea cooks.", OF("sister", "city", "Leeds", "swim")},
	{"How long does an egg boil?", FACT("food", "egg", "How long does an egg boil")},
};
/* clang-format on */

START_TEST(a_small_models_words_become_the_users)
{
	for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++) {
		struct lesson lesson = lesson_of(mended[i].user);
		char answer[512];
		(void)snprintf(answer, sizeof(answer), "[{%s}]", mended[i].entry);
		ck_assert(lesson_read(&lesson, answer));
		ck_assert_msg(lesson.learning.change_count == 1, "%s", mended[i].entry);
		const struct fact *fact = &lesson.learning.changes[0].fact;
		unit_assert_slice(fact->value, mended[i].value);
		unit_assert_slice(fact->key, mended[i].key);
		unit_assert_slice(fact->entity, mended[i].entity);
		arena_finish(&lesson.arena);
	}
}
END_TEST

START_TEST(what_no_words_of_the_user_say_is_not_mended)
{
	for (size_t i = 0; i < sizeof(unmendable) / sizeof(unmendable[0]); i++)
		ck_assert_msg(count_stored(&unmendable[i], "") == 0, "%s <- %s", unmendable[i].user,
			      unmendable[i].entry);
}
END_TEST

/* What a small model wrote, with [model] repair and without. */
START_TEST(repairs_are_one_stage_that_can_be_switched_off)
{
	static const struct {
		const char *user;
		const char *answer;
		const char *mended; /* "ENTITY.KEY = VALUE" */
		const char *plain;  /* NULL: the answer is not usable; empty: nothing is stored */
	} cases[] = {
		{"I love hiking.", "[{" FACT("likes", "hike", "I love hiking") "}]",
		 "user.likes = hiking", "user.likes = hike"},
		{"I live in Hull, and I've a nut allergy.",
		 "[{" OF("Hull", "allergy", "nut", "I've a nut allergy") "}]", "user.allergy = nut",
		 "Hull.allergy = nut"},
		{"Я работаю библиотекарем в Твери.", "[{" FACT("city", "Tver", "в Твери") "}]",
		 "user.city = Твери", ""},
		{"We bought a Saab.", "[{" OF("Saab", "year", "Saab", "a Saab") "}]", "",
		 "Saab.year = Saab"},
		{"I drink tea.", "[{" FACT("drink", "tea", "I drink tea") ",}]", "user.drink = tea",
		 NULL},
		{"I drink tea.",
		 "{" FACT("drink", "tea", "I drink tea") "}\n{" FACT("drink", "tea",
								     "I drink tea") "}",
		 "user.drink = tea", NULL},
		{"I drink tea.",
		 "{\"entities\":[{" FACT("drink", "tea", "tea") "},{" FACT(
			 "drink", "tea", "tea") "},{\"key\":\"dri",
		 "user.drink = tea", NULL},
	};
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct lesson lesson = lesson_of(cases[i / 2].user);
		lesson.turn.repairs = i % 2 == 0;
		const char *expected =
			lesson.turn.repairs ? cases[i / 2].mended : cases[i / 2].plain;
		const bool is_usable = lesson_read(&lesson, cases[i / 2].answer);
		ck_assert_msg(is_usable == (expected != NULL), "%s", cases[i / 2].answer);
		struct slice stored = {0};
		if (lesson.learning.change_count > 0) {
			const struct fact *fact = &lesson.learning.changes[0].fact;
			const struct slice parts[] = {fact->entity, SLICE("."), fact->key,
						      SLICE(" = "), fact->value};
			stored = arena_join(&lesson.arena, parts, 5);
		}
		unit_assert_slice(stored, expected == NULL ? "" : expected);
		arena_finish(&lesson.arena);
	}
}
END_TEST

UNIT_MAIN("learn_mend", a_small_models_words_become_the_users,
	  what_no_words_of_the_user_say_is_not_mended,
	  repairs_are_one_stage_that_can_be_switched_off)
