#include "core/recall/rank.h"

/* Shares of a whole match, with what the turns around add. Chosen on LoCoMo's first five
 * conversations, with 30 requests that have nothing to do with them. */
static const float least = 0.35f;
static const float least_of_personal = 0.12f;
/* And of the best hit's score: the others only take room. */
static const float least_of_best = 0.2f;

/* A request that speaks of whoever asks, of somebody who is known here, or of the past asks this
 * memory, so that a weak match may be meant. "Write a haiku about snow." asks nobody's. */
static bool is_personal(const struct recall_question *question, bool names_speaker)
{
	return question->about_user || question->about_past || question->period_count > 0 ||
	       names_speaker;
}

float recall_floor(const struct recall_question *question, bool names_speaker, float best)
{
	float floor = is_personal(question, names_speaker) ? least_of_personal : least;
	return floor > least_of_best * best ? floor : least_of_best * best;
}
