#include "tests/model/patterns.h"

#include <string.h>

#define PROPER (PATTERN_PROPER | PATTERN_ANYONE | PATTERN_FIRM)
#define LIST (PATTERN_ADD | PATTERN_ANYONE | PATTERN_FIRM)

/* The first that matches counts, so the particular stand before the general. */
static const struct pattern predicates[] = {
	{"am|are called|named {v}", "name", NULL, PROPER},
	{"go by {v}", "name", NULL, PROPER},
	{"heisse {v}", "name", NULL, PROPER},
	{"叫 {v}", "name", NULL, PROPER},
	{"?am|are|is live|lives|living|reside|resides|based in|at|near {v}", "lives_in", NULL,
	 PROPER},
	{"?have|has move|moved|moving|relocated ?back|over to {v}", "lives_in", NULL, PROPER},
	{"wohne|wohnt|wohnen|lebe|lebt|leben in|bei {v}", "lives_in", NULL, PROPER},
	{"bin|ist|sind nach {v} gezogen|umgezogen", "lives_in", NULL, PROPER},
	{"?现 ?在 住 ?在 {v}", "lives_in", NULL, PROPER},
	{"?已 ?经 搬 到|去 ?了 {v}", "lives_in", NULL, PROPER},
	{"am|are|is|come|comes ?originally from {v}", "from", NULL, PROPER},
	{"grew up in {v}", "from", NULL, PROPER},
	{"komme|kommt|stamme|stammt aus {v}", "from", NULL, PROPER},
	{"来 自 {v}", "from", NULL, PROPER},
	{"was born on {v}", "birthday", NULL, PATTERN_ANYONE},
	{"was born in {v}", "born", NULL, PROPER},
	{"?am|are|is working|work on {v}", "project", NULL, PATTERN_PROPER | PATTERN_FIRM},
	{"?am|is work|works|working as ?a|an|the {v} at|for {w}", "job", "employer", PROPER},
	{"?am|is work|works|working as {v}", "job", NULL, PROPER},
	{"as ?a|an {v}", "job", NULL, PROPER},
	{"als {v}", "job", NULL, PROPER},
	{"?am|are|is work|works|working at|for {v}", "employer", NULL, PROPER},
	{"?am|are|is work|works|working in {v}", "works_in", NULL, PROPER},
	{"?have|has join|joined {v}", "employer", NULL, PROPER},
	{"arbeite|arbeitet an {v}", "project", NULL, PATTERN_PROPER | PATTERN_FIRM},
	{"arbeite|arbeitet als {v} bei|für {w}", "job", "employer", PROPER},
	{"arbeite|arbeitet als {v}", "job", NULL, PROPER},
	{"arbeite|arbeitet bei|für {v}", "employer", NULL, PROPER},
	{"arbeite|arbeitet in {v}", "works_in", NULL, PROPER},
	{"在 {v} 工 作", "employer", NULL, PROPER},
	{"quit|left ?my|the ?job at {v}", "employer", NULL, PROPER | PATTERN_REMOVE},
	{"stopped|quit using {v}", "uses", NULL, LIST | PATTERN_REMOVE},
	{"stopped|quit drinking|eating|playing|doing {v}", "likes", NULL, LIST | PATTERN_REMOVE},
	{"stopped|quit|gave ?up {v}", "likes", NULL, LIST | PATTERN_REMOVE},
	{"am|is {v} years|year old", "age", NULL, PATTERN_ANYONE},
	{"bin|ist {v} jahre alt", "age", NULL, PATTERN_ANYONE},
	{"?今 ?年 {v} 岁", "age", NULL, 0},
	{"am|is married|engaged to {v}", "spouse", NULL, PROPER},
	{"bin|ist mit {v} verheiratet", "spouse", NULL, PROPER},
	{"am|is ?very|severely allergic to {v}", "allergies", NULL, LIST},
	{"bin|ist allergisch gegen {v}", "allergies", NULL, LIST},
	{"对 {v} 过 敏", "allergies", NULL, LIST},
	{"am|are|is building|developing|writing|creating|designing {v}", "project", NULL, PROPER},
	{"baue|entwickle|schreibe|bauen|entwickeln ?an {v}", "project", NULL, PROPER},
	{"?正 ?在 开 发 {v}", "project", NULL, PROPER},
	{"?can speak|speaks|spreche|spricht {v}", "languages", NULL, LIST},
	{"?am|is|have|has ?just|recently ?started|been learning {v}", "learning", NULL, LIST},
	{"lerne|lernt {v}", "learning", NULL, LIST},
	{"?am|is study|studies|studying|studiere|studiert {v}", "studies", NULL, PROPER},
	{"drive|drives|fahre|fährt a|an|einen {v}", "car", NULL, PROPER},
	{"?do|does dislike|dislikes|hate|hates|hasse|hasst {v}", "dislikes", NULL, LIST},
	{"can't|cannot stand {v}", "dislikes", NULL, LIST},
	{"am|is ?a ?big|huge fan of {v}", "likes", NULL, LIST},
	{"am|is into {v}", "likes", NULL, LIST},
	{"would like|love to {v}", "goals", NULL, PATTERN_ADD},
	{"like|likes|love|loves|enjoy|enjoys|adore|adores|prefer|prefers {v}", "likes", NULL, LIST},
	{"esse|isst|trinke|trinkt|spiele|spielt|mache|macht {v} gern|gerne", "likes", NULL, LIST},
	{"esse|isst|trinke|trinkt|spiele|spielt|mache|macht gern|gerne {v}", "likes", NULL, LIST},
	{"mag|liebe|liebt|mögen|lieben|bevorzuge {v}", "likes", NULL, LIST},
	{"喜 欢|爱 {v}", "likes", NULL, LIST},
	{"爱 {v}", "likes", NULL, LIST},
	{"?have switched|migrated|changed|moved from {k} to {v}", "uses", NULL, PATTERN_REPLACE},
	{"?am|are|is use|uses|using {v} instead of {k}", "uses", NULL, PATTERN_REPLACE},
	{"bin|sind von {k} auf|zu {v} umgestiegen|gewechselt", "uses", NULL, PATTERN_REPLACE},
	{"?have|am|are|is|decided ?to use|uses|using|chose|chosen|picked|switched ?to {v} for|as "
	 "?the|a|an|our|my|its "
	 "{k}",
	 NULL, NULL, PATTERN_FIRM},
	{"nutze|verwende|benutze|nutzen|verwenden|benutzen {v} für|als ?den|die|das|unsere|unseren|"
	 "unserem|meine|meinen|meinem|mein {k}",
	 NULL, NULL, PATTERN_FIRM},
	{"?使 用 {v} 做|作 ?为 {k}", NULL, NULL, PATTERN_FIRM},
	{"?am|are|is use|uses|using {v}", "uses", NULL, LIST},
	{"?have switched to {v}", "uses", NULL, LIST},
	{"bin auf|zu {v} umgestiegen|gewechselt", "uses", NULL, LIST},
	{"nutze|verwende|benutze|nutzen|verwenden {v}", "uses", NULL, LIST},
	{"?使 用 {v}", "uses", NULL, LIST},
	{"want|wants|need|needs|plan|plans|hope|hopes|intend to {v}", "goals", NULL, PATTERN_ADD},
	{"am|are planning|going to {v}", "goals", NULL, PATTERN_ADD},
	{"have|has|own|owns|got ?got ?a|an|one {k} named|called {v}", NULL, NULL, PATTERN_ANYONE},
	{"habe|hat|haben einen|eine|ein {k} namens {v}", NULL, NULL, PATTERN_ANYONE},
	{"有 ?一 ?只|条|个 {k} 叫 {v}", NULL, NULL, 0},
	{"have|has|own|owns ?got {v}", "has", NULL, PATTERN_ADD | PATTERN_FIRM},
	{"habe|besitze {v}", "has", NULL, PATTERN_ADD | PATTERN_FIRM},
	{"am|are|is a|an {v} at|for {w}", "job", "employer", PROPER | PATTERN_CLASSIFY},
	{"am|are|is a|an {v}", "", NULL, PROPER | PATTERN_CLASSIFY},
	{"bin|ist ?ein|eine {v} bei {w}", "job", "employer", PROPER | PATTERN_CLASSIFY},
	{"bin|ist ?ein|eine {v}", "", NULL, PROPER | PATTERN_CLASSIFY},
	{"am|are|is {v}", "", NULL, PROPER | PATTERN_CLASSIFY},
	{"是 ?一 ?名|个 {v}", "", NULL, PROPER | PATTERN_CLASSIFY},
};

