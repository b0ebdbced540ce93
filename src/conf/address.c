#include "conf/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "conf/settings.h"

/* A port with nothing around it; 0 is not one. */
static bool
port_parse(const char *text, uint16_t *port_r)
{
	unsigned v = 0;

	if (*text == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
	}
	if (v < 1 || v > 65535)
		return false;
	*port_r = (uint16_t)v;
	return true;
}

static bool
set_ipv6(const char *host, uint16_t port, struct listen_address *a)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1)
		return false;
	inet_ntop(AF_INET6, &sin6.sin6_addr, text, sizeof(text));
	snprintf(a->text, sizeof(a->text), "[%s]:%u", text, port);
	memcpy(&a->sockaddr, &sin6, sizeof(sin6));
	a->sockaddr_len = sizeof(sin6);
	return true;
}

static bool
set_ipv4(const char *host, uint16_t port, struct listen_address *a)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	char text[INET_ADDRSTRLEN];

	if (strcmp(host, "*") == 0)
		host = "0.0.0.0";
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		return false;
	inet_ntop(AF_INET, &sin.sin_addr, text, sizeof(text));
	snprintf(a->text, sizeof(a->text), "%s:%u", text, port);
	memcpy(&a->sockaddr, &sin, sizeof(sin));
	a->sockaddr_len = sizeof(sin);
	return true;
}

bool
address_parse(const char *text, struct listen_address *address_r,
    const char **why_r)
{
	char host[SETTING_ADDRESS_BYTES];
	const char *colon = strrchr(text, ':');
	size_t len;
	uint16_t port;

	memset(address_r, 0, sizeof(*address_r));
	if (colon == NULL || strchr(colon, ']') != NULL) {
		*why_r = "an address needs a port, as in 127.0.0.1:8443";
		return false;
	}
	len = (size_t)(colon - text);
	if (len == 0 || len >= sizeof(host)) {
		*why_r = "an address needs a host, as in 127.0.0.1:8443";
		return false;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	if (!port_parse(colon + 1, &port)) {
		*why_r = "a port is a number from 1 to 65535";
		return false;
	}
	if (host[0] == '[') {
		if (host[len - 1] != ']') {
			*why_r = "the bracket of an IPv6 address is not closed";
			return false;
		}
		host[len - 1] = '\0';
		if (set_ipv6(host + 1, port, address_r))
			return true;
		*why_r = "not an IPv6 address";
		return false;
	}
	if (set_ipv4(host, port, address_r))
		return true;
	*why_r = strchr(host, ':') != NULL ?
	    "an IPv6 address stands in brackets, as in [::1]:8443" :
	    "not an IPv4 address; names are not resolved here";
	return false;
}

bool
address_list_parse(const char *text, struct listen_list *list_r,
    const char **why_r)
{
	static const char separators[] = ", \t";
	struct listen_list list;
	char one[SETTING_ADDRESS_BYTES + 16];

	memset(&list, 0, sizeof(list));
	for (;;) {
		size_t len;

		text += strspn(text, separators);
		len = strcspn(text, separators);
		if (len == 0)
			break;
		if (list.count == SETTING_LISTEN_MAX) {
			*why_r = "more than 16 addresses";
			return false;
		}
		if (len >= sizeof(one)) {
			*why_r = "an address is too long";
			return false;
		}
		memcpy(one, text, len);
		one[len] = '\0';
		if (!address_parse(one, &list.address[list.count], why_r))
			return false;
		for (uint32_t i = 0; i < list.count; i++)
			if (strcmp(list.address[i].text,
			    list.address[list.count].text) == 0) {
				*why_r = "an address stands twice";
				return false;
			}
		list.count++;
		text += len;
	}
	if (list.count == 0) {
		*why_r = "no address";
		return false;
	}
	*list_r = list;
	return true;
}
