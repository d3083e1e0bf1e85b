#include "core/clients/mail.h"

#include <string.h>

/* Marks and heads as the common mail programs write them, in the languages they are mostly used in.
 * In doubt a text counts as mail: what others wrote must never be learned as the user's words. */

/* Longer lines are text. */
enum { LONGEST_LINE = 400, LONGEST_GREETING = 80 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct slice marks[] = {
	SLICE("Forwarded message"),
	SLICE("Original message"),
	SLICE("Original appointment"),
	SLICE("Begin forwarded message"),
	SLICE("Weitergeleitete Nachricht"),
	SLICE("Urspr\xC3\xBCngliche Nachricht"),
	SLICE("Originalnachricht"),
	SLICE("Anfang der weitergeleiteten"),
	SLICE("Message transf\xC3\xA9r\xC3\xA9"),
	SLICE("Message d'origine"),
	SLICE("D\xC3\xA9"
	      "but du message"),
	SLICE("Mensaje reenviado"),
	SLICE("Mensaje original"),
	SLICE("Inicio del mensaje"),
	SLICE("Messaggio inoltrato"),
	SLICE("Messaggio originale"),
	SLICE("Inizio messaggio"),
	SLICE("Doorgestuurd bericht"),
	SLICE("Oorspronkelijk bericht"),
	SLICE("Mensagem encaminhada"),
	SLICE("Mensagem original"),
	SLICE("\u041F\u0435\u0440\u0435\u0441\u044B\u043B\u0430\u0435\u043C\u043E\u0435"),
	SLICE("\u0418\u0441\u0445\u043E\u0434\u043D\u043E\u0435"),
	SLICE("\u8F6C\u53D1\u90AE\u4EF6"),
	SLICE("\u539F\u59CB\u90AE\u4EF6"),
};

static const struct slice from_names[] = {
	SLICE("from"),
	SLICE("von"),
	SLICE("de"),
	SLICE("da"),
	SLICE("van"),
	SLICE("fra"),
	SLICE("fr\xC3\xA5n"),
	SLICE("\u041E\u0442"),
	SLICE("\u53D1\u4EF6\u4EBA"),
	SLICE("\u5DEE\u51FA\u4EBA"),
};
static const struct slice to_names[] = {
	SLICE("to"),
	SLICE("an"),
	SLICE("\xC3\xA0"),
	SLICE("\xC3\x80"),
	SLICE("para"),
	SLICE("aan"),
	SLICE("a"),
	SLICE("til"),
	SLICE("till"),
	SLICE("\u041A\u043E\u043C\u0443"),
	SLICE("\u6536\u4EF6\u4EBA"),
	SLICE("\u5B9B\u5148"),
};
static const struct slice subject_names[] = {
	SLICE("subject"),      SLICE("betreff"),
	SLICE("objet"),        SLICE("asunto"),
	SLICE("oggetto"),      SLICE("onderwerp"),
	SLICE("assunto"),      SLICE("emne"),
	SLICE("\xC3\xA4mne"),  SLICE("\u0422\u0435\u043C\u0430"),
	SLICE("\u4E3B\u9898"), SLICE("\u4EF6\u540D"),
};

static const struct slice wrote[] = {
	SLICE(" wrote"),
	SLICE(" schrieb"),
	SLICE(" a \xC3\xA9"
	      "crit"),
	SLICE(" escribi\xC3\xB3"),
	SLICE(" ha scritto"),
	SLICE(" schreef"),
	SLICE(" escreveu"),
	SLICE(" skrev"),
	SLICE(" \u043D\u0430\u043F\u0438\u0441\u0430\u043B"),
	SLICE("\u5199\u9053"),
};

static const struct slice greetings[] = {
	SLICE("Dear "),
	SLICE("Hi"),
	SLICE("Hello"),
	SLICE("Hey"),
	SLICE("Good morning"),
	SLICE("Good afternoon"),
	SLICE("Hallo"),
	SLICE("Liebe"),
	SLICE("Sehr geehrte"),
	SLICE("Guten "),
	SLICE("Moin"),
	SLICE("Bonjour"),
	SLICE("Cher "),
	SLICE("Ch\xC3\xA8re "),
	SLICE("Salut"),
	SLICE("Hola"),
	SLICE("Estimad"),
	SLICE("Querid"),
	SLICE("Buenos "),
	SLICE("Ciao"),
	SLICE("Gentile"),
	SLICE("Car"),
	SLICE("Beste "),
	SLICE("Geachte"),
	SLICE("Ol\xC3\xA1"),
	SLICE("Prezad"),
	SLICE("\u0423\u0432\u0430\u0436\u0430\u0435\u043C"),
	SLICE("\u041F\u0440\u0438\u0432\u0435\u0442"),
	SLICE("\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435"),
};

static const struct slice farewells[] = {
	SLICE("Best"),
	SLICE("Kind regards"),
	SLICE("Warm regards"),
	SLICE("Regards"),
	SLICE("Cheers"),
	SLICE("Sincerely"),
	SLICE("Yours"),
	SLICE("Thanks"),
	SLICE("Thank you"),
	SLICE("Many thanks"),
	SLICE("All the best"),
	SLICE("Love"),
	SLICE("Viele Gr\xC3\xBC"),
	SLICE("Liebe Gr\xC3\xBC"),
	SLICE("Beste Gr\xC3\xBC"),
	SLICE("Herzliche Gr\xC3\xBC"),
	SLICE("Mit freundlichen"),
	SLICE("Mit besten"),
	SLICE("Gru\xC3\x9F"),
	SLICE("LG"),
	SLICE("VG"),
	SLICE("MfG"),
	SLICE("Cordialement"),
	SLICE("Bien \xC3\xA0"),
	SLICE("Saludos"),
	SLICE("Un saludo"),
	SLICE("Atentamente"),
	SLICE("Cordiali saluti"),
	SLICE("Met vriendelijke"),
	SLICE("Groet"),
	SLICE("Atenciosamente"),
	SLICE("\u0421 \u0443\u0432\u0430\u0436\u0435\u043D\u0438\u0435\u043C"),
};

struct slice mail_line(struct slice text, size_t at, size_t *next)
{
	size_t end = slice_find(text, SLICE("\n"), at);
	*next = end < text.size ? end + 1 : end;
	return slice_part(text, at, end);
}

static bool begins_with_one(struct slice line, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (line.size >= words[i].size &&
		    slice_equal_nocase(slice_part(line, 0, words[i].size), words[i]))
			return true;
	}
	return false;
}

