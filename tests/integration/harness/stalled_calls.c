/* Preloaded into a daemon under test: while the file STALLED_WHILE is there, names that begin with
 * "stalled" take at most STALLED_NAMES seconds to be looked up, what is written takes at most
 * STALLED_DISK seconds more to reach the disk, to wake another thread (the store's, say) takes at
 * most STALLED_WAKES, and write() has no room in a socket for the record that ends TLS 1.3.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TLS_END = 24 }; /* bytes of the record that ends TLS 1.3 */

static int is_stalled(void)
{
	const char *mark = getenv("STALLED_WHILE");
	return mark != NULL && access(mark, F_OK) == 0;
}

static void stall(const char *variable)
{
	const char *seconds = getenv(variable);
	double left = seconds == NULL ? 0 : atof(seconds);
	for (; left > 0 && is_stalled(); left -= 0.01)
		usleep(10000);
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
		(int (*)(const char *, const char *, const struct addrinfo *,
			 struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	if (name != NULL && strncmp(name, "stalled", 7) == 0) {
		stall("STALLED_NAMES");
		return EAI_AGAIN;
	}
	return real(name, service, hints, result);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	stall("STALLED_DISK");
	return real(fd);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
	int (*real)(pthread_cond_t *) =
		(int (*)(pthread_cond_t *))dlsym(RTLD_NEXT, "pthread_cond_signal");
	stall("STALLED_WAKES");
	return real(condition);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	struct stat status;
	if (size != TLS_END || fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode) ||
	    !is_stalled())
		return real(fd, bytes, size);
	errno = EAGAIN;
	return -1;
}
