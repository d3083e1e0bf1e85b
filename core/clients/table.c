#include "core/clients/table.h"

#include "programs_map.h"

const size_t client_form_count = sizeof(client_forms) / sizeof(client_forms[0]);
const size_t client_element_count = sizeof(client_elements) / sizeof(client_elements[0]);
const size_t client_side_header_count =
	sizeof(client_side_headers) / sizeof(client_side_headers[0]);
_Static_assert(sizeof(client_elements) / sizeof(client_elements[0]) <= CLIENT_ELEMENTS_MAX,
	       "raise it");

static bool has_in_order(struct slice text, const struct client_form *form)
{
	if (form->has.size == 0)
		return true;
	size_t at = slice_find(text, form->has, form->begins.size);
	if (at == text.size)
		return false;
	return form->then.size == 0 || slice_find(text, form->then, at) < text.size;
}

static bool has_form(struct slice text, const struct client_form *form)
{
	if (!slice_starts_with(text, form->begins) || !slice_ends_with(text, form->ends))
		return false;
	if (form->is_all && text.size != form->begins.size)
		return false;
	return has_in_order(text, form);
}

static const struct client_form *first_of(enum client_form_kind kind)
{
	size_t begin = 0;
	size_t end = client_form_count;
	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		if (client_forms[middle].kind < kind)
			begin = middle + 1;
		else
			end = middle;
	}
	return client_forms + begin;
}

const struct client_form *client_form_next(enum client_form_kind kind,
					   const struct client_form *last)
{
	const struct client_form *form = last == NULL ? first_of(kind) : last + 1;
	return form < client_forms + client_form_count && form->kind == kind ? form : NULL;
}

const struct client_form *client_form_find(enum client_form_kind kind, struct slice text)
{
	const struct client_form *form = client_form_next(kind, NULL);
	while (form != NULL && !has_form(text, form))
		form = client_form_next(kind, form);
	return form;
}

size_t client_element_find(enum client_element_kind kind, struct slice name)
{
	size_t i = 0;
	while (i < client_element_count && (client_elements[i].kind != kind ||
					    !slice_equal_nocase(client_elements[i].name, name)))
		i++;
	return i;
}
