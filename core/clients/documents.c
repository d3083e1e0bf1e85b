#include "core/clients/forms.h"
#include "core/clients/table.h"
#include "core/clients/tags.h"

/* The user's turn without the documents that a client wrapped around it. In doubt a text counts as
 * a document's: what a document says must never be learned as the user's own words. */

static const struct slice CONTEXT = SLICE("context");
static const struct slice USER_QUERY = SLICE("user_query");
bool form_is_document_name(struct slice name)
{
	return slice_equal_nocase(name, CONTEXT) ||
	       client_element_find(ELEMENT_DOCUMENT, name) < client_element_count;
}

size_t form_find_context(struct slice text, size_t from)
{
	size_t inside;
	return tag_find_opening(text, CONTEXT, from, &inside);
}

/* Names of elements known not to be closed in the rest; they are not searched for again. */
struct unclosed {
	bool context;
	bool element[CLIENT_ELEMENTS_MAX];
};

/* Whether a tag stands within a line with little text after it; a tag that wraps a document does
 * not. `from`: after the last document. */
static bool is_talked_of(struct slice text, size_t from, size_t at, size_t inside)
{
	enum { MOST_BEHIND = 200 }; /* bytes */
	while (at > from && (text.data[at - 1] == ' ' || text.data[at - 1] == '\t'))
		at--;
	bool begins = at == from || text.data[at - 1] == '\n';
	bool ends = inside < text.size && (text.data[inside] == '\n' || text.data[inside] == '\r');
	return !begins && !ends && text.size - inside <= MOST_BEHIND;
}

/* The end of the <context> whose content begins at `inside`, or `at` if the tag is only talked
 * about. */
static size_t end_of_context(struct slice text, size_t from, size_t at, size_t inside,
			     struct unclosed *unclosed)
{
	size_t end = unclosed->context ? inside : tag_end_of_last(text, CONTEXT, inside);
	unclosed->context = end == inside;
	if (end > inside)
		return end;
	return is_talked_of(text, from, at, inside) ? at : text.size;
}

/* Whether an unclosed element is a document that was cut off: a tag with attributes on its own
 * line. HTML's <source> is never closed, and a bare <file> is a placeholder for a file name. */
static bool is_cut_off(struct slice text, size_t at, const struct tag *tag)
{
	bool begins = at == 0 || text.data[at - 1] == '\n';
	bool ends = tag->end < text.size &&
		    (text.data[tag->end] == '\n' || text.data[tag->end] == '\r');
	return tag->has_attributes && begins && ends &&
	       !slice_equal_nocase(tag->name, SLICE("source"));
}

/* The end of the document element that begins at `at`; `at` if none does. */
static size_t end_of_document(struct slice text, size_t from, size_t at, struct unclosed *unclosed)
{
	struct tag tag;
	if (!tag_read_opening(text, at, &tag))
		return at;
	if (slice_equal_nocase(tag.name, CONTEXT))
		return end_of_context(text, from, at, tag.end, unclosed);
	size_t i = client_element_find(ELEMENT_DOCUMENT, tag.name);
	if (i == client_element_count)
		return at;
	size_t end = unclosed->element[i] ? tag.end : tag_end_of_element(text, tag.name, tag.end);
	if (end > tag.end)
		return end;
	unclosed->element[i] = true;
	return is_cut_off(text, at, &tag) ? text.size : at;
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

/* A text in three parts; the middle one may be the content of an element. */
struct parts {
	struct slice before;
	struct slice inside;
	struct slice after;
};

static bool split_at_query(struct slice text, struct parts *parts)
{
	size_t inside;
	size_t open = tag_find_opening(text, USER_QUERY, 0, &inside);
	if (open == text.size)
		return false;
	size_t outside;
	size_t close = tag_find_closing(text, USER_QUERY, inside, &outside);
	*parts = (struct parts){slice_part(text, 0, open), slice_part(text, inside, close),
				slice_part(text, outside, text.size)};
	return true;
}

static struct slice joined(struct slice a, struct slice b, struct arena *arena)
{
	if (slice_is_blank(a))
		return slice_trim(b);
	if (slice_is_blank(b))
		return slice_trim(a);
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, a);
	buffer_append_byte(&out, '\n');
	return kept(&out, b, arena);
}

