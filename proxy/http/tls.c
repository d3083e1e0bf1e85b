#include "proxy/http/tls.h"

#include "core/base/bytes.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Both are OpenSSL types; these casts keep OpenSSL's header out of other files. */
static SSL_CTX *context_of(struct tls_context *context)
{
	return (SSL_CTX *)context;
}

static SSL *ssl_of(const struct tls_connection *connection)
{
	return (SSL *)(uintptr_t)connection;
}

/* ---- contexts ---- */

/* Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* RFC 7301: a client that offers protocols without this one is told so and refused. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
			   const unsigned char *in, unsigned in_size, void *cookie)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)ssl;
	(void)cookie;
	if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, in, in_size) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int no_passphrase(char *out, int size, int writing, void *cookie)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)cookie;
	return -1;
}

static bool set_up(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, ciphers) == 1;
}

static enum tls_fault load(SSL_CTX *context, const char *certificate, const char *key)
{
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return TLS_BAD_CERTIFICATE;
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
		return SSL_CTX_check_private_key(context) == 1 ? TLS_FINE : TLS_NO_PAIR;
	unsigned long error = ERR_peek_last_error();
	bool mismatch = ERR_GET_LIB(error) == ERR_LIB_X509 &&
			(ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
			 ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
	return mismatch ? TLS_NO_PAIR : TLS_BAD_KEY;
}

static void explain(char *why, size_t why_size)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
						     : ERR_reason_error_string(error);
	(void)snprintf(why, why_size, "%s", reason == NULL ? "unknown error" : reason);
	ERR_clear_error();
}

struct tls_context *tls_context_create(const char *certificate, const char *key,
				       enum tls_fault *fault, char *why, size_t why_size)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	*fault = TLS_BAD_CERTIFICATE;
	if (context != NULL && set_up(context))
		*fault = load(context, certificate, key);
	if (*fault == TLS_FINE)
		return (struct tls_context *)context;
	explain(why, why_size);
	SSL_CTX_free(context);
	return NULL;
}

bool tls_has_authorities(const char *file, char *why, size_t why_size)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	bool found = context != NULL && SSL_CTX_load_verify_file(context, file) == 1;
	if (!found)
		explain(why, why_size);
	SSL_CTX_free(context);
	return found;
}

bool tls_has_expired(struct tls_context *context, char *end, size_t end_size)
{
	const ASN1_TIME *time = X509_get0_notAfter(SSL_CTX_get0_certificate(context_of(context)));
	struct tm parts;
	return X509_cmp_current_time(time) < 0 && ASN1_TIME_to_tm(time, &parts) == 1 &&
	       strftime(end, end_size, "%Y-%m-%d %H:%M", &parts) > 0;
}

void tls_context_destroy(struct tls_context *context)
{
	SSL_CTX_free(context_of(context));
}

/* ---- connections ---- */

struct tls_connection *tls_connection_create(struct tls_context *context, int fd)
{
	SSL *ssl = SSL_new(context_of(context));
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort(); /* out of memory: fatal for every small allocation */
	SSL_set_accept_state(ssl);
	return (struct tls_connection *)ssl;
}

void tls_connection_destroy(struct tls_connection *connection)
{
	SSL_free(ssl_of(connection));
}

enum tls_progress tls_handshake(struct tls_connection *connection)
{
	ERR_clear_error();
	int result = SSL_do_handshake(ssl_of(connection));
	if (result == 1)
		return TLS_DONE;
	switch (SSL_get_error(ssl_of(connection), result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	default:
		break;
	}
	unsigned long error = ERR_peek_error();
	bool http = ERR_GET_LIB(error) == ERR_LIB_SSL &&
		    (ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST ||
		     ERR_GET_REASON(error) == SSL_R_HTTPS_PROXY_REQUEST);
	return http ? TLS_PLAIN_HTTP : TLS_FAILED;
}

/* The result that recv() or send() would give for a call that moved no bytes. */
static ssize_t without_bytes(const struct tls_connection *connection, int result)
{
	switch (SSL_get_error(ssl_of(connection), result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		errno = EPROTO;
		return -1;
	}
}

ssize_t tls_read(struct tls_connection *connection, void *data, size_t size)
{
	size_t got;
	ERR_clear_error();
	int result = SSL_read_ex(ssl_of(connection), data, size, &got);
	return result == 1 ? (ssize_t)got : without_bytes(connection, result);
}

bool tls_pending(const struct tls_connection *connection)
{
	return SSL_pending(ssl_of(connection)) > 0;
}

ssize_t tls_write(struct tls_connection *connection, const void *data, size_t size)
{
	size_t sent;
	ERR_clear_error();
	int result = SSL_write_ex(ssl_of(connection), data, size, &sent);
	return result == 1 ? (ssize_t)sent : without_bytes(connection, result);
}

bool tls_end(struct tls_connection *connection)
{
	ERR_clear_error();
	int result = SSL_shutdown(ssl_of(connection));
	return result >= 0 || SSL_get_error(ssl_of(connection), result) != SSL_ERROR_WANT_WRITE;
}
