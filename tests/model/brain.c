#include "tests/model/brain.h"

#include "tests/model/memory_block.h"
#include "tests/model/patterns.h"
#include "tests/model/stems.h"
#include "tests/model/told.h"

#include <math.h>
#include <string.h>

/* Past SOURCE_LIMIT the older half is let go. */
enum {
	SOURCE_LIMIT = 20000,
	READ_LIMIT = 1024 * 1024,
	QUOTE_LIMIT = 600,
	NOTED_LIMIT = 12,
	OVERVIEW_LIMIT = 8
};

/* In order of trust, where two say as much: what the current conversation says goes before memory.
 */
enum source_kind { SOURCE_SUMMARY, SOURCE_QUOTED, SOURCE_FACT, SOURCE_SAID };

struct source {
	enum source_kind kind;
	struct slice text;
	struct slice date; /* of a quoted turn; may be empty */
	struct features features;
	bool about_other; /* somebody else than the user */
};

struct sources {
	struct source *items;
	size_t count;
	struct arena *arena;
};

static const char *const templates[][4] = {
	[ENGLISH] = {[SOURCE_SUMMARY] = "From our earlier conversation: \"",
		     [SOURCE_QUOTED] = "You said earlier: \"",
		     [SOURCE_FACT] = "I remember: \"",
		     [SOURCE_SAID] = "You said: \""},
	[GERMAN] = {[SOURCE_SUMMARY] = "Aus unserem früheren Gespräch: \"",
		    [SOURCE_QUOTED] = "Du hast früher gesagt: \"",
		    [SOURCE_FACT] = "Ich erinnere mich: \"",
		    [SOURCE_SAID] = "Du hast gesagt: \""},
	[CHINESE] = {[SOURCE_SUMMARY] = "我们之前的对话：\"",
		     [SOURCE_QUOTED] = "你以前说过：\"",
		     [SOURCE_FACT] = "我记得：\"",
		     [SOURCE_SAID] = "你说过：\""},
};

static const char *const unknown[] = {
	[ENGLISH] = "I don't know: you have not told me.",
	[GERMAN] = "Das weiß ich nicht: nichts in diesem Gespräch sagt es mir.",
	[CHINESE] = "我不知道：这次对话里没有提到。",
};

static bool is_correction(struct slice text, struct arena *arena)
{
	struct token *tokens;
	size_t count = tokens_of(text, &tokens, arena);
	return count > 0 &&
	       word_in(" actually no sorry correction rather nein doch eigentlich 不 其 ",
		       tokens[0].folded);
}

/* "Maria (person) employer: Siemens" is about "Maria (person)"; "name: Alex" about the user. */
static struct slice fact_subject(struct slice line)
{
	size_t close = slice_find(line, SLICE(") "), 0);
	return slice_part(line, 0, close < slice_find(line, SLICE(":"), 0) ? close + 1 : 0);
}

/* "My sister lives in Rome", "Maria (person) lives in: Rome". */
static bool is_about_other(struct slice text, struct arena *arena)
{
	struct token *tokens;
	size_t count = tokens_of(text, &tokens, arena);
	if (fact_subject(text).size > 0)
		return true;
	return count > 1 && word_in(" my our mein meine unser unsere ", tokens[0].folded) &&
	       (is_relation(tokens[1].folded) || is_animal(tokens[1].folded));
}

static void sources_add(struct sources *sources, enum source_kind kind, struct slice text,
			struct slice date)
{
	if (sources->count == SOURCE_LIMIT) {
		sources->count /= 2;
		memmove(sources->items, sources->items + sources->count,
			sources->count * sizeof(*sources->items));
	}
	struct source *source = &sources->items[sources->count];
	*source = (struct source){
		.kind = kind,
		.text = text_head(text, QUOTE_LIMIT),
		.date = date,
		.features = features_of(text, sources->arena),
		.about_other = is_about_other(text, sources->arena),
	};
	sources->count++;
}

/* "Actually, it's green" is about what the sentence before it was about. */
static void inherit_features(struct sources *sources, struct source *source)
{
	if (source == sources->items || !is_correction(source->text, sources->arena))
		return;
	struct features before = source[-1].features, own = source->features;
	struct slice *items =
		arena_alloc(sources->arena, (before.count + own.count) * sizeof(*items));
	struct features joined = {items, 0};
	for (size_t i = 0; i < own.count; i++)
		items[joined.count++] = own.items[i];
	for (size_t i = 0; i < before.count; i++) {
		if (!features_have(&own, before.items[i]))
			items[joined.count++] = before.items[i];
	}
	source->features = joined;
}

