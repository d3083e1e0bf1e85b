/* TLS for the listener, over OpenSSL; no other file includes OpenSSL for TLS. TLS 1.2 and 1.3,
 * HTTP/1.1 by ALPN, no client certificates.
 *
 * A context is a certificate with its key: immutable, usable from any thread. Connections may
 * outlive the context they started with, so a reload drops none. A connection moves bytes over a
 * non-blocking socket like recv() and send(); it does not own the socket. */
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
	TLS_NO_PAIR, /* the key does not belong to the certificate */
};

/* Loads PEM files; the certificate's file includes its chain. Returns NULL on failure: `fault` says
 * what failed, `why` holds OpenSSL's reason if there is one. Never asks for a passphrase. */
struct tls_context *tls_context_create(const char *certificate, const char *key,
				       enum tls_fault *fault, char *why, size_t why_size);
/* Whether a PEM file contains certificates to verify a server with. If not, `why` says why. */
bool tls_has_authorities(const char *file, char *why, size_t why_size);
/* Whether the certificate has expired; `end` then receives the expiry time (UTC). */
bool tls_has_expired(struct tls_context *context, char *end, size_t end_size);
/* NULL is fine. */
void tls_context_destroy(struct tls_context *context);

struct tls_connection *tls_connection_create(struct tls_context *context, int fd);
/* Sends nothing to the client. NULL is fine. */
void tls_connection_destroy(struct tls_connection *connection);

enum tls_progress {
	TLS_DONE,
	TLS_WANTS_READ,
	TLS_WANTS_WRITE,
	TLS_FAILED,     /* the client has been told, if possible */
	TLS_PLAIN_HTTP, /* nothing was sent: the client speaks plain HTTP */
};

/* Continues the handshake. Nothing can be read or written before it is done. */
enum tls_progress tls_handshake(struct tls_connection *connection);
/* Like recv(); returns 0 after the client's close_notify or close. Buffered bytes of a record do
 * not make the socket readable: see tls_pending(). */
ssize_t tls_read(struct tls_connection *connection, void *data, size_t size);
/* Whether bytes already read from the socket wait for tls_read(). */
bool tls_pending(const struct tls_connection *connection);
/* Like send(). After EAGAIN the next call must start with the same bytes and pass at least as
 * many. */
ssize_t tls_write(struct tls_connection *connection, const void *data, size_t size);
/* Sends close_notify. False: try again when the socket is writable. */
bool tls_end(struct tls_connection *connection);

#endif
