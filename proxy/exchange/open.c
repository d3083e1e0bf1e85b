#include "proxy/exchange/open.h"

#include "core/clients/forms.h"
#include "proxy/config/config.h"
#include "proxy/exchange/web_guard.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "storage/rights.h"

static enum chat_verdict refuse(struct chat *chat, int status, const char *code,
				const char *message)
{
	chat->refusal = (struct refusal){status, code, slice_of(message)};
	return CHAT_REFUSED;
}

static bool has_side_header(const struct http_head *head)
{
	const char *name;
	for (size_t i = 0; (name = form_side_header(i)) != NULL; i++) {
		if (http_field_value(head->fields, head->field_count, slice_of(name)).size > 0)
			return true;
	}
	return false;
}

static bool is_encoded(const struct http_head *head)
{
	struct slice coding =
		http_field_value(head->fields, head->field_count, SLICE("Content-Encoding"));
	return coding.size > 0 && !slice_equal_nocase(coding, SLICE("identity"));
}

static enum chat_verdict find_identity(struct chat *chat, const struct config *config,
				       const struct http_head *head,
				       const struct identity_path *path, struct identity *identity,
				       struct arena *arena)
{
	const char *fault = NULL;
	switch (identity_find(config, head, path, chat->read.scanned ? &chat->read.request : NULL,
			      identity, &fault, arena)) {
	case IDENTITY_OK:
		return CHAT_LOAD;
	case IDENTITY_UNSIGNED:
		return refuse(chat, 401, "invalid_user_signature", fault);
	case IDENTITY_BAD_SESSION:
		return refuse(chat, 400, "invalid_session_id", fault);
	case IDENTITY_BAD:
	default:
		return refuse(chat, 400, "invalid_user_id", fault);
	}
}

static enum placement choose_placement(const struct config_memory *memory,
				       struct model_traits *model_traits, struct slice model)
{
	switch ((enum config_role)memory->role) {
	case CONFIG_ROLE_USER:
		return PLACE_USER;
	case CONFIG_ROLE_DEVELOPER:
		return PLACE_DEVELOPER;
	case CONFIG_ROLE_SYSTEM:
		return PLACE_SYSTEM;
	case CONFIG_ROLE_AUTO:
	default:
		return model_traits_refuses_system(model_traits, model) ? PLACE_USER : PLACE_SYSTEM;
	}
}

/* By the request's X-Time-Zone, if it names one; `head` may be NULL. */
static int user_offset(const struct config_memory *memory, const struct http_head *head)
{
	uint64_t zone;
	struct slice name;
	if (head == NULL || !identity_find_field(head, SLICE("X-Time-Zone"), &name) ||
	    !zone_find(name, &zone))
		zone = memory->time_zone;
	return zone_offset(zone, clock_wall());
}

static struct chat_settings choose_settings(const struct chat_sources *sources,
					    const struct http_head *head,
					    const struct identity *identity, struct slice model)
{
	const struct config_memory memory =
		config_memory_for(sources->config, model, identity->tenant, identity->user);
	return (struct chat_settings){
		.mode = (enum mode)memory.mode,
		.inject = memory.inject,
		.learn = memory.learn,
		.mode_header = memory.mode_header,
		.stored_riders = memory.stored_riders,
		.trims = memory.history == HISTORY_TRIM,
		.embeds = sources->config->model.embedding[0] != '\0',
		.strict = memory.durability == DURABILITY_STRICT,
		.utc_offset = user_offset(&memory, head),
		.secrets_redact = memory.secrets_redact,
		.pii = config_pii_policy(&memory),
		.placement = choose_placement(&memory, sources->model_traits, model),
		.token_rate = model_traits_token_rate(sources->model_traits, model),
		.context_tokens = memory.context_tokens,
		.profile_tokens = memory.profile_tokens,
		.conversation_tokens = memory.conversation_tokens,
		.history_tokens = memory.history_tokens,
		.buffer_messages = memory.buffer_messages,
		.auto_buffer_turns = memory.auto_buffer_turns,
		.auto_hybrid_sessions = memory.auto_hybrid_sessions,
		.user_limit = memory.user_limit,
	};
}

