/* Tags that clients write around documents: like XML's, but in texts that are not XML. */
#ifndef RECALLD_CORE_CLIENTS_TAGS_H
#define RECALLD_CORE_CLIENTS_TAGS_H

#include "core/base/bytes.h"

struct tag {
	struct slice name;
	size_t end; /* after its ">" */
	bool has_attributes;
};

/* Reads the opening tag `<name ...>` at `at`. A quoted attribute may contain anything, even
 * "</name>". False: there is none; an empty element `<name/>` opens nothing. */
bool tag_read_opening(struct slice text, size_t at, struct tag *tag);

/* The next opening or closing tag of that name (ignoring case) at or after `from`, and where it
 * ends; the text's size if there is none. */
size_t tag_find_opening(struct slice text, struct slice name, size_t from, size_t *inside);
size_t tag_find_closing(struct slice text, struct slice name, size_t from, size_t *outside);

/* The end of the last closing tag of that name, or `from` if there is none after it. */
size_t tag_end_of_last(struct slice text, struct slice name, size_t from);

/* The end of an element whose content begins at `inside`; `inside` if it is not closed. A closing
 * tag without an opening one still belongs to the element: the document contained the one
 * before. */
size_t tag_end_of_element(struct slice text, struct slice name, size_t inside);

#endif
