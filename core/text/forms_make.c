#include "core/text/lexicon.h"
#include "form_rows.h"

#include <inttypes.h>
#include <libstemmer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 16384, ROWS = sizeof(form_rows) / sizeof(form_rows[0]) };

static struct form_slot slots[SLOTS];

static struct form_slot *slot_of(uint64_t key)
{
	size_t at = (size_t)key & (SLOTS - 1);
	while (slots[at].key != 0 && slots[at].key != key)
		at = (at + 1) & (SLOTS - 1);
	return &slots[at];
}

static struct slice stem_of(struct sb_stemmer *stemmer, struct slice word)
{
	if (stemmer == NULL)
		return word;
	const sb_symbol *stem =
		sb_stemmer_stem(stemmer, (const sb_symbol *)word.data, (int)word.size);
	if (stem == NULL)
		abort();
	return (struct slice){(const char *)stem, (size_t)sb_stemmer_length(stemmer)};
}

/* The first word is the head, unless its stem belongs to an earlier family. */
static void add_family(const char *name, struct sb_stemmer *stemmer, struct slice family)
{
	uint64_t head = 0;
	for (size_t at = 0; at < family.size;) {
		size_t size = 0;
		while (at + size < family.size && family.data[at + size] != ' ')
			size++;
		struct slice stem = stem_of(stemmer, (struct slice){family.data + at, size});
		struct form_slot *slot = slot_of(form_key(name, stem));
		if (head == 0)
			head = slot->key != 0 ? slot->head : word_hash(stem);
		if (slot->key == 0)
			*slot = (struct form_slot){form_key(name, stem), head};
		at += size + 1;
	}
}

static void add_families(const char *name, const char *families)
{
	const bool is_unstemmed = lexicon_is_unstemmed(name);
	struct sb_stemmer *stemmer = is_unstemmed ? NULL : sb_stemmer_new(name, NULL);
	if (stemmer == NULL && !is_unstemmed)
		abort();
	while (*families != '\0') {
		size_t size = strcspn(families, ",");
		add_family(name, stemmer, (struct slice){families, size});
		families += size;
		families += strspn(families, ", ");
	}
	sb_stemmer_delete(stemmer);
}

int main(void)
{
	size_t used = 0;
	for (size_t i = 0; i < ROWS; i++)
		add_families(form_rows[i].stemmer, form_rows[i].families);
	printf("/* Made while building, of the word lists. */\n"
	       "enum { FORM_SLOTS = %d };\n"
	       "static const struct form_slot form_slots[FORM_SLOTS] = {\n",
	       SLOTS);
	for (size_t i = 0; i < SLOTS; i++) {
		used += slots[i].key != 0;
		if (slots[i].key != 0)
			printf("\t[%zu] = {0x%" PRIx64 ", 0x%" PRIx64 "},\n", i, slots[i].key,
			       slots[i].head);
	}
	printf("};\n");
	return fflush(stdout) == 0 && 2 * used < SLOTS ? EXIT_SUCCESS : EXIT_FAILURE;
}
