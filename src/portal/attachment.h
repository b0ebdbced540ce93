/*
 * attachment.h: files that come with a ticket's message.
 * Layer: portal.
 * Written by: the request's thread.
 *
 * In a request they are [{"name": …, "content": base64}, …].  What one is, its
 * first bytes say, whatever it is called.  Nothing here opens one.
 */
#ifndef PORTAL_ATTACHMENT_H
#define PORTAL_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

#define ATTACHMENTS_MAX 4
#define ATTACHMENT_NAME_BYTES 100
#define ATTACHMENT_BYTES (512 * 1024)

/* The numbers are the database's. */
enum attachment_type {
	ATTACHMENT_PNG = 1,
	ATTACHMENT_JPEG,
	ATTACHMENT_PDF,
	ATTACHMENT_TEXT
};

struct attachment {
	const char *name;		/* borrowed from the request */
	enum attachment_type type;
	uint8_t *content;
	size_t len;
};

struct attachments {
	size_t count;
	struct attachment file[ATTACHMENTS_MAX];
};

/* The member "attachments", if it is there; what was taken is to be freed
 * either way.  False: the answer is set. */
bool	attachments_take(struct request *r, struct attachments *files_r)
	    __attribute__((warn_unused_result));
void	attachments_free(struct attachments *files);

/* By its first bytes, text as a whole; 0: nothing that may be sent. */
int	attachment_type_of(const uint8_t *content, size_t len);
/* "image/png", and for names "png". */
const char *attachment_media_type(int type);
const char *attachment_suffix(int type);

#endif
