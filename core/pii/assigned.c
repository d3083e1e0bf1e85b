#include "core/pii/parts.h"
#include "lists.h"
#include "secret_names_map.h"

#include <string.h>

static bool stands_at(struct slice text, size_t at, struct slice word)
{
	return text.size - at >= word.size &&
	       slice_equal_nocase(slice_part(text, at, at + word.size), word);
}

/* The end of the name at `at`, which must be a separate word; `at`: there is none. */
static size_t end_of_name(struct slice text, size_t at)
{
	for (const char *const *name = list_secret_said; *name != NULL; name++) {
		bool may_be = ((text.data[at] ^ (*name)[0]) & ~0x20) == 0;
		size_t end = may_be ? at + strlen(*name) : at;
		if (may_be && stands_at(text, at, slice_of(*name)) &&
		    (end == text.size || !secret_is_word(text.data[end])))
			return end;
	}
	return at;
}

static size_t skip_marks(struct slice text, size_t at)
{
	enum { MOST = 4 };
	size_t limit = text.size - at > MOST ? at + MOST : text.size;
	while (at < limit && strchr(" \t*`\"'", text.data[at]) != NULL)
		at++;
	return at;
}

static size_t behind_said_sign(struct slice text, size_t at)
{
	for (const char *const *sign = list_secret_signs; *sign != NULL; sign++) {
		if (stands_at(text, at, slice_of(*sign)))
			return skip_marks(text, at + strlen(*sign));
	}
	return at;
}

/* The offset after a few words that say whose or what for: "mot de passe du wifi est". */
static size_t behind_next_word(struct slice text, size_t at)
{
	enum { LONGEST = 24 }; /* bytes */
	size_t limit = text.size - at > LONGEST ? at + LONGEST : text.size;
	size_t end = at;
	while (end < limit && strchr(" .,;:!?\n", text.data[end]) == NULL)
		end++;
	if (end == at || end == limit || strchr(" :", text.data[end]) == NULL)
		return at;
	return text.data[end] == ' ' ? end + 1 : end;
}

/* "pw = Piecewise((x, 1))" is code. */
static bool take_said(struct slice text, size_t at, struct secret *secret)
{
	if (!secret_password_value(text, at, secret))
		return false;
	return slice_find(slice_part(text, 0, secret->end), SLICE("("), secret->begin) ==
	       secret->end;
}

bool secret_said(struct slice text, size_t at, struct secret *secret)
{
	enum { MOST_WORDS = 3 };
	if (!secret_may_begin[(unsigned char)text.data[at]])
		return false;
	size_t end = end_of_name(text, at);
	if (end == at)
		return false;
	end = skip_marks(text, end);
	for (int words = 0; words <= MOST_WORDS; words++) {
		size_t value = behind_said_sign(text, end);
		if (value > end)
			return take_said(text, value, secret);
		size_t next = behind_next_word(text, end);
		if (next == end)
			return false;
		end = next;
	}
	return false;
}

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

enum { LONGEST_NAME = 64, LONGEST_GAP = 8, LONGEST_VALUE = 128, LONGEST_USER_INFO = 256 };

static size_t end_of_word(struct slice text, size_t at)
{
	while (at < text.size && secret_is_word(text.data[at]))
		at++;
	return at;
}

static size_t skip(struct slice text, size_t at, const char *characters)
{
	size_t limit = text.size - at > LONGEST_GAP ? at + LONGEST_GAP : text.size;
	while (at < limit && strchr(characters, text.data[at]) != NULL)
		at++;
	return at;
}

/* The kind of secret that a name announces, or NULL. */
static const char *kind_of_name(struct slice name)
{
	if (name.size > LONGEST_NAME)
		return NULL;
	char plain[LONGEST_NAME];
	for (size_t i = 0; i < name.size; i++)
		plain[i] = name.data[i] == '-' || name.data[i] == ' ' ? '_' : name.data[i];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct slice ending = names[i].ending;
		if (name.size >= ending.size &&
		    slice_equal_nocase((struct slice){plain + name.size - ending.size, ending.size},
				       ending))
			return names[i].kind;
	}
	return NULL;
}

/* Where a secret announced at the end of a line may stand: a word alone on the next line, after at
 * most an empty line or a code fence, that is neither a setting nor a call. `at`: there is none. */
static size_t on_next_line(struct slice text, size_t at)
{
	size_t line = skip(text, at, " \t\r\n`");
	size_t limit = text.size - line > LONGEST_VALUE ? line + LONGEST_VALUE : text.size;
	size_t end = line;
	if (slice_find(slice_part(text, at, line), SLICE("\n"), 0) == line - at)
		return at;
	while (end < limit && strchr(" \t\r\n", text.data[end]) == NULL)
		end++;
	size_t behind = skip(text, end, " \t\r");
	bool is_alone = behind == text.size || text.data[behind] == '\n';
	size_t name = end_of_word(text, line);
	bool is_setting = name > line && name + 1 < end && strchr("=:", text.data[name]) != NULL;
	bool is_call = end > line && strchr(");", text.data[end - 1]) != NULL;
	return is_alone && !is_setting && !is_call ? line : at;
}

