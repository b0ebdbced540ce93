#include "portal/attachment.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "portal/request.h"

static bool
is_text(const uint8_t *p, size_t len)
{
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_get(p + i, len - i, &c);
		if (n == 0 || (c >= 0x7f && c < 0xa0) || (c < 0x20 &&
		    c != '\n' && c != '\r' && c != '\t'))
			return false;
	}
	return true;
}

static bool
begins(const uint8_t *p, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && memcmp(p, magic, magic_len) == 0;
}

int
attachment_type_of(const uint8_t *p, size_t len)
{
	if (begins(p, len, "\x89PNG\r\n\x1a\n", 8))
		return ATTACHMENT_PNG;
	if (begins(p, len, "\xff\xd8\xff", 3))
		return ATTACHMENT_JPEG;
	if (begins(p, len, "%PDF-", 5))
		return ATTACHMENT_PDF;
	return len > 0 && is_text(p, len) ? ATTACHMENT_TEXT : 0;
}

const char *
attachment_media_type(int type)
{
	switch ((enum attachment_type)type) {
	case ATTACHMENT_PNG:
		return "image/png";
	case ATTACHMENT_JPEG:
		return "image/jpeg";
	case ATTACHMENT_PDF:
		return "application/pdf";
	case ATTACHMENT_TEXT:
		return "text/plain; charset=utf-8";
	}
	return "application/octet-stream";
}

const char *
attachment_suffix(int type)
{
	switch ((enum attachment_type)type) {
	case ATTACHMENT_PNG:
		return "png";
	case ATTACHMENT_JPEG:
		return "jpg";
	case ATTACHMENT_PDF:
		return "pdf";
	case ATTACHMENT_TEXT:
		return "txt";
	}
	return "bin";
}

static bool
refuse(struct request *r, const char *why)
{
	answer_problem(r, 400, "bad_member", "attachments", "%s", why);
	return false;
}

/* A name is shown, and never one of a file of ours. */
static bool
is_name(struct json_object *o, const char **name_r)
{
	const char *p;
	size_t len;

	if (!json_object_is_type(o, json_type_string))
		return false;
	p = json_object_get_string(o);
	len = (size_t)json_object_get_string_len(o);
	*name_r = p;
	return len > 0 && len <= ATTACHMENT_NAME_BYTES && strlen(p) == len &&
	    strpbrk(p, "/\\\t\r\n") == NULL &&
	    is_text((const uint8_t *)p, len);
}

static bool
take_content(struct request *r, struct json_object *o,
    struct attachment *file)
{
	const char *text;
	size_t len;
	int type;

	if (!json_object_is_type(o, json_type_string))
		return refuse(r, "content is a string of base64.");
	text = json_object_get_string(o);
	len = (size_t)json_object_get_string_len(o);
	if (len == 0 || BASE64_ROOM(len) > ATTACHMENT_BYTES + 2)
		return refuse(r, "A file has 1 to 524288 bytes.");
	file->content = malloc(BASE64_ROOM(len) + 1);
	if (file->content == NULL) {
		answer_problem(r, 503, "unavailable", NULL,
		    "Memory is short. Retry later.");
		return false;
	}
	if (!base64_decode(text, len, file->content, &file->len))
		return refuse(r, "content is no base64 (RFC 4648, section 4).");
	if (file->len == 0 || file->len > ATTACHMENT_BYTES)
		return refuse(r, "A file has 1 to 524288 bytes.");
	type = attachment_type_of(file->content, file->len);
	if (type == 0)
		return refuse(r, "Allowed are PNG, JPEG, PDF and UTF-8 text.");
	file->type = (enum attachment_type)type;
	return true;
}

static bool
take_one(struct request *r, struct json_object *o, struct attachment *file)
{
	struct json_object *name, *content;

	if (!json_object_is_type(o, json_type_object) ||
	    json_object_object_length(o) != 2 ||
	    !json_object_object_get_ex(o, "name", &name) ||
	    !json_object_object_get_ex(o, "content", &content))
		return refuse(r, "Each has name and content, and no more.");
	if (!is_name(name, &file->name))
		return refuse(r, "A name has 1 to 100 bytes of printable UTF-8"
		    " and no slash.");
	return take_content(r, content, file);
}

bool
attachments_take(struct request *r, struct attachments *files)
{
	struct json_object *list;
	size_t n;

	memset(files, 0, sizeof(*files));
	if (!json_object_object_get_ex(r->json, "attachments", &list))
		return true;
	if (!json_object_is_type(list, json_type_array))
		return refuse(r, "A list is wanted.");
	n = json_object_array_length(list);
	if (n > ATTACHMENTS_MAX)
		return refuse(r, "A message has 4 files at the most.");
	for (size_t i = 0; i < n; i++) {
		files->count = i + 1;
		if (!take_one(r, json_object_array_get_idx(list, i),
		    &files->file[i]))
			return false;
	}
	return true;
}

void
attachments_free(struct attachments *files)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->file[i].content != NULL)
			bytes_scrub(files->file[i].content,
			    files->file[i].len);
		free(files->file[i].content);
	}
	files->count = 0;
}
