/* Client programs, and the parts of their requests that are not the user's own words. The
 * rows are in programs.txt; add some there for another program. */
#ifndef RECALLD_CORE_CLIENTS_TABLE_H
#define RECALLD_CORE_CLIENTS_TABLE_H

#include "core/base/bytes.h"

enum client_seen {
	SEEN_UNKNOWN, /* nobody recorded where */
	SEEN_IN_SOURCE,
	SEEN_IN_DOCUMENTATION,
	SEEN_DRIVEN, /* the program itself was run */
};

struct client_source {
	const char *program;
	const char *version; /* or commit; "unknown" */
	const char *place;   /* the file, the page; "unknown" */
	enum client_seen seen;
};

enum client_form_kind {
	FORM_SIDE,             /* the only user message: a side request */
	FORM_SIDE_SYSTEM,      /* its leading system message */
	FORM_SIDE_FIRST,       /* its first user message */
	FORM_COMPACTION,       /* asks for the conversation's summary */
	FORM_IN_USERS_PLACE,   /* a coding agent speaks as the user */
	FORM_FILE_REMARK,      /* a text part about a file, beside the user's */
	FORM_ATTACHMENTS,      /* files in one code block before the user's text */
	FORM_TEMPLATE,         /* a template around a user's turn; `has` precedes its documents */
	FORM_PROMPT,           /* a prompt that contains the user's question */
	FORM_TASK,             /* a heading over the user's text */
	FORM_ADDENDUM,         /* follows the user's text */
	FORM_OBSERVATION,      /* a tool's result in the user's place */
	FORM_TOOL_CALL,        /* in an answer, before such a result */
	FORM_CODE_OBSERVATION, /* a result of code */
	FORM_CODE,             /* in an answer, before a result of code */
	FORM_RETRY,            /* says what was wrong with an answer, or to go on */
	FORM_NO_ANSWER,        /* an answer that the program made up */
};

/* A text has the form if it begins and ends like this and has the other two in this order after the
 * beginning. Empty members are not checked. */
struct client_form {
	enum client_form_kind kind;
	const struct client_source *source;
	struct slice begins;
	struct slice has;
	struct slice then;
	struct slice ends;
	bool is_all;         /* `begins` is the whole text */
	struct slice user;   /* FORM_SIDE_SYSTEM: how the only user message begins */
	struct slice opens;  /* FORM_PROMPT, FORM_TEMPLATE: precedes the question */
	struct slice closes; /* FORM_PROMPT, FORM_TEMPLATE: follows it */
	bool question_first; /* before the documents */
	bool may_end_open;   /* without `closes`, which is often left out */
};

/* In Open WebUI's request for a summary; form_is_side_request() also looks for it. */
#define CLIENT_COMPACTED "### Messages Being Compacted:"

/* The first form of the kind that the text has; NULL: none. */
const struct client_form *client_form_find(enum client_form_kind kind, struct slice text);
/* The form of the kind after `last`, or the first if that is NULL; NULL: there is none. */
const struct client_form *client_form_next(enum client_form_kind kind,
					   const struct client_form *last);

/* Ordered by kind, as in enum client_form_kind. */
extern const struct client_form client_forms[];
extern const size_t client_form_count;

/* Elements in a user's message, by name. */
enum client_element_kind {
	ELEMENT_DOCUMENT, /* holds a document, a tool's result, or a program's remark */
	ELEMENT_OWN,      /* holds the user's own words */
};

struct client_element {
	enum client_element_kind kind;
	const struct client_source *source;
	struct slice name;
};

enum { CLIENT_ELEMENTS_MAX = 128 };
extern const struct client_element client_elements[];
extern const size_t client_element_count;
/* Its index in client_elements[], or client_element_count. Ignores case. */
size_t client_element_find(enum client_element_kind kind, struct slice name);

/* Header fields that mark a side request whatever its body is. */
struct client_header {
	const struct client_source *source;
	const char *name;
};

extern const struct client_header client_side_headers[];
extern const size_t client_side_header_count;

#endif
