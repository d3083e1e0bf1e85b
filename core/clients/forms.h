/* The forms in which chat applications and frameworks send something other than the user's own
 * words: requests for titles, tags, follow-ups and search queries, documents wrapped around a
 * user's turn, and tool results in the user's place. table.c lists each with its program and where
 * it was seen. */
#ifndef RECALLD_CORE_CLIENTS_FORMS_H
#define RECALLD_CORE_CLIENTS_FORMS_H

#include "core/base/bytes.h"
#include "core/dialect/request.h"

/* Whether the text of a request's only user message is a known side request. A retrieval-augmented
 * user turn is not. */
bool form_is_side_request(struct slice text);

/* Recognizes a side request by its beginning: the texts of its leading system message, of its first
 * and of its only user message, each empty if there is none. */
bool form_leads_side_request(struct slice system, struct slice first_user, struct slice only_user);

/* Header fields that mark a side request by themselves: the name at `index`, NULL after the
 * last. */
const char *form_side_header(size_t index);

/* Whether a user message asks for a summary to replace the conversation's messages, as coding
 * agents do automatically when a conversation has grown too long. */
bool form_is_compaction(struct slice text);

/* Whether `text` quotes 200 or more consecutive characters of one of the answers; runs of white
 * space count as one character. Reads the text once, whatever their number. */
bool form_quotes_one_of(struct slice text, const struct slice *answers, size_t count);

/* The offset of the first opening <context> tag at or after `from`, or the text's size. */
size_t form_find_context(struct slice text, size_t from);

/* The user's own text of a turn: without documents in elements like <context>, <source>, <file> and
 * <search_results>, without LibreChat's "Attached document(s)" and known templates around
 * documents, and with a <user_query> unwrapped. In doubt a text counts as a document's: a <context>
 * extends to its last closing tag, or to the end without one, unless it stands within a line with
 * little text after it, as in a question about such tags. For a framework's prompt, returns the
 * question in it. Returns the text unchanged (and uncopied) if there is nothing to remove. */
struct slice form_own_text(struct slice text, struct arena *arena);

/* Finds the user's own text in one that is too large to read, given only its `head` and `tail`. The
 * part in between may open and close anything. So from its first document element on, the head is a
 * document's; if a document ends in the tail, only the text after the last end of anything is the
 * user's. */
struct slice form_own_ends(struct slice head, struct slice tail, struct arena *arena);

/* Whether an element of that name wraps documents. */
bool form_is_document_name(struct slice name);
/* Where an Open WebUI template that wraps documents begins; otherwise the text's size. */
size_t form_find_template(struct slice text);

/* Finds the user's own text in a message of several parts. A person who types sends one text,
 * possibly with images in between; of texts that directly follow each other, all but one are
 * documents added by the client. The user's is the first, unless the last is less than half as
 * long: documents come before or after a question, and are longer. A part written by a program
 * contains no text of the user's. `carrier`: the last part with text of the user's; `count`: none
 * has any. */
struct slice form_own_parts(const struct text_part *parts, size_t count, size_t *carrier,
			    struct arena *arena);

/* The user's own words within an own text, from which facts may be learned: without quoted lines,
 * fenced code, text between triple quotation marks, forwarded and pasted mail, and elements of any
 * name. Empty if a user only passes on what others wrote. Returns the text unchanged (and uncopied)
 * if there is nothing to remove. */
struct slice form_own_words(struct slice own, struct arena *arena);

/* The part of form_own_text() that handles prompts of frameworks. */
struct slice form_without_prompt(struct slice text);

/* Whether a user message may be a tool result, as sent by agents without tool messages. It is one
 * if the previous answer asks for a tool in a way whose results have this form; otherwise people
 * write like this, too. */
bool form_is_observation(struct slice text);
bool form_asks_for_tool(struct slice answer, struct slice observation);

/* Whether a user message after an answer was written by a framework: what was wrong with the
 * answer, or that the agent may go on. */
bool form_is_retry(struct slice text);

/* Whether an answer in the history was made up by a program: no model said it. */
bool form_is_no_answer(struct slice text);

#endif
