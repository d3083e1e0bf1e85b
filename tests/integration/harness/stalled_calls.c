/* Preloaded into a daemon under test: names that begin with "stalled" take STALLED_NAMES seconds to be
 * looked up, and what is written takes STALLED_DISK seconds more to reach the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void stall(const char *variable)
{
	const char *seconds = getenv(variable);
	if (seconds != NULL)
		usleep((useconds_t)(atof(seconds) * 1000000));
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
