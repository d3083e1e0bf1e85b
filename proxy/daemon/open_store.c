#include "proxy/daemon/open_store.h"

#include "proxy/config/store_key.h"
#include "proxy/daemon/store_watch.h"
#include "proxy/runtime/loop.h"

#include <openssl/crypto.h>

static bool read_key(const struct config *config, unsigned char key[STORE_KEY_SIZE], char *error,
		     size_t error_size)
{
	struct buffer why;
	buffer_init(&why, SIZE_MAX);
	bool fine = store_key_read(config, key, &why);
	if (!fine)
		(void)snprintf(error, error_size, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	buffer_finish(&why);
	return fine;
}

struct store *open_store(const struct config *config, char *error, size_t error_size)
{
	unsigned char key[STORE_KEY_SIZE];
	const bool encrypts = config->storage.encrypt;
	struct indexing_watch indexing = indexing_watch_begin();
	struct indexing_watch converting = indexing_watch_begin();
	if (encrypts && !read_key(config, key, error, error_size))
		return NULL;
	const struct store_options options = {
		.progress = {indexing_watch_tell, &indexing},
		.converting = {conversion_watch_tell, &converting},
		.path = config->storage.path,
		.map_size = config->storage.map_size,
		.receipts = config->memory.receipts,
		.scrubs = config->storage.scrub == CONFIG_SCRUB_START,
		.erased_since = clock_wall() - (int64_t)config->storage.erasure_list,
		.master = encrypts ? key : NULL,
	};
	struct store *store = store_open(&options, error, error_size);
	OPENSSL_cleanse(key, sizeof(key));
	if (store != NULL)
		store_watch_tell_of_opening(store, options.path);
	return store;
}