static void add_sentences(struct sources *sources, enum source_kind kind, struct slice text,
			  struct slice date)
{
	struct slice sentence;
	while (next_sentence(&text, &sentence)) {
		if (is_question(sentence, sources->arena))
			continue;
		sources_add(sources, kind, sentence, date);
		inherit_features(sources, &sources->items[sources->count - 1]);
	}
}

/* All that is known of one person is one source: whose sister she is, and where she lives. */
static void add_fact(struct sources *sources, struct slice line)
{
	struct source *last = sources->count == 0 ? NULL : &sources->items[sources->count - 1];
	struct slice subject = fact_subject(line);
	if (last != NULL && last->kind == SOURCE_FACT && subject.size > 0 &&
	    slice_equal(subject, fact_subject(last->text))) {
		last->text = arena_printf(sources->arena, "%.*s;%.*s", SLICE_PRINT(last->text),
					  SLICE_PRINT(slice_part(line, subject.size, line.size)));
		last->text = text_head(last->text, QUOTE_LIMIT);
		last->features = features_of(last->text, sources->arena);
		return;
	}
	sources_add(sources, SOURCE_FACT, line, (struct slice){"", 0});
}

static void add_block(struct sources *sources, struct slice block)
{
	struct memory_reader reader = {.rest = block};
	struct memory_line line;
	while (memory_next(&reader, &line)) {
		if (line.kind == MEMORY_FACT)
			add_fact(sources, line.text);
		else
			add_sentences(sources,
				      line.kind == MEMORY_TURN ? SOURCE_QUOTED : SOURCE_SUMMARY,
				      line.text, line.date);
	}
}

/* Reads the memory blocks of one message, and for a user's the text round them. */
static void add_message(struct sources *sources, const struct message *message)
{
	struct slice rest = message->text, own, block;
	while (rest.size > 0) {
		memory_split(&rest, &own, &block);
		add_block(sources, block);
	}
	if (message->role == ROLE_USER)
		add_sentences(sources, SOURCE_SAID, without_memory(message->text, sources->arena),
			      (struct slice){"", 0});
}

/* A rare word tells more; a word that only belongs to a group tells less. */
static double weight_of(const struct sources *sources, struct slice item)
{
	double with = 0.5;
	for (size_t i = 0; i < sources->count; i++)
		with += features_have(&sources->items[i].features, item);
	return log(1 + (double)sources->count / with) * (item.data[0] == '#' ? 0.4 : 1);
}

static bool is_better(const struct source *source, double score, const struct source *best,
		      double best_score)
{
	const double same = 1e-9;
	if (best == NULL || score > best_score + same)
		return true;
	return score > best_score - same && source->kind >= best->kind;
}

/* How much of the question a source shares. Where the question has words of its own, beyond those
 * of groups, so must the source; a fact that has all of them has everything: "vector store:
 * ChromaDB" need not say "using". What is about somebody else has to be asked for by a word of its
 * own. */
static double score_of(const struct source *source, const struct features *question,
		       const double *weights, double total)
{
	double score = 0;
	size_t own = 0, own_found = 0;
	for (size_t i = 0; i < question->count; i++) {
		bool is_own = question->items[i].data[0] != '#';
		bool found = features_have(&source->features, question->items[i]);
		score += found ? weights[i] : 0;
		own += is_own;
		own_found += is_own && found;
	}
	if (own_found == 0 && (own > 0 || source->about_other))
		return 0;
	return source->kind == SOURCE_FACT && own > 0 && own_found == own ? total : score;
}

/* The source that shares the most with the question; the later one of equals. NULL: none shares
 * enough of it. */
static const struct source *find_source(const struct sources *sources,
					const struct features *question, struct arena *arena)
{
	const struct source *best = NULL;
	double best_score = 0, total = 0;
	double *weights = arena_alloc(arena, question->count * sizeof(*weights));
	for (size_t i = 0; i < question->count; i++)
		total += weights[i] = weight_of(sources, question->items[i]);
	for (size_t i = 0; i < sources->count; i++) {
		const struct source *source = &sources->items[i];
		double score = score_of(source, question, weights, total);
		if (score > 0.22 * total && is_better(source, score, best, best_score)) {
			best = source;
			best_score = score;
		}
	}
	return best;
}

static struct slice quote(const struct source *source, enum language language, struct arena *arena)
{
	const char *lead = templates[language][source->kind];
	if (source->date.size == 0)
		return arena_printf(arena, "%s%.*s\"", lead, SLICE_PRINT(source->text));
	return arena_printf(arena, "%s%.*s\" (%.*s)", lead, SLICE_PRINT(source->text),
			    SLICE_PRINT(source->date));
}

