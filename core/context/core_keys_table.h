/* The keys of the core profile, whose map core_keys_make.c makes for bearing.c. */
#ifndef RECALLD_CORE_CONTEXT_CORE_KEYS_TABLE_H
#define RECALLD_CORE_CONTEXT_CORE_KEYS_TABLE_H

enum { CORE_KEY_WORDS, CORE_KEY_WHOLE, CORE_KEY_MAPS };

/* Words of a key, or whole keys, by how soon their facts are given: first who the user is, then
 * what must be minded, then how they want to be answered, then standing preferences and where they
 * live. A word may go on behind a "*". */
static const struct {
	unsigned map;
	unsigned rank; /* from 1 */
	const char *words;
} core_keys[] = {
	{CORE_KEY_WHOLE, 1,
	 "name full_name first_name preferred_name nickname pronouns username user_name nombre nom "
	 "nome naam vorname "
	 "prénom apellido имя имя_пользователя 名字 姓名 名前 이름 اسم الاسم isim ad"},
	{CORE_KEY_WORDS, 2,
	 "allerg* alerg* intoleran* unverträglich* diet dietary diät* ernährung* régime dieta "
	 "vegetarian* vegan* gluten* "
	 "kosher halal disab* behinderung* accessib* barriere* dyslex* legasthen* colorblind* "
	 "colourblind* farbenblind* "
	 "blind deaf medical* medication* medikament* condition conditions pregnan* diabet* "
	 "asthma* аллерг* диет* 过敏* "
	 "過敏* 忌口 饮食* 飲食* アレルギー* 食事制限 알레르기 حساسية"},
	{CORE_KEY_WORDS, 3,
	 "language languages sprache* muttersprache langue* idioma* lingua* língua* taal язык* "
	 "语言* 語言* 言語* 언어 لغة "
	 "answer* antwort* respon* reply replies tone style format units einheiten timezone "
	 "zeitzone"},
	{CORE_KEY_WHOLE, 3, "time_zone zona_horaria fuseau_horaire fuso_horário"},
	{CORE_KEY_WORDS, 4,
	 "preference* prefer* vorliebe* bevorzug* préfér* prefier* предпочт* 偏好 好み 선호 "
	 "constraint* einschränkung* "
	 "avoid* never always"},
	{CORE_KEY_WHOLE, 4,
	 "city home_city residence country wohnort stadt land ciudad país pais residencia ville "
	 "pays città citta paese "
	 "cidade woonplaats город страна 城市 居住地 国家 都市 المدينة şehir"},
};

#endif
