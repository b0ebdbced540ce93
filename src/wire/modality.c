/*
 * modality.c: see modality.h.
 */
#include "wire/modality.h"

#include <strings.h>

static bool
is(const struct json_pull_value *value, const char *name)
{
	return value->text_len == strlen(name) &&
	    strncasecmp(value->text, name, value->text_len) == 0;
}

void
wire_modality_take(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (value->type != JSON_STRING || value->text_cut)
		return;
	if (is(value, "audio"))
		meter->modality = WIRE_MODALITY_AUDIO;
	else if (is(value, "image"))
		meter->modality = WIRE_MODALITY_IMAGE;
}

void
wire_modality_count(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	struct wire_meter_fields one = { 0 };

	wire_field_take(&one, 0, value);
	meter->modality_count = one.value[0];
	meter->part.marks |= one.marks;
}

void
wire_modality_edge(struct wire_meter *meter, enum json_pull_edge edge,
    unsigned int audio_field, unsigned int image_field)
{
	struct wire_meter_fields *part = &meter->part;
	unsigned int field;

	if (edge == JSON_PULL_BEGIN) {
		meter->modality = WIRE_MODALITY_TEXT;
		meter->modality_count = 0;
		return;
	}
	if (edge != JSON_PULL_END || meter->modality == WIRE_MODALITY_TEXT)
		return;
	field = meter->modality == WIRE_MODALITY_AUDIO ? audio_field :
	    image_field;
	part->value[field] = wire_count_add(part->value[field],
	    meter->modality_count, &part->marks);
	part->seen |= UINT32_C(1) << field;
}
