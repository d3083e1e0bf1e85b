#include "core/client_forms.h"

/* What is left of a user's turn when a client has wrapped documents round it. In doubt a text
 * counts as a document's: what a document says must never be learned as the user's own words. */

static const struct slice CONTEXT = SLICE("context");
static const struct slice USER_QUERY = SLICE("user_query");
static const struct slice NAMES[] = {SLICE("source"), SLICE("documents"), SLICE("document")};
enum { NAME_COUNT = sizeof(NAMES) / sizeof(NAMES[0]) };

static bool is_blank(struct slice text)
{
	return slice_trim(text).size == 0;
}

/* The end of the opening tag `<name ...>` that begins at `at`, or `at` when none does. */
static size_t end_of_opening(struct slice text, size_t at, struct slice name)
{
	struct slice rest = slice_part(text, at, text.size);
	if (rest.size < name.size + 2 || rest.data[0] != '<' ||
	    !slice_equal_nocase(slice_part(rest, 1, name.size + 1), name))
		return at;
	char next = rest.data[name.size + 1];
	if (next == '>')
		return at + name.size + 2;
	if (next != ' ' && next != '\n' && next != '\t')
		return at;
	enum { LONGEST_TAG = 4096 };
	size_t limit = rest.size < LONGEST_TAG ? rest.size : LONGEST_TAG;
	for (size_t i = name.size + 2; i < limit && rest.data[i] != '<'; i++) {
		if (rest.data[i] == '>')
			return rest.data[i - 1] == '/' ? at : at + i + 1;
	}
	return at;
}

/* The next opening tag of that name at or after `from`; its end in `inside`. */
static size_t find_opening(struct slice text, struct slice name, size_t from, size_t *inside)
{
	for (size_t at = slice_find(text, SLICE("<"), from); at < text.size;
	     at = slice_find(text, SLICE("<"), at + 1)) {
		*inside = end_of_opening(text, at, name);
		if (*inside > at)
			return at;
	}
	*inside = text.size;
	return text.size;
}

size_t form_find_context(struct slice text, size_t from)
{
	size_t inside;
	return find_opening(text, CONTEXT, from, &inside);
}

/* The next closing tag of that name at or after `from`; its end in `outside`. */
static size_t find_closing(struct slice text, struct slice name, size_t from, size_t *outside)
{
	for (size_t at = slice_find(text, SLICE("</"), from); at < text.size;
	     at = slice_find(text, SLICE("</"), at + 1)) {
		struct slice rest = slice_part(text, at + 2, text.size);
		if (rest.size > name.size &&
		    slice_equal_nocase(slice_part(rest, 0, name.size), name) &&
		    rest.data[name.size] == '>') {
			*outside = at + name.size + 3;
			return at;
		}
	}
	*outside = text.size;
	return text.size;
}

/* The end of the last closing tag of that name, or `from` when there is none behind it. */
static size_t end_of_last_closing(struct slice text, struct slice name, size_t from)
{
	size_t end = from;
	size_t outside;
	while (find_closing(text, name, end, &outside) < text.size)
		end = outside;
	return end;
}

/* The end of an element whose inside begins at `inside`, or `inside` when it is not closed. A
 * closing tag that answers to no opening one still belongs to it: the document held the one before.
 */
static size_t end_of_element(struct slice text, struct slice name, size_t inside)
{
	size_t end;
	if (find_closing(text, name, inside, &end) == text.size)
		return inside;
	size_t opened;
	size_t open = find_opening(text, name, end, &opened);
	size_t outside;
	while (find_closing(slice_part(text, 0, open), name, end, &outside) < open)
		end = outside;
	return end;
}

/* The names whose elements are known not to be closed any more, which are not looked for again. */
struct unclosed {
	bool context;
	bool name[NAME_COUNT];
};

/* Whether a tag stands within a line, with little behind it: one that wraps a document does not.
 * `from`: behind the last document. */
