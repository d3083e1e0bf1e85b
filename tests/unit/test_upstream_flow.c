#include "tests/unit/upstream_fixture.h"

#include <stdatomic.h>

enum { MANY = 5 * 1024 * 1024 };

/* Reads 5 MB and sends them back. */
static void *peer_echoes(void *argument)
{
	int fd = peer_accept();
	char head[100];
	(void)argument;
	peer_read(fd);
	struct slice got = buffer_slice(&peer.request);
	struct slice body = slice_part(got, slice_find(got, SLICE("\r\n\r\n"), 0) + 4, got.size);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		       body.size);
	peer_send(fd, head);
	for (size_t at = 0; at < body.size;) {
		ssize_t sent = send(fd, body.data + at, body.size - at, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	peer_bye(fd);
	return NULL;
}

static atomic_bool peer_has_filled;

/* Sends as much as the socket takes at once, says so, and sends the rest. */
static void *peer_pours(void *argument)
{
	static char bytes[MANY];
	ssize_t size = 0;
	size_t at = 0;
	int fd = peer_accept();
	(void)argument;
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
	while (at < MANY && (size = send(fd, bytes + at, MANY - at, MSG_DONTWAIT)) > 0)
		at += (size_t)size;
	atomic_store(&peer_has_filled, true);
	while (at < MANY && (size = send(fd, bytes + at, MANY - at, MSG_NOSIGNAL)) > 0)
		at += (size_t)size;
	close(fd);
	return NULL;
}

START_TEST(an_upstream_that_sends_fast_does_not_keep_the_loop)
{
	struct heard heard;
	heard_init(&heard);
	begin(peer_pours, NULL);
	struct upstream_request request = request_of("GET", "/");
	(void)upstream_start(upstream, &request, &events, &heard);
	size_t most = 0;
	while (!heard.ended) {
		while (heard.heads > 0 && !atomic_load(&peer_has_filled))
			usleep(200);
		size_t before = heard.body.size;
		event_base_loop(base, EVLOOP_ONCE);
		if (heard.body.size - before > most)
			most = heard.body.size - before;
	}
	ck_assert_uint_eq(heard.body.size, MANY);
	ck_assert_msg(most <= 2 * 64 * 1024, "%zu bytes in one turn", most);
	heard_finish(&heard);
	finish();
}
END_TEST

static char *many_bytes(void)
{
	char *bytes = xmalloc(MANY);
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	return bytes;
}

static void send_up_and_down(struct slice all, const struct slice *pieces, size_t count)
{
	struct heard heard;
	begin(peer_echoes, NULL);
	struct upstream_request request = request_of("PUT", "/");
	request.has_body = true;
	request.body = pieces;
	request.body_count = count;
	fetch(&request, &heard);
	ck_assert_int_eq(heard.result, UPSTREAM_OK);
	/* curl would ask for a 100 that does not come, and wait a second for it. */
	const char *asked = memmem(peer.request.data, peer.request.size, "Expect", 6);
	ck_assert_ptr_null(asked);
	ck_assert(slice_equal(buffer_slice(&heard.body), all));
	heard_finish(&heard);
	finish();
}

START_TEST(five_megabytes_go_up_and_come_down)
{
	char *bytes = many_bytes();
	const struct slice all = {bytes, MANY};
	send_up_and_down(all, &all, 1);
	free(bytes);
}
END_TEST

START_TEST(a_body_in_pieces_goes_up_whole)
{
	char *bytes = many_bytes();
	const struct slice all = {bytes, MANY};
	const struct slice pieces[] = {slice_part(all, 0, 0),
				       slice_part(all, 0, 70000),
				       slice_part(all, 70000, 70001),
				       slice_part(all, 70001, MANY),
				       {0}};
	send_up_and_down(all, pieces, sizeof(pieces) / sizeof(pieces[0]));
	free(bytes);
}
END_TEST

START_TEST(a_transfer_that_is_held_back_waits_and_loses_nothing)
{
	struct heard heard;
	char *bytes = many_bytes();
	begin(peer_echoes, NULL);
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = &(struct slice){bytes, MANY};
	request.body_count = 1;
	request.idle_timeout = 60; /* does not run while held back */
	heard_init(&heard);
	heard.full = heard.full_after_data = true;
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.asked_full == 1);
	run_for(150);
	ck_assert_uint_eq(heard.asked_full, 1);
	while (!heard.ended) {
		size_t asked = heard.asked_full;
		size_t size = heard.body.size;
		heard.full = false;
		upstream_resume(transfer);
		ck_assert_uint_eq(heard.body.size, size); /* from the loop, not from here */
		/* Asked for the piece that was held back, and for the next one. */
		WAIT_UNTIL(heard.ended || heard.asked_full == asked + 2);
		ck_assert_uint_gt(heard.body.size, size);
	}
	ck_assert_int_eq(heard.result, UPSTREAM_OK);
	ck_assert(slice_equal(buffer_slice(&heard.body), *request.body));
	heard_finish(&heard);
	free(bytes);
	finish();
}
END_TEST