/* The offset after ":", "=", ":=" or "=>" and the quotes and marks around the name; `at` if there
 * is none. Only a colon announces what comes on the next line. */
static size_t behind_sign(struct slice text, size_t at)
{
	size_t sign = skip(text, at, "\\\"'`* ");
	size_t value = skip(text, sign, ":=>");
	if (value == sign)
		return at;
	size_t behind = skip(text, value, "* \t");
	return text.data[value - 1] == ':' ? on_next_line(text, behind) : behind;
}

/* The offset after " is ", as people say of a password; `at` if it is not there. */
static size_t behind_is(struct slice text, size_t at)
{
	const struct slice is = SLICE(" is");
	size_t end = at + is.size;
	if (!slice_starts_with(slice_part(text, at, text.size), is))
		return at;
	size_t behind = on_next_line(text, end);
	if (behind > end)
		return behind;
	return end < text.size && text.data[end] == ' ' ? end + 1 : at;
}

/* Whether a program or a person would make up this value as a secret: letters and digits, or a sign
 * that is typical of passwords, or, if `encoded`, mixed case; but not several words, a variable, a
 * placeholder or an address. */
static bool is_credible(struct slice value, bool encoded)
{
	enum { SHORTEST = 7 };
	if (value.size < SHORTEST || strchr("$<{%[", value.data[0]) != NULL)
		return false;
	bool capital = false;
	bool small = false;
	bool made_up = false;
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];
		capital |= i > 0 && c >= 'A' && c <= 'Z';
		/* Letters of Latin, Greek and Cyrillic; other scripts have no spaces to end at. */
		small |= (c >= 'a' && c <= 'z') || (c >= '\xC3' && c <= '\xD4');
		made_up |= secret_is_digit(c) || c == '!' || c == '#' || c == '$' || c == '^';
		if (c == ' ')
			return false;
	}
	bool letter = small || capital || secret_is_letter(value.data[0]);
	return letter && (made_up || (encoded && capital && small)) &&
	       slice_find(value, SLICE("://"), 0) == value.size;
}

/* Whether the "&" at `at` ends the value that begins at `begin`, because it separates parameters of
 * a URL or form: "?name=value" or "name=value&name=value". Elsewhere it may be part of a
 * password. */
static bool ends_parameter(struct slice text, size_t begin, size_t at)
{
	if (begin == 0 || text.data[begin - 1] != '=')
		return false;
	size_t name = begin - 1;
	while (name > 0 && begin - name <= LONGEST_NAME && secret_is_word(text.data[name - 1]))
		name--;
	if (name > 0 && (text.data[name - 1] == '?' || text.data[name - 1] == '&'))
		return true;
	size_t next = end_of_word(text, at + 1);
	return next > at + 1 && next < text.size && text.data[next] == '=';
}

/* The value that begins at `at`: what its quotes enclose, or without quotes the text without final
 * punctuation. */
static struct slice value_at(struct slice text, size_t at)
{
	size_t begin = skip(text, at, "\\\"'`");
	bool quoted = begin > at;
	const char *stops = quoted ? "\"'`\\\n" : " \t\r\n\"'`\\,;<>";
	size_t end = begin;
	while (end < text.size && strchr(stops, text.data[end]) == NULL &&
	       !(text.data[end] == '&' && !quoted && ends_parameter(text, begin, end)))
		end++;
	while (!quoted && end > begin && strchr(".:!?)}]*", text.data[end - 1]) != NULL)
		end--;
	return slice_part(text, begin, end);
}

/* Judges only the first bytes, so that a wrong value costs little. */
static bool take_value(struct slice text, size_t at, bool encoded, struct secret *secret)
{
	size_t limit = text.size - at > LONGEST_VALUE ? at + LONGEST_VALUE : text.size;
	struct slice value = value_at(slice_part(text, 0, limit), at);
	if (!is_credible(value, encoded))
		return false;
	value = value_at(text, at);
	size_t begin = (size_t)(value.data - text.data);
	secret->begin = begin;
	secret->end = begin + value.size;
	return true;
}

/* "Authorization: Basic ..."; `at` is after the name. */
static bool secret_in_header(struct slice text, size_t at, struct secret *secret)
{
	size_t value = behind_sign(text, at);
	if (value == at)
		return false;
	size_t word = skip(text, value, "\\\"'`");
	size_t end = end_of_word(text, word);
	size_t behind = skip(text, end, " ");
	bool has_scheme = behind > end && slice_is_any_nocase(slice_part(text, word, end), schemes);
	secret->kind = "token";
	return take_value(text, has_scheme ? behind : value, true, secret);
}

/* Whether another word follows the name that begins neither " is " nor " key", and the name is not
 * "Bearer". This is true of most words, and of no secret. */
static bool is_word_of_text(struct slice text, struct slice name, size_t end)
{
	if (text.size - end < 2 || text.data[end] != ' ' || !secret_is_letter(text.data[end + 1]))
		return false;
	char next = text.data[end + 1];
	return next != 'i' && next != 'k' && next != 'K' && name.data[0] != 'b' &&
	       name.data[0] != 'B';
}

