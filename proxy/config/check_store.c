#include "proxy/config/reader.h"
#include "proxy/config/store_key.h"

#include <openssl/crypto.h>

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

static const char variable_warning[] = STORE_KEY_VARIABLE
	" gives the store's key: programs of the same user, and who may look at how this one was "
	"started, can read an environment; [storage] key_file is safer";
static const char vain_variable[] =
	STORE_KEY_VARIABLE " is set, but [storage] encrypt is off: nothing is encrypted";

static void check_key(struct config_reader *reader)
{
	const struct config *config = reader->config;
	const bool has_file = *config->storage.key_file != '\0';
	const bool has_command = *config->storage.key_command != '\0';
	const struct config_origin origin =
		reader->origins[config_find(SLICE("storage"), SLICE("encrypt"))];
	const bool has_variable = store_key_in_environment();
	unsigned char key[STORE_KEY_SIZE];
	struct buffer why;
	if (has_variable)
		config_warning(reader, "%s",
			       config->storage.encrypt ? variable_warning : vain_variable);
	if (origin.broken || !config->storage.encrypt)
		return;
	if (has_file + has_command + has_variable != 1) {
		config_fault(reader, origin,
			     "[storage] encrypt = on needs one key; set key_file or key_command, "
			     "one of the two%s",
			     has_variable ? ", or unset " STORE_KEY_VARIABLE : "");
		return;
	}
	buffer_init(&why, CONFIG_MAX_REASON);
	if (reader->looks_at_store && !has_command && !store_key_read(config, key, &why))
		config_fault(reader, origin, "%.*s", SLICE_PRINT(buffer_slice(&why)));
	OPENSSL_cleanse(key, sizeof(key));
	buffer_finish(&why);
}

void config_check_store(struct config_reader *reader)
{
	const char *path = reader->config->storage.path;
	struct config_origin origin = reader->origins[config_find(SLICE("storage"), SLICE("path"))];
	char why[512];
	check_key(reader);
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
