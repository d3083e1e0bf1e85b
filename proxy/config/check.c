/* Checks of configured texts: lines, addresses, URLs, hosts, secrets, header names. */
#include "core/text/text.h"
#include "proxy/config/reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HOST = 253 };

static bool fail(struct buffer *why, const char *what)
{
	buffer_append(why, slice_of(what));
	return false;
}

bool config_check_line(struct slice line, struct buffer *why)
{
	if (line.size > CONFIG_MAX_LINE) {
		buffer_append(why, SLICE("the line is longer than 64K; shorten it"));
		return false;
	}
	if (!text_is_utf8(line)) {
		buffer_append(why, SLICE("the line is not UTF-8; save the file in that encoding"));
		return false;
	}
	for (size_t i = 0; i < line.size; i++) {
		unsigned char byte = (unsigned char)line.data[i];
		if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
			buffer_printf(why, "the line holds a %s; remove it",
				      byte == 0 ? "NUL byte" : "control character");
			return false;
		}
	}
	return true;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool read_port(struct slice text, unsigned *port)
{
	*port = 0;
	if (text.size == 0 || text.size > 5)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*port = *port * 10 + (unsigned)(text.data[i] - '0');
	}
	return *port <= 65535;
}

/* Copies a host name or address as a string for inet_pton(). */
static bool copy_host(struct slice text, char host[MAX_HOST + 1])
{
	if (text.size == 0 || text.size > MAX_HOST)
		return false;
	memcpy(host, text.data, text.size);
	host[text.size] = '\0';
	return true;
}

static bool read_ipv6(struct slice text, struct in6_addr *address)
{
	char host[MAX_HOST + 1];
	return copy_host(text, host) && inet_pton(AF_INET6, host, address) == 1;
}

static bool is_ipv6(struct slice text)
{
	struct in6_addr address;
	return read_ipv6(text, &address);
}

static bool is_host_name(struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!is_alphanumeric(text.data[i]) && strchr(".-_", text.data[i]) == NULL)
			return false;
	}
	return text.size > 0 && text.size <= MAX_HOST;
}

/* Splits "host:port", "[v6]:port", or either without a port; `port` is then empty with data NULL.
 */
static bool split_host(struct slice text, struct slice *host, struct slice *port)
{
	size_t end;
	if (text.size > 0 && text.data[0] == '[') {
		end = slice_find(text, SLICE("]"), 0);
		if (end == text.size)
			return false;
		*host = slice_part(text, 1, end++);
		if (!is_ipv6(*host))
			return false;
	} else {
		end = slice_find(text, SLICE(":"), 0);
		*host = slice_part(text, 0, end);
		if (!is_host_name(*host))
			return false;
	}
	*port = (struct slice){0};
	if (end == text.size)
		return true;
	*port = slice_part(text, end + 1, text.size);
	return text.data[end] == ':';
}

/* The temporary name of the socket appends the process id, and a socket's path is short. */
enum { MAX_LOCAL_PATH = 99 };

static bool is_local_path(struct slice path)
{
	return path.size > 1 && path.size <= MAX_LOCAL_PATH && path.data[0] == '/' &&
	       path.data[path.size - 1] != '/';
}

bool config_address_read(struct slice text, struct config_address *address)
{
	struct slice port;
	*address = (struct config_address){0};
	if (slice_starts_with(text, SLICE("unix:"))) {
		address->path = slice_part(text, 5, text.size);
		return is_local_path(address->path);
	}
	return split_host(text, &address->host, &port) && read_port(port, &address->port);
}

bool config_address_is_loopback(const struct config_address *address)
{
	char host[MAX_HOST + 1];
	struct in_addr v4;
	struct in6_addr v6;
	if (address->path.size > 0)
		return true;
	if (!copy_host(address->host, host))
		return false;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
	return slice_equal_nocase(address->host, SLICE("localhost"));
}

static bool is_wildcard(struct slice host)
{
	return slice_equal(host, SLICE("0.0.0.0")) || slice_equal(host, SLICE("::"));
}