/* The end of a word of a name ("turbo", "qwen2") or of its version number ("4", "4o", "20240620")
 * that begins at `at`; `at`: it is neither. */
static size_t end_of_plain_word(struct slice value, size_t at)
{
	enum { LONGEST_WORD = 12 };
	size_t begin = at;
	size_t letters = 0;
	size_t digits = 0;
	for (; at < value.size && secret_is_alnum(value.data[at]); at++) {
		bool is_capital = value.data[at] >= 'A' && value.data[at] <= 'Z';
		if (is_capital && at > begin)
			return begin;
		letters += secret_is_letter(value.data[at]);
		digits += secret_is_digit(value.data[at]);
	}
	bool is_date = digits == 8 && letters == 0 && value.data[begin] <= '2';
	bool is_word = letters > 0 && letters <= LONGEST_WORD && digits <= 2;
	bool is_number = letters <= 1 && digits > 0 && digits <= 4;
	return is_word || is_number || is_date ? at : begin;
}

/* Whether the value is a name with a version, like a model's ("gpt-4.1-mini"): words and short
 * numbers joined by signs. */
static bool is_versioned_name(struct slice value)
{
	size_t words = 0;
	for (size_t at = 0;; at++, words++) {
		size_t end = end_of_plain_word(value, at);
		if (end == at)
			return false;
		at = end;
		if (at == value.size)
			return words > 0;
		if (strchr("-._:/", value.data[at]) == NULL)
			return false;
	}
}

/* "passwd=letmein", only letters, as in a form or a setting; "passwd=None" is code. */
static bool take_letters(struct slice text, size_t at, struct secret *secret)
{
	enum { FEWEST = 6 };
	static const struct slice words[] = {
		SLICE("password"), SLICE("passwd"),     SLICE("secret"),   SLICE("string"),
		SLICE("required"), SLICE("optional"),   SLICE("hidden"),   SLICE("redacted"),
		SLICE("example"),  SLICE("passphrase"), SLICE("passcode"),
	};
	size_t end = at;
	while (end < text.size && end - at < LONGEST_VALUE && secret_is_letter(text.data[end]))
		end++;
	bool ends = end == text.size || strchr(" \t\r\n&", text.data[end]) != NULL;
	bool is_credible = ends && end - at >= FEWEST;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && is_credible; i++)
		is_credible = !slice_equal_nocase(slice_part(text, at, end), words[i]);
	secret->begin = at;
	secret->end = end;
	return is_credible;
}

bool secret_password_value(struct slice text, size_t at, struct secret *secret)
{
	secret->kind = "password";
	return take_value(text, at, false, secret);
}

bool secret_assigned(struct slice text, size_t at, struct secret *secret)
{
	size_t end = end_of_word(text, at);
	struct slice name = slice_part(text, at, end);
	if (is_word_of_text(text, name, end))
		return false;
	if (slice_equal_nocase(name, SLICE("authorization")))
		return secret_in_header(text, end, secret);
	if (slice_equal_nocase(name, SLICE("bearer")) && skip(text, end, " ") > end) {
		secret->kind = "token";
		return take_value(text, skip(text, end, " "), true, secret);
	}
	if (slice_equal_nocase(slice_part(text, end, end_of_word(text, skip(text, end, " "))),
			       SLICE(" key"))) {
		end += SLICE(" key").size;
		name = slice_part(text, at, end);
	}
	size_t value = behind_sign(text, end);
	size_t said = behind_is(text, end);
	if (value == end && said == end)
		return false;
	secret->kind = kind_of_name(name);
	if (secret->kind == NULL)
		return false;
	bool is_password = strcmp(secret->kind, "password") == 0;
	if (value == end && is_password)
		value = said;
	if (value == end)
		return false;
	if (is_password && value == end + 1 && text.data[end] == '=' &&
	    take_letters(text, value, secret))
		return true;
	return take_value(text, value, false, secret) &&
	       (is_password || !is_versioned_name(slice_part(text, secret->begin, secret->end)));
}

bool secret_in_url(struct slice text, size_t at, struct secret *secret)
{
	if (!slice_starts_with(slice_part(text, at, text.size), SLICE("://")))
		return false;
	size_t user = at + 3;
	size_t limit = text.size - user > LONGEST_USER_INFO ? user + LONGEST_USER_INFO : text.size;
	size_t colon = 0;
	size_t host = 0;
	for (size_t i = user; i < limit && strchr("/ \t\r\n\"'<>?#", text.data[i]) == NULL; i++) {
		if (text.data[i] == ':' && colon == 0)
			colon = i;
		if (text.data[i] == '@')
			host = i;
	}
	if (colon == 0 || host <= colon + 1 || strchr("$<{%[*", text.data[colon + 1]) != NULL)
		return false;
	/* A token may take the user's place: https://ghp_...:x@host. */
	size_t begin = user;
	struct secret token;
	while (begin < colon && !secret_token(text, begin, &token))
		begin++;
	*secret = (struct secret){begin < colon ? begin : colon + 1, host, "password"};
	return true;
}
