/* What is known of the upstream's models from their answers: which have refused a system message
 * (`role = auto` gives these the block in the user's turn), and how many tokens each counts for one
 * of our estimate. Shared by all workers; bounded, the model that came first makes room. Not kept
 * over a restart. */
#ifndef RECALLD_PROXY_UPSTREAM_MODEL_TRAITS_H
#define RECALLD_PROXY_UPSTREAM_MODEL_TRAITS_H

#include "core/base/bytes.h"

struct model_traits;

struct model_traits *model_traits_create(void);
void model_traits_destroy(struct model_traits *model_traits); /* NULL is fine */

void model_traits_note_system_refused(struct model_traits *model_traits, struct slice name);
bool model_traits_refuses_system(struct model_traits *model_traits, struct slice name);

/* The upstream counted `counted` tokens (usage.prompt_tokens) for a request whose text_tokens() are
 * `estimated`. What is too small to tell, or out of all proportion, changes nothing. */
void model_traits_note_tokens(struct model_traits *model_traits, struct slice name,
			      size_t estimated, int64_t counted);
/* Tokens of the model for one estimated: 1 until it is known otherwise, within [0.5, 3]. The first
 * observation counts whole, each later one a fifth. */
double model_traits_token_rate(struct model_traits *model_traits, struct slice name);

#endif
