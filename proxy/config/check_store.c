#include "proxy/config/reader.h"
#include "storage/store.h"

/* Anyone may test a configuration; only the daemon's user need have access to the path. */
static void tell(struct config_reader *reader, struct config_origin origin, enum store_look look,
		 const char *why)
{
	bool is_set = origin.line > 0 || origin.variable != NULL;
	if (look == STORE_LOOK_HELD)
		config_warning_at(reader, origin,
				  "[storage] path: %s; two daemons cannot share a store: stop that "
				  "one, or set another path",
				  why);
	else if (look == STORE_LOOK_DENIED && !is_set)
		config_warning_at(reader, origin,
				  "[storage] path: %s; test as recalld's user, or set another path",
				  why);
	else
		config_fault(reader, origin,
			     "[storage] path: %s; give recalld's user a writable directory, or set "
			     "another path",
			     why);
}

void config_check_store(struct config_reader *reader)
{
	const char *path = reader->config->storage.path;
	struct config_origin origin = reader->origins[config_find(SLICE("storage"), SLICE("path"))];
	char why[512];
	if (origin.broken)
		return;
	/* recalld does not expand ~ as a shell does: it would create a directory with that name. */
	if (path[0] == '~') {
		config_fault(reader, origin,
			     "[storage] path begins with ~, which recalld does not expand; write "
			     "the whole path, or ${HOME}");
		return;
	}
	enum store_look look =
		reader->looks_at_store ? store_look(path, why, sizeof(why)) : STORE_LOOK_FINE;
	if (look != STORE_LOOK_FINE)
		tell(reader, origin, look, why);
}
