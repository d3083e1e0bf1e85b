/* TLS of the listener, by OpenSSL: nobody else includes it for that. TLS 1.2 and 1.3, HTTP/1.1 by
 * ALPN, no client certificates.
 *
 * A context is a certificate with its key, immutable and of any thread; connections that began with
 * it may outlive it, so a reload drops none. A connection moves bytes on a non-blocking socket, as
 * recv() and send() do; it owns no socket. */
#ifndef RECALLD_PROXY_HTTP_TLS_H
#define RECALLD_PROXY_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_context;
struct tls_connection;

enum { TLS_MAX_RECORD = 16 * 1024 };

enum tls_fault {
	TLS_FINE,
	TLS_BAD_CERTIFICATE,
	TLS_BAD_KEY,
	TLS_NO_PAIR, /* the key is another certificate's */
};

/* Of PEM files, the certificate's with its chain. NULL: `fault`, and `why` as far as OpenSSL can
 * say. Never asks for a passphrase. */
struct tls_context *tls_context_create(const char *certificate, const char *key,
				       enum tls_fault *fault, char *why, size_t why_size);
/* Whether a PEM file has certificates that a server's can be checked against; `why` not, else. */
bool tls_has_authorities(const char *file, char *why, size_t why_size);
/* Whether the certificate's time is over; `end` receives then when it was (UTC). */
bool tls_has_expired(struct tls_context *context, char *end, size_t end_size);
/* NULL is fine. */
void tls_context_destroy(struct tls_context *context);

struct tls_connection *tls_connection_create(struct tls_context *context, int fd);
/* Says nothing to the client; NULL is fine. */
void tls_connection_destroy(struct tls_connection *connection);

enum tls_progress {
	TLS_DONE,
	TLS_WANTS_READ,
	TLS_WANTS_WRITE,
	TLS_FAILED,     /* the client was told, as far as it can be */
	TLS_PLAIN_HTTP, /* nothing was sent: the client speaks HTTP without TLS */
};

/* Goes on with the handshake; nothing is read or written before it is done. */
enum tls_progress tls_handshake(struct tls_connection *connection);
/* As recv(); 0 when the client said that no more comes, or closed. What is left of a record makes
 * no socket readable: see tls_pending(). */
ssize_t tls_read(struct tls_connection *connection, void *data, size_t size);
/* Whether bytes were read off the socket already and wait for tls_read(). */
bool tls_pending(const struct tls_connection *connection);
/* As send(). After EAGAIN the next call must begin with the same bytes, and no fewer. */
ssize_t tls_write(struct tls_connection *connection, const void *data, size_t size);
/* Tells the client that no more comes. False: try again once the socket is writable. */
bool tls_end(struct tls_connection *connection);

#endif
