#include "proxy/config/store_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LIMIT = 4096, COMMAND_MS = 10 * 1000, SECOND_MS = 1000, MS_NS = 1000000 };

static bool fail(struct buffer *why, const char *what, const char *remedy)
{
	buffer_printf(why, "%s; %s", what, remedy);
	return false;
}

/* OpenSSL keeps keys in memory of its own, and beside them lie the texts that they open: the kernel
 * then writes no core of this process or its children, and other programs of the same user may not
 * look into its memory. */
static void keep_memory_private(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

/* ---- its text ---- */

static const char needed[] = "it must be 32 random bytes, raw or in base64, such as \"openssl rand "
			     "-base64 32\" prints";

static bool decode(struct slice text, unsigned char key[STORE_KEY_SIZE])
{
	enum { ENCODED = 44, DECODED = 33 };
	unsigned char bytes[DECODED];
	text = slice_trim(text);
	if (text.size != ENCODED || text.data[ENCODED - 1] != '=' ||
	    text.data[ENCODED - 2] == '=' ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text.data, ENCODED) != DECODED)
		return false;
	memcpy(key, bytes, STORE_KEY_SIZE);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

static bool take(struct slice text, unsigned char key[STORE_KEY_SIZE], struct buffer *why)
{
	if (text.size == STORE_KEY_SIZE) {
		memcpy(key, text.data, STORE_KEY_SIZE);
		return true;
	}
	return decode(text, key) || fail(why, "holds no key", needed);
}

/* ---- a file ---- */

bool store_key_read_file(const char *path, unsigned char key[STORE_KEY_SIZE], struct buffer *why)
{
	char text[TEXT_LIMIT];
	struct stat status;
	keep_memory_private();
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return fail(why, strerror(errno), "name a file that recalld's user may read");
	ssize_t size = -1;
	bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
	bool is_private = is_file && (status.st_mode & S_IRWXO) == 0;
	if (is_private)
		size = read(file, text, sizeof(text));
	(void)close(file);
	if (!is_file)
		return fail(why, "is not a regular file", "name the file that holds the key");
	if (!is_private)
		return fail(why, "is open to every user of this machine",
			    "restrict it with chmod 0400 FILE");
	bool taken = take((struct slice){text, size < 0 ? 0 : (size_t)size}, key, why);
	OPENSSL_cleanse(text, sizeof(text));
	return taken;
}

/* ---- a command ---- */

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / MS_NS;
}

/* A group of its own, so that a command that hangs ends with all that it started. */
_Noreturn static void be_command(const char *command, int out)
{
	(void)setpgid(0, 0);
	(void)dup2(out, STDOUT_FILENO);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(EXIT_FAILURE);
}

/* Returns what was read until the end; -1: it took too long or was too much. */
static ssize_t read_until(int from, char *text, size_t size, int64_t until)
{
	size_t have = 0;
	struct pollfd wait = {.fd = from, .events = POLLIN};
	for (;;) {
		int64_t left = until - now_ms();
		if (left <= 0 || have == size || poll(&wait, 1, (int)left) == 0)
			return -1;
		ssize_t part = read(from, text + have, size - have);
		if (part == 0)
			return (ssize_t)have;
		if (part > 0)
			have += (size_t)part;
		else if (errno != EINTR && errno != EAGAIN)
			return -1;
	}
}

static bool ends_well(pid_t child, bool is_over)
{
	int status;
	if (!is_over)
		(void)kill(-child, SIGKILL);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return is_over && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run_command(const char *command, unsigned char key[STORE_KEY_SIZE], struct buffer *why)
{
	static const char remedy[] = "it must print the key and end with status 0 within 10 s";
	char text[TEXT_LIMIT];
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(why, strerror(errno), remedy);
	pid_t child = fork();
	if (child == 0)
		be_command(command, ends[1]);
	if (child > 0)
		(void)setpgid(child, child); /* whichever of the two comes first */
	(void)close(ends[1]);
	ssize_t size =
		child < 0 ? -1 : read_until(ends[0], text, sizeof(text), now_ms() + COMMAND_MS);
	(void)close(ends[0]);
	bool fine = child > 0 && ends_well(child, size >= 0);
	bool taken = fine ? take((struct slice){text, (size_t)size}, key, why)
			  : fail(why, "failed", remedy);
	OPENSSL_cleanse(text, sizeof(text));
	return taken;
}

/* ---- the environment ---- */

/* The process's environment is one, and is read once. */
static struct {
	bool is_given;
	bool is_sound; /* and has not been read yet */
	unsigned char key[STORE_KEY_SIZE];
} environment;

void store_key_take_environment(void)
{
	const struct slice name = SLICE(STORE_KEY_VARIABLE "=");
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (!slice_starts_with(slice_of(*entry), name))
			continue;
		char *value = *entry + name.size;
		if (!environment.is_given)
			environment.is_sound = decode(slice_of(value), environment.key);
		environment.is_given = true;
		OPENSSL_cleanse(value, strlen(value));
	}
	(void)unsetenv(STORE_KEY_VARIABLE);
}

bool store_key_in_environment(void)
{
	return environment.is_given;
}

static bool read_environment(unsigned char key[STORE_KEY_SIZE], struct buffer *why)
{
	if (!environment.is_sound)
		return fail(why, STORE_KEY_VARIABLE " holds no key",
			    "it must be 32 random bytes in base64, such as \"openssl rand -base64 "
			    "32\" prints");
	memcpy(key, environment.key, STORE_KEY_SIZE);
	OPENSSL_cleanse(environment.key, STORE_KEY_SIZE);
	environment.is_sound = false;
	return true;
}

bool store_key_read(const struct config *config, unsigned char key[STORE_KEY_SIZE],
		    struct buffer *why)
{
	keep_memory_private();
	if (store_key_in_environment())
		return read_environment(key, why);
	if (*config->storage.key_file == '\0') {
		buffer_append(why, SLICE("[storage] key_command "));
		return run_command(config->storage.key_command, key, why);
	}
	buffer_append(why, SLICE("[storage] key_file "));
	return store_key_read_file(config->storage.key_file, key, why);
}
