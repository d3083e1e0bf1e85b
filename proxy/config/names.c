/* Names in the configuration: sections, keys, their environment variables, suggestions for misspelt
 * ones, and the faults and warnings that name them. */
#include "proxy/config/reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { MAX_NAME = 24 };

static const char variable_prefix[] = "RECALLD_";

bool config_is_printable(struct slice name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		if (!isalnum((unsigned char)c) && strchr("_.-", c) == NULL)
			return false;
	}
	return name.size > 0 && name.size <= MAX_NAME;
}

size_t config_first_of(struct slice section)
{
	for (size_t i = 0; i < config_key_count; i++) {
		if (slice_equal(section, slice_of(config_keys[i].section)))
			return i;
	}
	return CONFIG_NO_KEY;
}

size_t config_find(struct slice section, struct slice name)
{
	for (size_t i = 0; i < config_key_count; i++) {
		if (slice_equal(section, slice_of(config_keys[i].section)) &&
		    slice_equal(name, slice_of(config_keys[i].name)))
			return i;
	}
	return CONFIG_NO_KEY;
}

/* A variable's name has no dots. */
static int upper(char c)
{
	return c == '.' ? '_' : toupper((unsigned char)c);
}

static void print_upper(const char *name, FILE *out)
{
	for (; *name != '\0'; name++)
		(void)fputc(upper(*name), out);
}

/* Prints "RECALLD_MEMORY_MODE". */
static void print_variable(const struct config_key *key, FILE *out)
{
	(void)fputs(variable_prefix, out);
	print_upper(key->section, out);
	(void)fputc('_', out);
	print_upper(key->name, out);
}

/* Whether `written` is `name` in upper case. */
static bool is_upper_of(struct slice written, const char *name)
{
	for (size_t i = 0; i < written.size; i++) {
		if (name[i] == '\0' || written.data[i] != upper(name[i]))
			return false;
	}
	return name[written.size] == '\0';
}

/* Levenshtein distance, ignoring case. Both names have at most MAX_NAME letters. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t row[MAX_NAME + 1];
	for (size_t j = 0; j <= b.size; j++)
		row[j] = j;
	for (size_t i = 0; i < a.size; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.size; j++) {
			bool same = tolower((unsigned char)a.data[i]) ==
				    tolower((unsigned char)b.data[j]);
			size_t changed = diagonal + (same ? 0 : 1);
			diagonal = row[j + 1];
			row[j + 1] = size_min(changed, size_min(row[j], row[j + 1]) + 1);
		}
	}
	return row[b.size];
}

/* Whether the candidate is close enough to be meant and closer than `nearest`, which it then
 * replaces. */
static bool is_nearer(struct slice name, const char *candidate, size_t *nearest)
{
	if (!config_is_printable(name))
		return false;
	size_t distance = edit_distance(name, slice_of(candidate));
	if (distance > name.size / 3 + 1 || distance >= *nearest)
		return false;
	*nearest = distance;
	return true;
}

static bool begins_section(size_t key)
{
	return key == 0 || strcmp(config_keys[key - 1].section, config_keys[key].section) != 0;
}

/* The first key of the section that was probably meant, or CONFIG_NO_KEY. */
static size_t nearest_section(struct slice name)
{
	size_t meant = CONFIG_NO_KEY;
	size_t nearest = SIZE_MAX;
	for (size_t i = 0; i < config_key_count; i++) {
		if (begins_section(i) && is_nearer(name, config_keys[i].section, &nearest))
			meant = i;
	}
	return meant;
}