static const struct pattern possessions[] = {
	{"{k} is name is {v}", "relation", NULL, PATTERN_PROPER | PATTERN_FIRM},
	{"{k} is|are ?called|named {v}", NULL, NULL, PATTERN_FIRM},
	{"{k} ist|sind|heisst|heissen {v}", NULL, NULL, PATTERN_FIRM},
	{"{k} 是|叫 {v}", NULL, NULL, PATTERN_FIRM},
};

static const struct pattern commands[] = {
	{"call me {v}", "name", NULL, PATTERN_PROPER},
	{"nenn|nenne mich {v}", "name", NULL, PATTERN_PROPER},
	{"叫 我 {v}", "name", NULL, PATTERN_PROPER},
};

static struct slice next_element(const char **elements)
{
	const char *begin = *elements + strspn(*elements, " ");
	size_t length = strcspn(begin, " ");
	*elements = begin + length;
	return (struct slice){begin, length};
}

static bool is_one_of(struct slice alternatives, struct slice word)
{
	for (size_t begin = 0; begin <= alternatives.size;) {
		size_t end = slice_find(alternatives, SLICE("|"), begin);
		if (slice_equal(slice_part(alternatives, begin, end), word))
			return true;
		begin = end + 1;
	}
	return false;
}

static bool match_from(const char *elements, const struct token *tokens, size_t at, size_t count,
		       struct match *match);

