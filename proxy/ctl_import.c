#include "proxy/ctl.h"

#include <stdlib.h>
#include <string.h>

/* Messages sent in one call: what is on disk of a large import shows while it goes on. */
enum { MESSAGES_AT_ONCE = 500 };

static int import_slice(struct ctl *ctl, json_t *document, const char *user, size_t first)
{
	json_t *all = json_object_get(document, "messages");
	json_t *messages = json_array();
	for (size_t i = first; i < json_array_size(all) && i < first + MESSAGES_AT_ONCE; i++)
		json_array_append(messages, json_array_get(all, i));
	json_t *body = json_object();
	json_object_set_new(body, "messages", messages);
	if (json_object_get(document, "learn") != NULL)
		json_object_set(body, "learn", json_object_get(document, "learn"));
	char *path = ctl_user_path(ctl, user, "/messages");
	json_t *answer = NULL;
	int status = ctl_call(ctl, "POST", path, body, &answer);
	free(path);
	json_decref(body);
	if (status != 202)
		return ctl_fail(status, answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* One user's messages: {"user":..., "messages":[...], "learn":...}. */
static int import_document(struct ctl *ctl, json_t *document, size_t *imported)
{
	const char *user = ctl_text(document, "user");
	json_t *messages = json_object_get(document, "messages");
	if (user[0] == '\0' || !json_is_array(messages)) {
		(void)fprintf(stderr, "recallctl: each object needs a \"user\" and its "
				      "\"messages\"\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < json_array_size(messages); i += MESSAGES_AT_ONCE) {
		if (import_slice(ctl, document, user, i) != EXIT_SUCCESS)
			return EXIT_FAILURE;
	}
	*imported += json_array_size(messages);
	return EXIT_SUCCESS;
}

static int import_file(struct ctl *ctl, FILE *file)
{
	size_t imported = 0;
	json_error_t error;
	json_t *document;
	/* One object, or one after another as in JSON Lines. */
	while ((document = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL) {
		int status = import_document(ctl, document, &imported);
		json_decref(document);
		if (status != EXIT_SUCCESS)
			return status;
	}
	if (!feof(file) || imported == 0) {
		(void)fprintf(stderr, "recallctl: line %d: %s\n", error.line, error.text);
		return EXIT_FAILURE;
	}
	if (ctl->json)
		return ctl_print_json(json_pack("{s:I}", "imported", (json_int_t)imported));
	(void)printf("imported: %zu messages\n", imported);
	return EXIT_SUCCESS;
}

static int import(struct ctl *ctl)
{
	const char *name = ctl->arguments[0];
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	if (file == NULL) {
		perror(name);
		return EXIT_FAILURE;
	}
	int status = import_file(ctl, file);
	if (file != stdin)
		(void)fclose(file);
	return status;
}

const struct ctl_command ctl_import = {
	"import",
	"FILE",
	"import past turns: {\"user\",\"messages\":[{\"role\",\"content\",\"created_at\","
	"\"session\"}]}, one object or several; -: standard input",
	1,
	1,
	import};
