/*
 * models.c: see models.h.
 */
#include "wire/models.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/text.h"

/* The last second of the year 9999, beyond which no date has four digits. */
#define CREATED_MAX_S INT64_C(253402300799)

static void
put(struct wire_models *models, void (*put_fn)(struct wire_text *text,
    const char *string), const char *string)
{
	struct wire_text text = { models->buf, models->size, models->len };

	put_fn(&text, string);
	models->len = text.len;
}

static void
put_raw(struct wire_models *models, const char *raw)
{
	put(models, wire_text_raw, raw);
}

static void
put_string(struct wire_models *models, const char *string)
{
	put(models, wire_text_string, string);
}

static int64_t
created_s(const struct wire_model *model)
{
	if (model->created_s < 0)
		return 0;
	return model->created_s > CREATED_MAX_S ? CREATED_MAX_S :
	    model->created_s;
}

void
wire_models_begin(struct wire_models *models, enum wire_protocol protocol,
    char *buf, size_t size)
{
	assert(size >= WIRE_MODELS_ENTRY_BYTES);
	memset(models, 0, sizeof(*models));
	models->buf = buf;
	models->size = size;
	models->protocol = protocol;
	switch (protocol) {
	case WIRE_ANTHROPIC:
		put_raw(models, "{\"data\":[");
		return;
	case WIRE_GEMINI:
		put_raw(models, "{\"models\":[");
		return;
	case WIRE_OPENAI:
		break;
	}
	put_raw(models, "{\"object\":\"list\",\"data\":[");
}

static void
add_openai(struct wire_models *models, const struct wire_model *model)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)created_s(model));
	put_raw(models, "{\"id\":");
	put_string(models, model->id);
	put_raw(models, ",\"object\":\"model\",\"created\":");
	put_raw(models, number);
	put_raw(models, ",\"owned_by\":");
	put_string(models, model->owned_by != NULL ? model->owned_by :
	    "system");
	put_raw(models, "}");
}

static void
add_anthropic(struct wire_models *models, const struct wire_model *model)
{
	time_t created = (time_t)created_s(model);
	struct tm tm;
	char date[32];

	gmtime_r(&created, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_raw(models, "{\"type\":\"model\",\"id\":");
	put_string(models, model->id);
	put_raw(models, ",\"display_name\":");
	put_string(models, model->display_name != NULL ? model->display_name :
	    model->id);
	put_raw(models, ",\"created_at\":");
	put_string(models, date);
	put_raw(models, "}");
}

static void
add_gemini(struct wire_models *models, const struct wire_model *model)
{
	put_raw(models, "{\"name\":\"models/");
	put(models, wire_text_name, model->id);
	put_raw(models, "\",\"displayName\":");
	put_string(models, model->display_name != NULL ? model->display_name :
	    model->id);
	put_raw(models, ",\"supportedGenerationMethods\":["
	    "\"generateContent\",\"countTokens\"]}");
}

static void
add_one(struct wire_models *models, const struct wire_model *model)
{
	switch (models->protocol) {
	case WIRE_ANTHROPIC:
		add_anthropic(models, model);
		return;
	case WIRE_GEMINI:
		add_gemini(models, model);
		return;
	case WIRE_OPENAI:
		break;
	}
	add_openai(models, model);
}

size_t
wire_models_one(enum wire_protocol protocol, const struct wire_model *model,
    char *buf, size_t size)
{
	struct wire_models models = { .buf = buf, .size = size,
		.protocol = protocol };

	assert(size >= WIRE_MODELS_ENTRY_BYTES);
	add_one(&models, model);
	return models.len;
}

bool
wire_models_add(struct wire_models *models, const struct wire_model *model)
{
	if (models->size - models->len < WIRE_MODELS_ENTRY_BYTES)
		return false;
	if (models->count > 0)
		put_raw(models, ",");
	else
		snprintf(models->first_id, sizeof(models->first_id), "%s",
		    model->id);
	snprintf(models->last_id, sizeof(models->last_id), "%s", model->id);
	models->count++;
	add_one(models, model);
	return true;
}

void
wire_models_rebase(struct wire_models *models, char *buf, size_t size)
{
	assert(size >= models->size);
	models->buf = buf;
	models->size = size;
}

void
wire_models_end(struct wire_models *models)
{
	bool any = models->count > 0;

	if (models->protocol == WIRE_ANTHROPIC) {
		put_raw(models, "],\"has_more\":false,\"first_id\":");
		put_string(models, any ? models->first_id : NULL);
		put_raw(models, ",\"last_id\":");
		put_string(models, any ? models->last_id : NULL);
		put_raw(models, "}");
		return;
	}
	put_raw(models, "]}");
}
