#include "core/facts/intake.h"

#include "core/base/utf8.h"
#include "core/facts/facts.h"
#include "core/json/json.h"
#include "core/pii/pii.h"
#include "core/text/text.h"

/* The last is what is looked at beyond a limit, so that a secret across it is seen whole. */
enum { KEYWORDS = 96, NOTE = 4096, SETTING = 1024, MARGIN = 16384 };

static const size_t limits[] = {
	[INTAKE_NAME] = FACT_NAME_LIMIT,
	[INTAKE_KEYWORDS] = KEYWORDS,
	[INTAKE_LABEL] = FACT_LABEL_LIMIT,
	[INTAKE_VALUE] = FACT_VALUE_LIMIT,
	[INTAKE_NOTE] = NOTE,
	[INTAKE_QUOTE] = NOTE,
	[INTAKE_METADATA] = FACT_METADATA_LIMIT,
	[INTAKE_SETTING] = SETTING,
	[INTAKE_SUMMARY] = TURN_TEXT_LIMIT,
	[INTAKE_TURN] = TURN_TEXT_LIMIT,
};

size_t intake_limit(enum intake_kind kind)
{
	return limits[kind];
}

/* JSON without invisible characters, and without the escapes of control characters. */
static struct slice visible_json(struct slice json, struct arena *arena)
{
	char *kept = arena_alloc(arena, json.size + 1);
	size_t size = 0;
	for (size_t at = 0, next; at < json.size; at = next) {
		const struct slice rest = slice_part(json, at, json.size);
		next = at + (json.data[at] == '\\' ? 2 : 1);
		if (slice_starts_with(rest, SLICE("\\u000")) ||
		    slice_starts_with(rest, SLICE("\\u001"))) {
			next = at + sizeof("\\u0000") - 1;
			continue;
		}
		for (; at < next && at < json.size; at++)
			kept[size++] = json.data[at];
	}
	return text_visible((struct slice){kept, size}, arena);
}

/* JSON with blanks for escaped line breaks and tabs, whose letters would join the word behind. */
static struct slice without_breaks(struct slice json, struct arena *arena)
{
	char *text = arena_alloc(arena, json.size + 1);
	memcpy(text, json.data, json.size);
	for (size_t at = 0; at + 1 < json.size; at++) {
		if (text[at] != '\\')
			continue;
		if (strchr("nrtbf", text[at + 1]) != NULL)
			memset(text + at, ' ', 2);
		at++;
	}
	return (struct slice){text, json.size};
}

/* Without what nobody sees. */
static struct slice visible(struct slice text, enum intake_kind kind, struct arena *arena)
{
	if (kind == INTAKE_TURN)
		return text;
	if (kind == INTAKE_METADATA)
		return visible_json(text, arena);
	const size_t most = 3 * text.size; /* an angle bracket becomes a character of three bytes */
	return kind == INTAKE_NOTE || kind == INTAKE_SUMMARY ? text_inert(text, most, arena)
							     : text_one_line(text, most, arena);
}

struct slice intake_text(struct intake *intake, struct slice text, enum intake_kind kind,
			 struct arena *arena)
{
	const size_t limit = limits[kind];
	const unsigned masks = intake->policy.mask | intake->policy.drop;
	struct slice near = visible(utf8_cut(text, limit + MARGIN), kind, arena);
	unsigned found = 0;
	size_t secrets = 0;
	struct slice stored = near;
	if (kind != INTAKE_TURN && masks != 0)
		intake->found |= pii_classes(near) & masks;
	if (intake->masks_secrets)
		stored = secrets_mask(stored, arena, &secrets);
	stored = pii_mask(stored, masks, arena, &found);
	intake->masked += secrets > 0 || found != 0;
	const bool is_long = stored.size > limit || text.size > limit + MARGIN;
	intake->cut += is_long;
	return is_long && kind == INTAKE_LABEL ? (struct slice){0} : utf8_cut(stored, limit);
}

struct slice intake_metadata(struct intake *intake, struct slice metadata, struct arena *arena)
{
	struct json_value object;
	if (metadata.size == 0)
		return metadata;
	struct intake tried = *intake;
	const struct slice blanked =
		intake_text(&tried, without_breaks(metadata, arena), INTAKE_METADATA, arena);
	const bool is_masked = tried.masked > intake->masked;
	metadata = is_masked ? blanked : intake_text(intake, metadata, INTAKE_METADATA, arena);
	*intake = is_masked ? tried : *intake;
	/* Masking leaves JSON what it is, unless the datum is a number or a name of two members. */
	return json_scan(metadata, &object) ? metadata : (struct slice){0};
}

