#include "tests/bench/upstream_behaviour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long number(const char *words, const char *name, long otherwise)
{
	const char *found = strstr(words, name);
	return found == NULL ? otherwise : strtol(found + strlen(name), NULL, 10);
}

struct behaviour upstream_read_behaviour(const char *head, const struct behaviour *usual)
{
	char words[256] = " ";
	const char *field = strcasestr(head, "\r\nX-Stub:");
	if (field != NULL) {
		field += strlen("\r\nX-Stub:");
		(void)snprintf(words, sizeof(words), " %.*s", (int)strcspn(field, "\r"), field);
	}
	struct behaviour how = {
		.events = number(words, " events=", usual->events),
		.bytes = number(words, " bytes=", usual->bytes),
		.interval = number(words, " interval=", usual->interval),
		.delay = number(words, " delay=", usual->delay),
		.hold = number(words, " hold=", usual->hold),
		.status = number(words, " status=", usual->status),
		.refuse = number(words, " refuse=", usual->refuse),
		.cut = number(words, " cut=", usual->cut),
		.garbage = number(words, " garbage=", usual->garbage),
		.tools = number(words, " tools=", usual->tools),
		.say = "anything",
	};
	const char *say = strstr(words, " say=");
	if (say != NULL)
		(void)snprintf(how.say, sizeof(how.say), "%.*s", (int)strcspn(say + 5, " "),
			       say + 5);
	return how;
}
