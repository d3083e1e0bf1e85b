#include "proxy/admin_token.h"

#include <openssl/crypto.h>

bool admin_token_is_borne(const struct config *config, const struct http_head *head)
{
	struct slice token = slice_of(config->listen.admin_token);
	struct slice given =
		http_field_value(head->fields, head->field_count, SLICE("Authorization"));
	size_t space = slice_find(given, SLICE(" "), 0);
	struct slice scheme = slice_part(given, 0, space);
	if (!slice_equal_nocase(scheme, SLICE("Bearer")) &&
	    !slice_equal_nocase(scheme, SLICE("Token")))
		return false;
	given = slice_trim(slice_part(given, space, given.size));
	return token.size > 0 && given.size == token.size &&
	       CRYPTO_memcmp(given.data, token.data, token.size) == 0;
}
