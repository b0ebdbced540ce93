/*
 * price_json.h: a price row as JSON.
 * Layer: portal.
 * Written by: nobody.
 */
#ifndef PORTAL_PRICE_JSON_H
#define PORTAL_PRICE_JSON_H

struct json_object;
struct price;

/* {"input": {"price": "1.00", "per": 1000000, "unit": "10^6 tokens"}, …};
 * returned, the caller releases it. */
struct json_object *price_json(const struct price *price);

#endif
