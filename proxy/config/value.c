/* Converts words to stored values, suggests a remedy for a wrong one, and prints which ones there
 * are. */
#include "proxy/config/reader.h"

#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

struct unit {
	const char *name;
	uint64_t factor;
};

/* From small to large, up to a row without a name. */
static const struct unit sizes[] = {{"", 1},
				    {"K", UINT64_C(1) << 10},
				    {"M", UINT64_C(1) << 20},
				    {"G", UINT64_C(1) << 30},
				    {NULL, 0}};
static const struct unit durations[] = {{"ms", 1},          {"s", 1000},   {"m", 60 * 1000},
					{"h", 3600 * 1000}, {"d", DAY_MS}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(const struct config_key *key)
{
	if (key->type == CONFIG_SIZE)
		return sizes;
	return key->type == CONFIG_DURATION ? durations : plain;
}

/* The syntax of a value. */
static const char *value_of(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_SIZE:
		return "bytes, or a number with K, M or G, such as 64M";
	case CONFIG_DURATION:
		return key->most > DAY_MS ? "a number with ms, s, m, h or d, such as 90d"
					  : "a number with ms, s, m, h or d, such as 30s";
	case CONFIG_FRACTION:
		return "a decimal number, such as 0.5";
	default:
		return "a whole number";
	}
}

/* Takes the next part off a text. There is always one after a separator. False: none is left. */
static bool next_part(struct slice *rest, char separator, struct slice *part)
{
	if (rest->data == NULL)
		return false;
	size_t end = slice_find(*rest, (struct slice){&separator, 1}, 0);
	*part = slice_part(*rest, 0, end);
	*rest = end == rest->size ? (struct slice){0} : slice_part(*rest, end + 1, rest->size);
	return true;
}

/* Prints the key's words, separated by ", ". */
static void print_words(const struct config_key *key, struct buffer *out)
{
	struct slice words = slice_of(key->words);
	struct slice word;
	const char *comma = "";
	while (next_part(&words, '|', &word)) {
		buffer_printf(out, "%s%.*s", comma, SLICE_PRINT(word));
		comma = ", ";
	}
}

static void print_quantity(const struct config_key *key, uint64_t number, struct buffer *out)
{
	const struct unit *largest = units_of(key);
	for (const struct unit *unit = largest; unit->name != NULL && number > 0; unit++)
		largest = number % unit->factor == 0 ? unit : largest;
	buffer_printf(out, "%llu%s", (unsigned long long)(number / largest->factor),
		      number == 0 ? "" : largest->name);
}

/* Prints "1s to 24h"; nothing for a key without a range. */
static void print_range(const struct config_key *key, struct buffer *out)
{
	if (key->most == 0)
		return;
	print_quantity(key, key->least, out);
	buffer_append(out, SLICE(" to "));
	print_quantity(key, key->most, out);
}

/* The value as far as it may be shown: `is "banana"`. */
static void print_actual(struct slice text, struct buffer *why)
{
	if (text.size == 0)
		buffer_append(why, SLICE("is empty"));
	else if (config_is_printable(text))
		buffer_printf(why, "is \"%.*s\"", SLICE_PRINT(text));
	else
		buffer_append(why, SLICE("has a wrong value"));
}

static bool wrong_value(const struct config_key *key, struct slice text, struct buffer *why)
{
	print_actual(text, why);
	buffer_printf(why, "; write %s", value_of(key));
	if (key->type == CONFIG_NUMBER && key->most > 0) {
		buffer_append(why, SLICE(", "));
		print_range(key, why);
	}
	/* a user who writes "forever" or "none" learns how */
	const char *zero = strstr(key->help, "; 0: ");
	if (zero != NULL)
		buffer_append(why, slice_of(zero));
	return false;
}

static bool out_of_range(const struct config_key *key, struct slice text, struct buffer *why)
{
	print_actual(text, why);
	buffer_append(why, SLICE(", out of range; choose "));
	print_range(key, why);
	return false;
}

/* Parses leading digits. Returns how many there are; `number` saturates at UINT64_MAX. */
static size_t read_digits(struct slice text, uint64_t *number)
{
	size_t i = 0;
	*number = 0;
	for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (unsigned)(text.data[i] - '0'), number))
			*number = UINT64_MAX;
	}
	return i;
}

/* Zero needs no unit. */
static const struct unit *find_unit(const struct unit *units, struct slice name, uint64_t number)
{
	for (const struct unit *unit = units; unit->name != NULL; unit++) {
		if (slice_equal(name, slice_of(unit->name)))
			return unit;
	}
	return name.size == 0 && number == 0 ? units : NULL;
}

static bool parse_quantity(const struct config_key *key, struct slice text, uint64_t *number)
{
	size_t digits = read_digits(text, number);
	if (digits == 0)
		return false;
	struct slice name = slice_part(text, digits, text.size);
	const struct unit *unit = find_unit(units_of(key), name, *number);
	if (unit == NULL)
		return false;
	if (__builtin_mul_overflow(*number, unit->factor, number))
		*number = UINT64_MAX;
	return true;
}

static bool read_quantity(const struct config_key *key, struct slice text, uint64_t *number,
			  struct buffer *why)
{
	if (!parse_quantity(key, text, number))
		return wrong_value(key, text, why);
	if (key->most > 0 && (*number < key->least || *number > key->most))
		return out_of_range(key, text, why);
	return true;
}

