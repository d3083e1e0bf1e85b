/* Parses the file's lines and the environment's variables. */
#include "proxy/config/reader.h"

#include <string.h>
#include <unistd.h>

enum { MAX_VARIABLE = 128 };

static struct config_origin this_line(const struct config_reader *reader)
{
	return (struct config_origin){.line = reader->line};
}

/* ---- sections ---- */

static void section_fault(struct config_reader *reader, struct slice name)
{
	struct buffer remedy;
	buffer_init(&remedy, CONFIG_MAX_REASON);
	config_suggest_section(name, &remedy);
	if (config_is_printable(name))
		config_fault(reader, this_line(reader), "unknown section [%.*s]; %.*s",
			     SLICE_PRINT(name), SLICE_PRINT(remedy));
	else
		config_fault(reader, this_line(reader), "unknown section; %.*s",
			     SLICE_PRINT(remedy));
	buffer_finish(&remedy);
}

static bool read_selector(struct slice name, enum config_selector *selector)
{
	static const char *const names[] = {
		[SELECT_MODEL] = "model", [SELECT_TENANT] = "tenant", [SELECT_USER] = "user"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_equal(name, slice_of(names[i]))) {
			*selector = (enum config_selector)i;
			return true;
		}
	}
	return false;
}

static const struct config_override *find_override(const struct config *config, const char *section,
						   enum config_selector selector,
						   struct slice pattern)
{
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		if (strcmp(override->section, section) == 0 && override->selector == selector &&
		    slice_equal(slice_of(override->pattern), pattern))
			return override;
	}
	return NULL;
}

static void twice_fault(struct config_reader *reader, unsigned earlier)
{
	config_fault(reader, this_line(reader),
		     "the same section already begins in line %u; merge their keys", earlier);
}

/* Only [memory] knows a request's model. */
static void selector_fault(struct config_reader *reader, const char *section)
{
	const char *of_model = strcmp(section, "memory") == 0 ? "[memory model=GLOB], " : "";
	config_fault(reader, this_line(reader),
		     "the section's selector is not valid; write one of %s[%s tenant=ID], [%s "
		     "user=GLOB]",
		     of_model, section, section);
}

/* Begins [SECTION SELECTOR]. False: it reported a fault. */
static bool begin_override(struct config_reader *reader, const char *section, struct slice text)
{
	size_t equals = slice_find(text, SLICE("="), 0);
	struct slice pattern = {0};
	enum config_selector selector;
	if (equals < text.size)
		pattern = slice_trim(slice_part(text, equals + 1, text.size));
	if (!read_selector(slice_trim(slice_part(text, 0, equals)), &selector) ||
	    pattern.size == 0 || memchr(pattern.data, ' ', pattern.size) != NULL ||
	    memchr(pattern.data, '\t', pattern.size) != NULL ||
	    (selector == SELECT_MODEL && strcmp(section, "memory") != 0)) {
		selector_fault(reader, section);
		return false;
	}
	const struct config_override *earlier =
		find_override(reader->config, section, selector, pattern);
	if (earlier != NULL)
		twice_fault(reader, earlier->line);
	if (reader->config->override_count == CONFIG_MAX_OVERRIDES) {
		config_fault(
			reader, this_line(reader),
			"there are more than %d sections with selectors; merge some with * and ?",
			CONFIG_MAX_OVERRIDES);
		return false;
	}
	reader->override = config_add_override(reader->config, section, selector, pattern);
	reader->override->line = reader->line;
	return true;
}

static bool begin_base(struct config_reader *reader, size_t first, struct slice selector)
{
	if (selector.size > 0) {
		config_fault(reader, this_line(reader),
			     "[%s] takes no selector; [memory], [retention] and [pii] do",
			     config_keys[first].section);
		return false;
	}
	unsigned *seen = &reader->section_lines[first];
	if (*seen > 0)
		twice_fault(reader, *seen);
	*seen = reader->line;
	return true;
}