bool config_address_clash(const struct config_address *a, const struct config_address *b)
{
	if (a->path.size > 0 || b->path.size > 0)
		return slice_equal(a->path, b->path);
	return a->port == b->port && a->port != 0 &&
	       (slice_equal_nocase(a->host, b->host) || is_wildcard(a->host) ||
		is_wildcard(b->host));
}

bool config_check_address(struct slice text, struct buffer *why)
{
	struct config_address address;
	if (config_address_read(text, &address))
		return true;
	if (slice_starts_with(text, SLICE("unix:")))
		return fail(why, "is not a local socket; write unix:/PATH with an absolute path of "
				 "at most 99 bytes");
	return fail(why, "is not an address; write HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 "
			 "for all of IPv4 or [::]:8080");
}

static bool take_prefix(struct slice *text, struct slice prefix)
{
	if (!slice_starts_with(*text, prefix))
		return false;
	*text = slice_part(*text, prefix.size, text->size);
	return true;
}

/* Removes the zone of a link-local address: "[fe80::1%25eth0]" (RFC 6874). */
static bool take_zone(struct slice *text, char without[MAX_HOST + 1])
{
	size_t begin = slice_find(*text, SLICE("%25"), 0);
	size_t end = slice_find(*text, SLICE("]"), 0);
	if (begin > end || end == text->size)
		return true;
	struct slice rest = slice_part(*text, end, text->size);
	if (!is_host_name(slice_part(*text, begin + 3, end)) || begin + rest.size > MAX_HOST)
		return false;
	memcpy(without, text->data, begin);
	memcpy(without + begin, rest.data, rest.size);
	*text = (struct slice){without, begin + rest.size};
	return true;
}

static bool is_authority(struct slice text, bool with_port)
{
	char without_zone[MAX_HOST + 1];
	struct slice host;
	struct slice port;
	unsigned number;
	if (!take_zone(&text, without_zone) || !split_host(text, &host, &port))
		return false;
	if (port.data == NULL)
		return !with_port;
	return read_port(port, &number) && number > 0;
}

struct slice config_url_origin(struct slice url)
{
	size_t slashes = slice_find(url, SLICE("://"), 0);
	return slice_part(url, 0, slice_find(url, SLICE("/"), slashes + 3));
}

bool config_url_has_version(struct slice url)
{
	struct slice path = slice_part(url, config_url_origin(url).size, url.size);
	for (size_t i = 0; i + 2 < path.size; i++) {
		if (path.data[i] == '/' && path.data[i + 1] == 'v' && path.data[i + 2] >= '0' &&
		    path.data[i + 2] <= '9')
			return true;
	}
	return false;
}

bool config_url_leads_to(struct slice url, const struct config_address *address)
{
	struct slice origin = config_url_origin(url);
	size_t begin = slice_find(origin, SLICE("://"), 0) + 3;
	struct config_address target;
	if (!config_address_read(slice_part(origin, begin, origin.size), &target) ||
	    address->path.size > 0 || address->port != target.port)
		return false;
	bool is_here = config_address_is_loopback(&target);
	return slice_equal_nocase(target.host, address->host) ||
	       (is_here && is_wildcard(address->host)) ||
	       (slice_equal_nocase(target.host, SLICE("localhost")) &&
		config_address_is_loopback(address));
}

/* Such URLs are often copied from a curl command. */
static bool ends_in_endpoint(struct slice url)
{
	static const char *const endpoints[] = {"/chat/completions", "/completions", "/embeddings",
						"/messages",         "/models",      "/responses"};
	while (url.size > 0 && url.data[url.size - 1] == '/')
		url.size--;
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		if (slice_ends_with(url, slice_of(endpoints[i])))
			return true;
	}
	return false;
}

