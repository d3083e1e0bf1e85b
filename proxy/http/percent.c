#include "proxy/http/percent.h"

#include "proxy/http/grammar.h"

#include <string.h>

bool percent_decode(struct slice text, struct slice *decoded, struct arena *arena)
{
	*decoded = text;
	if (slice_find(text, SLICE("%"), 0) == text.size)
		return true;
	char *out = arena_alloc(arena, text.size);
	size_t size = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '%') {
			out[size++] = text.data[i];
			continue;
		}
		int high = i + 2 < text.size ? http_hex_digit(text.data[i + 1]) : -1;
		int low = i + 2 < text.size ? http_hex_digit(text.data[i + 2]) : -1;
		if (high < 0 || low < 0) {
			*decoded = (struct slice){0};
			return false;
		}
		out[size++] = (char)(high * 16 + low);
		i += 2;
	}
	*decoded = (struct slice){out, size};
	return true;
}

void percent_encode(struct buffer *out, struct slice text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];
		if (byte != '\0' && strchr(unreserved, byte) != NULL)
			buffer_append_byte(out, byte);
		else
			buffer_printf(out, "%%%02X", (unsigned)(unsigned char)byte);
	}
}
