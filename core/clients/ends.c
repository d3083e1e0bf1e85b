#include "core/clients/forms.h"
#include "core/clients/table.h"
#include "core/clients/tags.h"

/* Finds the user's own text at the ends of a text that is too large to read. */

static size_t find_document(struct slice text)
{
	struct tag tag;
	for (size_t at = slice_find(text, SLICE("<"), 0); at < text.size;
	     at = slice_find(text, SLICE("<"), at + 1)) {
		if (tag_read_opening(text, at, &tag) && form_is_document_name(tag.name))
			return at;
	}
	return text.size;
}

static bool has_attachments(struct slice head)
{
	return client_form_find(FORM_ATTACHMENTS, head) != NULL;
}

static struct slice own_of_head(struct slice head, struct arena *arena)
{
	if (has_attachments(head))
		return (struct slice){0};
	size_t end = size_min(find_document(head), form_find_template(head));
	return slice_trim(form_own_text(slice_part(head, 0, end), arena));
}

/* The offset after the last `mark`; 0: there is none. */
static size_t end_of_last(struct slice text, struct slice mark)
{
	size_t end = 0;
	for (size_t at = slice_find(text, mark, 0); at < text.size;
	     at = slice_find(text, mark, end))
		end = at + mark.size;
	return end;
}

/* The offset after the last closing tag, except that of the user's own query; 0: there is none. */
static size_t end_of_closings(struct slice text, bool *ends_document)
{
	enum { LONGEST_NAME = 64 };
	size_t behind = 0;
	for (size_t at = slice_find(text, SLICE("</"), 0); at < text.size;
	     at = slice_find(text, SLICE("</"), at + 1)) {
		size_t limit = size_min(text.size, at + 2 + LONGEST_NAME);
		size_t end = slice_find(slice_part(text, 0, limit), SLICE(">"), at + 2);
		if (end == limit)
			continue;
		struct slice name = slice_trim(slice_part(text, at + 2, end));
		if (slice_equal_nocase(name, SLICE("user_query")))
			continue;
		*ends_document |= form_is_document_name(name);
		behind = end + 1;
	}
	return behind;
}

/* A quoted line goes on to its end, and the first line may be one. */
static size_t end_of_quoted_line(struct slice text, size_t at)
{
	size_t begin = at;
	while (begin > 0 && text.data[begin - 1] != '\n')
		begin--;
	bool is_quoted = begin == 0 || text.data[begin] == '>';
	return is_quoted ? slice_find(text, SLICE("\n"), at) : at;
}

/* Drops the text up to the end of a query that was opened in the unread part, since only a part of
 * it is here. */
static struct slice without_query_end(struct slice text)
{
	const struct slice name = SLICE("user_query");
	size_t inside;
	size_t outside;
	size_t opened = tag_find_opening(text, name, 0, &inside);
	size_t closed = tag_find_closing(text, name, 0, &outside);
	return closed < opened ? slice_part(text, outside, text.size) : text;
}

static struct slice own_of_tail(struct slice tail, bool is_attached, struct arena *arena)
{
	static const struct slice quotes[] = {SLICE("```"), SLICE("~~~"), SLICE("\"\"\""),
					      SLICE("'''")};
	size_t fenced = end_of_last(tail, quotes[0]);
	bool ends_document = is_attached && fenced > 0;
	size_t behind = end_of_closings(tail, &ends_document);
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
		behind = size_max(behind, end_of_last(tail, quotes[i]));
	if (!ends_document)
		return (struct slice){0};
	behind = end_of_quoted_line(tail, behind);
	struct slice rest = without_query_end(slice_part(tail, behind, tail.size));
	return slice_trim(form_own_text(rest, arena));
}

/* The question in a framework's prompt, if it lies whole in one of the ends. */
static bool find_question(struct slice head, struct slice tail, struct slice *question,
			  struct arena *arena)
{
	const struct slice ends[] = {head, tail};
	struct slice text = arena_join(arena, ends, 2);
	struct slice found = form_without_prompt(text);
	if (found.data == text.data && found.size == text.size)
		return false;
	const char *border = text.data + head.size;
	bool is_whole =
		found.size > 0 && (found.data >= border || found.data + found.size <= border);
	*question = is_whole ? slice_trim(form_own_text(found, arena)) : (struct slice){0};
	return true;
}

struct slice form_own_ends(struct slice head, struct slice tail, struct arena *arena)
{
	struct slice question;
	if (find_question(head, tail, &question, arena))
		return question;
	struct slice before = own_of_head(head, arena);
	struct slice behind = own_of_tail(tail, has_attachments(head), arena);
	if (before.size == 0 || behind.size == 0)
		return before.size == 0 ? behind : before;
	const struct slice parts[] = {before, SLICE("\n"), behind};
	return arena_join(arena, parts, 3);
}