static bool capture(char name, const char *rest, const struct token *tokens, size_t at,
		    size_t count, struct match *match)
{
	struct span *span = name == 'v'   ? &match->value
			    : name == 'k' ? &match->key
					  : &match->second;
	size_t end = *rest == '\0' ? count : at + 1;
	for (; at < count && end <= count; end++) {
		if (match_from(rest, tokens, end, count, match)) {
			*span = (struct span){at, end};
			return true;
		}
	}
	return false;
}

/* The depth is bounded by the elements of a pattern, the work by the clause's length per capture.
 */
static bool match_from(const char *elements, const struct token *tokens, size_t at, size_t count,
		       struct match *match)
{
	if (*elements == '\0')
		return true;
	struct slice element = next_element(&elements);
	if (element.data[0] == '{')
		return capture(element.data[1], elements, tokens, at, count, match);
	bool optional = element.data[0] == '?';
	element = slice_part(element, optional ? 1 : 0, element.size);
	if (at < count && is_one_of(element, tokens[at].folded) &&
	    match_from(elements, tokens, at + 1, count, match))
		return true;
	return optional && match_from(elements, tokens, at, count, match);
}

static bool match_any(const struct pattern *patterns, size_t pattern_count,
		      const struct token *tokens, struct span range, int needed_flags,
		      struct match *match)
{
	for (size_t i = 0; i < pattern_count; i++) {
		*match = (struct match){.pattern = &patterns[i]};
		if ((patterns[i].flags & needed_flags) == needed_flags &&
		    match_from(patterns[i].elements, tokens, range.begin, range.end, match))
			return true;
	}
	return false;
}

