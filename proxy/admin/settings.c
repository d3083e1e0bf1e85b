/* GET and PUT /v1/users/USER/settings: what a person has asked for. */
#include "core/json/json.h"
#include "proxy/admin/call.h"
#include "proxy/background/learner.h"
#include "proxy/portable/forms.h"
#include "storage/rights.h"

void admin_get_settings(struct admin_call *call)
{
	struct user_settings settings;
	struct buffer *out = &call->out;
	if (admin_has_failed(call, store_settings(call->service->store, call->user, &settings,
						  &call->arena)))
		return;
	buffer_append(out, SLICE("{\"user\":"));
	json_quote(out, call->parameter);
	buffer_append_byte(out, ',');
	portable_write_settings(out, &settings, &call->arena);
	buffer_append_byte(out, '}');
	admin_reply_json(call, 200);
}

static void on_stored(void *cookie, enum store_result result)
{
	struct admin_call *call = cookie;
	if (admin_has_failed(call, result))
		return;
	learner_wake(call->service->learner, call->user, false); /* they may have agreed */
	admin_get_settings(call);
}

void admin_put_settings(struct admin_call *call)
{
	struct user_settings settings;
	const struct config_memory memory = admin_memory_settings(call);
	struct intake intake = config_intake(&memory);
	const char *fault = portable_read_settings(&settings, http_request_body(call->request),
						   &intake, &call->arena);
	if (fault != NULL) {
		admin_reply_error(call, 400, "invalid_settings", fault);
		return;
	}
	settings.changed_at = clock_wall();
	if (!settings_may_learn(&settings, call->config->governance.consent == CONSENT_REQUIRED))
		learner_forget(call->service->learner, call->user);
	if (settings_restrict(&settings))
		call->action = "restrict";
	store_put_settings(
		call->service->store, call->user, &settings,
		(struct store_waiter){admin_store_loop(call, call->user), on_stored, call});
}

bool admin_has_consent(struct admin_call *call)
{
	struct user_settings settings;
	if (call->config->governance.consent != CONSENT_REQUIRED)
		return true;
	if (admin_has_failed(call, store_settings(call->service->store, call->user, &settings,
						  &call->arena)))
		return false;
	if (settings.consent_at == 0)
		admin_reply_error(call, 409, "consent_required",
				  "This user has not agreed to be remembered ([governance] "
				  "consent). If they did, write their \"consent\" into their "
				  "settings first.");
	return settings.consent_at != 0;
}
