#include "storage/record/seal_open.h"

#include "storage/files/files.h"
#include "storage/record/exported_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST_EXPORT = 3600 /* s; that of a million users takes about one */ };

static bool refuse(const char *folder, const char *why, char *error, size_t error_size)
{
	(void)snprintf(error, error_size, "the store in %s %s", folder, why);
	return false;
}

/* errno is that of opening the file. */
static void explain(const char *folder, enum key_file_fault fault, char *error, size_t error_size)
{
	switch (fault) {
	case KEY_FILE_MISSING:
		(void)refuse(folder,
			     "is encrypted, but its file \"" KEY_FILE "\" is missing; put it back "
			     "from a copy: without it nothing can be read",
			     error, error_size);
		return;
	case KEY_FILE_NOT_OURS:
		(void)refuse(folder,
			     "has a file \"" KEY_FILE "\" that is damaged or not recalld's; put it "
			     "back from a copy",
			     error, error_size);
		return;
	case KEY_FILE_OTHER_KEY:
		(void)refuse(
			folder,
			"was encrypted with another key; set [storage] key_file or key_command "
			"to that one",
			error, error_size);
		return;
	default:
		(void)snprintf(error, error_size,
			       "cannot read or write the file \"" KEY_FILE "\" in %s: %s", folder,
			       strerror(errno));
	}
}

/* A process that ended while it made the store may have left a file of keys, which serves. */
static struct key_file *open_file(const char *folder, const unsigned char *master,
				  enum seal_state state, bool writes, enum key_file_fault *fault)
{
	struct key_file *file = key_file_open(folder, master, writes, fault);
	if (file != NULL || *fault != KEY_FILE_MISSING || state != SEAL_NEW || !writes)
		return file;
	*fault = key_file_create(folder, master);
	return *fault == KEY_FILE_FINE ? key_file_open(folder, master, true, fault) : NULL;
}

bool seal_open(const char *folder, const unsigned char *master, enum seal_state state, uint64_t id,
	       bool writes, struct seal **seal, char *error, size_t error_size)
{
	enum key_file_fault fault;
	*seal = NULL;
	if (master == NULL && state == SEAL_WHOLE)
		return refuse(folder,
			      "is encrypted; set [storage] encrypt = on, and key_file or "
			      "key_command to its key",
			      error, error_size);
	if (master == NULL || (state == SEAL_NONE && !writes))
		return true;
	if (state == SEAL_NONE)
		return refuse(folder, "is not encrypted", error, error_size);
	errno = 0;
	struct key_file *file = open_file(folder, master, state, writes, &fault);
	if (file == NULL) {
		explain(folder, fault, error, error_size);
		return false;
	}
	*seal = seal_create(file, folder);
	if (state == SEAL_NEW || seal_id(*seal) == id)
		return true;
	seal_destroy(*seal);
	*seal = NULL;
	return refuse(folder,
		      "has the file \"" KEY_FILE
		      "\" of another store; put its own back from a copy",
		      error, error_size);
}

bool seal_rewrap(const char *folder, const unsigned char *from, const unsigned char *to,
		 size_t *users, char *error, size_t error_size)
{
	enum key_file_fault fault;
	if (key_file_rewrap(folder, from, to, users, &fault))
		return true;
	explain(folder, fault, error, error_size);
	return false;
}

bool seal_export(const char *folder, const unsigned char *from, const unsigned char *to, int out,
		 size_t *users, char *error, size_t error_size)
{
	enum key_file_fault fault;
	struct key_file *file = key_file_open(folder, from, false, &fault);
	if (file == NULL) {
		explain(folder, fault, error, error_size);
		return false;
	}
	*users = key_file_count(file);
	/* First, see exported.h; and later than any user who still comes into the export. */
	bool noted = exported_note(folder, time(NULL) + LONGEST_EXPORT);
	bool done = noted && key_file_export(file, to, out);
	if (done)
		(void)exported_note(folder, time(NULL));
	if (!done)
		(void)snprintf(error, error_size, "cannot write %s: %s",
			       noted ? "the keys" : EXPORTED_FILE " in the store's directory",
			       strerror(errno));
	key_file_close(file);
	return done;
}

struct seal *seal_open_exported(const char *path, const unsigned char *key, char *error,
				size_t error_size)
{
	static const char *const faults[] = {
		[KEY_FILE_MISSING] = "it does not exist",
		[KEY_FILE_NOT_OURS] = "it is damaged, or not a file of \"recallctl export-keys\"",
		[KEY_FILE_OTHER_KEY] = "it was wrapped with another key",
	};
	enum key_file_fault fault;
	errno = 0;
	struct key_file *file = key_file_open_path(path, key, &fault);
	if (file != NULL)
		return seal_create(file, NULL);
	(void)snprintf(error, error_size, "cannot read the keys in %s: %s", path,
		       fault == KEY_FILE_UNREADABLE ? strerror(errno) : faults[fault]);
	return NULL;
}

struct key_file *seal_list(const char *folder, char *error, size_t error_size)
{
	enum key_file_fault fault;
	char *path = file_path(folder, KEY_FILE);
	errno = 0;
	struct key_file *file = key_file_open_path(path, NULL, &fault);
	if (file == NULL)
		explain(folder, fault, error, error_size);
	free(path);
	return file;
}
