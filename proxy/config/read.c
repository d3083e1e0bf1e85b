/* Reads the configuration: defaults, the file, the environment, then the checks, into a snapshot.
 */
#include "proxy/config/reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

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
	config_parse_text(&reader, text);
	config_parse_environment(&reader);
	drop_slashes(config->upstream.base_url);
	drop_slashes(config->upstream.messages_base_url);
	drop_slashes(config->upstream.proxy);
	drop_slashes(config->model.base_url);
	config_read_secret_files(&reader);
	config_check(&reader);
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
