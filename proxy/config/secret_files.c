/* Keys whose value stands in a file of its own, as systemd's credentials and Kubernetes' secrets
 * come. */
#include "proxy/config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct secret {
	const char *section;
	const char *key;
	const char *file_key;
} secrets[CONFIG_SECRET_FILES] = {
	{"listen", "admin_token", "admin_token_file"},
	{"upstream", "api_key", "api_key_file"},
	{"upstream", "messages_api_key", "messages_api_key_file"},
	{"identity", "secret", "secret_file"},
	{"model", "api_key", "api_key_file"},
};

static const struct config_key *find(const char *section, const char *name)
{
	return &config_keys[config_find(slice_of(section), slice_of(name))];
}

static const char *text_at(const struct config *config, const struct config_key *key)
{
	return *(char *const *)(const void *)((const char *)config + key->offset);
}

const char *config_secret_file(const struct config *config, size_t index)
{
	return text_at(config, find(secrets[index].section, secrets[index].file_key));
}

static bool fail(struct buffer *why, const char *what)
{
	buffer_printf(why, "%s; name a readable file that holds the secret and nothing else", what);
	return false;
}

static bool fail_by_errno(struct buffer *why)
{
	buffer_printf(why, "cannot be read: ");
	return fail(why, strerror(errno));
}

static bool read_bytes(int file, struct buffer *content, struct buffer *why)
{
	char chunk[4096];
	ssize_t size;
	while ((size = read(file, chunk, sizeof(chunk))) > 0) {
		if (!buffer_append(content, (struct slice){chunk, (size_t)size}))
			return fail(why, "is larger than 64K");
	}
	return size == 0 || fail_by_errno(why);
}

/* Does not wait for a pipe's writer: a reload could not read it again. */
static bool read_file(const char *path, struct buffer *content, mode_t *mode, struct buffer *why)
{
	struct stat status = {0};
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return fail_by_errno(why);
	bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
	bool fine = is_file ? read_bytes(file, content, why) : fail(why, "is not a regular file");
	(void)close(file);
	*mode = status.st_mode;
	return fine;
}

/* Editors and echo end a file with a newline. */
static struct slice without_newline(struct slice content)
{
	if (content.size > 0 && content.data[content.size - 1] == '\n')
		content.size--;
	if (content.size > 0 && content.data[content.size - 1] == '\r')
		content.size--;
	return content;
}

static bool check_secret(const struct config_key *key, struct slice secret, struct buffer *why)
{
	if (secret.size == 0)
		return fail(why, "is empty");
	return config_check_line(secret, why) && (key->check == NULL || key->check(secret, why));
}

static void take(struct config_reader *reader, const struct secret *secret,
		 struct config_origin origin, struct slice content)
{
	struct buffer why;
	const struct config_key *key = find(secret->section, secret->key);
	const struct config_value value = {.text = without_newline(content)};
	buffer_init(&why, CONFIG_MAX_REASON);
	if (check_secret(key, value.text, &why))
		config_store(key, &value, reader->config);
	else
		config_fault(reader, origin, "[%s] %s: its content %.*s", secret->section,
			     secret->file_key, SLICE_PRINT(why));
	buffer_finish(&why);
}

static void load(struct config_reader *reader, const struct secret *secret,
		 struct config_origin origin, const char *path)
{
	struct buffer content;
	struct buffer why;
	mode_t mode = 0;
	buffer_init(&content, CONFIG_MAX_LINE);
	buffer_init(&why, CONFIG_MAX_REASON);
	bool fine = read_file(path, &content, &mode, &why);
	if (fine)
		take(reader, secret, origin, buffer_slice(&content));
	else if (reader->warnings != NULL) /* recallctl may not be allowed to read it */
		config_fault(reader, origin, "[%s] %s %.*s", secret->section, secret->file_key,
			     SLICE_PRINT(why));
	if (fine && (mode & S_IROTH) != 0)
		config_warning_at(reader, origin,
				  "[%s] %s can be read by every user of this machine; restrict it, "
				  "for example with chmod o= FILE",
				  secret->section, secret->file_key);
	buffer_finish(&why);
	buffer_finish(&content);
}

void config_read_secret_files(struct config_reader *reader)
{
	for (size_t i = 0; i < CONFIG_SECRET_FILES; i++) {
		const struct secret *secret = &secrets[i];
		const struct config_key *key = find(secret->section, secret->key);
		const char *path = config_secret_file(reader->config, i);
		size_t index = config_find(slice_of(secret->section), slice_of(secret->file_key));
		if (*path == '\0')
			continue;
		if (*text_at(reader->config, key) != '\0')
			config_fault(reader, reader->origins[index],
				     "[%s] %s and %s are both set; remove one of the two",
				     secret->section, secret->key, secret->file_key);
		else
			load(reader, secret, reader->origins[index], path);
	}
}
