/* The files of a store's folder. Any thread may call. */
#ifndef RECALLD_STORAGE_FILES_FILES_H
#define RECALLD_STORAGE_FILES_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where the reason goes for which something failed, in one sentence. */
struct complaint {
	char *text;
	size_t size;
};
#define COMPLAINT(array) ((struct complaint){(array), sizeof(array)})

/* Always returns false. */
bool complain(struct complaint complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "folder/name", which the caller frees. */
char *file_path(const char *folder, const char *name);

/* Deletes a folder's file, if it is there. False, with errno set: it was not, or stays. */
bool file_remove(const char *folder, const char *name);
/* Renames a file into another folder, or under another name. False, with errno set: it failed. */
bool file_move(const char *from, const char *name, const char *to, const char *new_name);

/* Writes all bytes from an offset on. False, with errno set: some may not be written. */
bool file_write_at(int file, const void *bytes, size_t size, off_t at);

/* Writes at the descriptor's own position; it may be a pipe. */
bool file_write_on(int file, const void *bytes, size_t size);

/* Writes a file anew, with `write`: it takes the place of the old one once it is whole and on disk.
 * False, with errno set: the old one is as it was. */
bool file_replace(const char *path, mode_t mode, bool (*write)(void *cookie, int file),
		  void *cookie);

/* The name of a new or renamed file is on disk only after this. Some file systems do not support
 * it. */
void file_sync_folder(const char *folder);

#endif