static void parse_section(struct config_reader *reader, struct slice line)
{
	reader->section = NULL;
	reader->section_seen = true;
	reader->override = NULL;
	if (line.data[line.size - 1] != ']') {
		config_fault(reader, this_line(reader),
			     "a section needs its own line; write [NAME] and nothing after it");
		return;
	}
	struct slice inside = slice_trim(slice_part(line, 1, line.size - 1));
	size_t end = 0;
	while (end < inside.size && inside.data[end] != ' ' && inside.data[end] != '\t')
		end++;
	struct slice name = slice_part(inside, 0, end);
	struct slice selector = slice_trim(slice_part(inside, end, inside.size));
	size_t first = config_first_of(name);
	if (first == CONFIG_NO_KEY) {
		section_fault(reader, name);
		return;
	}
	const char *section = config_keys[first].section;
	bool override = config_takes_selectors(section) && selector.size > 0;
	if (override ? begin_override(reader, section, selector)
		     : begin_base(reader, first, selector))
		reader->section = section;
}

/* ---- keys ---- */

static void refuse(struct config_reader *reader, const struct config_key *key,
		   struct config_origin *origin, const struct buffer *why)
{
	origin->broken = true;
	config_fault(reader, *origin, "[%s] %s %.*s", key->section, key->name, SLICE_PRINT(*why));
}

/* Sets a key to the written value, with ${NAME} replaced. */
static void set_key(struct config_reader *reader, const struct config_key *key,
		    struct config_origin *origin, struct slice written, bool quoted, void *base)
{
	struct config_value value;
	struct buffer expanded;
	struct buffer why;
	buffer_init(&expanded, CONFIG_MAX_LINE);
	buffer_init(&why, CONFIG_MAX_REASON);
	bool fine = config_expand(written, &expanded, &why);
	if (fine) {
		struct slice text = buffer_slice(&expanded);
		fine = config_value_read(key, quoted ? text : slice_trim(text), &value, &why);
	}
	if (fine)
		config_store(key, &value, base);
	else
		refuse(reader, key, origin, &why);
	buffer_finish(&why);
	buffer_finish(&expanded);
}

static void set_from_line(struct config_reader *reader, size_t index, struct slice text)
{
	const struct config_key *key = &config_keys[index];
	struct config_origin here = this_line(reader);
	struct config_origin *origin = &here;
	void *base = NULL;
	if (reader->override != NULL) {
		reader->override->lines[index] = reader->line;
		base = &reader->override->memory;
	} else {
		origin = &reader->origins[index];
		*origin = here;
		base = config_base(reader->config, key);
	}
	struct slice written;
	struct buffer why;
	buffer_init(&why, CONFIG_MAX_REASON);
	bool quoted = slice_starts_with(slice_trim(text), SLICE("\""));
	if (config_read_value(text, &written, &why))
		set_key(reader, key, origin, written, quoted, base);
	else
		refuse(reader, key, origin, &why);
	buffer_finish(&why);
}

static void unknown_key(struct config_reader *reader, struct slice name)
{
	struct buffer remedy;
	buffer_init(&remedy, CONFIG_MAX_REASON);
	config_suggest_key(slice_of(reader->section), name, &remedy);
	if (config_is_printable(name))
		config_fault(reader, this_line(reader), "unknown key \"%.*s\" in [%s]; %.*s",
			     SLICE_PRINT(name), reader->section, SLICE_PRINT(remedy));
	else
		config_fault(reader, this_line(reader), "unknown key in [%s]; %.*s",
			     reader->section, SLICE_PRINT(remedy));
	buffer_finish(&remedy);
}

