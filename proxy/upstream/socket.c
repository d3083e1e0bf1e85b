#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

/* Lets curl work, then collects the transfers that ended. */
static void work(struct upstream *upstream, curl_socket_t socket, int what)
{
	int running;
	upstream_enter(upstream);
	curl_multi_socket_action(upstream->multi, socket, what, &running);
	upstream_leave(upstream);
	upstream_collect(upstream);
}

static void on_socket(evutil_socket_t fd, short what, void *cookie)
{
	int action = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		     ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	work(cookie, fd, action);
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	work(cookie, CURL_SOCKET_TIMEOUT, 0);
}

/* curl says which events it needs on a socket; `assigned` is the socket's event. */
static int want_socket(CURL *easy, curl_socket_t socket, int what, void *cookie, void *assigned)
{
	struct upstream *upstream = cookie;
	struct event *event = assigned;
	struct transfer *transfer = NULL;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	if (transfer != NULL && what != CURL_POLL_REMOVE)
		transfer->socket = socket; /* of two that it tried, the one that it goes on with */
	if (event != NULL)
		event_free(event);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(upstream->multi, socket, NULL);
		return 0;
	}
	short wanted = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
			       ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);
	event = event_new(upstream->base, socket, wanted, on_socket, upstream);
	event_add(event, NULL);
	curl_multi_assign(upstream->multi, socket, event);
	return 0;
}

/* curl must not be called back from here: even "at once" waits for the loop. */
static int want_timer(CURLM *multi, long milliseconds, void *cookie)
{
	struct upstream *upstream = cookie;
	(void)multi;
	if (milliseconds < 0)
		event_del(upstream->timer);
	else if (milliseconds == 0)
		event_active(upstream->timer, EV_TIMEOUT, 0);
	else
		loop_wait(upstream->timer, milliseconds);
	return 0;
}

void upstream_socket_attach(struct upstream *upstream)
{
	upstream->timer = event_new(upstream->base, -1, 0, on_timer, upstream);
	curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETDATA, upstream);
	curl_multi_setopt(upstream->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(upstream->multi, CURLMOPT_TIMERDATA, upstream);
}