bool config_find_variable(struct slice variable, size_t *key, size_t *first_of_section)
{
	struct slice prefix = slice_of(variable_prefix);
	if (!slice_starts_with(variable, prefix))
		return false;
	size_t end = slice_find(variable, SLICE("_"), prefix.size);
	if (end == variable.size)
		return false;
	struct slice section = slice_part(variable, prefix.size, end);
	struct slice name = slice_part(variable, end + 1, variable.size);
	*key = CONFIG_NO_KEY;
	*first_of_section = CONFIG_NO_KEY;
	for (size_t i = config_key_count; i-- > 0;) {
		if (!is_upper_of(section, config_keys[i].section))
			continue;
		*first_of_section = i;
		if (is_upper_of(name, config_keys[i].name))
			*key = i;
	}
	if (*first_of_section == CONFIG_NO_KEY)
		*first_of_section = nearest_section(section);
	return *first_of_section != CONFIG_NO_KEY;
}

void config_suggest_section(struct slice name, struct buffer *out)
{
	size_t meant = nearest_section(name);
	if (meant != CONFIG_NO_KEY) {
		buffer_printf(out, "did you mean [%s]?", config_keys[meant].section);
		return;
	}
	buffer_append(out, SLICE("there are"));
	for (size_t i = 0; i < config_key_count; i++) {
		if (begins_section(i))
			buffer_printf(out, "%s [%s]", i == 0 ? "" : ",", config_keys[i].section);
	}
}

static const char *section_that_has(struct slice name)
{
	for (size_t i = 0; i < config_key_count; i++) {
		if (slice_equal(name, slice_of(config_keys[i].name)))
			return config_keys[i].section;
	}
	return NULL;
}

void config_suggest_key(struct slice section, struct slice name, struct buffer *out)
{
	size_t first = config_first_of(section);
	const char *meant = NULL;
	size_t nearest = SIZE_MAX;
	for (size_t i = first; i < config_key_count && (i == first || !begins_section(i)); i++) {
		if (is_nearer(name, config_keys[i].name, &nearest))
			meant = config_keys[i].name;
	}
	const char *elsewhere = section_that_has(name);
	if (elsewhere != NULL) {
		buffer_printf(out, "it belongs to [%s]", elsewhere);
	} else if (meant != NULL) {
		buffer_printf(out, "did you mean \"%s\"?", meant);
	} else {
		buffer_append(out, SLICE("there are"));
		for (size_t i = first; i < config_key_count && (i == first || !begins_section(i));
		     i++)
			buffer_printf(out, "%s %s", i == first ? "" : ",", config_keys[i].name);
	}
}

/* ---- messages ---- */

static void print_origin(const struct config_reader *reader, struct config_origin origin, FILE *out)
{
	if (origin.variable != NULL)
		print_variable(origin.variable, out);
	else
		(void)fputs(reader->name, out);
	if (origin.line > 0)
		(void)fprintf(out, ":%u", origin.line);
	(void)fputs(": ", out);
}

void config_fault(struct config_reader *reader, struct config_origin origin, const char *format,
		  ...)
{
	reader->fault_count++;
	if (reader->fault_count == CONFIG_MAX_FAULTS + 1)
		(void)fprintf(reader->faults, "%s: there are more faults; fix these first\n",
			      reader->name);
	if (reader->fault_count > CONFIG_MAX_FAULTS)
		return;
	print_origin(reader, origin, reader->faults);
	va_list arguments;
	va_start(arguments, format);
	(void)vfprintf(reader->faults, format, arguments);
	va_end(arguments);
	(void)fputc('\n', reader->faults);
}

static void warn(struct config_reader *reader, struct config_origin origin, const char *word,
		 const char *format, va_list arguments)
{
	if (reader->warnings == NULL)
		return;
	print_origin(reader, origin, reader->warnings);
	(void)fputs(word, reader->warnings);
	(void)vfprintf(reader->warnings, format, arguments);
	(void)fputc('\n', reader->warnings);
}

void config_warning(struct config_reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, (struct config_origin){0}, "warning: ", format, arguments);
	va_end(arguments);
}

void config_note(struct config_reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, (struct config_origin){0}, "note: ", format, arguments);
	va_end(arguments);
}

void config_warning_at(struct config_reader *reader, struct config_origin origin,
		       const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	warn(reader, origin, "warning: ", format, arguments);
	va_end(arguments);
}
