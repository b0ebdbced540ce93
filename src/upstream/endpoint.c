#include "upstream/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"
#include "upstream/pool.h"
#include "upstream/trust.h"
#include "upstream/tunnel.h"

void
upstream_config_channel(struct upstream_config *config,
    const struct catalogue_channel *channel)
{
	config->host = channel->host;
	config->port = channel->port;
	config->tls = channel->tls != 0;
	config->base_path = channel->base_path;
	config->ca = channel->ca_bytes > 0 ? channel->ca : NULL;
	config->ca_bytes = channel->ca_bytes;
	config->proxy_host = channel->proxy_port != 0 ? channel->proxy_host :
	    NULL;
	config->proxy_port = channel->proxy_port;
	config->address = channel->address;
	config->addresses = channel->addresses;
	/* The catalogue was written by another process. */
	if (config->ca_bytes > CHANNEL_CA_BYTES)
		config->ca_bytes = CHANNEL_CA_BYTES;
	if (config->addresses > CHANNEL_ADDRESSES)
		config->addresses = CHANNEL_ADDRESSES;
}

/* Strips the brackets; false unless it may stand in a Host header. */
static bool
copy_host(char *to, const char *host)
{
	static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t len = strlen(host);
	struct in6_addr in6;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len == 0 || len >= CHANNEL_HOST_BYTES)
		return false;
	memcpy(to, host, len);
	to[len] = '\0';
	return strspn(to, name_chars) == len ||
	    inet_pton(AF_INET6, to, &in6) == 1;
}

/* "" or "/prefix" without its trailing '/'. */
static bool
copy_base_path(char *to, const char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len >= CHANNEL_PATH_BYTES || (len > 0 && path[0] != '/'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[i] <= ' ' || path[i] >= 0x7f ||
		    path[i] == '?' || path[i] == '#')
			return false;
	memcpy(to, path, len);
	to[len] = '\0';
	return true;
}

static void
render_host(struct upstream *up)
{
	bool v6 = strchr(up->host, ':') != NULL;
	char port[12] = "";

	if (up->port != (up->tls_on ? 443 : 80))
		snprintf(port, sizeof(port), ":%u", (unsigned)up->port);
	snprintf(up->host_header, sizeof(up->host_header), "%s%s%s%s",
	    v6 ? "[" : "", up->host, v6 ? "]" : "", port);
}

static void
digest_ca(const struct upstream_config *config,
    unsigned char digest[CA_DIGEST_BYTES])
{
	memset(digest, 0, CA_DIGEST_BYTES);
	if (config->ca != NULL)
		SHA256((const unsigned char *)config->ca, config->ca_bytes,
		    digest);
}

static enum upstream_open_result
open_tls(struct upstream *up, const struct upstream_config *config)
{
	const struct upstream_trust *trust = up->client->trust;
	X509_STORE *own = NULL, *store = NULL;
	bool ok;

	if (!up->tls_on)
		return UPSTREAM_OPEN_OK;
	if (config->ca != NULL) {
		own = upstream_trust_parse(config->ca, config->ca_bytes);
		if (own == NULL)
			return UPSTREAM_OPEN_BAD_CA;
		store = own;
	} else if (trust != NULL) {
		store = upstream_trust_store(trust);
	}
	ok = tls_init(&up->tls, up->host, store);
	X509_STORE_free(own);
	return ok ? UPSTREAM_OPEN_OK : UPSTREAM_OPEN_MEMORY;
}

static void
take_changeable(struct upstream *up, const struct upstream_config *config)
{
	assert(config->addresses <= CHANNEL_ADDRESSES);
	up->timeouts = config->timeouts;
	up->idle_max = config->idle_max;
	up->idle_keep_ms = config->idle_keep_ms;
	up->addresses = config->addresses;
	if (config->addresses > 0)
		memcpy(up->address, config->address,
		    config->addresses * sizeof(up->address[0]));
}

static bool
has_proxy(const struct upstream_config *config)
{
	return config->proxy_host != NULL && config->proxy_host[0] != '\0';
}

static bool
open_tunnel(struct upstream *up, const struct upstream_config *config)
{
	up->dial_port = up->port;
	if (!has_proxy(config))
		return true;
	up->dial_port = config->proxy_port;
	up->tunnel = tunnel_request(up->host, up->port, config->proxy_auth,
	    &up->tunnel_len);
	return up->tunnel != NULL;
}

