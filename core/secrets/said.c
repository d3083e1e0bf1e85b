#include "core/secrets/rules.h"

#include <string.h>

/* How people name a password outside of programs. core/secrets/assigned.c also finds the names that
 * are one ASCII word before a colon. */
static const struct slice names[] = {
	SLICE("passwort"),
	SLICE("kennwort"),
	SLICE("pw"),
	SLICE("contrase\u00f1a"),
	SLICE("CONTRASE\u00d1A"),
	SLICE("contrasena"),
	SLICE("clave"),
	SLICE("mot de passe"),
	SLICE("mdp"),
	SLICE("senha"),
	SLICE("wachtwoord"),
	SLICE("parola d'ordine"),
	SLICE("has\u0142o"),
	SLICE("heslo"),
	SLICE("l\u00f6senord"),
	SLICE("wifi key"),
	SLICE("wi-fi key"),
	SLICE("wlan key"),
	SLICE("network key"),
	SLICE("wifi-key"),
	SLICE("wifi code"),
	SLICE("wlan-schl\u00fcssel"),
	SLICE("wifi-schl\u00fcssel"),
	SLICE("cl\u00e9 wifi"),
	SLICE("passphrase"),
	SLICE("passcode"),
	SLICE("\u043f\u0430\u0440\u043e\u043b\u044c"), /* Russian, small */
	SLICE("\u041f\u0430\u0440\u043e\u043b\u044c"), /* with a capital letter */
	SLICE("\u5bc6\u7801"),
	SLICE("\u5bc6\u78bc"),
	SLICE("\u30d1\u30b9\u30ef\u30fc\u30c9"),
	SLICE("\ube44\ubc00\ubc88\ud638"),
};

/* What stands between the name and the value, ignoring spaces around it. */
static const struct slice signs[] = {
	SLICE(":"),      SLICE("="),       SLICE("\uff1a"),  SLICE("\u2013"),   SLICE("\u2014"),
	SLICE("- "),     SLICE("is "),     SLICE("ist "),    SLICE("lautet "),  SLICE("es "),
	SLICE("est "),   SLICE("\u00e8 "), SLICE("\u00e9 "), SLICE("\u00e4r "), SLICE("to "),
	SLICE("\u662f"), SLICE("\u306f"),  SLICE("\ub294 "),
};

/* The first bytes of the names. */
static const bool may_begin[256] = {
	['c'] = true,  ['C'] = true,  ['h'] = true,  ['H'] = true,  ['k'] = true, ['K'] = true,
	['l'] = true,  ['L'] = true,  ['m'] = true,  ['M'] = true,  ['n'] = true, ['N'] = true,
	['p'] = true,  ['P'] = true,  ['s'] = true,  ['S'] = true,  ['w'] = true, ['W'] = true,
	[0xD0] = true, [0xE3] = true, [0xE5] = true, [0xEB] = true,
};

static bool stands_at(struct slice text, size_t at, struct slice word)
{
	return text.size - at >= word.size &&
	       slice_equal_nocase(slice_part(text, at, at + word.size), word);
}

/* The end of the name at `at`, which must be a separate word; `at`: there is none. */
static size_t end_of_name(struct slice text, size_t at)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t end = at + names[i].size;
		bool may_be = ((text.data[at] ^ names[i].data[0]) & ~0x20) == 0;
		if (may_be && stands_at(text, at, names[i]) &&
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

static size_t behind_sign(struct slice text, size_t at)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (stands_at(text, at, signs[i]))
			return skip_marks(text, at + signs[i].size);
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
	if (!may_begin[(unsigned char)text.data[at]])
		return false;
	size_t end = end_of_name(text, at);
	if (end == at)
		return false;
	end = skip_marks(text, end);
	for (int words = 0; words <= MOST_WORDS; words++) {
		size_t value = behind_sign(text, end);
		if (value > end)
			return take_said(text, value, secret);
		size_t next = behind_next_word(text, end);
		if (next == end)
			return false;
		end = next;
	}
	return false;
}
