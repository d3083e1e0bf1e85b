#include "tests/bench/stub_behaviour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *stub_field(const char *head, const char *name)
{
	const char *found = strcasestr(head, name);
	return found == NULL ? NULL : found + strlen(name);
}

static long number(const char *words, const char *name, long otherwise)
{
	const char *found = strstr(words, name);
	return found == NULL ? otherwise : strtol(found + strlen(name), NULL, 10);
}

struct behaviour stub_read_behaviour(const char *head)
{
	char words[256] = " ";
	const char *value = stub_field(head, "\r\nX-Stub:");
	if (value != NULL)
		(void)snprintf(words, sizeof(words), " %.*s", (int)strcspn(value, "\r"), value);
	struct behaviour how = {
		.events = number(words, " events=", 8),
		.bytes = number(words, " bytes=", 0),
		.interval = number(words, " interval=", 0),
		.delay = number(words, " delay=", 0),
		.hold = number(words, " hold=", 0),
		.status = number(words, " status=", 200),
		.refuse = number(words, " refuse=", 0),
		.cut = number(words, " cut=", -1),
		.garbage = number(words, " garbage=", 0),
		.tools = number(words, " tools=", 0),
		.say = "anything",
	};
	const char *say = strstr(words, " say=");
	if (say != NULL)
		(void)snprintf(how.say, sizeof(how.say), "%.*s", (int)strcspn(say + 5, " "),
			       say + 5);
	return how;
}
