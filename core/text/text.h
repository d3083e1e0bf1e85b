/* Text: splits it into words, estimates its tokens, compares it. All input is UTF-8; every invalid
 * byte counts as one unknown character and is never overrun. */
#ifndef RECALLD_CORE_TEXT_TEXT_H
#define RECALLD_CORE_TEXT_TEXT_H

#include "core/base/bytes.h"

bool text_is_utf8(struct slice text);
/* Decodes the character at offset `at`, which must lie within the text, and returns its size in
 * bytes. An invalid byte reads as U+FFFD and takes one. */
static inline size_t text_decode(struct slice text, size_t at, uint32_t *character);
static inline bool text_is_space(uint32_t character); /* Unicode's White_Space */
/* Whether the text is one or more visible characters: valid UTF-8 without control, format,
 * surrogate or separator characters, white space (including the space), anything that Unicode lets
 * a display omit (variation selectors, fillers), or glyphs without ink. */
bool text_is_visible(struct slice text);

/* Estimates how many tokens the text takes in a current model, from its bytes alone: each byte has
 * a share of a token that depends on its script (core/text/tokens.c), and the sum is rounded up. So
 * a whole never counts more than the sum of its pieces, wherever it is cut, and every
 * TOKEN_MOST_BYTES bytes count at least one token. */
enum { TOKEN_MOST_BYTES = 12 };
size_t text_tokens(struct slice text);
/* The estimate before rounding: the shares of a whole are the sum of its pieces' shares. */
size_t text_shares(struct slice text);
size_t text_tokens_of(size_t shares);

/* The assistant's text without the reasoning that some servers and clients write into it:
 * <think>...</think>, <thinking>, <reason>, <reasoning>, <thought>, ◁think▷...◁/think▷,
 * <|begin_of_thought|>...<|end_of_thought|> and <details type="reasoning">...</details>. An
 * unclosed form is reasoning to the end if the text begins with it, and no reasoning elsewhere.
 * Everything before a first </think> on its own line is reasoning that the prompt's template
 * opened. Text without reasoning is returned unchanged and uncopied. */
struct slice text_without_reasoning(struct slice text, struct arena *arena);

/* Walks over the stretches of reasoning in order, without overlap. Initialize everything but the
 * text to zero; false: there are no more. */
struct reasoning_walk {
	struct slice text;
	size_t begin; /* of the reasoning found */
	size_t end;
	unsigned unclosed; /* the forms known not to be closed in the rest, one bit each */
	bool started;
};
bool text_next_reasoning(struct reasoning_walk *walk);

/* A hash that identifies a turn when it is resent; ignores reasoning (see above) and all white
 * space. 0 only for a text without anything else. Only the first TEXT_HASHED bytes of the rest
 * count, so the beginning of a huge text has the hash of the whole. Allocates nothing. */
enum { TEXT_HASHED = 1 << 20 };
uint64_t text_hash(struct slice text);

/* Calls `word` for every word of the text, case folded and in NFKC: the words of Unicode UAX #29
 * that contain a letter or a digit, every emoji, and in scripts without spaces (Han, Hiragana,
 * Katakana, Hangul, Thai, Lao, Khmer, Myanmar) each overlapping pair of characters, or the
 * character of a run of one. A word of more than 256 bytes comes in pieces. Stops early if `word`
 * returns false. */
void text_words(struct slice text, bool (*word)(void *cookie, struct slice word), void *cookie);
bool text_share_word(struct slice a, struct slice b);
/* "dog_grooming_van", an entity or a key, as a person writes it. */
struct slice text_spaced(struct slice name, struct arena *arena);

/* Whether the letter belongs to a script without spaces between words (Hangul has them only between
 * phrases). */
bool text_is_unspaced(uint32_t character);

/* Whether `whole` contains `part`, ignoring case (folded), compatibility forms (NFKC), the kind and
 * amount of white space, the kind of quotation marks and dashes, and invisible characters
 * (direction marks, soft hyphens, emoji variants). False for an empty part. */
bool text_contains(struct slice whole, struct slice part);
/* Searches at word boundaries only: "a category" does not say "a cat". */
bool text_says(struct slice whole, struct slice part);
/* The text in the form in which these two compare it, in the arena, for one that is compared often,
 * and text_says() of such texts. */
struct slice text_comparable(struct slice text, struct arena *arena);
bool text_comparable_says(struct slice whole, struct slice part);
/* The next word of the text from `*at` on, which moves behind it: letters and digits with what is
 * written above and below them, or one character of a script without spaces. Empty: there is none,
 * and `*at` stays. */
struct slice text_next_word(struct slice text, size_t *at);
/* Whether it says one of these phrases, whose list ends with NULL. They are given as they are
 * compared: case folded, in NFKC, with single spaces, "'" and "-". */
bool text_says_any(struct slice whole, const char *const *folded);

/* One line that is safe to quote inside a memory block. Drops control, bidirectional and invisible
 * format characters (except joiners with an effect, as within emoji and Persian words), turns each
 * run of white space into one space, trims the ends, makes "<", ">" and chat-template tokens unable
 * to open or close anything, and cuts to `limit` bytes at a character boundary. "<" and ">" become
 * "‹" and "›"; the brackets of a template's token ("[INST]") become round; the colon of a role
 * label at the start of a line or after "##" ("Human:", "### Instruction:") becomes a dash.
 * Full-width forms and look-alikes of other scripts count as what they look like. Text that is
 * already inert stays unchanged, mostly uncopied. */
struct slice text_one_line(struct slice text, size_t limit, struct arena *arena);
/* Cleans text of several lines: keeps line breaks and indentation, and at most one empty line in a
 * row. */
struct slice text_inert(struct slice text, size_t limit, struct arena *arena);

/* The text without invisible characters, or the text itself; white space stays as it is. */
struct slice text_visible(struct slice text, struct arena *arena);
/* A remembered message that is sent as a message of its own: unchanged, except that tokens of chat
 * templates such as "<|im_start|>", "</s>" and "[INST]" lose their brackets as above, and invisible
 * characters are dropped. Other "<" and labels stay, since the message already has its role. */
struct slice text_disarmed(struct slice text, struct arena *arena);

/* RFC 3339 in UTC, seconds ("2026-11-21T09:30:00Z"); and the date alone. */
struct slice text_time(int64_t at, struct arena *arena);
struct slice text_date(int64_t at, struct arena *arena);
/* Reads RFC 3339 (with offset, with or without a fraction) or a date alone (midnight UTC). */
bool text_read_time(struct slice text, int64_t *at);
/* Whether a time that somebody gives for the past lies in the future: a day and more after `now`,
 * for clocks differ, and some times name no offset. */
bool time_is_ahead(int64_t at, int64_t now);

/* Most characters are ASCII and need no call. */
size_t text_decode_wide(struct slice text, size_t at, uint32_t *character);
bool text_is_wide_space(uint32_t character);

static inline size_t text_decode(struct slice text, size_t at, uint32_t *character)
{
	*character = (unsigned char)text.data[at];
	return *character < 0x80 ? 1 : text_decode_wide(text, at, character);
}

static inline bool text_is_space(uint32_t character)
{
	return character < 0x80 ? character == ' ' || (character >= '\t' && character <= '\r')
				: text_is_wide_space(character);
}

#endif
