/* What programs put beside a fact. */
#include "core/json/json.h"
#include "proxy/portable/forms.h"

#include <stdlib.h>

enum { METADATA_LEVELS = 16 };

struct slice portable_masked(struct portable_reader *reader, struct slice text)
{
	return arena_copy(reader->arena,
			  pii_mask_stored(text, reader->redact, &reader->policy, reader->arena));
}

struct slice portable_label(struct portable_reader *reader, json_t *object, const char *name)
{
	struct slice label = portable_text(reader, object, name);
	return label.size > FACT_LABEL_LIMIT ? (struct slice){0} : label;
}

/* The limit keeps a reader of an export from nesting too deeply in somebody's metadata. */
static bool is_flat_enough(json_t *value, unsigned levels)
{
	const char *name;
	json_t *inner;
	size_t i;
	bool fits = levels > 0 || !(json_is_object(value) || json_is_array(value));
	if (!fits)
		return false;
	json_object_foreach(value, name, inner)
	{
		fits = fits && is_flat_enough(inner, levels - 1);
	}
	json_array_foreach(value, i, inner)
	{
		fits = fits && is_flat_enough(inner, levels - 1);
	}
	return fits;
}

struct slice portable_metadata(json_t *value, const struct pii_policy *policy, bool masks_secrets,
			       struct arena *arena, unsigned *classes)
{
	const bool is_there = json_object_size(value) > 0 && is_flat_enough(value, METADATA_LEVELS);
	char *dump = is_there ? json_dumps(value, JSON_COMPACT) : NULL;
	struct slice text = arena_copy(arena, slice_of(dump));
	struct json_value object;
	free(dump);
	if (classes != NULL)
		*classes |= pii_classes(text);
	if (policy != NULL)
		text = pii_mask_stored(text, masks_secrets, policy, arena);
	/* Masking leaves JSON what it is, unless the datum is a number or a name of two members. */
	return text.size <= FACT_METADATA_LIMIT && json_scan(text, &object) ? text
									    : (struct slice){0};
}
