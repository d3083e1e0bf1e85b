/* Prints the table of all keys, which keys_make.py makes from keys.txt: everything that can be
 * configured, and all that the program knows about each key. */
#include "proxy/config/reader.h"

#include <string.h>

static void print_key(const struct config_key *key, FILE *out)
{
	struct buffer values;
	buffer_init(&values, 256);
	if (key->type == CONFIG_WORD || key->type == CONFIG_SWITCH)
		config_print_words(key, &values);
	else
		config_print_range(key, &values);
	if (key->type == CONFIG_DURATION && key->words != NULL) {
		buffer_append(&values, SLICE(", "));
		config_print_words(key, &values);
	}
	(void)fprintf(out, "| `%s` | %s%s%s | %.*s | %s |\n", key->name,
		      *key->initial == '\0' ? "" : "`", key->initial,
		      *key->initial == '\0' ? "" : "`", SLICE_PRINT(values), key->help);
	buffer_finish(&values);
}

void config_print_reference(FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (strcmp(section, key->section) != 0) {
			(void)fprintf(out,
				      "%s**[%s]**\n\n| key | default | values | |\n"
				      "| --- | --- | --- | --- |\n",
				      i == 0 ? "" : "\n", key->section);
			section = key->section;
		}
		print_key(key, out);
	}
}
