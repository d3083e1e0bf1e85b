/* Finds personal data without a model: what has a format (e-mail addresses, networks' addresses), a
 * check digit (accounts, cards, national numbers), or a word beside it (telephone numbers, dates of
 * birth, street addresses).
 *
 * One pass over the text, with a bounded look back and ahead at each place, so the time is linear
 * in its size. Invisible characters hide nothing, and digits of other scripts count as digits. */
#ifndef RECALLD_CORE_PII_PII_H
#define RECALLD_CORE_PII_PII_H

#include "core/base/bytes.h"

enum pii_class {
	PII_OTHER, /* the memory model says that it identifies a person, but not how */
	PII_EMAIL,
	PII_PHONE,
	PII_IBAN,
	PII_CARD,
	PII_NATIONAL_ID,
	PII_IP,
	PII_MAC,
	PII_GEO,
	PII_BIRTH_DATE,
	PII_ADDRESS,
	/* Special categories (GDPR, article 9): only a model can tell. */
	PII_HEALTH,
	PII_RELIGION,
	PII_POLITICS,
	PII_SEX_LIFE,
	PII_UNION,
	PII_BIOMETRIC,
	PII_CLASSES,
	PII_FIRST_WITH_FORMAT = PII_EMAIL,
	PII_LAST_WITH_FORMAT = PII_ADDRESS,
};

/* Sets of classes: one bit each. */
#define PII_BIT(class_) (1U << (class_))
#define PII_ALL (PII_BIT(PII_CLASSES) - 1)

/* "email", "national_id"; PII_OTHER is "other". */
const char *pii_name(enum pii_class class);
/* False: there is no class of that name. */
bool pii_read(struct slice name, enum pii_class *class);
/* Appends a set as a JSON array of names: ["email","phone"]. */
void pii_print(unsigned classes, struct buffer *json);

struct pii_span {
	size_t begin; /* bytes of the text */
	size_t end;
	enum pii_class class;
};

/* Finds the personal data of a text, in order and without overlap. The spans belong to the arena.
 */
const struct pii_span *pii_find(struct slice text, size_t *count, struct arena *arena);

/* The classes that a text has. */
unsigned pii_classes(struct slice text);

/* The treatment of each class: disjoint sets of classes. A class in none is kept. */
struct pii_policy {
	unsigned mask; /* in every stored text, "[redacted: CLASS]" stands in its place */
	unsigned drop; /* so it does in turns and summaries; facts that hold it are not stored */
	unsigned hide; /* stored, but never given to a model */
};

/* Returns the text with "[redacted: CLASS]" in place of the data of these classes, or the text
 * itself if it has none. `found` (may be NULL) receives the classes that were replaced. */
struct slice pii_mask(struct slice text, unsigned classes, struct arena *arena, unsigned *found);

/* Words of a class that has no format. */
struct pii_said {
	struct slice value; /* in a fact's words */
	struct slice quote; /* in the user's; "..." where it leaves something out */
	uint64_t exchange;  /* whose user said it */
	unsigned classes;
};

/* Words that texts must not say. Zeroed but for `left`, it is empty; its words live in the
 * arena. */
struct pii_told {
	struct pii_words *list;
	size_t count;
	size_t capacity;
	size_t left; /* bytes that may still be compared: texts past them are masked whole */
};

void pii_told_add(struct pii_told *told, const struct pii_said *said, struct arena *arena);

/* Returns the text with "[redacted: CLASS]" in place of each sentence that says a value, a quote or
 * a part of one; the text itself if none does. `exchange`: whose user said the text; 0 for any
 * other text. The mark stands in place of the whole where a quote spans sentences in no way that
 * can be found, where the user said something of the exchange in other words, and in a text of more
 * than 64 KB. */
struct slice pii_mask_told(struct slice text, uint64_t exchange, struct pii_told *told,
			   struct arena *arena);

/* Classes that only the memory model can tell. */
#define PII_OF_MODEL                                                                               \
	(PII_BIT(PII_HEALTH) | PII_BIT(PII_RELIGION) | PII_BIT(PII_POLITICS) |                     \
	 PII_BIT(PII_SEX_LIFE) | PII_BIT(PII_UNION) | PII_BIT(PII_BIOMETRIC))

/* ---- secrets ---- */

/* Returns the text with each secret replaced by "[redacted: KIND]", or the text itself if there is
 * none: API keys, private keys, bearer and other tokens, passwords in URLs, and payment card
 * numbers that pass the Luhn check. Invisible characters such as U+200B do not hide a secret.
 * `count` (may be NULL) receives the number of replacements. */
struct slice secrets_mask(struct slice text, struct arena *arena, size_t *count);

#endif
