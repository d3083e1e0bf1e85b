#include "core/pii/parts.h"

static bool secret_is_upper_or_digit(char c)
{
	return secret_is_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool secret_is_path(char c)
{
	return secret_is_word(c) || c == '/';
}

#include "tokens_map.h"

enum { TOKENS = sizeof(tokens) / sizeof(tokens[0]) };

/* A run without a digit is a name, unless it is long and in mixed case. A run without a letter is a
 * number. A run without a long word, like "sk-learn-0-24-classifier", is several words. */
static bool is_random(struct slice run)
{
	enum { LONG_WORD = 10, LONG_NAME = 30 };
	bool digit = false;
	bool small = false;
	bool capital = false;
	size_t word = 0;
	size_t longest = 0;
	for (size_t i = 0; i < run.size; i++) {
		digit = digit || secret_is_digit(run.data[i]);
		small = small || (run.data[i] >= 'a' && run.data[i] <= 'z');
		capital = capital || (run.data[i] >= 'A' && run.data[i] <= 'Z');
		word = secret_is_alnum(run.data[i]) ? word + 1 : 0;
		longest = word > longest ? word : longest;
	}
	bool mixed = small && capital && longest >= LONG_NAME;
	return mixed || (digit && (small || capital) && longest >= LONG_WORD);
}

static size_t end_of_class(struct slice text, size_t at, bool (*is_class)(char c))
{
	while (at < text.size && is_class(text.data[at]))
		at++;
	return at;
}

/* The token whose prefix the text begins with; TOKENS: none. */
static size_t find_token(struct slice text)
{
	size_t i = 0;
	while (i < TOKENS && !slice_starts_with(text, tokens[i].prefix))
		i++;
	return i;
}

/* Whether the line may begin another token, which is then checked separately. A part of a JSON Web
 * Token may begin like a whole one. */
static bool begins_token(struct slice line, bool is_part)
{
	if (slice_starts_with(line, SLICE("-")))
		line = slice_part(line, 1, line.size);
	return find_token(line) < TOKENS || slice_starts_with(line, SLICE("SG.")) ||
	       (!is_part && slice_starts_with(line, SLICE("eyJ")));
}

/* The offset after a line break within a token that was wrapped or comes in two parts: the next
 * line must be a single word that looks random and begins no other token. `at`: there is none. */
static size_t behind_break(struct slice text, size_t at)
{
	size_t line = at;
	if (line < text.size && text.data[line] == '\r')
		line++;
	if (line == text.size || text.data[line] != '\n')
		return at;
	line++;
	/* Reads failed attempts only once, however many lines could begin a token. */
	if (begins_token(slice_part(text, line, text.size), text.data[at - 1] == '.'))
		return at;
	size_t end = line;
	while (end < text.size && (secret_is_word(text.data[end]) || text.data[end] == '.'))
		end++;
	bool is_alone = end == text.size || text.data[end] == '\r' || text.data[end] == '\n';
	return is_alone && is_random(slice_part(text, line, end)) ? line : at;
}

/* Reads on over line breaks, up to a limit, since it may not be a token after all. */
static size_t end_of_wrapped(struct slice text, size_t at, bool (*is_class)(char c))
{
	enum { MOST_LINES = 32 };
	size_t end = end_of_class(text, at, is_class);
	for (unsigned lines = 1; lines < MOST_LINES; lines++) {
		size_t next = behind_break(text, end);
		size_t next_end = end_of_class(text, next, is_class);
		if (next_end == next)
			break;
		end = next_end;
	}
	return end;
}

/* `count` runs of 10 or more characters each, joined by points. */
static size_t end_of_parts(struct slice text, size_t at, unsigned count)
{
	enum { SHORTEST_PART = 10 };
	for (unsigned part = 0; part < count; part++) {
		if (part > 0 && (at == text.size || text.data[at++] != '.'))
			return 0;
		size_t end = end_of_wrapped(text, at, secret_is_word);
		if (end - at < SHORTEST_PART)
			return 0;
		at = end;
	}
	return at;
}

/* A JSON Web Token, whose first part is the Base64 of "{"..., or a SendGrid key. */
static bool pointed_token(struct slice text, size_t at, struct secret *secret)
{
	struct slice rest = slice_part(text, at, text.size);
	size_t end = 0;
	if (slice_starts_with(rest, SLICE("eyJ")))
		end = end_of_parts(text, at, 3);
	else if (slice_starts_with(rest, SLICE("SG.")))
		end = end_of_parts(text, at + 3, 2);
	*secret = (struct secret){at, end, "token"};
	return end > 0;
}

/* The first two characters of most words show that no token begins with them. */
static bool may_begin_token(struct slice rest)
{
	char second = rest.size > 1 ? rest.data[1] : '\0';
	switch (rest.data[0]) {
	case 'A':
		return second == 'K' || second == 'S' || second == 'I';
	case 'S':
		return second == 'G';
	case 'd':
		return (second == 'o' && rest.size > 2 && rest.data[2] == 'p') || second == 'i';
	case 'b':
		return second == 'o' && rest.size > 2 && rest.data[2] == 't';
	case 'e':
	case 'n':
		return second == 'y' || second == 'p';
	case 'g':
		return second == 'h' || second == 'i' || second == 'l' || second == 's';
	case 'h':
		return second == 'f' || second == 'o';
	case 'p':
		return second == 'y' || second == 'p';
	case 'r':
		return second == 'k' || second == '8';
	case 's':
		return second == 'k';
	case 'x':
		return second == 'o' || second == 'a';
	case 'y':
		return second == 'a';
	default:
		return false;
	}
}

bool secret_numbered_token(struct slice text, size_t at, struct secret *secret)
{
	enum { FEWEST_DIGITS = 8, MOST_DIGITS = 10, SIZE = 35 };
	size_t colon = at;
	while (colon < text.size && colon - at <= MOST_DIGITS && secret_is_digit(text.data[colon]))
		colon++;
	if (colon - at < FEWEST_DIGITS || colon - at > MOST_DIGITS || colon == text.size ||
	    text.data[colon] != ':')
		return false;
	size_t end = end_of_class(text, colon + 1, secret_is_word);
	*secret = (struct secret){at, end, "token"};
	return end - colon - 1 == SIZE && is_random(slice_part(text, colon + 1, end));
}

bool secret_token(struct slice text, size_t at, struct secret *secret)
{
	struct slice rest = slice_part(text, at, text.size);
	if (!may_begin_token(rest))
		return false;
	/* The form in the URL of the bot's API. */
	if (slice_starts_with(rest, SLICE("bot")) && rest.size > 3 && secret_is_digit(rest.data[3]))
		return secret_numbered_token(text, at + 3, secret);
	size_t i = find_token(rest);
	if (i == TOKENS)
		return pointed_token(text, at, secret);
	size_t begin = at + tokens[i].prefix.size;
	bool exact = tokens[i].least == tokens[i].most;
	size_t end = exact ? end_of_class(text, begin, tokens[i].is_class)
			   : end_of_wrapped(text, begin, tokens[i].is_class);
	*secret = (struct secret){at, end, tokens[i].kind};
	return end - begin >= tokens[i].least && end - begin <= tokens[i].most &&
	       (exact || is_random(slice_part(text, begin, end)));
}