/* The user's settings override the configuration and the request's head. */
static void restrict_settings(struct chat_settings *settings, const struct chat_sources *sources,
			      struct user_key user, struct arena *arena)
{
	struct user_settings wished;
	const bool needs_consent = sources->config->governance.consent == CONSENT_REQUIRED;
	if (sources->store == NULL ||
	    store_settings(sources->store, user, &wished, arena) != STORE_OK)
		return;
	settings->learn = settings->learn && settings_may_learn(&wished, needs_consent);
	settings->refuses_learning = !settings_may_learn(&wished, needs_consent);
	settings->refuses_memory = !settings_may_inject(&wished, needs_consent);
	settings->inject = settings->inject && !settings->refuses_memory;
	settings->trims = settings->trims && !settings->refuses_memory;
}

static enum chat_verdict enter(struct chat *chat, const struct chat_sources *sources,
			       const struct http_head *head, struct chat_asked *asked,
			       struct arena *arena)
{
	struct chat_settings settings =
		choose_settings(sources, head, &asked->identity, chat->read.request.model);
	if (asked->identity.user.size > 0) {
		asked->user = store_user_key(asked->identity.tenant, asked->identity.user);
		restrict_settings(&settings, sources, asked->user, arena);
	}
	enum chat_verdict verdict = chat_enter(chat, asked, &settings, arena);
	if (verdict == CHAT_PASS && chat->status == CHAT_BYPASSED)
		metrics_count(METRIC_BYPASS_BODY, 1);
	return verdict;
}

enum chat_verdict chat_open(struct chat *chat, const struct chat_sources *sources,
			    const struct dialect *dialect, struct http_request *request,
			    const struct identity_path *path, struct arena *arena)
{
	const struct config *config = sources->config;
	const struct http_head *head = http_request_head(request);
	const struct slice body = http_request_body(request);
	struct chat_asked asked = {.dry_run = guard_is_dry_run(head)};
	*chat = (struct chat){.read.body = body};
	if (asked.dry_run && !http_request_is_local(request) && !identity_is_admin(config, head))
		return refuse(chat, 403, "dry_run_forbidden",
			      "A dry run needs a loopback client or the admin token.");
	chat_read(chat, dialect, body, is_encoded(head), arena);
	enum chat_verdict verdict = find_identity(chat, config, head, path, &asked.identity, arena);
	if (verdict != CHAT_LOAD)
		return verdict;
	asked.identity.task |= has_side_header(head);
	if (!identity_find_field(head, SLICE("X-Memory-Mode"), &asked.mode))
		asked.mode = SLICE(
			","); /* two different ones, joined by a comma, are not a mode's name */
	return enter(chat, sources, head, &asked, arena);
}

enum chat_verdict chat_open_preview(struct chat *chat, const struct chat_sources *sources,
				    const struct dialect *dialect, struct chat_asked asked,
				    struct slice body, struct arena *arena)
{
	asked.dry_run = true;
	chat_read(chat, dialect, body, false, arena);
	return enter(chat, sources, NULL, &asked, arena);
}

bool chat_open_fetched(struct chat *chat, const struct chat_sources *sources,
		       const struct http_head *head, const struct identity_path *path,
		       struct slice id, int64_t now, struct arena *arena)
{
	const char *fault;
	struct load load;
	struct memory_view view;
	*chat = (struct chat){.read.dialect = &dialect_responses};
	if (identity_find(sources->config, head, path, NULL, &chat->identity, &fault, arena) !=
		    IDENTITY_OK ||
	    chat->identity.user.size == 0)
		return false;
	chat->identity.user = arena_copy(arena, chat->identity.user);
	chat->identity.session = (struct slice){0}; /* its turn has its conversation */
	chat->user = store_user_key(chat->identity.tenant, chat->identity.user);
	chat_load_fetched(chat, id, now, &load);
	if (store_load(sources->store, &load, &view, arena) != STORE_OK)
		return false;
	chat->settings = choose_settings(sources, head, &chat->identity, view.link.model);
	restrict_settings(&chat->settings, sources, chat->user, arena);
	return !chat->settings.refuses_learning && chat_fetch(chat, &view, arena);
}

void chat_note_tokens(const struct chat *chat, struct model_traits *model_traits,
		      const struct reply *reply, struct arena *arena)
{
	size_t estimated = reply->prompt_tokens > 0 ? chat_sent_tokens(chat, arena) : 0;
	if (estimated > 0)
		model_traits_note_tokens(model_traits, chat->read.request.model, estimated,
					 reply->prompt_tokens);
}
