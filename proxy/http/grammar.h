/* Shared by the parser's files: character classes of RFC 9110 and 9112, the refusal helper, and the
 * fields that determine message framing. */
#ifndef RECALLD_PROXY_HTTP_GRAMMAR_H
#define RECALLD_PROXY_HTTP_GRAMMAR_H

#include "proxy/http/parser.h"

enum http_class {
	HTTP_TOKEN = 1,  /* in a method or a field name */
	HTTP_VALUE = 2,  /* in a field value: anything except control characters other than HTAB */
	HTTP_TARGET = 4, /* in a request target: visible ASCII without "#" */
	HTTP_HOST = 8,   /* in a Host field */
};

/* Whether every byte belongs to the class. True for an empty slice. */
bool http_all(struct slice bytes, enum http_class class);

/* The digit's value, or -1 if the byte is not a hexadecimal digit. */
int http_hex_digit(char byte);

/* Sets the refusal. Returns false, so that callers can return its result. */
bool http_refuse(struct http_refusal *refusal, int status, const char *reason);

/* Facts from the fields that struct http_head does not keep. */
struct http_marks {
	bool host;
	bool close;
	bool keep_alive;
};

/* Records what the field says about framing, if anything. `value` is untrimmed. False: refused. */
bool http_framing_take(struct http_marks *marks, struct http_head *head, struct slice name,
		       struct slice value, struct http_refusal *refusal);
/* Called after the last field: checks that the fields agree with each other and with the request
 * line. False: refused. */
bool http_framing_judge(const struct http_marks *marks, struct http_head *head,
			struct http_refusal *refusal);

#endif
