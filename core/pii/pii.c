#include "core/pii/parts.h"

#include <stdlib.h>

static const char *const names[] = {
	[PII_OTHER] = "other",
	[PII_EMAIL] = "email",
	[PII_PHONE] = "phone",
	[PII_IBAN] = "iban",
	[PII_CARD] = "card",
	[PII_NATIONAL_ID] = "national_id",
	[PII_IP] = "ip",
	[PII_MAC] = "mac",
	[PII_GEO] = "geo",
	[PII_BIRTH_DATE] = "birth_date",
	[PII_ADDRESS] = "address",
	[PII_HEALTH] = "health",
	[PII_RELIGION] = "religion",
	[PII_POLITICS] = "politics",
	[PII_SEX_LIFE] = "sex_life",
	[PII_UNION] = "union",
	[PII_BIOMETRIC] = "biometric",
};

const char *pii_name(enum pii_class class)
{
	return names[class];
}

bool pii_read(struct slice name, enum pii_class *class)
{
	for (size_t i = 0; i < PII_CLASSES; i++) {
		if (slice_equal(name, slice_of(names[i]))) {
			*class = (enum pii_class)i;
			return true;
		}
	}
	return false;
}

void pii_print(unsigned classes, struct buffer *json)
{
	const char *comma = "";
	buffer_append_byte(json, '[');
	for (size_t i = 0; i < PII_CLASSES; i++) {
		if ((classes & PII_BIT(i)) == 0)
			continue;
		buffer_printf(json, "%s\"%s\"", comma, names[i]);
		comma = ",";
	}
	buffer_append_byte(json, ']');
}

/* A later match may begin earlier: an address, or a date before the word. */
static int compare_spans(const void *a, const void *b)
{
	const struct pii_span *left = a;
	const struct pii_span *right = b;
	if (left->begin != right->begin)
		return left->begin < right->begin ? -1 : 1;
	return (left->end < right->end) - (left->end > right->end);
}

/* Joins spans that overlap, so that no byte of one stays. Returns their number. */
static size_t join_spans(struct pii_span *spans, size_t count)
{
	size_t kept = 0;
	if (count > 1)
		qsort(spans, count, sizeof(*spans), compare_spans);
	for (size_t i = 0; i < count; i++) {
		struct pii_span *last = kept > 0 ? &spans[kept - 1] : NULL;
		if (last == NULL || spans[i].begin >= last->end)
			spans[kept++] = spans[i];
		else if (spans[i].end > last->end)
			last->end = spans[i].end;
	}
	return kept;
}

/* A span's first and last byte are of characters that stand in the original. */
static void place_spans(const struct pii_plain *plain, struct pii_span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		spans[i].begin = pii_place(plain, spans[i].begin);
		spans[i].end = pii_place(plain, spans[i].end);
	}
}

/* Spans in `spans`; returns their number. */
static size_t find(struct slice text, struct buffer *spans)
{
	struct pii_plain plain;
	pii_plain_init(&plain, text);
	struct pii_scan scan = {.text = plain.text, .spans = spans};
	pii_scan_text(&scan);
	struct pii_span *found = (void *)spans->data;
	size_t count = join_spans(found, spans->size / sizeof(*found));
	place_spans(&plain, found, count);
	pii_plain_finish(&plain);
	return count;
}

const struct pii_span *pii_find(struct slice text, size_t *count, struct arena *arena)
{
	struct buffer spans;
	buffer_init(&spans, SIZE_MAX);
	*count = find(text, &spans);
	struct slice bytes = {spans.data, *count * sizeof(struct pii_span)};
	struct pii_span *kept = arena_alloc(arena, bytes.size + 1);
	if (bytes.size > 0)
		memcpy(kept, bytes.data, bytes.size);
	buffer_finish(&spans);
	return kept;
}

unsigned pii_classes(struct slice text)
{
	struct buffer spans;
	unsigned classes = 0;
	buffer_init(&spans, SIZE_MAX);
	size_t count = find(text, &spans);
	const struct pii_span *found = (const void *)spans.data;
	for (size_t i = 0; i < count; i++)
		classes |= PII_BIT(found[i].class);
	buffer_finish(&spans);
	return classes;
}

struct slice pii_mask(struct slice text, unsigned classes, struct arena *arena, unsigned *found)
{
	struct buffer spans;
	struct buffer out;
	size_t written = 0;
	if (found != NULL)
		*found = 0;
	if ((classes & PII_ALL) == 0 || text.size == 0)
		return text;
	buffer_init(&spans, SIZE_MAX);
	buffer_init(&out, SIZE_MAX);
	size_t count = find(text, &spans);
	const struct pii_span *list = (const void *)spans.data;
	for (size_t i = 0; i < count; i++) {
		if ((classes & PII_BIT(list[i].class)) == 0)
			continue;
		buffer_append(&out, slice_part(text, written, list[i].begin));
		buffer_printf(&out, "[redacted: %s]", names[list[i].class]);
		written = list[i].end;
		if (found != NULL)
			*found |= PII_BIT(list[i].class);
	}
	if (written > 0) {
		buffer_append(&out, slice_part(text, written, text.size));
		text = arena_copy(arena, buffer_slice(&out));
	}
	buffer_finish(&out);
	buffer_finish(&spans);
	return text;
}
