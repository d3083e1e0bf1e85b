/* The APIs that the demo model speaks. A request of any is read as one of Chat Completions, and
 * what is answered to that is said in the API's own shape. Nothing is kept for chains. */
#ifndef RECALLD_TESTS_MODEL_API_H
#define RECALLD_TESTS_MODEL_API_H

#include "tests/model/completion.h"

enum api { API_CHAT, API_RESPONSES, API_MESSAGES, API_OLLAMA, API_NONE };

/* Of a request's path; API_NONE: another path. */
enum api api_of(const char *path);

/* The request as one of Chat Completions, a new reference; NULL: `fault` tells its sender why. */
json_t *api_read(enum api api, const json_t *request, const char **fault);

/* The reply in one piece; a new reference. */
json_t *api_object(enum api api, const struct completion *completion);
/* The events of a streamed reply, in order; a new reference. */
json_t *api_events(enum api api, const struct completion *completion);
const char *api_stream_type(enum api api);
/* Appends one of them as it goes over the wire, or what follows the last (`event` NULL). */
void api_frame(enum api api, const json_t *event, struct buffer *out);
json_t *api_error(enum api api, const char *message);

#endif
