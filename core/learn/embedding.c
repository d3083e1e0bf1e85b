#include "core/learn/embedding.h"

#include "core/json/json.h"
#include "core/recall/recall.h"

#include <stdlib.h>
#include <string.h>

void embedding_write_request(struct buffer *out, struct slice model, const struct slice *texts,
			     size_t count)
{
	buffer_append(out, SLICE("{\"model\":"));
	json_quote(out, model);
	buffer_append(out, SLICE(",\"input\":["));
	for (size_t i = 0; i < count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		json_quote(out, texts[i]);
	}
	buffer_append(out, SLICE("]}"));
}

/* ---- the numbers of one embedding ---- */

/* One more than is allowed, to tell too many from none. */
enum { VALUES_ROOM = VECTOR_MAX_DIMENSIONS + 1 };

static size_t read_array(struct slice answer, struct json_value array, float *values)
{
	size_t count = 0;
	struct json_walk walk = json_walk(answer, array);
	while (count < VALUES_ROOM && json_next(&walk)) {
		if (walk.value.type != JSON_TYPE_NUMBER)
			return 0;
		/* strtof() stops at the comma or bracket. */
		values[count++] = strtof(answer.data + walk.value.begin, NULL);
	}
	return count;
}

static int base64_digit(char digit)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
	return found != NULL ? (int)(found - digits) : -1;
}

/* RFC 4648, section 4, of IEEE 754 binary32 floats; the padding may be missing. */
static size_t read_base64(struct slice text, float *values)
{
	size_t count = 0;
	uint64_t bits = 0; /* the newest bits are lowest */
	unsigned held = 0, bytes = 0;
	uint32_t number = 0;
	while (text.size > 0 && text.data[text.size - 1] == '=')
		text.size--;
	for (size_t i = 0; i < text.size && count < VALUES_ROOM; i++) {
		int digit = base64_digit(text.data[i]);
		if (digit < 0)
			return 0;
		bits = bits << 6 | (unsigned)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		number |= (uint32_t)(bits >> held & 0xff) << 8 * bytes++;
		if (bytes == sizeof(number)) {
			memcpy(&values[count++], &number, sizeof(number));
			bytes = 0;
			number = 0;
		}
	}
	return bytes == 0 ? count : 0;
}

static size_t read_values(struct slice answer, struct json_value embedding, float *values,
			  struct arena *arena)
{
	if (embedding.type == JSON_TYPE_ARRAY)
		return read_array(answer, embedding, values);
	if (embedding.type == JSON_TYPE_STRING)
		return read_base64(json_string_text(answer, embedding, arena), values);
	return 0;
}

/* ---- the answer ---- */

/* Puts each entry of `data` in its text's place. False: there is not exactly one for each text. */
static bool place_entries(struct slice answer, struct json_value data, size_t count, bool by_index,
			  struct json_value *entries)
{
	size_t placed = 0;
	memset(entries, 0, count * sizeof(*entries));
	struct json_walk walk = json_walk(answer, data);
	for (; json_next(&walk); placed++) {
		int64_t at = (int64_t)placed;
		if (by_index &&
		    !json_read_integer(answer, json_member(answer, walk.value, "index"), &at))
			return false;
		bool is_taken = at < 0 || (size_t)at >= count || entries[at].end != 0;
		if (is_taken)
			return false;
		entries[at] = walk.value;
	}
	return placed == count;
}

/* False: it has other dimensions than the rest, or too many. */
static bool take_vector(const float *values, size_t size, const int8_t **vector, size_t *dimensions,
			struct arena *arena)
{
	*vector = NULL;
	if (size == 0)
		return true;
	if (size > VECTOR_MAX_DIMENSIONS || (*dimensions != 0 && size != *dimensions))
		return false;
	int8_t *quantized = (int8_t *)arena_bytes(arena, size);
	if (vector_quantize(values, size, quantized)) {
		*vector = quantized;
		*dimensions = size;
	}
	return true;
}

bool embedding_read(struct slice answer, size_t count, const int8_t **vectors, size_t *dimensions,
		    struct arena *arena)
{
	float values[VALUES_ROOM];
	struct json_value whole;
	*dimensions = 0;
	if (!json_scan(answer, &whole))
		return false;
	struct json_value data = json_member(answer, whole, "data");
	struct json_value *entries = arena_alloc(arena, count * sizeof(*entries));
	if (data.type != JSON_TYPE_ARRAY || (!place_entries(answer, data, count, true, entries) &&
					     !place_entries(answer, data, count, false, entries)))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct json_value embedding = json_member(answer, entries[i], "embedding");
		size_t size = read_values(answer, embedding, values, arena);
		if (!take_vector(values, size, &vectors[i], dimensions, arena))
			return false;
	}
	return true;
}
