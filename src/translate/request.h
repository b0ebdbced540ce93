/*
 * request.h: the readers and writers of requests.
 * Layer: translate, private to it.
 * Written by: nobody at run time.
 */
#ifndef TRANSLATE_REQUEST_H
#define TRANSLATE_REQUEST_H

#include "translate/conversation.h"
#include "translate/walk.h"

/* Read walk->conversation out of a client's document, which it borrows from.
 * False: refused. */
typedef bool request_read_fn(struct walk *walk, struct json_object *document);

bool	request_from_chat(struct walk *walk, struct json_object *document);
bool	request_from_messages(struct walk *walk, struct json_object *document);
bool	request_from_responses(struct walk *walk,
	    struct json_object *document);
bool	request_from_gemini(struct walk *walk, struct json_object *document);

/* What a writer works on. */
struct request_writer {
	struct conversation *conversation;
	const struct translate_request_options *options;
	struct translate_refusal *refusal;
	struct json_object *body;	/* an empty object, to be filled */
};

/* False: refused, by the client's member for what cannot be said. */
typedef bool request_write_fn(struct request_writer *writer);

bool	request_to_chat(struct request_writer *writer);
bool	request_to_anthropic(struct request_writer *writer);
bool	request_to_gemini(struct request_writer *writer);

/* Always false. */
bool	request_refuse(struct request_writer *writer, const char *member,
	    enum translate_reason reason);

/* A parameter under the upstream's name, as the client gave it. */
void	request_put_param(struct request_writer *writer,
	    struct json_object *object, enum conversation_param param,
	    const char *name);
/* Refuses if one of the parameters was given, by its member. */
bool	request_without(struct request_writer *writer,
	    const enum conversation_param *params, size_t n);

/* Leading system turns as one text; *rest_r is the first turn behind them.
 * Without any, the text is empty. */
struct span request_system(struct request_writer *writer,
	    struct conversation_turn **rest_r);

#endif