/* Whether the key may be set at this point. */
static bool admit_key(struct config_reader *reader, size_t index)
{
	const struct config_key *key = &config_keys[index];
	if (reader->override != NULL && !key->reloadable) {
		config_fault(reader, this_line(reader),
			     "%s cannot differ between requests; set it in [%s] without a selector",
			     key->name, key->section);
		return false;
	}
	unsigned earlier = reader->override != NULL ? reader->override->lines[index]
						    : reader->origins[index].line;
	if (earlier > 0)
		config_fault(reader, this_line(reader),
			     "%s is already set in line %u; remove one of the two", key->name,
			     earlier);
	return earlier == 0;
}

static void parse_key(struct config_reader *reader, struct slice line)
{
	struct slice content = config_without_comment(line);
	size_t equals = slice_find(content, SLICE("="), 0);
	if (equals == content.size) {
		config_fault(reader, this_line(reader),
			     "the line is neither a [section] nor \"key = value\"; write one of "
			     "these, or # before a comment");
		return;
	}
	if (!reader->section_seen) {
		config_fault(reader, this_line(reader),
			     "a key precedes the first section; put it after its [section]");
		return;
	}
	/* the section itself is a fault: nothing more to report */
	if (reader->section == NULL)
		return;
	struct slice name = slice_trim(slice_part(line, 0, equals));
	size_t index = config_find(slice_of(reader->section), name);
	if (index == CONFIG_NO_KEY)
		unknown_key(reader, name);
	else if (admit_key(reader, index))
		set_from_line(reader, index, slice_part(line, equals + 1, line.size));
}

/* ---- lines, and the environment ---- */

static void parse_line(struct config_reader *reader, struct slice line)
{
	struct buffer why;
	buffer_init(&why, CONFIG_MAX_REASON);
	if (!config_check_line(line, &why)) {
		config_fault(reader, this_line(reader), "%.*s", SLICE_PRINT(why));
	} else {
		struct slice content = slice_trim(config_without_comment(line));
		if (content.size > 0 && content.data[0] == '[')
			parse_section(reader, content);
		else if (content.size > 0)
			parse_key(reader, line);
	}
	buffer_finish(&why);
}

void config_parse_text(struct config_reader *reader, struct slice text)
{
	static const struct slice byte_order_mark = {"\xef\xbb\xbf", 3};
	size_t begin = slice_starts_with(text, byte_order_mark) ? byte_order_mark.size : 0;
	while (begin < text.size) {
		size_t end = slice_find(text, SLICE("\n"), begin);
		struct slice line = slice_part(text, begin, end);
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		reader->line++;
		parse_line(reader, line);
		begin = end + 1;
	}
}

/* An unknown variable is only a warning: Kubernetes defines some of its own, such as
 * RECALLD_MODEL_SERVICE_HOST for a service called recalld-model. */
static void unknown_variable(struct config_reader *reader, struct slice name, size_t first)
{
	const char *section = config_keys[first].section;
	size_t begin = slice_find(name, SLICE("_"), 0) + 1;
	size_t end = slice_find(name, SLICE("_"), begin);
	if (name.size > MAX_VARIABLE)
		return;
	if (slice_equal_nocase(slice_part(name, begin, end), slice_of(section)))
		config_warning(reader, "%.*s is not a key of [%s]; it has no effect",
			       SLICE_PRINT(name), section);
	else
		config_warning(reader,
			       "%.*s has no effect: no section has this name; did you mean [%s]?",
			       SLICE_PRINT(name), section);
}

void config_parse_environment(struct config_reader *reader)
{
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		struct slice whole = slice_of(*entry);
		size_t equals = slice_find(whole, SLICE("="), 0);
		struct slice name = slice_part(whole, 0, equals);
		size_t index;
		size_t first;
		if (equals == whole.size || !config_find_variable(name, &index, &first))
			continue;
		if (index == CONFIG_NO_KEY) {
			unknown_variable(reader, name, first);
			continue;
		}
		const struct config_key *key = &config_keys[index];
		reader->origins[index] = (struct config_origin){.variable = key};
		set_key(reader, key, &reader->origins[index],
			slice_part(whole, equals + 1, whole.size), false,
			config_base(reader->config, key));
	}
}
