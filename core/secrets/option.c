#include "core/secrets/rules.h"

#include <string.h>

/* How far before the option its program may stand in the same command. */
enum { LONGEST_COMMAND = 512, LONGEST_USER = 128, SHORTEST_PASSWORD = 3 };

static const struct slice options[] = {SLICE("--user="), SLICE("--user "), SLICE("-u "),
				       SLICE("-u"), SLICE("--proxy-user ")};

/* Other programs' -u takes numbers and names. */
static bool is_curls(struct slice text, size_t at)
{
	const struct slice curl = SLICE("curl");
	size_t begin = at > LONGEST_COMMAND ? at - LONGEST_COMMAND : 0;
	struct slice before = slice_part(text, begin, at);
	return at > 0 && strchr(" \t\n", text.data[at - 1]) != NULL &&
	       slice_find(before, curl, 0) < before.size;
}

bool secret_option(struct slice text, size_t at, struct secret *secret)
{
	struct slice rest = slice_part(text, at, text.size);
	size_t i = 0;
	while (i < sizeof(options) / sizeof(options[0]) && !slice_starts_with(rest, options[i]))
		i++;
	if (i == sizeof(options) / sizeof(options[0]) || !is_curls(text, at))
		return false;
	size_t user = at + options[i].size;
	char quote =
		user < text.size && strchr("\"'", text.data[user]) != NULL ? text.data[user] : ' ';
	user += quote != ' ';
	size_t limit = text.size - user > LONGEST_USER ? user + LONGEST_USER : text.size;
	size_t colon = slice_find(slice_part(text, 0, limit), SLICE(":"), user);
	size_t end = colon < limit ? colon + 1 : limit;
	size_t most = text.size - end > LONGEST_USER ? end + LONGEST_USER : text.size;
	const char *stops = quote == ' ' ? " \t\r\n`" : "\r\n";
	while (end < most && text.data[end] != quote && strchr(stops, text.data[end]) == NULL)
		end++;
	bool has_blank =
		memchr(text.data + user, ' ', (colon < limit ? colon : limit) - user) != NULL;
	*secret = (struct secret){colon + 1, end, "password"};
	return colon < limit && !has_blank && end >= colon + 1 + SHORTEST_PASSWORD &&
	       strchr("$<{%[*", text.data[colon + 1]) == NULL;
}
