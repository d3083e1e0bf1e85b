/* store_rotate_key(): wraps the keys of an encrypted store that nobody has open with another key.
 * store_export_keys(): writes them elsewhere, wrapped with another. */
#include "storage/lmdb/lock.h"
#include "storage/lmdb/store_marker.h"
#include "storage/seal/open.h"

#include <stdlib.h>

bool store_rotate_key(const struct store_options *options, const unsigned char *master,
		      size_t *users, char *error, size_t error_size)
{
	const struct complaint complaint = {error, error_size};
	struct store store = {.path = xstrdup(options->path), .lock = -1};
	bool done = store_marker_is_made(store.path)
			    ? lock_take(&store, &complaint) &&
				      seal_rewrap(store.path, options->master, master, users, error,
						  error_size)
			    : complain(&complaint, "there is no store in %s", store.path);
	lock_give_back(&store);
	free(store.path);
	return done;
}

bool store_export_keys(const struct store_options *options, const unsigned char *to, int out,
		       size_t *users, char *error, size_t error_size)
{
	const struct complaint complaint = {error, error_size};
	return store_marker_is_made(options->path)
		       ? seal_export(options->path, options->master, to, out, users, error,
				     error_size)
		       : complain(&complaint, "there is no store in %s", options->path);
}
