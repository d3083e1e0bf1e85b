/* What bears on the question, and what is given whatever is asked. */
#include "core/context/pick.h"

#include "core/memory/fact_order.h"

#include <string.h>

/* A word of the question in three, weighed by its kind: a text of many words holds some by chance.
 */
static const float least_coverage = 0.3f;

/* The words of keys, by how soon they are given. Behind a "*" a word may go on. */
static const char *const core_words[CORE_RANKS] = {
	/* who the user is; the whole key */
	"=name =full_name =first_name =preferred_name =nickname =pronouns =username =user_name "
	"=nombre =nom =nome "
	"=naam =vorname =prénom =apellido =имя =имя_пользователя =名字 =姓名 =名前 =이름 =اسم "
	"=الاسم =isim =ad",
	/* what must be minded */
	"allerg* alerg* intoleran* unverträglich* diet dietary diät* ernährung* régime dieta "
	"vegetarian* vegan* gluten* "
	"kosher halal disab* behinderung* accessib* barriere* dyslex* legasthen* colorblind* "
	"colourblind* farbenblind* blind deaf "
	"medical* medication* medikament* health_condition* condition conditions pregnan* diabet* "
	"asthma* аллерг* диет* 过敏* "
	"過敏* 忌口 饮食* 飲食* アレルギー* 食事制限 알레르기 حساسية",
	/* how they want to be answered */
	"language languages native_language sprache* muttersprache langue* idioma* lingua* língua* "
	"taal язык* 语言* 語言* 言語* 언어 لغة "
	"answer* antwort* respon* reply replies tone style format units einheiten timezone "
	"time_zone zeitzone zona_horaria",
	/* standing preferences */
	"preference* prefer* vorliebe* bevorzug* préfér* prefier* preferenc* preferên* preferenz* "
	"предпочт* 偏好 好み 선호 "
	"constraint* einschränkung* avoid* never always "
	/* where they live */
	"city home_city residence country wohnort stadt land ciudad país pais residencia ville "
	"pays città citta paese cidade "
	"woonplaats город страна 城市 居住地 国家 都市 المدينة şehir",
};

static bool matches(struct slice pattern, struct slice key, struct slice word)
{
	if (pattern.data[0] == '=')
		return slice_equal(slice_part(pattern, 1, pattern.size), key);
	if (pattern.data[pattern.size - 1] == '*')
		return slice_starts_with(word, slice_part(pattern, 0, pattern.size - 1));
	return slice_equal(pattern, word) || slice_equal(pattern, key);
}

static bool any_matches(const char *patterns, struct slice key, struct slice word)
{
	for (const char *at = patterns; *at != '\0';) {
		size_t size = strcspn(at, " ");
		if (matches((struct slice){at, size}, key, word))
			return true;
		at += size + (at[size] == ' ');
	}
	return false;
}

static unsigned rank_of_word(struct slice key, struct slice word)
{
	for (unsigned rank = 0; rank < CORE_RANKS; rank++) {
		if (any_matches(core_words[rank], key, word))
			return rank + 1;
	}
	return 0;
}

unsigned core_rank(const struct fact *fact)
{
	unsigned best = 0;
	if (!fact_is_about_user(fact))
		return 0;
	for (size_t at = 0; at < fact->key.size;) {
		size_t end = slice_find(fact->key, SLICE("_"), at);
		unsigned rank = rank_of_word(fact->key, slice_part(fact->key, at, end));
		if (rank > 0 && (best == 0 || rank < best))
			best = rank;
		at = end + 1;
	}
	return best;
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
