/*
 * form.c: see form.h.
 */
#include "wire/form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Bytes in a millisecond of compressed speech: 128 kbit/s are usual, 32 are
 * about the least that is heard. */
#define AUDIO_USUAL_BYTES_PER_MS 16
#define AUDIO_LEAST_BYTES_PER_MS 4

static bool
refuse(struct wire_fault *fault, enum wire_error error, const char *param)
{
	fault->error = error;
	snprintf(fault->param, sizeof(fault->param), "%s", param);
	return false;
}

bool
wire_form_init(struct wire_form *form, enum wire_route route,
    struct span content_type, struct wire_request *request,
    struct wire_fault *fault_r)
{
	memset(form, 0, sizeof(*form));
	wire_request_init(route, request);
	request->form = true;
	if (multipart_init(&form->parts, content_type))
		return true;
	return refuse(fault_r, WIRE_ERROR_BAD_FORM, "");
}

/* Of the names that cost, however their letters are written. */
static bool
fold_costs(const char *name, char *folded)
{
	size_t i, len = strlen(name);

	if (len >= sizeof(((struct wire_form *)0)->seen[0]))
		return false;
	for (i = 0; i <= len; i++)
		folded[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] | 0x20) : name[i];
	return wire_request_field_costs(folded);
}

static bool
begin_part(struct wire_form *form, struct wire_fault *fault)
{
	const char *name = form->parts.name;
	char folded[24];

	form->value_start = form->at;
	form->value_len = 0;
	form->value_long = false;
	form->costs = fold_costs(name, folded);
	if (!form->costs)
		return true;
	if (strcmp(folded, name) != 0)
		return refuse(fault, WIRE_ERROR_DUPLICATE_PARAM, folded);
	for (uint8_t i = 0; i < form->seen_count; i++)
		if (strcmp(form->seen[i], folded) == 0)
			return refuse(fault, WIRE_ERROR_DUPLICATE_PARAM,
			    folded);
	if (form->parts.is_file)
		return refuse(fault, WIRE_ERROR_BAD_PARAM, folded);
	memcpy(form->seen[form->seen_count++], folded, sizeof(folded));
	return true;
}

static void
add_file(struct wire_form *form, struct span data)
{
	size_t n = sizeof(form->sniff) - form->sniffed;

	form->file_bytes += data.len;
	if (n > data.len)
		n = data.len;
	memcpy(form->sniff + form->sniffed, data.p, n);
	form->sniffed += n;
}

static void
add_data(struct wire_form *form, struct span data)
{
	if (form->parts.is_file)
		add_file(form, data);
	else if (!form->costs && form->on_field != NULL)
		form->on_field(form->context, data.p, data.len);
	if (!form->costs)
		return;
	if (data.len > sizeof(form->value) - form->value_len) {
		form->value_long = true;
		return;
	}
	memcpy(form->value + form->value_len, data.p, data.len);
	form->value_len += data.len;
}

static bool
end_part(struct wire_form *form, struct wire_request *request,
    struct wire_fault *fault)
{
	const char *name = form->parts.name;
	struct span value = { form->value, form->value_len };

	if (!form->costs && !form->parts.is_file && form->on_field != NULL)
		form->on_field(form->context, NULL, 0);
	if (!form->costs)
		return true;
	if (form->value_long)
		return refuse(fault, WIRE_ERROR_BAD_PARAM, name);
	if (strcmp(name, "model") == 0) {
		request->model_value.start = form->value_start;
		request->model_value.end = form->value_start + value.len;
		form->has_model = true;
	}
	return wire_request_field(request, name, value, fault);
}

/* Nothing but a line's end comes after the end. */
static bool
take_after(struct wire_form *form, const char *in, size_t len)
{
	static const char line_end[] = "\r\n";
	size_t i;

	for (i = 0; i < len; i++)
		if (form->after >= 2 || in[i] != line_end[form->after++])
			return false;
	return true;
}

bool
wire_form_feed(struct wire_form *form, const char *in, size_t len,
    struct wire_request *request, struct wire_fault *fault_r)
{
	struct span data;
	size_t used;

	memset(fault_r, 0, sizeof(*fault_r));
	while (len > 0) {
		enum multipart_item item;

		if (form->done)
			return take_after(form, in, len) ||
			    refuse(fault_r, WIRE_ERROR_BAD_FORM, "");
		item = multipart_next(&form->parts, in, len, &used, &data);
		in += used;
		len -= used;
		form->at += used;
		switch (item) {
		case MULTIPART_MORE:
			break;
		case MULTIPART_PART:
			if (!begin_part(form, fault_r))
				return false;
			break;
		case MULTIPART_DATA:
			add_data(form, data);
			break;
		case MULTIPART_END:
			if (!end_part(form, request, fault_r))
				return false;
			break;
		case MULTIPART_DONE:
			form->done = true;
			break;
		case MULTIPART_BAD:
			return refuse(fault_r, WIRE_ERROR_BAD_FORM, "");
		}
	}
	return true;
}

bool
wire_form_finish(struct wire_form *form, struct wire_request *request,
    struct wire_fault *fault_r)
{
	memset(fault_r, 0, sizeof(*fault_r));
	if (!form->done)
		return refuse(fault_r, WIRE_ERROR_BAD_FORM, "");
	if (!form->has_model)
		return refuse(fault_r, WIRE_ERROR_MISSING_PARAM, "model");
	request->body_bytes = form->at + form->after;
	return true;
}

/* The byte rate of a WAV file (RIFF, its first chunk being the format). */
static uint64_t
wav_bytes_per_second(const struct wire_form *form)
{
	const unsigned char *p = form->sniff;

	if (form->sniffed < 32 || memcmp(p, "RIFF", 4) != 0 ||
	    memcmp(p + 8, "WAVEfmt ", 8) != 0)
		return 0;
	return (uint64_t)p[28] | (uint64_t)p[29] << 8 |
	    (uint64_t)p[30] << 16 | (uint64_t)p[31] << 24;
}

uint64_t
wire_form_audio_ms(const struct wire_form *form, uint64_t bytes, bool sure)
{
	uint64_t rate = wav_bytes_per_second(form);

	/* Nobody records less than 8 bits at 1 kHz. */
	if (rate >= 1000 && bytes < UINT64_MAX / 1000)
		return bytes * 1000 / rate;
	return bytes / (sure ? AUDIO_LEAST_BYTES_PER_MS :
	    AUDIO_USUAL_BYTES_PER_MS);
}
