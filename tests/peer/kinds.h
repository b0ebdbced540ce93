/*
 * The routes beside chat and messages, each with one fixed answer.
 * Layer: tests/peer.  Written by: the connection's own thread only.
 */
#ifndef PEER_KINDS_H
#define PEER_KINDS_H

#include <stdbool.h>

#include "tests/peer/answer.h"

/* False: no such route; nothing was sent. */
bool peer_speak_kind(struct peer_answer *answer, enum peer_after *after_r);

#endif
