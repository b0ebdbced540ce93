#include "admin/url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "admin/check.h"

static bool
is_loopback(const char *host)
{
	struct in_addr v4;

	/* Not 127.example.com, which is anybody's name. */
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    (inet_pton(AF_INET, host, &v4) == 1 &&
	    ntohl(v4.s_addr) >> 24 == 127);
}

/* The host up to *end_r; brackets are taken off. */
static const char *
take_host(const char *p, struct url *url, const char **end_r)
{
	size_t len;

	if (*p == '[') {
		p++;
		len = strcspn(p, "]");
		if (p[len] != ']' ||
		    strspn(p, "0123456789abcdefABCDEF:.") != len)
			return "the IPv6 address in brackets is malformed";
		*end_r = p + len + 1;
	} else {
		len = strspn(p, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
		*end_r = p + len;
	}
	if (len == 0)
		return "there is no host in it";
	if (len >= sizeof url->host)
		return "the host's name is too long";
	memcpy(url->host, p, len);
	url->host[len] = '\0';
	return NULL;
}

static const char *
take_path(const char *p, struct url *url)
{
	size_t len, i;

	len = strlen(p);
	while (len > 0 && p[len - 1] == '/')
		len--;
	if (len >= sizeof url->path)
		return "the path is too long";
	for (i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] > '~' || p[i] == '?' || p[i] == '#' ||
		    p[i] == '"' || p[i] == '\\')
			return "the path has a character that can't be there";
	memcpy(url->path, p, len);
	url->path[len] = '\0';
	if (len >= 3 && strcmp(url->path + len - 3, "/v1") == 0)
		return "leave /v1 out: the gateway adds each route's own path";
	return NULL;
}

const char *
url_parse(const char *text, struct url *url_r)
{
	char digits[8];
	const char *p, *why;
	int64_t port;
	size_t len;

	memset(url_r, 0, sizeof *url_r);
	url_r->tls = strncmp(text, "https://", 8) == 0;
	if (!url_r->tls && strncmp(text, "http://", 7) != 0)
		return "it must begin with https://";
	p = text + (url_r->tls ? 8 : 7);
	if (strchr(p, '@') != NULL)
		return "a user or password in it would be seen by others";
	why = take_host(p, url_r, &p);
	if (why != NULL)
		return why;
	url_r->port = url_r->tls ? 443 : 80;
	if (*p == ':') {
		p++;
		len = strspn(p, "0123456789");
		if (len == 0 || len > 5)
			return "the port must be 1 to 65535";
		snprintf(digits, sizeof digits, "%.*s", (int)len, p);
		if (!check_number(digits, &port) || port > 65535)
			return "the port must be 1 to 65535";
		url_r->port = (int)port;
		p += len;
	}
	if (*p != '\0' && *p != '/')
		return "the host's name has a character that can't be there";
	if (!url_r->tls && !is_loopback(url_r->host))
		return "http:// would show the credential to the network; "
		    "only a loopback address may have it";
	return take_path(p, url_r);
}
