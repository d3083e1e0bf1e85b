#include "proxy/http_server.h"

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

enum { BACKLOG = 4096 };

static int fail(char *error, size_t error_size, const char *address, const char *why)
{
	(void)snprintf(error, error_size, "cannot listen on %s: %s", address, why);
	return -1;
}

static void switch_on(int fd, int level, int option)
{
	(void)setsockopt(fd, level, option, &(int){1}, sizeof(int));
}

/* Binds and listens; -1 with errno set. */
static int open_listener(const struct sockaddr *address, socklen_t size, bool reuse_port)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX) {
		switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
		switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
		if (reuse_port)
			switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
	}
	if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int listen_unix(const char *path, const char *address, char *error, size_t error_size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	if (path[0] == '\0' || strlen(path) >= sizeof(name.sun_path))
		return fail(error, error_size, address, "the path is empty or too long");
	memcpy(name.sun_path, path, strlen(path) + 1);
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
	int fd = open_listener((const struct sockaddr *)&name, sizeof(name), false);
	return fd >= 0 ? fd : fail(error, error_size, address, strerror(errno));
}

/* Splits "HOST:PORT" or "[HOST]:PORT"; both are to be freed. */
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
		return listen_unix(address + 5, address, error, error_size);
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
	if (failure != 0)
		return fail(error, error_size, address, gai_strerror(failure));
	int fd = -1;
	for (struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next)
		fd = open_listener(each->ai_addr, each->ai_addrlen, reuse_port);
	freeaddrinfo(found);
	return fd >= 0 ? fd : fail(error, error_size, address, strerror(errno));
}