/* The place behind those of `bytes` that the line begins with. */
static size_t behind(struct slice line, const char *bytes)
{
	size_t at = 0;
	while (at < line.size && line.data[at] != '\0' && strchr(bytes, line.data[at]) != NULL)
		at++;
	return at;
}

static bool ends_with_colon(struct slice line)
{
	return slice_ends_with(line, SLICE(":")) || slice_ends_with(line, SLICE("\uFF1A"));
}

/* ---- marks and heads ---- */

static bool is_mark(struct slice line)
{
	enum { FEWEST_DASHES = 3 };
	size_t dashes = behind(line, "-_=* ");
	return (dashes >= FEWEST_DASHES || ends_with_colon(line)) &&
	       begins_with_one(slice_part(line, dashes, line.size), marks, COUNT(marks));
}

/* What stands before the colon; empty: the line is no field of a head. */
static struct slice field_name(struct slice line)
{
	enum { LONGEST_NAME = 24 };
	line = slice_part(line, behind(line, "* "), line.size);
	size_t wide = slice_find(line, SLICE("\uFF1A"), 0);
	size_t colon = slice_find(line, SLICE(":"), 0);
	struct slice name = slice_part(line, 0, colon < wide ? colon : wide);
	if (name.size == line.size || name.size > LONGEST_NAME)
		return (struct slice){0};
	while (name.size > 0 &&
	       (name.data[name.size - 1] == '*' || name.data[name.size - 1] == ' '))
		name.size--;
	return name;
}