START_TEST(a_transfer_that_is_stopped_when_resumed_ends)
{
	struct heard heard;
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	heard.full = heard.stops_at_data = true;
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.asked_full > 0);
	run_for(10);
	heard.full = false;
	upstream_resume(transfer);
	ck_assert(!heard.ended);
	WAIT_UNTIL(heard.ended);
	assert_heard(&heard, UPSTREAM_STOPPED, "hello");
	finish();
}
END_TEST

START_TEST(an_event_can_stop_a_transfer_at_its_head_or_its_data)
{
	for (int at_data = 0; at_data < 2; at_data++) {
		struct heard heard;
		begin(peer_replies, "HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\nhello");
		struct upstream_request request = request_of("GET", "/");
		heard_init(&heard);
		heard.stops_at_head = at_data == 0;
		heard.stops_at_data = at_data == 1;
		(void)upstream_start(upstream, &request, &events, &heard);
		WAIT_UNTIL(heard.ended);
		ck_assert_uint_eq(heard.heads, 1);
		assert_heard(&heard, UPSTREAM_STOPPED, at_data == 1 ? "hello" : "");
		finish();
	}
}
END_TEST

/* Answers when the request has begun, reads no more of it, and resets the connection a little
 * later.
 */
static void *peer_answers_early(void *reply)
{
	int fd = peer_accept();
	peer_more(fd);
	peer_send(fd, reply);
	usleep(100 * 1000);
	const struct linger none = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
	return NULL;
}

static struct heard upload_and_hear(const char *reply)
{
	struct heard heard;
	char *bytes = many_bytes();
	begin(peer_answers_early, reply);
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = &(struct slice){bytes, MANY};
	request.body_count = 1;
	fetch(&request, &heard);
	finish();
	free(bytes);
	return heard;
}

START_TEST(a_whole_reply_counts_though_the_connection_dies_under_the_upload)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct heard heard = upload_and_hear(replies[i]);
		assert_heard(&heard, UPSTREAM_OK, "hello");
	}
	struct heard heard = upload_and_hear("HTTP/1.1 204 No Content\r\n\r\n");
	assert_heard(&heard, UPSTREAM_OK, "");
}
END_TEST

START_TEST(a_reply_that_broke_off_under_the_upload_is_broken)
{
	struct heard heard = upload_and_hear("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
	assert_heard(&heard, UPSTREAM_BROKEN, "hello");
	heard = upload_and_hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				"5\r\nhello\r\n");
	assert_heard(&heard, UPSTREAM_BROKEN, "hello");
	heard = upload_and_hear("HTTP/1.1 200 OK\r\n\r\nhello");
	assert_heard(&heard, UPSTREAM_BROKEN, "hello");
}
END_TEST

static atomic_int accepted;

