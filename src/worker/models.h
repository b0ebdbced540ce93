/*
 * models.h: the models that a customer may call, as a list.
 * Layer: worker (private).
 * Written by: nobody; reads the catalogue's view.
 */
#ifndef WORKER_MODELS_H
#define WORKER_MODELS_H

#include <stdbool.h>

struct MHD_Connection;
struct call;

/* Those with a complete price that some channel of the protocol serves. */
bool	models_answer(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

/* The one that the path names, if it is among them. */
bool	models_answer_one(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

#endif
