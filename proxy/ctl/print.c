/* Prints untrusted text on a terminal. */
#include "proxy/ctl/ctl.h"

#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unigbrk.h>
#include <unistd.h>
#include <unistr.h>
#include <uniwidth.h>

enum {
	USUAL_COLUMNS = 80,
	/* Per cluster: more is not a letter of any script but a stack of marks. */
	CLUSTER_CHARACTERS = 12,
	CLUSTER_BYTES = 4 * CLUSTER_CHARACTERS,
	EMOJI_STYLE = 0xFE0F,
};

size_t ctl_columns(void)
{
	const char *told = getenv("COLUMNS");
	long columns = told == NULL ? 0 : strtol(told, NULL, 10);
	struct winsize size = {0};
	if (columns > 0)
		return (size_t)columns;
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return USUAL_COLUMNS;
	return size.ws_col;
}

bool ctl_check_color(struct ctl *ctl)
{
	const char *word = ctl->given.color;
	if (word == NULL || strcmp(word, "auto") == 0 || strcmp(word, "always") == 0 ||
	    strcmp(word, "never") == 0)
		return true;
	return ctl_fault(ctl, "--color must be auto, always or never");
}

/* As no-color.org has it: any word in NO_COLOR turns colours off unless they are asked for. */
static bool has_colors(const struct ctl *ctl)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (ctl->given.color != NULL && strcmp(ctl->given.color, "auto") != 0)
		return strcmp(ctl->given.color, "always") == 0;
	return isatty(STDOUT_FILENO) && (refused == NULL || refused[0] == '\0') &&
	       terminal != NULL && strcmp(terminal, "dumb") != 0;
}

const char *ctl_style(const struct ctl *ctl, const char *name)
{
	static const char *const codes[][2] = {
		{"end", "\033[0m"},  {"bold", "\033[1m"},  {"faint", "\033[2m"},
		{"key", "\033[36m"}, {"good", "\033[32m"}, {"alarm", "\033[31m"},
	};
	for (size_t i = 0; has_colors(ctl) && i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i][0], name) == 0)
			return codes[i][1];
	}
	return "";
}

/* C0, DEL and C1 drive a terminal; bidirectional embeddings and isolates reorder the text around
 * them. */
static bool is_unsafe(uint32_t character)
{
	return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
	       (character >= 0x202A && character <= 0x202E) ||
	       (character >= 0x2066 && character <= 0x2069);
}

/* One character as a reader sees it (a grapheme cluster). */
struct cluster {
	uint8_t bytes[CLUSTER_BYTES];
	size_t size;
	size_t width;
	bool is_space;
};

static void cluster_add(struct cluster *cluster, uint32_t character)
{
	bool is_space = text_is_space(character);
	if (is_space && cluster->is_space)
		return; /* a line ending of two characters */
	uint32_t shown = is_space ? ' ' : is_unsafe(character) ? '?' : character;
	int size = u8_uctomb(cluster->bytes + cluster->size, shown,
			     (ptrdiff_t)(CLUSTER_BYTES - cluster->size));
	int width = uc_width(shown, "UTF-8");
	cluster->is_space = is_space;
	cluster->size += size > 0 ? (size_t)size : 0;
	cluster->width += width > 0 ? (size_t)width : 0;
	if (character == EMOJI_STYLE && cluster->width == 1)
		cluster->width = 2;
}

/* One of the two letters of a flag. */
static bool is_flag_half(struct slice text)
{
	return text.size >= 4 && memcmp(text.data, "\xF0\x9F\x87", 3) == 0 &&
	       (unsigned char)text.data[3] >= 0xA6;
}

/* Whether libunistring, which compares only two characters, split what belongs together: after a
 * joiner, as in a family emoji, or inside a flag. */
static bool goes_on(struct slice text, size_t size)
{
	const struct slice joiner = SLICE("\u200D");
	if (size == 4 && is_flag_half(text))
		return is_flag_half(slice_part(text, size, text.size));
	return size > joiner.size &&
	       slice_equal(slice_part(text, size - joiner.size, size), joiner);
}

/* The size in bytes of the text's first cluster. */
static size_t cluster_size(struct slice text)
{
	const uint8_t *begin = (const uint8_t *)text.data;
	size_t size = 0;
	do {
		const uint8_t *end = u8_grapheme_next(begin + size, begin + text.size);
		if (end == NULL)
			return size;
		size = (size_t)(end - begin);
	} while (goes_on(text, size));
	return size;
}

/* Takes the next cluster off the text. Adds up the widths of joined characters: some terminals show
 * them as one, others do not, and none shows them wider. */
static bool next_cluster(struct slice *text, struct cluster *cluster)
{
	size_t size = cluster_size(*text), at = 0;
	*cluster = (struct cluster){0};
	for (unsigned count = 0; at < size && count < CLUSTER_CHARACTERS; count++) {
		uint32_t character;
		at += text_decode(*text, at, &character);
		cluster_add(cluster, character);
	}
	*text = slice_part(*text, size, text->size);
	return size > 0;
}

/* Appends the text up to `columns` (0: all) and returns the columns used. Cuts a longer text so
 * that the ellipsis fits. */
static size_t render(struct slice text, size_t columns, struct buffer *out)
{
	struct cluster cluster;
	size_t width = 0, fitting_width = 0, fitting_size = 0;
	bool after_space = true;
	while (next_cluster(&text, &cluster)) {
		if (cluster.is_space && after_space)
			continue;
		after_space = cluster.is_space;
		width += cluster.width;
		if (columns > 0 && width > columns) {
			out->size = fitting_size;
			(void)buffer_append(out, SLICE("…"));
			return fitting_width + 1;
		}
		(void)buffer_append(out, (struct slice){(char *)cluster.bytes, cluster.size});
		if (width < columns) {
			fitting_width = width;
			fitting_size = out->size;
		}
	}
	return width;
}

size_t ctl_print(FILE *stream, const char *text, size_t columns)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	const size_t width = render(slice_of(text), columns, &out);
	if (stream != NULL && out.size > 0)
		(void)fwrite(out.data, 1, out.size, stream);
	buffer_finish(&out);
	return width;
}

void ctl_print_cell(const char *text, size_t columns, bool to_the_right)
{
	const size_t width = ctl_print(to_the_right ? NULL : stdout, text, columns);
	(void)printf("%*s", columns > width ? (int)(columns - width) : 0, "");
	if (to_the_right)
		(void)ctl_print(stdout, text, columns);
}