/* The first place at or after `from` where a line begins with `start`; otherwise the text's
 * size. */
static size_t find_line(struct slice text, struct slice start, size_t from)
{
	size_t at = slice_find(text, start, from);
	while (at < text.size && at > 0 && text.data[at - 1] != '\n')
		at = slice_find(text, start, at + 1);
	return at;
}

/* The first <context> at or after `from` that begins a line; otherwise the text's size. */
static size_t find_documents(struct slice text, size_t from)
{
	size_t at = form_find_context(text, from);
	while (at < text.size && at > 0 && text.data[at - 1] != '\n')
		at = form_find_context(text, at + 1);
	return at;
}

/* The template in the text, and where it and its documents begin; NULL: there is none. */
static const struct client_form *find_template(struct slice text, size_t *begin, size_t *documents)
{
	const struct client_form *form = NULL;
	while ((form = client_form_next(FORM_TEMPLATE, form)) != NULL) {
		*begin = find_line(text, form->begins, 0);
		*documents = find_documents(text, *begin);
		struct slice head = slice_part(text, *begin, *documents);
		if (*documents < text.size && slice_find(head, form->has, 0) < head.size)
			return form;
	}
	return NULL;
}

size_t form_find_template(struct slice text)
{
	size_t begin;
	size_t documents;
	return find_template(text, &begin, &documents) != NULL ? begin : text.size;
}

/* The oldest templates end with the query and precede the turn that it was taken from. */
static struct slice without_repetition(struct slice text)
{
	text = slice_trim(text);
	size_t half = text.size / 2;
	bool twice = text.size % 2 == 1 && text.data[half] == '\n' &&
		     slice_equal(slice_part(text, 0, half), slice_part(text, half + 1, text.size));
	return twice ? slice_part(text, 0, half) : text;
}

/* Open WebUI puts its template before the user's text (earlier versions after it), with the text
 * repeated inside as the query. Text outside the template is the user's; the query counts only if
 * there is none. */
static struct slice without_template(struct slice text, struct arena *arena)
{
	size_t begin;
	size_t documents;
	const struct client_form *form = find_template(text, &begin, &documents);
	if (form == NULL)
		return text;
	struct slice before = slice_part(text, 0, begin);
	size_t end = tag_end_of_last(text, CONTEXT, documents);
	if (end == documents)
		return slice_trim(before);
	struct slice after = slice_part(text, end, text.size);
	struct parts parts;
	if (split_at_query(after, &parts)) {
		struct slice outside = joined(before, parts.after, arena);
		return outside.size > 0 ? outside : slice_trim(parts.inside);
	}
	size_t query = find_line(after, form->opens, 0);
	if (form->opens.size > 0 && query < after.size)
		after = without_repetition(slice_part(after, query + form->opens.size, after.size));
	return joined(before, after, arena);
}

/* LibreChat puts the text of files in one code block before the text of an earlier turn. The files
 * may contain code blocks themselves. */
static struct slice without_attachments(struct slice text)
{
	const struct slice close = SLICE("\n\n```");
	if (client_form_find(FORM_ATTACHMENTS, text) == NULL)
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
	if (client_form_find(FORM_IN_USERS_PLACE, slice_trim(text)) != NULL)
		return (struct slice){0};
	text = without_attachments(form_without_prompt(text));
	struct slice own = without_template(text, arena);
	struct slice bare = without_documents(own, arena);
	struct parts parts;
	if (!split_at_query(bare, &parts))
		return bare;
	/* If there were documents, the text around the query is an unknown template. */
	if (bare.data != own.data)
		return slice_trim(slice_is_blank(parts.after) ? parts.inside : parts.after);
	return joined(joined(parts.before, parts.inside, arena), parts.after, arena);
}
