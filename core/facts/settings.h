/* What a person's settings mean. */
#ifndef RECALLD_CORE_FACTS_SETTINGS_H
#define RECALLD_CORE_FACTS_SETTINGS_H

#include "core/memory/memory.h"
#include "core/memory/user.h"

/* The settings of a person who has asked for nothing. */
struct user_settings settings_default(void);
/* Whether these differ from the default in nothing, so that nothing need be stored. */
bool settings_are_default(const struct user_settings *settings);

/* Whether what the person says may be kept, and memory given to their requests. `needs_consent`:
 * the operator remembers only those who agreed. */
bool settings_may_learn(const struct user_settings *settings, bool needs_consent);
bool settings_may_inject(const struct user_settings *settings, bool needs_consent);

/* Whether the person has asked for less than is usual: to be remembered or reminded less. */
bool settings_restrict(const struct user_settings *settings);
/* What outlives the person's memory: that they do not want to be remembered, and nothing that tells
 * of them. */
struct user_settings settings_bare(const struct user_settings *settings);

/* The stricter of two ways to treat facts that identify a person. */
enum pii settings_pii(const struct user_settings *settings, enum pii configured);

#endif