static bool is_talked_of(struct slice text, size_t from, size_t at, size_t inside)
{
	enum { MOST_BEHIND = 200 }; /* bytes */
	while (at > from && (text.data[at - 1] == ' ' || text.data[at - 1] == '\t'))
		at--;
	bool begins = at == from || text.data[at - 1] == '\n';
	bool ends = inside < text.size && (text.data[inside] == '\n' || text.data[inside] == '\r');
	return !begins && !ends && text.size - inside <= MOST_BEHIND;
}

/* The end of the <context> that begins at `at`, or `at` when it is only talked of. */
static size_t end_of_context(struct slice text, size_t from, size_t at, struct unclosed *unclosed)
{
	size_t inside = end_of_opening(text, at, CONTEXT);
	if (inside == at)
		return at;
	size_t end = unclosed->context ? inside : end_of_last_closing(text, CONTEXT, inside);
	unclosed->context = end == inside;
	if (end > inside)
		return end;
	return is_talked_of(text, from, at, inside) ? at : text.size;
}

/* The end of the document element that begins at `at`, or `at` when none does. */
static size_t end_of_document(struct slice text, size_t from, size_t at, struct unclosed *unclosed)
{
	size_t context = end_of_context(text, from, at, unclosed);
	if (context > at)
		return context;
	for (size_t i = 0; i < NAME_COUNT; i++) {
		size_t inside = unclosed->name[i] ? at : end_of_opening(text, at, NAMES[i]);
		if (inside == at)
			continue;
		size_t end = end_of_element(text, NAMES[i], inside);
		if (end > inside)
			return end;
		unclosed->name[i] = true; /* as HTML's <source> never is */
	}
	return at;
}

static struct slice kept(struct buffer *out, struct slice last, struct arena *arena)
{
	buffer_append(out, last);
	struct slice copy = arena_copy(arena, slice_trim(buffer_slice(out)));
	buffer_finish(out);
	return copy;
}

static struct slice without_documents(struct slice text, struct arena *arena)
{
	struct unclosed unclosed = {0};
	struct buffer out;
	buffer_init(&out, text.size);
	size_t from = 0;
	size_t at = slice_find(text, SLICE("<"), 0);
	while (at < text.size) {
		size_t end = end_of_document(text, from, at, &unclosed);
		if (end > at) {
			buffer_append(&out, slice_part(text, from, at));
			from = end;
		}
		at = slice_find(text, SLICE("<"), end > at ? end : at + 1);
	}
	if (from == 0) {
		buffer_finish(&out);
		return text;
	}
	return kept(&out, slice_part(text, from, text.size), arena);
}

/* A text in three parts, of which the middle one may be an element's inside. */
struct parts {
	struct slice before;
	struct slice inside;
	struct slice after;
};

static bool split_at_query(struct slice text, struct parts *parts)
{
	size_t inside;
	size_t open = find_opening(text, USER_QUERY, 0, &inside);
	if (open == text.size)
		return false;
	size_t outside;
	size_t close = find_closing(text, USER_QUERY, inside, &outside);
	*parts = (struct parts){slice_part(text, 0, open), slice_part(text, inside, close),
				slice_part(text, outside, text.size)};
	return true;
}

static struct slice joined(struct slice a, struct slice b, struct arena *arena)
{
	if (is_blank(a))
		return slice_trim(b);
	if (is_blank(b))
		return slice_trim(a);
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, a);
	buffer_append_byte(&out, '\n');
	return kept(&out, b, arena);
}

/* How Open WebUI's templates begin, the newest first, and what must stand between that and the
 * documents. */
static const struct {
	struct slice head;
	struct slice has;
} templates[] = {
	{SLICE("### Task:"), SLICE("context")},
	{SLICE("**Generate Response to User Query**"), SLICE("")},
	{SLICE("You are given a user query, some textual context"), SLICE("")},
	{SLICE("Use the following context as your learned knowledge"), SLICE("")},
};

