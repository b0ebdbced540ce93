#include "base/address.h"

#include <arpa/inet.h>
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
