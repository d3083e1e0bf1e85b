#include "proxy/http/parser.h"

#include <string.h>

enum {
	T = HTTP_TOKEN,
	V = HTTP_VALUE,
	G = HTTP_TARGET,
	H = HTTP_HOST,
};

/* clang-format off */
static const unsigned char classes[256] = {
	['\t'] = V, [' '] = V,
	['!'] = T | V | G | H, ['"'] = V | G, ['#'] = T | V,
	['$' ... '\''] = T | V | G | H, ['(' ... ')'] = V | G | H,
	['*' ... '+'] = T | V | G | H, [','] = V | G | H,
	['-' ... '.'] = T | V | G | H, ['/'] = V | G,
	['0' ... '9'] = T | V | G | H, [':' ... ';'] = V | G | H,
	['<'] = V | G, ['='] = V | G | H, ['>' ... '@'] = V | G,
	['A' ... 'Z'] = T | V | G | H,
	['['] = V | G | H, ['\\'] = V | G, [']'] = V | G | H,
	['^'] = T | V | G, ['_'] = T | V | G | H, ['`'] = T | V | G,
	['a' ... 'z'] = T | V | G | H,
	['{'] = V | G, ['|'] = T | V | G, ['}'] = V | G, ['~'] = T | V | G | H,
	[0x80 ... 0xff] = V,
};
/* clang-format on */

bool http_all(struct slice bytes, enum http_class class)
{
	unsigned common = class;
	for (size_t i = 0; i < bytes.size; i++)
		common &= classes[(unsigned char)bytes.data[i]];
	return common != 0;
}

int http_hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

bool http_refuse(struct http_refusal *refusal, int status, const char *reason)
{
	*refusal = (struct http_refusal){status, reason};
	return false;
}

struct http_field http_field_of_line(struct slice line)
{
	size_t colon = slice_find(line, SLICE(":"), 0);
	size_t value = colon < line.size ? colon + 1 : colon;
	return (struct http_field){slice_part(line, 0, colon),
				   slice_trim(slice_part(line, value, line.size))};
}

bool http_field_is_valid(struct http_field field)
{
	return field.name.size > 0 && http_all(field.name, HTTP_TOKEN) &&
	       http_all(field.value, HTTP_VALUE);
}

struct slice http_field_value(const struct http_field *fields, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(fields[i].name, name))
			return fields[i].value;
	}
	return (struct slice){0};
}

bool http_list_has(struct slice list, struct slice member)
{
	for (size_t begin = 0; begin < list.size;) {
		size_t end = slice_find(list, SLICE(","), begin);
		if (slice_equal_nocase(slice_trim(slice_part(list, begin, end)), member))
			return true;
		begin = end + 1;
	}
	return false;
}

bool http_field_is_hop_by_hop(const struct http_field *fields, size_t count, struct slice name)
{
	static const char *const always[] = {"Connection",
					     "Keep-Alive",
					     "Proxy-Authenticate",
					     "Proxy-Authorization",
					     "Proxy-Connection",
					     "TE",
					     "Trailer",
					     "Transfer-Encoding",
					     "Upgrade",
					     NULL};
	if (slice_is_any_nocase(name, always))
		return true;
	/* A body's framing concerns every recipient: no Connection field may remove it. */
	if (name.size > 8 && slice_equal_nocase(slice_part(name, 0, 8), SLICE("Content-")))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(fields[i].name, SLICE("Connection")) &&
		    http_list_has(fields[i].value, name))
			return true;
	}
	return false;
}

/* ---- percent-encoding ---- */

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