/* The first place at or after `from` where a line begins with `start`, or the text's size. */
static size_t find_line(struct slice text, struct slice start, size_t from)
{
	size_t at = slice_find(text, start, from);
	while (at < text.size && at > 0 && text.data[at - 1] != '\n')
		at = slice_find(text, start, at + 1);
	return at;
}

/* The first <context> at or after `from` that begins a line, or the text's size. */
static size_t find_documents(struct slice text, size_t from)
{
	size_t at = form_find_context(text, from);
	while (at < text.size && at > 0 && text.data[at - 1] != '\n')
		at = form_find_context(text, at + 1);
	return at;
}

/* Where a template begins and its documents do; false: there is none. */
static bool find_template(struct slice text, size_t *begin, size_t *documents)
{
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		*begin = find_line(text, templates[i].head, 0);
		*documents = find_documents(text, *begin);
		struct slice head = slice_part(text, *begin, *documents);
		if (*documents < text.size && slice_find(head, templates[i].has, 0) < head.size)
			return true;
	}
	return false;
}

/* The oldest templates end with the query and were put before the turn that it was taken from. */
static struct slice without_repetition(struct slice text)
{
	text = slice_trim(text);
	size_t half = text.size / 2;
	bool twice = text.size % 2 == 1 && text.data[half] == '\n' &&
		     slice_equal(slice_part(text, 0, half), slice_part(text, half + 1, text.size));
	return twice ? slice_part(text, 0, half) : text;
}

/* Open WebUI has put its template before the user's text (now) and behind it, and has repeated the
 * text within it as the query: what stands outside is the user's, and the query only when nothing
 * does. */
static struct slice without_template(struct slice text, struct arena *arena)
{
	size_t begin;
	size_t documents;
	if (!find_template(text, &begin, &documents))
		return text;
	struct slice before = slice_part(text, 0, begin);
	size_t end = end_of_last_closing(text, CONTEXT, documents);
	if (end == documents)
		return slice_trim(before);
	struct slice after = slice_part(text, end, text.size);
	struct parts parts;
	if (split_at_query(after, &parts)) {
		struct slice outside = joined(before, parts.after, arena);
		return outside.size > 0 ? outside : slice_trim(parts.inside);
	}
	const struct slice label = SLICE("Query:");
	size_t query = find_line(after, label, 0);
	bool is_oldest = slice_starts_with(slice_part(text, begin, text.size), SLICE("Use the"));
	if (is_oldest && query < after.size)
		after = without_repetition(slice_part(after, query + label.size, after.size));
	return joined(before, after, arena);
}

/* LibreChat, packages/api extractFileContext(): the files' text in one code block, before the text
 * of an earlier turn. The files may hold code blocks themselves. */
static struct slice without_attachments(struct slice text)
{
	const struct slice close = SLICE("\n\n```");
	if (!slice_starts_with(text, SLICE("Attached document(s):\n```")))
		return text;
	size_t end = text.size;
	for (size_t at = slice_find(text, close, 0); at < text.size;
	     at = slice_find(text, close, at + 1)) {
		size_t behind = at + close.size;
		if (behind == text.size || text.data[behind] == '\n')
			end = behind;
	}
	return slice_trim(slice_part(text, end, text.size));
}

struct slice form_own_text(struct slice text, struct arena *arena)
{
	if (text.size == 0)
		return text;
	text = without_attachments(form_without_prompt(text));
	struct slice own = without_template(text, arena);
	struct slice bare = without_documents(own, arena);
	struct parts parts;
	if (!split_at_query(bare, &parts))
		return bare;
	/* Round documents, what surrounds the query is a template that is not known here. */
	if (bare.data != own.data)
		return slice_trim(is_blank(parts.after) ? parts.inside : parts.after);
	return joined(joined(parts.before, parts.inside, arena), parts.after, arena);
}
