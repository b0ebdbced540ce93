#include "base/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool
address_is_ipv4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void
address_text(const uint8_t address[16], char text_r[ADDRESS_TEXT_BYTES])
{
	static const uint8_t none[16];

	text_r[0] = '\0';
	if (memcmp(address, none, sizeof(none)) == 0)
		return;
	if (address_is_ipv4(address))
		(void)inet_ntop(AF_INET, address + 12, text_r,
		    ADDRESS_TEXT_BYTES);
	else
		(void)inet_ntop(AF_INET6, address, text_r,
		    ADDRESS_TEXT_BYTES);
}

static bool
parse(const char *text, uint8_t ip[16], uint32_t *bits_r)
{
	memset(ip, 0, 16);
	if (strchr(text, ':') != NULL) {
		*bits_r = 128;
		return inet_pton(AF_INET6, text, ip) == 1;
	}
	*bits_r = 32;
	ip[10] = ip[11] = 0xff;
	return inet_pton(AF_INET, text, ip + 12) == 1;
}

bool
address_network_parse(const char *text, uint8_t ip_r[16], uint32_t *bits_r)
{
	char address[ADDRESS_TEXT_BYTES];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint32_t most, bits, i;
	char *end;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse(address, ip_r, &most))
		return false;
	bits = most;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		bits = (uint32_t)strtoul(slash + 1, &end, 10);
		if (*end != '\0' || end > slash + 4 || bits > most)
			return false;
	}
	*bits_r = bits + 128 - most;
	for (i = *bits_r; i < 128; i++)
		ip_r[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	return true;
}