/* In a sentence where the language and the source's form allow it; else quoted. */
static struct slice tell(const struct source *source, enum language language, struct arena *arena)
{
	struct slice told;
	bool is_told = language == ENGLISH &&
		       (source->kind == SOURCE_FACT ? told_fact(source->text, &told, arena)
						    : told_statement(source->text, &told, arena));
	if (!is_told)
		return quote(source, language, arena);
	return arena_printf(arena, "You told me %s%.*s%s%.*s", source->date.size > 0 ? "on " : "",
			    SLICE_PRINT(source->date), source->date.size > 0 ? " " : "",
			    SLICE_PRINT(told));
}

/* "What do you know about me?": the newest of everything. */
static struct slice overview(const struct sources *sources, enum language language,
			     struct arena *arena)
{
	struct slice text = {"", 0};
	size_t first = sources->count > OVERVIEW_LIMIT ? sources->count - OVERVIEW_LIMIT : 0;
	for (size_t i = first; i < sources->count; i++) {
		struct slice line = tell(&sources->items[i], language, arena);
		text = arena_printf(arena, "%.*s%s%.*s", SLICE_PRINT(text), i > first ? "\n" : "",
				    SLICE_PRINT(line));
	}
	return text.size > 0 ? text : slice_of(unknown[language]);
}

static bool asks_for_overview(struct slice question)
{
	static const char *const phrases[] = {"about me", "we talk", "über mich", "wir gesprochen",
					      "关于我"};
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (slice_find(question, slice_of(phrases[i]), 0) < question.size)
			return true;
	}
	return false;
}

static struct slice answer_question(const struct sources *sources, struct slice question,
				    struct arena *arena)
{
	static const char *const who[] = {"who am I",    "who I am",    "Who am I",
					  "wer bin ich", "Wer bin ich", "我是谁"};
	enum language language = language_of(question, arena);
	struct features features = features_of(question, arena);
	for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
		if (slice_find(question, slice_of(who[i]), 0) < question.size)
			features = features_of(SLICE("name"), arena);
	}
	if (features.count == 0 && asks_for_overview(question))
		return overview(sources, language, arena);
	const struct source *source = find_source(sources, &features, arena);
	return source == NULL ? slice_of(unknown[language]) : tell(source, language, arena);
}

/* A statement is acknowledged by its own key words. */
static struct slice acknowledge(struct slice text, struct arena *arena)
{
	struct token *tokens;
	struct slice noted = {"", 0};
	enum language language = language_of(text, arena);
	if (language == CHINESE)
		return arena_printf(arena, "记下了：%.*s",
				    SLICE_PRINT(text_head(slice_trim(text), 180)));
	size_t count = tokens_of(text, &tokens, arena);
	for (size_t i = 0, listed = 0; i < count && listed < NOTED_LIMIT; i++) {
		if (is_stop_word(tokens[i].folded))
			continue;
		noted = arena_printf(arena, "%.*s%s%.*s", SLICE_PRINT(noted),
				     listed++ > 0 ? ", " : "",
				     SLICE_PRINT(text_head(tokens[i].text, 60)));
	}
	const char *word = language == GERMAN ? "Notiert" : "Noted";
	return arena_printf(arena, noted.size > 0 ? "%s: %.*s." : "%s%.*s.", word,
			    SLICE_PRINT(noted));
}

/* The last question of the text; the empty slice when it asks nothing. */
static struct slice question_in(struct slice text, struct arena *arena)
{
	struct slice sentence, question = {"", 0};
	while (next_sentence(&text, &sentence)) {
		if (is_question(sentence, arena))
			question = sentence;
	}
	return question;
}

/* The first message of the newest that are read. */
static size_t first_read(const struct message *messages, size_t count)
{
	size_t bytes = 0, first = count;
	while (first > 0 && bytes + messages[first - 1].text.size <= READ_LIMIT)
		bytes += messages[--first].text.size;
	return first;
}

struct slice brain_answer(const struct message *messages, size_t count, struct arena *arena)
{
	struct sources sources = {.arena = arena};
	struct slice newest = {"", 0};
	sources.items = arena_alloc(arena, SOURCE_LIMIT * sizeof(*sources.items));
	size_t first = first_read(messages, count);
	for (size_t i = 0; i < count; i++) {
		/* The leading message holds the memory, however long the conversation. */
		if (i > 0 && i < first)
			continue;
		add_message(&sources, &messages[i]);
		if (messages[i].role == ROLE_USER)
			newest = without_memory(messages[i].text, arena);
	}
	struct slice question = question_in(newest, arena);
	return question.size > 0 ? answer_question(&sources, question, arena)
				 : acknowledge(newest, arena);
}
