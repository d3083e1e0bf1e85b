#include "core/dialect/dialect.h"

static const struct dialect *const dialects[] = {&dialect_chat};

const struct dialect *dialect_of(struct slice method, struct slice path)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (dialects[i]->takes(method, path))
			return dialects[i];
	}
	return NULL;
}