bool config_check_base_url(struct slice text, struct buffer *why)
{
	struct slice rest = text;
	if (!take_prefix(&rest, SLICE("https://")) && !take_prefix(&rest, SLICE("http://")))
		return fail(why, "is not a URL; write https://HOST/PATH, or http://");
	if (memchr(rest.data, '@', rest.size) != NULL)
		return fail(why, "contains a name or password; use api_key for the key");
	if (memchr(rest.data, '?', rest.size) != NULL || memchr(rest.data, '#', rest.size) != NULL)
		return fail(why, "has a query or a fragment; end it with the path, such as /v1");
	for (size_t i = 0; i < rest.size; i++) {
		if (rest.data[i] <= ' ' || rest.data[i] > '~' || rest.data[i] == '\\')
			return fail(why, "has a character that is not allowed in URLs; "
					 "percent-encode it (for a host, use its xn-- form)");
	}
	if (ends_in_endpoint(rest))
		return fail(why, "ends in an endpoint, which recalld appends itself; leave the "
				 "endpoint out, as in https://HOST/v1");
	size_t slash = slice_find(rest, SLICE("/"), 0);
	if (!is_authority(slice_part(rest, 0, slash), false))
		return fail(why, "has no valid host or port; write https://HOST[:PORT]/PATH");
	return true;
}

bool config_check_proxy(struct slice text, struct buffer *why)
{
	struct slice rest = text;
	if (take_prefix(&rest, SLICE("http://"))) {
		if (rest.size > 0 && rest.data[rest.size - 1] == '/')
			rest.size--;
		if (is_authority(rest, true))
			return true;
	}
	return fail(why, "is not a proxy; write http://HOST:PORT");
}

/* docker's --env-file, unlike a shell, leaves the quotes in a variable. */
static bool is_quoted(struct slice text)
{
	return text.size > 1 && (text.data[0] == '"' || text.data[0] == '\'') &&
	       text.data[text.size - 1] == text.data[0];
}

bool config_check_secret(struct slice text, struct buffer *why)
{
	if (is_quoted(text))
		return fail(why, "begins and ends with a quotation mark, which is sent along; "
				 "write it exactly as issued, without quotes");
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return fail(why, "holds a space or a character that is not ASCII; write it "
					 "exactly as issued, without quotes inside");
	}
	return true;
}

/* Headers that the upstream needs or that carry the key. Using one for identity would withhold it
 * from the upstream. */
static bool is_needed_upstream(struct slice name)
{
	static const char *const needed[] = {
		"Authorization",  "Api-Key",      "X-Api-Key",         "X-Goog-Api-Key", "Host",
		"Content-Length", "Content-Type", "Transfer-Encoding", "Connection",     NULL};
	return slice_is_any_nocase(name, needed);
}

bool config_check_header_name(struct slice text, struct buffer *why)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!is_alphanumeric(text.data[i]) &&
		    strchr("!#$%&'*+-.^_`|~", text.data[i]) == NULL)
			return fail(why, "has an item that is not a header name; write names such "
					 "as X-User-Id, separated by commas");
	}
	if (is_needed_upstream(text))
		return fail(why, "names a header that the upstream needs, and headers named here "
				 "are not forwarded; choose another");
	return true;
}

bool config_check_body_field(struct slice text, struct buffer *why)
{
	static const char *const fields[] = {"user", "safety_identifier", "metadata.user_id", NULL};
	if (slice_is_any(text, fields))
		return true;
	return fail(why, "has an unknown item; choose from user, safety_identifier, "
			 "metadata.user_id");
}

bool config_check_readable(struct slice text, struct buffer *why)
{
	char path[4096];
	if (text.size >= sizeof(path))
		return fail(why, "is too long for a path; write a shorter one");
	memcpy(path, text.data, text.size);
	path[text.size] = '\0';
	if (access(path, R_OK) == 0)
		return true;
	buffer_printf(why, "cannot be read (%s); name a readable file", strerror(errno));
	return false;
}

/* ---- the hosts that a listener answers to ---- */

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
	if (is_ipv6(text)) {
		*host = text;
		return true;
	}
	if (!split_host(text, host, &port))
		return false;
	*host = without_dot(*host);
	return true;
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
	if (is_ipv6(text) || (split_host(text, &host, &port) && port.data == NULL))
		return true;
	return fail(why, "has an item that is not a host; write names or addresses without "
			 "http:// and port, such as recalld.example.org, separated by commas");
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
