/*
 * socket_io.h: the system calls of a connection, and OpenSSL's way to them.
 * Layer: upstream, private to it.
 * Written by: nobody; functions only.
 */
#ifndef UPSTREAM_SOCKET_IO_H
#define UPSTREAM_SOCKET_IO_H

#include <stdbool.h>

struct connection;

/* Gives c->ssl a BIO that keeps c's flags; false when memory is short. */
bool	socket_io_attach(struct connection *c);

#endif
