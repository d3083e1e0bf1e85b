/* E-mail addresses: RFC 5321's dot-atom, and letters of other scripts (RFC 6531). */
#include "core/base/utf8.h"
#include "core/pii/parts.h"
#include "core/text/text.h"

#include <string.h>
#include <unictype.h>

enum { LONGEST_LOCAL = 64, LONGEST_DOMAIN = 255, LONGEST_LABEL = 63 };

/* A letter of a script in which words have spaces between them. */
static bool is_wide_letter(struct slice text, size_t at, size_t *size)
{
	uint32_t character;
	*size = text_decode(text, at, &character);
	return character >= 0x80 && uc_is_alpha((ucs4_t)character) && !text_is_unspaced(character);
}

static bool is_of_local(char c)
{
	return pii_is_alnum(c) || (c != '\0' && strchr("._%+'-&~!#$*?^", c) != NULL);
}

/* Where the part before the "@" begins; `at` if there is none. */
static size_t begin_of_local(struct slice text, size_t at)
{
	size_t begin = at;
	while (begin > 0 && at - begin < LONGEST_LOCAL) {
		size_t before = utf8_boundary(text, begin - 1);
		size_t size;
		if (!is_of_local(text.data[begin - 1]) && !is_wide_letter(text, before, &size))
			break;
		begin = before;
	}
	if (begin > 0 && (text.data[begin - 1] == '@' || text.data[begin - 1] == '/'))
		return at; /* a handle, a package, or a URL's login */
	while (begin < at && !pii_is_alnum(text.data[begin]) && text.data[begin] != '_' &&
	       (unsigned char)text.data[begin] < 0x80)
		begin++;
	return text.data[at - 1] == '.' ? at : begin;
}

/* The end of the label at `at`; `at` if there is none. */
static size_t end_of_label(struct slice text, size_t at)
{
	size_t end = at;
	while (end < text.size && end - at <= LONGEST_LABEL) {
		size_t size = 1;
		char c = text.data[end];
		if (!pii_is_alnum(c) && (c != '-' || end == at) &&
		    !is_wide_letter(text, end, &size))
			break;
		end += size;
	}
	while (end > at && text.data[end - 1] == '-')
		end--;
	return end - at > LONGEST_LABEL ? at : end;
}

static bool is_top_level(struct slice label)
{
	static const char *const files[] = {"png", "jpg", "jpeg", "gif",  "webp",
					    "svg", "css", "js",   "html", NULL};
	if (slice_is_any(label, files))
		return false;
	if (slice_starts_with(label, SLICE("xn--")))
		return true;
	for (size_t i = 0; i < label.size; i++) {
		if (pii_is_digit(label.data[i]) || label.data[i] == '-')
			return false;
	}
	return label.size >= 2;
}

/* The end of the domain at `at`, with at least two labels; `at` if there is none. */
static size_t end_of_domain(struct slice text, size_t at)
{
	size_t end = at;
	size_t label = at;
	for (size_t next; (next = end_of_label(text, label)) > label; label = next + 1) {
		if (next - at > LONGEST_DOMAIN)
			break;
		if (label > at && is_top_level(slice_part(text, label, next)))
			end = next;
		if (pii_at(text, next) != '.')
			break;
	}
	return end;
}

/* "git@github.com:acme/app.git" */
static bool is_remote(struct slice text, size_t end)
{
	char behind = pii_at(text, end + 1);
	return pii_at(text, end) == ':' && (pii_is_alnum(behind) || behind == '/');
}

bool pii_email(struct slice text, size_t at, struct pii_span *span)
{
	if (at == 0)
		return false;
	size_t begin = begin_of_local(text, at);
	size_t end = end_of_domain(text, at + 1);
	*span = (struct pii_span){begin, end, PII_EMAIL};
	return begin < at && end > at + 1 && !is_remote(text, end);
}
