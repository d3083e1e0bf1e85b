/* Labels that programs put beside a fact. */
#include "core/json/json.h"
#include "proxy/portable/forms.h"

#include <stdlib.h>

enum { METADATA_LEVELS = 16, MOST = 64 << 10 };

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

struct slice portable_metadata(json_t *value, struct arena *arena)
{
	const bool is_there = json_object_size(value) > 0 && is_flat_enough(value, METADATA_LEVELS);
	char *dump = is_there ? json_dumps(value, JSON_COMPACT) : NULL;
	/* The intake keeps nothing of what is too long. */
	const struct slice whole = slice_of(dump);
	struct slice text =
		arena_copy(arena, slice_part(whole, 0, whole.size < MOST ? whole.size : MOST));
	free(dump);
	return text;
}