/* By the same proxy with the same credential? */
static bool
same_tunnel(const struct upstream *up, const struct upstream_config *config)
{
	char *wanted;
	size_t len;
	bool same;

	if (!has_proxy(config))
		return up->tunnel == NULL;
	if (up->tunnel == NULL || up->dial_port != config->proxy_port)
		return false;
	wanted = tunnel_request(up->host, up->port, config->proxy_auth, &len);
	same = wanted != NULL && len == up->tunnel_len &&
	    memcmp(wanted, up->tunnel, len) == 0;
	tunnel_request_free(&wanted, len);
	return same;
}

enum upstream_open_result
upstream_open(struct upstream_client *client,
    const struct upstream_config *config, struct upstream **upstream_r)
{
	enum upstream_open_result result;
	struct upstream *up = calloc(1, sizeof(*up));

	*upstream_r = NULL;
	if (up == NULL)
		return UPSTREAM_OPEN_MEMORY;
	up->client = client;
	up->port = config->port;
	up->tls_on = config->tls;
	up->own_ca = config->ca != NULL;
	digest_ca(config, up->ca_digest);
	if (!copy_host(up->host, config->host))
		result = UPSTREAM_OPEN_BAD_HOST;
	else if (!copy_base_path(up->base_path, config->base_path))
		result = UPSTREAM_OPEN_BAD_PATH;
	else
		result = open_tls(up, config);
	if (result == UPSTREAM_OPEN_OK) {
		render_host(up);
		if (!open_tunnel(up, config))
			result = UPSTREAM_OPEN_MEMORY;
	}
	if (result != UPSTREAM_OPEN_OK) {
		tls_fini(&up->tls);
		free(up);
		return result;
	}
	take_changeable(up, config);
	pool_init(up);
	client->upstreams++;
	*upstream_r = up;
	return UPSTREAM_OPEN_OK;
}

/* The address that answered last stays in front, if it is still there. */
static void
update_addresses(struct upstream *up, const struct upstream_config *config)
{
	struct catalogue_address first = up->address[0];
	bool proven = up->proven;

	take_changeable(up, config);
	up->proven = false;
	if (proven)
		endpoint_prefer(up, &first);
}

bool
upstream_update(struct upstream *up, const struct upstream_config *config)
{
	unsigned char digest[CA_DIGEST_BYTES];
	char host[CHANNEL_HOST_BYTES];
	char base_path[CHANNEL_PATH_BYTES];

	if (!copy_host(host, config->host) ||
	    !copy_base_path(base_path, config->base_path))
		return false;
	digest_ca(config, digest);
	if (strcmp(host, up->host) != 0 || config->port != up->port ||
	    config->tls != up->tls_on ||
	    (config->ca != NULL) != up->own_ca ||
	    memcmp(digest, up->ca_digest, sizeof(digest)) != 0 ||
	    !same_tunnel(up, config))
		return false;
	strcpy(up->base_path, base_path);
	update_addresses(up, config);
	pool_shrink(up, up->idle_max);
	return true;
}

static void
free_unused(struct upstream *up)
{
	if (!up->retired || up->exchanges > 0)
		return;
	assert(up->idle == 0 && up->client->upstreams > 0);
	loop_disarm(up->client->loop, &up->pool_timer);
	tls_fini(&up->tls);
	tunnel_request_free(&up->tunnel, up->tunnel_len);
	up->client->upstreams--;
	free(up);
}

void
upstream_retire(struct upstream **upstream)
{
	struct upstream *up = *upstream;

	if (up == NULL)
		return;
	*upstream = NULL;
	assert(!up->retired);
	up->retired = true;
	pool_shrink(up, 0);
	free_unused(up);
}

void
endpoint_enter(struct upstream *up)
{
	assert(!up->retired);
	up->exchanges++;
}

void
endpoint_leave(struct upstream *up)
{
	assert(up->exchanges > 0);
	up->exchanges--;
	free_unused(up);
}

void
endpoint_prefer(struct upstream *up, const struct catalogue_address *address)
{
	for (size_t i = 0; i < up->addresses; i++) {
		struct catalogue_address found = up->address[i];

		if (memcmp(&found, address, sizeof(found)) != 0)
			continue;
		up->proven = true;
		memmove(&up->address[1], &up->address[0],
		    i * sizeof(found));
		up->address[0] = found;
		return;
	}
}

bool
upstream_adopt(struct upstream *up, int fd)
{
	struct connection *c = connection_adopt(up, fd);

	if (c == NULL)
		return false;
	pool_add(c);
	return true;
}

bool
upstream_has_idle(const struct upstream *up)
{
	return up->idle > 0;
}

const char *
upstream_host(const struct upstream *up)
{
	return up->host_header;
}

const char *
upstream_base_path(const struct upstream *up)
{
	return up->base_path;
}