bool match_predicate(const struct token *tokens, struct span range, int needed_flags,
		     struct match *match)
{
	return match_any(predicates, sizeof(predicates) / sizeof(predicates[0]), tokens, range,
			 needed_flags, match);
}

bool match_possession(const struct token *tokens, struct span range, struct match *match)
{
	return match_any(possessions, sizeof(possessions) / sizeof(possessions[0]), tokens, range,
			 0, match);
}

bool match_command(const struct token *tokens, struct span range, struct match *match)
{
	return match_any(commands, sizeof(commands) / sizeof(commands[0]), tokens, range, 0, match);
}

bool is_relation(struct slice folded)
{
	return word_in(
		" sister brother wife husband partner spouse girlfriend boyfriend mother mom mum "
		"father dad son daughter cousin aunt uncle niece nephew grandmother grandfather "
		"friend colleague coworker boss manager mentor neighbour neighbor roommate "
		"flatmate teacher doctor therapist child schwester bruder frau mann freund "
		"freundin mutter vater sohn tochter kollege kollegin chef chefin nachbar "
		"nachbarin oma opa 妹妹 姐姐 弟弟 哥哥 妻子 丈夫 老婆 老公 妈妈 爸爸 儿子 女儿 "
		"朋友 同事 老板 ",
		folded);
}

bool is_animal(struct slice folded)
{
	return word_in(
		" dog cat puppy kitten horse rabbit hamster parrot fish bird turtle hund katze "
		"pferd kaninchen 狗 猫 ",
		folded);
}

static bool ends_with_any(struct slice word, const char *const *endings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(endings[i]);
		if (word.size > length &&
		    memcmp(word.data + word.size - length, endings[i], length) == 0)
			return true;
	}
	return false;
}
#define ENDS_WITH(word, list) ends_with_any(word, list, sizeof(list) / sizeof(list[0]))

/* Also endings of first names: they tell an occupation only where one is said. */
static bool is_occupation(struct slice word)
{
	static const char *const endings[] = {
		"er",   "or",  "ist", "ian",  "eer",  "ect", "yst", "nt", "smith", "nurse",
		"chef", "eur", "in",  "koch", "arzt", "师",  "员",  "生", "家"};
	return ENDS_WITH(word, endings) && !word_in(" member number mother father brother sister "
						    "beginner user lover owner believer "
						    "newcomer foreigner different ",
						    word);
}

static bool is_nationality(struct slice word)
{
	static const char *const endings[] = {"ish", "ese", "can", "ian", "ean", "isch", "国人"};
	return ENDS_WITH(word, endings) ||
	       word_in(" german french dutch greek swiss thai deutsch deutscher deutsche ", word);
}

bool is_capitalised(const struct token *token)
{
	return !slice_equal(token->text, token->folded) && token->text.data[0] != '\'' &&
	       !(token->text.data[0] >= 'a' && token->text.data[0] <= 'z');
}

const char *classify(const struct token *tokens, struct span value, bool is_kind)
{
	struct slice whole = tokens_span(tokens, value.begin, value.end);
	bool ideographs = (unsigned char)whole.data[0] >= 0xe3;
	struct slice head = ideographs ? whole : tokens[value.end - 1].folded;
	bool proper = is_capitalised(&tokens[value.begin]) && value.end - value.begin <= 2;
	if (word_in(" vegetarian vegan pescatarian vegetarier vegetarierin veganer veganerin "
		    "素食者 ",
		    head))
		return "diet";
	if (word_in(" married single divorced widowed retired pregnant unemployed verheiratet "
		    "ledig "
		    "geschieden ",
		    head))
		return "status";
	if (is_nationality(head) && (ideographs || (proper && !is_kind)))
		return "nationality";
	if (is_kind && is_occupation(head))
		return "job";
	if (is_kind && !ideographs &&
	    !word_in(" bit little lot few couple ", tokens[value.begin].folded))
		return "description";
	return proper && !is_kind ? "name" : NULL;
}
