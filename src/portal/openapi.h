/*
 * openapi.h: the document that describes the customers' API, OpenAPI 3.1.
 * Layer: portal.
 * Written by: openapi.json, at build time.
 */
#ifndef PORTAL_OPENAPI_H
#define PORTAL_OPENAPI_H

extern const char portal_openapi[];

#endif
