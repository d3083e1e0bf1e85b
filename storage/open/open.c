/* store_open(): combines the engine, the index and the recovery of what a crash left unfinished. */
#include "storage/index/reindex.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/writer.h"
#include "storage/open/convert.h"

struct store *store_open(const struct store_options *options, char *error, size_t error_size)
{
	struct store *store = engine_open(options, convert_old_format, error, error_size);
	if (store == NULL)
		return NULL;
	if (engine_judge(store, index_renew(store, &options->progress), error, error_size) &&
	    engine_start_writer(store, error, error_size)) {
		forget_resume(store);
		return store;
	}
	store_close(store);
	return NULL;
}
