/* Tags as clients write them round documents: like XML's, but in texts that are none. */
#ifndef RECALLD_CORE_CLIENTS_TAGS_H
#define RECALLD_CORE_CLIENTS_TAGS_H

#include "core/base/bytes.h"

struct tag {
	struct slice name;
	size_t end; /* behind its ">" */
	bool has_attributes;
};

/* The opening tag `<name ...>` at `at`. A quoted attribute may hold anything, "</name>" too. False:
 * there is none; an empty element `<name/>` opens nothing. */
bool tag_read_opening(struct slice text, size_t at, struct tag *tag);

/* The next opening or closing tag of that name (in any case) at or after `from`, and where it ends;
 * the text's size when there is none. */
size_t tag_find_opening(struct slice text, struct slice name, size_t from, size_t *inside);
size_t tag_find_closing(struct slice text, struct slice name, size_t from, size_t *outside);

/* The end of the last closing tag of that name, or `from` when there is none behind it. */
size_t tag_end_of_last(struct slice text, struct slice name, size_t from);

/* The end of an element whose inside begins at `inside`, or `inside` when it is not closed. A
 * closing tag that answers to no opening one still belongs to it: the document held the one before.
 */
size_t tag_end_of_element(struct slice text, struct slice name, size_t inside);

#endif
