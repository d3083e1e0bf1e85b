/* Parses the file's lines and the environment's variables. */
#include "core/text/text.h"
#include "proxy/config/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines of the configuration file: comments, quotes and ${NAME}. */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line without its comment: from a ; or # at its start or after white space. */
static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.size; i++) {
		bool mark = line.data[i] == ';' || line.data[i] == '#';
		if (mark && (i == 0 || is_blank(line.data[i - 1])))
			return slice_part(line, 0, i);
	}
	return line;
}

static bool read_quoted(struct slice text, struct slice *value, struct buffer *why)
{
	size_t end = slice_find(text, SLICE("\""), 1);
	if (end == text.size) {
		buffer_append(why, SLICE("has no closing quote; put one after the value"));
		return false;
	}
	struct slice rest = slice_trim(slice_part(text, end + 1, text.size));
	if (without_comment(rest).size > 0) {
		buffer_append(why, SLICE("continues after its closing quote; put the whole value "
					 "inside the quotes"));
		return false;
	}
	*value = slice_part(text, 1, end);
	return true;
}

/* Extracts the value after "=", without comment, quotes and surrounding white space. */
static bool read_value(struct slice text, struct slice *value, struct buffer *why)
{
	struct slice trimmed = slice_trim(text);
	if (trimmed.size > 0 && trimmed.data[0] == '"')
		return read_quoted(trimmed, value, why);
	*value = slice_trim(without_comment(text));
	return true;
}

static bool is_variable_name(struct slice name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return name.size > 0 && name.size < 256;
}

/* Replaces the ${NAME} at the start of `text` and advances `text` past it. */
static bool expand_one(struct slice *text, struct buffer *out, struct buffer *why)
{
	size_t end = slice_find(*text, SLICE("}"), 0);
	struct slice name = slice_part(*text, 2, end == text->size ? 2 : end);
	if (!is_variable_name(name)) {
		buffer_append(why, SLICE("has a ${ without a variable name and a }; write ${NAME}, "
					 "or $${ for a literal ${"));
		return false;
	}
	char terminated[256];
	memcpy(terminated, name.data, name.size);
	terminated[name.size] = '\0';
	const char *content = getenv(terminated);
	if (content == NULL) {
		buffer_printf(why,
			      "needs the environment variable %s, which is not set; set it, or "
			      "write $${ for a literal ${",
			      terminated);
		return false;
	}
	buffer_append(out, slice_of(content));
	*text = slice_part(*text, end + 1, text->size);
	return true;
}

/* Appends the text with ${NAME} replaced from the environment. */
static bool expand(struct slice text, struct buffer *out, struct buffer *why)
{
	while (text.size > 0) {
		if (slice_starts_with(text, SLICE("$${"))) {
			buffer_append(out, SLICE("${"));
			text = slice_part(text, 3, text.size);
		} else if (slice_starts_with(text, SLICE("${"))) {
			if (!expand_one(&text, out, why))
				return false;
		} else {
			buffer_append_byte(out, text.data[0]);
			text = slice_part(text, 1, text.size);
		}
	}
	if (!out->overflowed && text_is_utf8(buffer_slice(out)))
		return true;
	buffer_printf(why, "is %s; shorten or fix the value that it takes from the environment",
		      out->overflowed ? "longer than 64K" : "not UTF-8");
	return false;
}

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
	bool fine = expand(written, &expanded, &why);
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
	if (read_value(text, &written, &why))
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
	struct slice content = without_comment(line);
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
		struct slice content = slice_trim(without_comment(line));
		if (content.size > 0 && content.data[0] == '[')
			parse_section(reader, content);
		else if (content.size > 0)
			parse_key(reader, line);
	}
	buffer_finish(&why);
}

static void parse_text(struct config_reader *reader, struct slice text)
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

/* The variables' values replace the file's. */
static void parse_environment(struct config_reader *reader)
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

/* ---- the whole: defaults, the file, the environment, then the rules ---- */

static void set_defaults(struct config *config)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		struct config_value value;
		struct buffer why;
		buffer_init(&why, CONFIG_MAX_REASON);
		bool fine = config_value_read(key, slice_of(key->initial), &value, &why);
		assert(fine && "a default is a valid value");
		(void)fine;
		config_store(key, &value, config_base(config, key));
		buffer_finish(&why);
	}
}

static void drop_slashes(char *url)
{
	size_t size = strlen(url);
	while (size > 0 && url[size - 1] == '/')
		url[--size] = '\0';
}

static struct config *read_text(const char *name, struct slice text, FILE *faults, FILE *warnings,
				bool looks_at_store)
{
	struct config *config = xcalloc(1, sizeof(*config));
	config_retain(config);
	set_defaults(config);
	struct config_reader reader = {
		.name = name,
		.faults = faults,
		.warnings = warnings,
		.looks_at_store = looks_at_store,
		.config = config,
	};
	parse_text(&reader, text);
	parse_environment(&reader);
	drop_slashes(config->upstream.base_url);
	drop_slashes(config->upstream.messages_base_url);
	drop_slashes(config->upstream.proxy);
	drop_slashes(config->model.base_url);
	config_read_secret_files(&reader);
	config_apply_rules(&reader);
	if (reader.fault_count == 0)
		return config;
	config_release(config);
	return NULL;
}

struct config *config_read_text(const char *name, struct slice text, FILE *faults, FILE *warnings)
{
	return read_text(name, text, faults, warnings, false);
}

/* False: errno says why; 0 means the file is too large. */
static bool read_file(const char *path, struct buffer *text)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	char chunk[8192];
	size_t size;
	bool fits = true;
	while (fits && (size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		fits = buffer_append(text, (struct slice){chunk, size});
	int reason = ferror(file) ? errno : 0;
	(void)fclose(file);
	errno = reason;
	return fits && reason == 0;
}

static struct config *read_config(const char *file, FILE *faults, FILE *warnings,
				  bool looks_at_store)
{
	if (file == NULL)
		return read_text("(no file)", (struct slice){0}, faults, warnings, looks_at_store);
	struct config *config = NULL;
	struct buffer text;
	buffer_init(&text, CONFIG_MAX_FILE);
	if (read_file(file, &text))
		config = read_text(file, buffer_slice(&text), faults, warnings, looks_at_store);
	else
		(void)fprintf(faults,
			      "%s: cannot be read: %s; name a readable file of at most 1M\n", file,
			      errno == 0 ? "it is too large" : strerror(errno));
	buffer_finish(&text);
	return config;
}

struct config *config_read(const char *file, FILE *faults, FILE *warnings)
{
	return read_config(file, faults, warnings, false);
}

struct config *config_test(const char *file, FILE *out)
{
	return read_config(file, out, out, true);
}
