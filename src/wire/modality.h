/*
 * modality.h: lists of {modality, count}, as Gemini's usages have them.
 * Layer: wire, private to it.
 * Written by: the meter's readers.
 */
#ifndef WIRE_MODALITY_H
#define WIRE_MODALITY_H

#include "wire/meter_reader.h"

enum wire_modality {
	WIRE_MODALITY_TEXT,	/* and video, documents: at text's price */
	WIRE_MODALITY_AUDIO,
	WIRE_MODALITY_IMAGE
};

/* An entry's two members, in any order. */
void	wire_modality_take(struct wire_meter *meter,
	    const struct json_pull_value *value);
void	wire_modality_count(struct wire_meter *meter,
	    const struct json_pull_value *value);

/* An entry begins, or ends: its count is added to the field of its modality,
 * audio_field or image_field. */
void	wire_modality_edge(struct wire_meter *meter, enum json_pull_edge edge,
	    unsigned int audio_field, unsigned int image_field);

#endif