/* Keeps one connection for two requests. */
static void *peer_keeps_alive(void *argument)
{
	int fd = peer_accept();
	(void)argument;
	atomic_fetch_add(&accepted, 1);
	for (int i = 0; i < 2; i++) {
		peer_read(fd);
		peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
	peer_bye(fd);
	return NULL;
}

START_TEST(a_connection_is_used_again)
{
	struct heard heard;
	begin(peer_keeps_alive, NULL);
	struct upstream_request request = request_of("GET", "/");
	for (int i = 0; i < 2; i++) {
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
	}
	finish();
	ck_assert_int_eq(atomic_load(&accepted), 1);
}
END_TEST

/* Lets the kept connection die when its second request has come. */
static void *peer_drops_second(void *argument)
{
	(void)argument;
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	peer_read(fd);
	close(fd);
	fd = peer_accept();
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain");
	peer_bye(fd);
	return NULL;
}

/* With a key by which the server would know that it has had the request. */
static void ask_on_a_dying_connection(const struct slice *pieces, size_t count)
{
	static const struct http_field key = {SLICE("idempotency-key"), SLICE("1")};
	struct heard heard;
	begin(peer_drops_second, NULL);
	struct upstream_request request = request_of("POST", "/");
	request.fields = &key;
	request.field_count = 1;
	request.has_body = true;
	request.body = pieces;
	request.body_count = count;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "again");
	struct slice got = buffer_slice(&peer.request);
	ck_assert_uint_lt(slice_find(got, SLICE("\r\n\r\nquestion"), 0), got.size);
	finish();
}

START_TEST(a_request_on_a_kept_connection_that_died_is_tried_on_a_fresh_one)
{
	ask_on_a_dying_connection(&SLICE("question"), 1);
}
END_TEST

START_TEST(a_body_in_pieces_is_sent_again_from_its_beginning)
{
	ask_on_a_dying_connection((const struct slice[]){SLICE("ques"), SLICE("tion")}, 2);
}
END_TEST

static atomic_int peer_saw_close;

static void *peer_streams_until_closed(void *argument)
{
	int fd = peer_accept();
	(void)argument;
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
	peer_bye(fd);
	atomic_store(&peer_saw_close, 1);
	return NULL;
}

START_TEST(cancelling_closes_the_connection_at_once_and_without_an_event)
{
	struct heard heard;
	begin(peer_streams_until_closed, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.body.size == 1);
	int64_t began = milliseconds();
	upstream_cancel(transfer);
	WAIT_UNTIL(atomic_load(&peer_saw_close) == 1);
	ck_assert_int_lt(milliseconds() - began, 1000);
	ck_assert(!heard.ended);
	upstream_cancel(NULL);
	heard_finish(&heard);
	finish();
}
END_TEST

static struct transfer *next_transfer;
static struct heard second;

/* As one does who asks once more, without what the upstream would not have. */
static void start_again(void *cookie, enum upstream_result result, const char *detail)
{
	struct upstream_request request = request_of("GET", "/");
	on_end(cookie, result, detail);
	heard_init(&second);
	next_transfer = upstream_start(upstream, &request, &events, &second);
}

START_TEST(a_transfer_may_be_started_when_another_ends)
{
	static const struct upstream_events again = {on_head, on_data, on_full, start_again};
	struct heard heard;
	begin(peer_keeps_alive, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	(void)upstream_start(upstream, &request, &again, &heard);
	WAIT_UNTIL(heard.ended);
	ck_assert_ptr_nonnull(next_transfer);
	WAIT_UNTIL(second.ended);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	assert_heard(&second, UPSTREAM_OK, "ok");
	finish();
}
END_TEST

START_TEST(destroying_cancels_what_is_under_way)
{
	struct heard heard;
	begin(peer_streams_until_closed, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	(void)upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.body.size == 1);
	finish();
	ck_assert(!heard.ended);
	heard_finish(&heard);
}
END_TEST

START_TEST(a_silent_upstream_is_given_up)
{
	struct heard heard;
	begin(peer_replies, "");
	struct upstream_request request = request_of("GET", "/");
	request.first_byte_timeout = 100;
	int64_t began = milliseconds();
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_FIRST_BYTE_TIMEOUT, "");
	ck_assert_int_ge(milliseconds() - began, 95);
	ck_assert_int_lt(milliseconds() - began, 2500); /* idle_timeout would take 3 s */
	finish();
	begin(peer_streams_until_closed, NULL);
	request = request_of("GET", "/");
	request.idle_timeout = 100;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_IDLE_TIMEOUT, "x");
	finish();
}
END_TEST

