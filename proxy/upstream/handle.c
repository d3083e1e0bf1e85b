#include "proxy/upstream/transfer.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONNECTION_AGE = 60, KEEPALIVE_SECONDS = 60, READ_BUFFER = 4 * 1024 };

/* Idle handles to keep. */
enum { SPARE_HANDLES = 16 };

/* A proxy for plain HTTP needs the whole URL; otherwise curl gets the origin. */
static struct slice url_of_route(const struct upstream_request *request)
{
	struct slice url = slice_of(request->url);
	size_t authority = slice_find(url, SLICE("://"), 0) + 3;
	if (slice_of(request->proxy).size > 0 || authority > url.size)
		return url;
	return slice_part(url, 0, authority + strcspn(request->url + authority, "/?#"));
}

static bool leads_to(const struct upstream_handle *handle, const struct upstream_request *request,
		     struct slice url)
{
	return slice_equal(handle->url, url) &&
	       slice_equal(handle->proxy, slice_of(request->proxy)) &&
	       slice_equal(handle->local_socket, slice_of(request->local_socket)) &&
	       slice_equal(handle->ca_file, slice_of(request->ca_file));
}

/* Parses the URL once, so that curl does not do it for each transfer. NULL if it is invalid (the
 * transfer then fails) or has a zone, which curl_url_dup() of libcurl 7.88 loses. */
static CURLU *parse_url(const char *url)
{
	char *zone = NULL;
	CURLU *parsed = curl_url();
	if (parsed == NULL)
		abort();
	CURLUcode code =
		curl_url_set(parsed, CURLUPART_URL, url,
			     CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
	if (code == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_NO_ZONEID)
		return parsed;
	curl_free(zone);
	curl_url_cleanup(parsed);
	return NULL;
}

static void set_route(struct upstream_handle *handle)
{
	CURL *easy = handle->easy;
	UPSTREAM_SET(easy, CURLOPT_URL, handle->url.data);
	if (handle->parsed != NULL)
		UPSTREAM_SET(easy, CURLOPT_CURLU, handle->parsed);
	UPSTREAM_SET(easy, CURLOPT_PROXY, handle->proxy.data);
	UPSTREAM_SET(easy, CURLOPT_NOPROXY, "");
	if (handle->local_socket.size > 0)
		UPSTREAM_SET(easy, CURLOPT_UNIX_SOCKET_PATH, handle->local_socket.data);
	if (handle->ca_file.size > 0)
		UPSTREAM_SET(easy, CURLOPT_CAINFO, handle->ca_file.data);
}

static void set_manners(struct upstream_handle *handle)
{
	CURL *easy = handle->easy;
	UPSTREAM_SET(easy, CURLOPT_ERRORBUFFER, handle->error);
	UPSTREAM_SET(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	UPSTREAM_SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	UPSTREAM_SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* held as long as the stream */
	UPSTREAM_SET(easy, CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
	UPSTREAM_SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	UPSTREAM_SET(easy, CURLOPT_PATH_AS_IS, 1L);
	UPSTREAM_SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	UPSTREAM_SET(easy, CURLOPT_NOSIGNAL, 1L);
	/* do not wait for a name that is being resolved */
	UPSTREAM_SET(easy, CURLOPT_QUICK_EXIT, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_NODELAY, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
	UPSTREAM_SET(easy, CURLOPT_MAXAGE_CONN, (long)MAX_CONNECTION_AGE);
}

static struct upstream_handle *handle_new(const struct upstream_request *request, struct slice url)
{
	struct upstream_handle *handle = xcalloc(1, sizeof(*handle));
	struct arena *arena = &handle->arena;
	handle->easy = curl_easy_init();
	if (handle->easy == NULL)
		abort();
	handle->url = slice_of(arena_string(arena, url));
	handle->proxy = slice_of(arena_string(arena, slice_of(request->proxy)));
	handle->local_socket = slice_of(arena_string(arena, slice_of(request->local_socket)));
	handle->ca_file = slice_of(arena_string(arena, slice_of(request->ca_file)));
	handle->parsed = parse_url(handle->url.data);
	set_manners(handle);
	set_route(handle);
	return handle;
}

static void handle_free(struct upstream_handle *handle)
{
	curl_easy_cleanup(handle->easy);
	curl_url_cleanup(handle->parsed);
	arena_finish(&handle->arena);
	free(handle);
}

struct upstream_handle *upstream_handle_take(struct upstream_handles *spare,
					     const struct upstream_request *request)
{
	struct slice url = url_of_route(request);
	struct upstream_handle *handle;
	TAILQ_FOREACH(handle, &spare->list, siblings)
	{
		if (!leads_to(handle, request, url))
			continue;
		TAILQ_REMOVE(&spare->list, handle, siblings);
		spare->count--;
		handle->error[0] = '\0';
		return handle;
	}
	return handle_new(request, url);
}

void upstream_handle_keep(struct upstream_handles *spare, struct upstream_handle *handle)
{
	TAILQ_INSERT_HEAD(&spare->list, handle, siblings);
	if (++spare->count > SPARE_HANDLES)
		upstream_handle_drop_spare(spare);
}

void upstream_handle_renew(struct upstream_handle *handle)
{
	curl_easy_reset(handle->easy);
	set_manners(handle);
	set_route(handle);
}

void upstream_handle_drop_spare(struct upstream_handles *spare)
{
	struct upstream_handle *oldest = TAILQ_LAST(&spare->list, upstream_handle_list);
	TAILQ_REMOVE(&spare->list, oldest, siblings);
	spare->count--;
	handle_free(oldest);
}
