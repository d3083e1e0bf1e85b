/* Traits of the upstream's models, learned from their answers: which models refuse a system message
 * (with `role = auto` they get the block in the user's turn), and how many of a model's tokens
 * equal one of our estimated tokens. Shared by all workers. Bounded: the oldest entry is evicted.
 * Lost on restart. */
#ifndef RECALLD_PROXY_UPSTREAM_MODEL_TRAITS_H
#define RECALLD_PROXY_UPSTREAM_MODEL_TRAITS_H

#include "core/base/bytes.h"

struct model_traits;

struct model_traits *model_traits_create(void);
void model_traits_destroy(struct model_traits *model_traits); /* NULL is fine */

void model_traits_note_system_refused(struct model_traits *model_traits, struct slice name);
bool model_traits_refuses_system(struct model_traits *model_traits, struct slice name);

/* The upstream counted `counted` tokens (usage.prompt_tokens) in a request whose text_tokens() is
 * `estimated`. Ignores samples that are too small or implausible. */
void model_traits_note_tokens(struct model_traits *model_traits, struct slice name,
			      size_t estimated, int64_t counted);
/* The model's tokens per estimated token: 1 until known, within [0.5, 3]. The first observation
 * counts in full, each later one by a fifth. */
double model_traits_token_rate(struct model_traits *model_traits, struct slice name);

#endif
