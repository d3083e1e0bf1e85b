/* Where the parts of a file stand: documents, of an archive or not, and the lists in them. */
#include "proxy/portable/forms.h"

static const char not_json[] = "The file is not JSON.";
static const char damaged[] = "The archive or a file of it is damaged, too large, or packed in an "
			      "unknown way.";
static const char conversations[] = "conversations";
static const char memories[] = "memories";
static const char messages[] = "messages";

/* ---- one document ---- */

/* No piece: the document has ended. False: it is damaged. */
static bool next_piece(struct portable_source *source, struct slice *piece)
{
	const struct slice mark = SLICE("\xef\xbb\xbf");
	const bool is_first = !source->is_fed;
	source->is_fed = true;
	*piece = is_first && source->prefix == NULL ? source->file : (struct slice){0};
	if (source->prefix != NULL && (source->stream == NULL || !zip_read(source->stream, piece)))
		return false;
	if (is_first && slice_starts_with(*piece, mark))
		*piece = slice_part(*piece, mark.size, piece->size);
	return true;
}

const char *portable_next_part(struct portable_source *source, struct json_part *part, bool *found)
{
	enum json_split_found next;
	*found = false;
	while ((next = json_split_next(&source->split, part)) == JSON_SPLIT_MORE) {
		struct slice piece;
		if (!next_piece(source, &piece))
			return damaged;
		if (piece.size == 0)
			return json_split_may_end(&source->split) ? NULL : not_json;
		json_split_feed(&source->split, piece);
	}
	*found = next == JSON_SPLIT_PART;
	return *found ? NULL : not_json;
}

void portable_rewind(struct portable_source *source, size_t limit)
{
	json_split_finish(&source->split);
	json_split_init(&source->split, limit);
	source->split.is_lines = source->is_lines;
	source->split.open = source->is_own ? conversations : NULL;
	source->split.inner = "turns";
	zip_close(source->stream);
	source->stream = source->prefix == NULL ? NULL : zip_open(&source->packed);
	source->is_fed = false;
}

/* The first of the lists that others have their elements in. */
static void note_list(struct portable_source *source, struct slice name, unsigned *best)
{
	static const char *const lists[] = {"", messages, "results", memories, conversations};
	for (unsigned i = 0; i < *best; i++) {
		if (!slice_equal(name, slice_of(lists[i])))
			continue;
		source->list = lists[i];
		*best = i;
	}
	source->has_history |= slice_equal(name, SLICE("history"));
}

/* Our own form has two lists. */
static const char *look(struct portable_source *source)
{
	enum { LISTS = 5, OWN_LISTS = 2 };
	struct json_part part;
	const char *fault;
	const char *form = NULL;
	bool found;
	unsigned best = LISTS;
	unsigned own_lists = 0;
	portable_rewind(source, JSON_SPLIT_NAME);
	if (source->is_lines)
		note_list(source, SLICE(""), &best);
	while ((fault = portable_next_part(source, &part, &found)) == NULL && found) {
		if (part.kind == JSON_PART_LIST) {
			note_list(source, part.list, &best);
			own_lists += slice_equal(part.list, SLICE("facts")) ||
				     slice_equal(part.list, slice_of(conversations));
			if (slice_equal(part.list, SLICE("learn")))
				source->learn = LEARN_UNKNOWN;
		} else if (part.kind == JSON_PART_MEMBER &&
			   slice_equal(part.list, SLICE("format"))) {
			source->is_own = slice_equal(part.text, SLICE("\"recalld-export-1\""));
			form = "The file's \"format\" is not recalld-export-1.";
		} else if (part.kind == JSON_PART_MEMBER &&
			   slice_equal(part.list, SLICE("learn"))) {
			source->learn = slice_equal(part.text, SLICE("true"))    ? LEARN_UNSAID
					: slice_equal(part.text, SLICE("false")) ? LEARN_NOT
										 : LEARN_UNKNOWN;
		}
	}
	if (source->is_own)
		form = own_lists >= OWN_LISTS ? NULL
					      : "\"facts\" and \"conversations\" must be arrays.";
	return fault != NULL ? fault : form;
}

static const char *look_through(struct portable_source *source)
{
	source->is_own = source->is_lines = source->has_history = false;
	source->list = NULL;
	source->learn = LEARN_UNSAID;
	const char *fault = look(source);
	if (fault == not_json) {
		source->is_lines = true;
		source->list = NULL;
		fault = look(source);
	}
	return fault;
}

/* ---- the documents ---- */

void portable_open(struct portable_source *source, struct slice file, uint64_t unpacked)
{
	*source = (struct portable_source){.file = file, .left = unpacked};
	if (slice_starts_with(file, SLICE("PK")))
		source->prefix = conversations;
	json_split_init(&source->split, 0);
}

void portable_close(struct portable_source *source)
{
	json_split_finish(&source->split);
	zip_close(source->stream);
	*source = (struct portable_source){0};
}

/* Memories count only where there are no conversations. */
static enum zip_found find_packed(struct portable_source *source)
{
	enum zip_found found = zip_find(source->file, source->prefix, &source->at, &source->packed);
	if (found == ZIP_END && source->documents == 0 && source->prefix == conversations) {
		source->prefix = memories;
		source->at = 0;
		return find_packed(source);
	}
	if (found != ZIP_FILE)
		return found;
	if (source->packed.size > source->left)
		return ZIP_DAMAGED;
	source->left -= source->packed.size;
	return ZIP_FILE;
}

const char *portable_next_document(struct portable_source *source)
{
	enum zip_found found = source->documents == 0 ? ZIP_FILE : ZIP_END;
	if (source->prefix != NULL)
		found = find_packed(source);
	source->has_document = found == ZIP_FILE;
	source->documents += source->has_document;
	if (source->has_document)
		return look_through(source);
	if (found == ZIP_DAMAGED)
		return damaged;
	return source->documents > 0
		       ? NULL
		       : "The archive has no conversations.json and no memories.json.";
}

bool portable_has_messages(const struct portable_source *source)
{
	return !source->is_own && source->list == messages;
}

size_t portable_position(const struct portable_source *source)
{
	const char *at = source->stream != NULL ? zip_position(source->stream)
						: source->split.piece.data + source->split.at;
	return at == NULL ? 0 : (size_t)(at - source->file.data);
}

bool portable_has_memories(const struct portable_source *source)
{
	struct zip_file found;
	size_t at = 0;
	return source->prefix == conversations &&
	       zip_find(source->file, memories, &at, &found) != ZIP_END;
}
