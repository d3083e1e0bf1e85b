/* What the parser's files share: the character classes of RFC 9110 and 9112, the word for refusing,
 * and the reading of those fields that say how a message is framed. */
#ifndef RECALLD_PROXY_HTTP_GRAMMAR_H
#define RECALLD_PROXY_HTTP_GRAMMAR_H

#include "proxy/http/parser.h"

enum http_class {
	HTTP_TOKEN = 1,  /* in a method or a field's name */
	HTTP_VALUE = 2,  /* in a field's value: anything but control characters, HTAB excepted */
	HTTP_TARGET = 4, /* in a request target: visible ASCII without "#" */
	HTTP_HOST = 8,   /* in a Host field */
};

/* Whether every byte is of the class; true of no bytes. */
bool http_all(struct slice bytes, enum http_class class);

/* The number, or -1 for a byte that is no hexadecimal digit. */
int http_hex_digit(char byte);

/* Sets the refusal; false, so that it can be returned. */
bool http_refuse(struct http_refusal *refusal, int status, const char *reason);

/* What the fields said that struct http_head does not keep. */
struct http_marks {
	bool host;
	bool close;
	bool keep_alive;
};

/* Takes in what the field means for the message's framing, if anything. `value` is untrimmed. */
bool http_framing_take(struct http_marks *marks, struct http_head *head, struct slice name,
		       struct slice value, struct http_refusal *refusal);
/* After the last field: whether they and the request line go together. */
bool http_framing_judge(const struct http_marks *marks, struct http_head *head,
			struct http_refusal *refusal);

#endif
