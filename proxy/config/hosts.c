/* The hosts that a listener answers to. */
#include "proxy/config/reader.h"

#include <arpa/inet.h>
#include <string.h>

/* A final dot marks a name as fully qualified and does not change its meaning here. */
static struct slice without_dot(struct slice host)
{
	if (host.size > 1 && host.data[host.size - 1] == '.')
		host.size--;
	return host;
}

/* Without brackets, port and final dot. False: the text is not a host. */
static bool read_host(struct slice text, struct slice *host)
{
	struct slice port;
	if (config_is_ipv6(text)) {
		*host = text;
		return true;
	}
	if (!config_split_host(text, host, &port))
		return false;
	*host = without_dot(*host);
	return true;
}

static bool read_ipv6(struct slice host, struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];
	if (host.size >= sizeof(text))
		return false;
	memcpy(text, host.data, host.size);
	text[host.size] = '\0';
	return inet_pton(AF_INET6, text, address) == 1;
}

/* One IPv6 address can be written in several ways. */
static bool is_same(struct slice a, struct slice b)
{
	struct in6_addr left;
	struct in6_addr right;
	if (read_ipv6(a, &left) && read_ipv6(b, &right))
		return IN6_ARE_ADDR_EQUAL(&left, &right);
	return slice_equal_nocase(a, b);
}

bool config_check_host(struct slice text, struct buffer *why)
{
	struct slice host;
	struct slice port = {0};
	if (config_is_ipv6(text) || (config_split_host(text, &host, &port) && port.data == NULL))
		return true;
	buffer_append(why,
		      SLICE("has an item that is not a host; write names or addresses without "
			    "http:// and port, such as recalld.example.org, separated by commas"));
	return false;
}

bool config_is_loopback_port(const char *address)
{
	struct config_address read;
	return config_address_read(slice_of(address), &read) && read.path.size == 0 &&
	       config_address_is_loopback(&read);
}

bool config_knows_host(const char *address, const struct config_list *hosts, struct slice authority)
{
	struct slice host;
	struct slice known;
	struct config_address own;
	if (!read_host(authority, &host))
		return false;
	const struct config_address asked = {.host = host};
	if (config_address_is_loopback(&asked))
		return true;
	if (config_address_read(slice_of(address), &own) && own.path.size == 0 &&
	    is_same(host, own.host))
		return true;
	for (size_t i = 0; i < hosts->count; i++) {
		if (read_host(slice_of(hosts->items[i]), &known) && is_same(host, known))
			return true;
	}
	return false;
}
