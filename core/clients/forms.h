/* The forms in which chat applications and frameworks send what is not, or not only, the user's own
 * words: requests for titles, tags, follow-ups and search queries, documents wrapped round a user's
 * turn, tools' results in the user's place. table.c lists them, each with the program, and where it
 * was seen. */
#ifndef RECALLD_CORE_CLIENTS_FORMS_H
#define RECALLD_CORE_CLIENTS_FORMS_H

#include "core/base/bytes.h"
#include "core/dialect/request.h"

/* Whether the text of a request's only user message is one of the known side requests. A
 * retrieval-augmented user turn is not. */
bool form_is_side_request(struct slice text);

/* The same by what leads the request, whatever follows: the texts of its leading system message, of
 * its first and of its only user message, empty where there is none. */
bool form_leads_side_request(struct slice system, struct slice first_user, struct slice only_user);

/* The header fields that alone mark a side request: the name at `index`, NULL behind the last. */
const char *form_side_header(size_t index);

/* Whether a user message asks for the conversation's summary in place of its messages, as coding
 * agents ask in a program's words when a conversation has grown too long. */
bool form_is_compaction(struct slice text);

/* Whether `text` quotes 200 or more characters in a row of `answer`; a run of white space counts as
 * one, whichever it is. */
bool form_quotes_answer(struct slice text, struct slice answer);
/* The same for any of several. The text is read once, whatever their number. */
bool form_quotes_one_of(struct slice text, const struct slice *answers, size_t count);

/* Where the first opening <context> tag at or after `from` is, or the text's size. */
size_t form_find_context(struct slice text, size_t from);

/* The user's own text of a turn: documents in <context>, <source>, <file>, <search_results> and
 * like elements, LibreChat's "Attached document(s)" and the known templates round them taken out, a
 * <user_query> unwrapped. In doubt a text counts as a document's: a <context> goes on to its last
 * closing tag, and to the end without one, unless it stands within a line with little behind it, as
 * in a question about such tags. For a framework's prompt, it is the question in it. Unchanged (and
 * uncopied) when there is nothing to do. */
struct slice form_own_text(struct slice text, struct arena *arena);

/* The same of a text that is too large to be read, of which only `head` and `tail` are. What is
 * left out between them may open and close anything: so all of the head is a document's from its
 * first document element on, and of the tail only what stands behind the last end of anything is
 * the user's, if a document ends in it. */
struct slice form_own_ends(struct slice head, struct slice tail, struct arena *arena);

/* An element of that name wraps documents. */
bool form_is_document_name(struct slice name);
/* Where a template of Open WebUI begins that wraps documents, or the text's size. */
size_t form_find_template(struct slice text);

/* The same of a message in several parts. Who types sends one text, with images in between at most;
 * of texts that follow each other directly all but one are documents that the client put beside it.
 * The user's is the first, unless the last is less than half as long: documents stand behind a
 * question as well as before it, and are the longer. A part that is the program's has no text of
 * the user's. `carrier`: the last part with text of the user's; `count`: none has. */
struct slice form_own_parts(const struct text_part *parts, size_t count, size_t *carrier,
			    struct arena *arena);

/* The user's own words in an own text, from which facts may be learned: without quoted lines, code
 * between fences, text between triple quotation marks, forwarded and pasted mail, and whatever an
 * element of any name wraps. Empty where a user only passes on what others wrote. Unchanged (and
 * uncopied) when there is nothing to do. */
struct slice form_own_words(struct slice own, struct arena *arena);

/* The part of form_own_text() that knows the prompts of frameworks. */
struct slice form_without_prompt(struct slice text);

/* Whether a user message may be a tool's result, as agents without tool messages send it. It is one
 * when the answer before it asks for a tool in a way that has results of this form; else people
 * write so, too. */
bool form_is_observation(struct slice text);
bool form_asks_for_tool(struct slice answer, struct slice observation);

/* Whether a user message behind an answer is a framework's: what was wrong with the answer, or that
 * the agent may go on. */
bool form_is_retry(struct slice text);

/* Whether an answer in the history is none, but a program's own: no model said it. */
bool form_is_no_answer(struct slice text);

#endif