/* All parts take longer than an upstream may be silent, and what the kernel still holds of them
 * at the end much shorter, also on a busy machine. One that stops reading for long would leave it
 * to the kernel's timers when it is sent more. */
enum { PART = 256 * 1024, PARTS = 160, PAUSE = 25, SILENCE = 3000 };

static void *peer_reads_slowly(void *reply)
{
	static char bytes[PART];
	int fd = peer_accept();
	for (ssize_t left = (ssize_t)PARTS * PART, size = 1; left > 0 && size > 0; left -= size) {
		usleep(PAUSE * 1000);
		size = recv(fd, bytes, sizeof(bytes), MSG_WAITALL);
	}
	peer_send(fd, reply);
	peer_bye(fd);
	return NULL;
}

static void upload_slowly(const char *reply, struct heard *heard)
{
	const size_t size = (size_t)PARTS * PART;
	char *bytes = xcalloc(1, size);
	begin(peer_reads_slowly, reply);
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = &(struct slice){bytes, size};
	request.body_count = 1;
	request.first_byte_timeout = SILENCE;
	int64_t began = milliseconds();
	fetch(&request, heard);
	ck_assert_int_ge(milliseconds() - began, PARTS * PAUSE - 5);
	finish();
	free(bytes);
}

START_TEST(while_a_request_goes_up_its_upstream_is_not_silent)
{
	struct heard heard;
	upload_slowly("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	upload_slowly("", &heard);
	assert_heard(&heard, UPSTREAM_FIRST_BYTE_TIMEOUT, "");
}
END_TEST

static void *peer_does_nothing(void *argument)
{
	return argument;
}

START_TEST(an_upstream_that_cannot_be_reached_is_told_from_one_that_is_slow)
{
	struct heard heard;
	begin(peer_does_nothing, NULL);
	struct upstream_request request = request_of("GET", "/");
	/* A queue of accepted connections that is full lets no further one in. */
	ck_assert_int_eq(listen(peer.listener, 0), 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer.port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int queued[4];
	for (int i = 0; i < 4; i++) {
		queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(queued[i], (struct sockaddr *)&address, sizeof(address));
	}
	request.connect_timeout = 200;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_CONNECT_TIMEOUT, "");
	for (int i = 0; i < 4; i++)
		close(queued[i]);
	request.connect_timeout = 10000;
	request.url = "http://127.0.0.1:1/";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	request.url = "file:///etc/passwd";
	fetch(&request, &heard);
	ck_assert_int_ne(heard.result, UPSTREAM_OK);
	ck_assert_uint_eq(heard.heads, 0);
	heard_finish(&heard);
	request.url = "nonsense";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	finish();
}
END_TEST

UNIT_MAIN("upstream_flow", five_megabytes_go_up_and_come_down,
	  an_upstream_that_sends_fast_does_not_keep_the_loop, a_body_in_pieces_goes_up_whole,
	  a_transfer_that_is_held_back_waits_and_loses_nothing,
	  a_transfer_that_is_stopped_when_resumed_ends,
	  an_event_can_stop_a_transfer_at_its_head_or_its_data,
	  a_whole_reply_counts_though_the_connection_dies_under_the_upload,
	  a_reply_that_broke_off_under_the_upload_is_broken, a_connection_is_used_again,
	  a_request_on_a_kept_connection_that_died_is_tried_on_a_fresh_one,
	  a_body_in_pieces_is_sent_again_from_its_beginning,
	  cancelling_closes_the_connection_at_once_and_without_an_event,
	  a_transfer_may_be_started_when_another_ends, destroying_cancels_what_is_under_way,
	  a_silent_upstream_is_given_up, while_a_request_goes_up_its_upstream_is_not_silent,
	  an_upstream_that_cannot_be_reached_is_told_from_one_that_is_slow)
