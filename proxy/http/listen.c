#include "proxy/http/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Bounds what the kernel buffers beyond what is in flight to the client. Without a limit it takes
 * megabytes for a client that does not read. */
enum { BACKLOG = 4096, UNSENT_LIMIT = 64 * 1024 };

static int fail(char *error, size_t error_size, const char *address, const char *why)
{
	(void)snprintf(error, error_size, "cannot listen on %s: %s", address, why);
	return -1;
}

/* Adds a remedy for the common reasons. */
static int fail_to_open(char *error, size_t error_size, const char *address, int why)
{
	char text[160];
	const char *remedy = "";
	if (why == EADDRINUSE)
		remedy = "; stop the process that listens there, or choose another port";
	else if (why == EADDRNOTAVAIL)
		remedy = "; choose an address of this machine";
	else if (why == EACCES || why == EPERM)
		remedy = "; grant recalld's user the permission, or choose another address";
	(void)snprintf(text, sizeof(text), "%s%s", strerror(why), remedy);
	return fail(error, error_size, address, text);
}

static void switch_on(int fd, int level, int option)
{
	(void)setsockopt(fd, level, option, &(int){1}, sizeof(int));
}

/* A local socket admits its owner and group, whatever the umask. */
static bool permit(const struct sockaddr *address)
{
	return address->sa_family != AF_UNIX ||
	       chmod(((const struct sockaddr_un *)address)->sun_path, 0660) == 0;
}

/* Binds and listens. Returns -1 with errno set on failure. */
static int open_listener(const struct sockaddr *address, socklen_t size, bool reuse_port)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX) {
		switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
		switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){UNSENT_LIMIT},
				 sizeof(int));
		if (reuse_port)
			switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
	}
	if (bind(fd, address, size) == 0 && permit(address) && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static bool name_local(const char *path, struct sockaddr_un *name)
{
	size_t size = strlen(path);
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (size == 0 || size >= sizeof(name->sun_path))
		return false;
	memcpy(name->sun_path, path, size);
	return true;
}

/* Finds out what is at the path by connecting to it. Returns 0 for a socket that nobody listens on,
 * ENOENT for nothing, EADDRINUSE for a socket in use, or the error that prevents the test. */
static int probe_local(const char *path)
{
	struct sockaddr_un name;
	struct stat status;
	if (lstat(path, &status) != 0)
		return errno;
	if (!S_ISSOCK(status.st_mode))
		return ENOTSOCK;
	if (!name_local(path, &name))
		return ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	bool connected = connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
	int why = errno;
	close(fd);
	if (connected || why == EAGAIN) /* its queue may be full */
		return EADDRINUSE;
	return why == ECONNREFUSED ? 0 : why;
}

static int fail_local(char *error, size_t error_size, const char *address, int why)
{
	if (why == EADDRINUSE)
		return fail(error, error_size, address,
			    "another process listens there; stop it, or choose another path");
	if (why == ENOTSOCK)
		return fail(error, error_size, address,
			    "the path is a file, not a socket; remove it, or choose another path");
	if (why == ENOENT)
		return fail(error, error_size, address,
			    "its directory does not exist; create it, or choose another path");
	return fail_to_open(error, error_size, address, why);
}

/* Creates the socket under a temporary name and renames it once it accepts connections. Therefore
 * anything at the path that refuses a connection is abandoned, and no client sees the socket with
 * other permissions. */
static int listen_local(const char *path, const char *address, char *error, size_t error_size)
{
	struct sockaddr_un name;
	char own[sizeof(name.sun_path)];
	int size = snprintf(own, sizeof(own), "%s.%d", path, (int)getpid());
	if (path[0] == '\0' || (size_t)size >= sizeof(own) || !name_local(own, &name))
		return fail(error, error_size, address, "the path is empty or too long");
	int there = probe_local(path);
	if (there != 0 && there != ENOENT)
		return fail_local(error, error_size, address, there);
	(void)unlink(own);
	int fd = open_listener((const struct sockaddr *)&name, sizeof(name), false);
	if (fd < 0)
		return fail_local(error, error_size, address, errno);
	if (rename(own, path) == 0)
		return fd;
	int why = errno;
	(void)unlink(own);
	close(fd);
	return fail_local(error, error_size, address, why);
}

void http_listen_clear(const char *address)
{
	if (strncmp(address, "unix:", 5) == 0 && probe_local(address + 5) == 0)
		(void)unlink(address + 5);
}

/* Splits "HOST:PORT" or "[HOST]:PORT". The caller frees both. */
static bool split(const char *address, char **host, char **port)
{
	const char *colon = strrchr(address, ':');
	if (colon == NULL || colon == address || colon[1] == '\0')
		return false;
	const char *begin = address;
	const char *end = colon;
	if (*begin == '[' && end[-1] == ']') {
		begin++;
		end--;
	} else if (memchr(begin, ':', (size_t)(end - begin)) != NULL) {
		return false;
	}
	*host = strndup(begin, (size_t)(end - begin));
	*port = xstrdup(colon + 1);
	return true;
}

int http_listen_socket(const char *address, bool reuse_port, char *error, size_t error_size)
{
	if (strncmp(address, "unix:", 5) == 0)
		return listen_local(address + 5, address, error, error_size);
	char *host = NULL;
	char *port = NULL;
	if (!split(address, &host, &port))
		return fail(error, error_size, address, "it is not HOST:PORT");
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int failure = getaddrinfo(host, port, &hints, &found);
	free(host);
	free(port);
	if (failure != 0) {
		char text[160];
		(void)snprintf(text, sizeof(text), "%s; choose a name or address of this machine",
			       gai_strerror(failure));
		return fail(error, error_size, address, text);
	}
	int fd = -1;
	for (struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next)
		fd = open_listener(each->ai_addr, each->ai_addrlen, reuse_port);
	freeaddrinfo(found);
	return fd >= 0 ? fd : fail_to_open(error, error_size, address, errno);
}
