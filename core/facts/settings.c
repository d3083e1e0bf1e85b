#include "core/facts/settings.h"

struct user_settings settings_default(void)
{
	return (struct user_settings){.learn = true,
				      .inject = true,
				      .keep_messages = SETTING_UNSET,
				      .keep_facts = SETTING_UNSET,
				      .pii = SETTING_UNSET};
}

bool settings_are_default(const struct user_settings *settings)
{
	return !settings_restrict(settings) && settings->keep_messages == SETTING_UNSET &&
	       settings->keep_facts == SETTING_UNSET && settings->pii == SETTING_UNSET &&
	       settings->hold_until == 0 && settings->consent_at == 0 && settings->note.size == 0;
}

static bool may_be_remembered(const struct user_settings *settings, bool needs_consent)
{
	return !needs_consent || settings->consent_at != 0;
}

bool settings_may_learn(const struct user_settings *settings, bool needs_consent)
{
	return settings->learn && may_be_remembered(settings, needs_consent);
}

bool settings_may_inject(const struct user_settings *settings, bool needs_consent)
{
	return settings->inject && may_be_remembered(settings, needs_consent);
}

bool settings_restrict(const struct user_settings *settings)
{
	return !settings->learn || !settings->inject;
}

struct user_settings settings_bare(const struct user_settings *settings)
{
	struct user_settings bare = settings_default();
	bare.learn = settings->learn;
	bare.inject = settings->inject;
	return bare;
}

enum pii settings_pii(const struct user_settings *settings, enum pii configured)
{
	return settings->pii > (int)configured ? (enum pii)settings->pii : configured;
}