/* Whether a name or the value holds a secret, or the two together do: "password", "hunter2". */
static bool tells_secret(const struct intake *intake, const struct fact *fact, struct arena *arena)
{
	const struct slice parts[] = {fact->entity,
				      SLICE("\n"),
				      fact->key,
				      SLICE(": "),
				      fact->value,
				      SLICE("\n"),
				      text_spaced(fact->key, arena),
				      SLICE(": "),
				      fact->value};
	size_t count = 0;
	if (intake->masks_secrets)
		(void)secrets_mask(arena_join(arena, parts, sizeof(parts) / sizeof(parts[0])),
				   arena, &count);
	return count > 0;
}

void intake_secret(struct intake *intake, struct fact *fact, struct arena *arena)
{
	if (!tells_secret(intake, fact, arena))
		return;
	fact->value = SLICE("[redacted: secret]");
	fact->metadata = (struct slice){0};
	fact_unquote(fact);
	intake->masked++;
}

/* The texts that say something; quotes go along without. */
static void take_words(struct intake *intake, struct fact *fact, struct arena *arena)
{
	const bool is_note = fact_kind_of(fact->kind) == FACT_OF_NOTE;
	fact->entity = fact_entity(intake_text(intake, fact->entity, INTAKE_NAME, arena));
	fact->kind = intake_text(intake, fact->kind, INTAKE_NAME, arena);
	fact->key = intake_text(intake, fact->key, INTAKE_NAME, arena);
	fact->value = intake_text(intake, fact->value, is_note ? INTAKE_NOTE : INTAKE_VALUE, arena);
	fact->agent = intake_text(intake, fact->agent, INTAKE_LABEL, arena);
	fact->app = intake_text(intake, fact->app, INTAKE_LABEL, arena);
	fact->metadata = intake_metadata(intake, fact->metadata, arena);
}

bool intake_fact(struct intake *intake, struct fact *fact, struct arena *arena)
{
	const unsigned before = intake->found;
	const bool identifies = fact->pii && intake->pii != PII_KEEP;
	const bool is_secret = intake->refuses_secrets && tells_secret(intake, fact, arena);
	intake->found = fact->classes & (intake->policy.mask | intake->policy.drop);
	take_words(intake, fact, arena);
	if (!is_secret)
		intake_secret(intake, fact, arena);
	const bool is_dropped = is_secret || (intake->found & intake->policy.drop) != 0 ||
				(identifies && intake->pii == PII_DROP);
	if (!is_dropped) {
		fact->classes |= intake->found;
		fact->pii |= intake->found != 0;
	}
	fact->quote = intake_text(intake, fact->quote, INTAKE_QUOTE, arena);
	fact->keywords = intake_text(intake, fact->keywords, INTAKE_KEYWORDS, arena);
	fact->by = intake_text(intake, fact->by, INTAKE_LABEL, arena);
	intake->found |= before;
	const bool is_empty =
		fact->entity.size == 0 || fact->key.size == 0 || fact->value.size == 0;
	intake->left_out[LEFT_PERSONAL] += is_dropped;
	intake->left_out[LEFT_EMPTY] += is_empty && !is_dropped;
	/* A class that only the model can tell has no form to be found by. */
	const bool is_masked =
		identifies || (fact->classes & intake->policy.mask & PII_OF_MODEL) != 0;
	if (is_masked && !is_dropped && !fact_is_masked(fact)) {
		fact_mask(fact);
		intake->masked++;
	}
	return !is_dropped && !is_empty;
}

size_t intake_left_out(const struct intake *intake)
{
	size_t sum = 0;
	for (size_t reason = 0; reason < LEFT_REASONS; reason++)
		sum += intake->left_out[reason];
	return sum;
}

void intake_print(const struct intake *intake, struct buffer *json)
{
	static const char *const names[LEFT_REASONS] = {"empty",     "unshown",    "personal",
							"too_large", "over_limit", "other"};
	const char *comma = "";
	buffer_printf(json, ",\"masked\":%zu,\"cut\":%zu,\"reasons\":{", intake->masked,
		      intake->cut);
	for (size_t reason = 0; reason < LEFT_REASONS; reason++) {
		if (intake->left_out[reason] == 0)
			continue;
		buffer_printf(json, "%s\"%s\":%zu", comma, names[reason], intake->left_out[reason]);
		comma = ",";
	}
	buffer_append_byte(json, '}');
}