static bool is_one_of(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

/* A head says from whom or to whom it is and what about, or from which address. Of a journey a user
 * says from where to where, too. */
static bool is_head(struct slice text, size_t at)
{
	enum { MOST_FIELDS = 8 };
	bool from = false;
	bool to = false;
	bool subject = false;
	bool address = false;
	for (int i = 0; i < MOST_FIELDS && at < text.size; i++) {
		struct slice line = slice_trim(mail_line(text, at, &at));
		struct slice name = line.size < LONGEST_LINE ? field_name(line) : (struct slice){0};
		if (name.size == 0)
			break;
		bool is_from = is_one_of(name, from_names, COUNT(from_names));
		from |= is_from;
		to |= is_one_of(name, to_names, COUNT(to_names));
		subject |= is_one_of(name, subject_names, COUNT(subject_names));
		address |= is_from && slice_find(line, SLICE("@"), 0) < line.size;
	}
	return ((from || to) && subject) || (from && address);
}

/* ---- who wrote ---- */

static bool says_who_wrote(struct slice line)
{
	if (line.size > LONGEST_LINE || !ends_with_colon(line))
		return false;
	bool by_user = slice_find(line, SLICE("I wrote"), 0) < line.size ||
		       slice_find(line, SLICE("ich schrieb"), 0) < line.size;
	for (size_t i = 0; i < COUNT(wrote) && !by_user; i++) {
		if (slice_find(line, wrote[i], 0) < line.size)
			return true;
	}
	return false;
}

bool mail_names_writer(struct slice text, size_t at)
{
	enum { MOST_EMPTY = 3 };
	if (!says_who_wrote(slice_trim(mail_line(text, at, &at))))
		return false;
	struct slice line = {0};
	for (int i = 0; i < MOST_EMPTY && at < text.size && line.size == 0; i++)
		line = slice_trim(mail_line(text, at, &at));
	return slice_starts_with(line, SLICE(">"));
}

bool mail_begins(struct slice text, size_t at)
{
	size_t next;
	struct slice line = slice_trim(mail_line(text, at, &next));
	if (line.size == 0 || line.size > LONGEST_LINE)
		return false;
	return is_mark(line) || is_head(text, at) ||
	       (says_who_wrote(line) && !mail_names_writer(text, at));
}

/* ---- letters ---- */

static bool is_greeting(struct slice line)
{
	return line.size <= LONGEST_GREETING &&
	       (slice_ends_with(line, SLICE(",")) || slice_ends_with(line, SLICE("!"))) &&
	       begins_with_one(line, greetings, COUNT(greetings));
}

/* "Thanks for your letter." is none. */
static bool is_farewell(struct slice line)
{
	enum { MOST_BLANKS = 2 };
	size_t blanks = 0;
	for (size_t i = 0; i < line.size && line.size <= LONGEST_GREETING; i++)
		blanks += line.data[i] == ' ';
	if (blanks > MOST_BLANKS && !slice_ends_with(line, SLICE(",")))
		return false;
	return line.size <= LONGEST_GREETING &&
	       begins_with_one(line, farewells, COUNT(farewells)) &&
	       slice_find(line, SLICE("?"), 0) == line.size;
}

/* Behind the name under a farewell, of one line, or behind the farewell. */
static size_t end_of_name(struct slice text, size_t at)
{
	enum { LONGEST_NAME = 40 };
	size_t next = at;
	struct slice line = {0};
	while (next < text.size && line.size == 0)
		line = slice_trim(mail_line(text, next, &next));
	bool is_name = line.size > 0 && line.size <= LONGEST_NAME &&
		       strchr(".?!:", line.data[line.size - 1]) == NULL;
	return is_name ? next : at;
}

size_t mail_end_of_letter(struct slice text, size_t at, bool *no_end)
{
	size_t next;
	if (*no_end || !is_greeting(slice_trim(mail_line(text, at, &next))))
		return at;
	while (next < text.size) {
		struct slice line = slice_trim(mail_line(text, next, &next));
		if (!is_farewell(line))
			continue;
		size_t end = end_of_name(text, next);
		bool is_all = slice_trim(slice_part(text, 0, at)).size == 0 &&
			      slice_trim(slice_part(text, end, text.size)).size == 0;
		return is_all ? at : end;
	}
	*no_end = true;
	return at;
}