/* Decimal digits with at most one point, independent of the locale. */
static bool parse_fraction(struct slice text, double *fraction)
{
	uint64_t whole;
	size_t at = read_digits(text, &whole);
	*fraction = (double)whole;
	if (at == 0 || at == text.size)
		return at > 0;
	uint64_t decimals;
	size_t places = read_digits(slice_part(text, at + 1, text.size), &decimals);
	if (text.data[at] != '.' || places == 0 || places > 9 || at + 1 + places < text.size)
		return false;
	double scale = 1;
	for (size_t i = 0; i < places; i++)
		scale *= 10;
	*fraction += (double)decimals / scale;
	return true;
}

static bool read_fraction(const struct config_key *key, struct slice text, double *fraction,
			  struct buffer *why)
{
	if (!parse_fraction(text, fraction))
		return wrong_value(key, text, why);
	if (*fraction < (double)key->least || *fraction > (double)key->most)
		return out_of_range(key, text, why);
	return true;
}

static bool find_word(const struct config_key *key, struct slice text, uint64_t *index)
{
	struct slice words = slice_of(key->words);
	struct slice word;
	for (*index = 0; next_part(&words, '|', &word); (*index)++) {
		if (slice_equal(word, text))
			return true;
	}
	return false;
}

/* A quantity, or one of the key's words: its index. */
static bool read_quantity_or_word(const struct config_key *key, struct slice text, uint64_t *number,
				  struct buffer *why)
{
	if (key->words != NULL && find_word(key, text, number))
		return true;
	if (read_quantity(key, text, number, why))
		return true;
	if (key->words != NULL) {
		buffer_append(why, SLICE("; or "));
		print_words(key, why);
	}
	return false;
}

static bool read_word(const struct config_key *key, struct slice text, uint64_t *index,
		      struct buffer *why)
{
	if (find_word(key, text, index))
		return true;
	print_actual(text, why);
	buffer_append(why, SLICE("; choose "));
	print_words(key, why);
	return false;
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		if (byte < ' ' || byte == 0x7f)
			return true;
	}
	return false;
}

static bool read_text(const struct config_key *key, struct slice text, struct buffer *why)
{
	if (text.size == 0 && key->required) {
		buffer_printf(why, "is empty; the default is %s", key->initial);
		return false;
	}
	if (has_control(text)) {
		buffer_append(why, SLICE("holds a control character; remove it"));
		return false;
	}
	if (text.size == 0)
		return true;
	return key->check == NULL || key->check(text, why);
}

static bool read_list(const struct config_key *key, struct slice text, struct buffer *why)
{
	struct slice rest = text.size == 0 ? (struct slice){0} : text;
	struct slice item;
	for (size_t count = 1; config_next_item(&rest, &item); count++) {
		if (item.size == 0) {
			buffer_append(why, SLICE("has an empty item; remove the comma"));
			return false;
		}
		if (count > CONFIG_MAX_ITEMS) {
			buffer_printf(why, "has more than %d items; write fewer", CONFIG_MAX_ITEMS);
			return false;
		}
		if (!read_text(key, item, why))
			return false;
	}
	return true;
}

bool config_next_item(struct slice *list, struct slice *item)
{
	if (!next_part(list, ',', item))
		return false;
	*item = slice_trim(*item);
	return true;
}

static bool read_zone(struct slice text, uint64_t *zone, struct buffer *why)
{
	if (zone_find(text, zone))
		return true;
	buffer_append(why, SLICE("names no time zone that the system's tzdata has; use an IANA "
				 "name, such as Europe/Berlin"));
	return false;
}

bool config_value_read(const struct config_key *key, struct slice text, struct config_value *value,
		       struct buffer *why)
{
	*value = (struct config_value){.text = text};
	switch (key->type) {
	case CONFIG_TEXT:
		return read_text(key, text, why);
	case CONFIG_LIST:
		return read_list(key, text, why);
	case CONFIG_WORD:
	case CONFIG_SWITCH:
		return read_word(key, text, &value->number, why);
	case CONFIG_FRACTION:
		return read_fraction(key, text, &value->fraction, why);
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		return read_quantity_or_word(key, text, &value->number, why);
	case CONFIG_ZONE:
		return read_zone(text, &value->number, why);
	}
	return false;
}

/* ---- the table, for people ---- */

static void print_key(const struct config_key *key, FILE *out)
{
	struct buffer values;
	buffer_init(&values, 256);
	if (key->type == CONFIG_WORD || key->type == CONFIG_SWITCH)
		print_words(key, &values);
	else
		print_range(key, &values);
	if (key->type == CONFIG_DURATION && key->words != NULL) {
		buffer_append(&values, SLICE(", "));
		print_words(key, &values);
	}
	(void)fprintf(out, "| `%s` | %s%s%s | %.*s | %s |\n", key->name,
		      *key->initial == '\0' ? "" : "`", key->initial,
		      *key->initial == '\0' ? "" : "`", SLICE_PRINT(values), key->help);
	buffer_finish(&values);
}

void config_print_reference(FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (strcmp(section, key->section) != 0) {
			(void)fprintf(out,
				      "%s**[%s]**\n\n| key | default | values | |\n"
				      "| --- | --- | --- | --- |\n",
				      i == 0 ? "" : "\n", key->section);
			section = key->section;
		}
		print_key(key, out);
	}
}
