/*
 * split.c: from totals with their details to dimensions that are disjoint.
 */
#include "wire/meter_reader.h"

static uint64_t
lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Takes n out of the pool, as far as it goes; returns what it lacked. */
static uint64_t
take(uint64_t *pool, uint64_t n)
{
	uint64_t taken = lesser(*pool, n);

	*pool -= taken;
	return n - taken;
}

static void
add(struct usage *usage, enum usage_dim dim, uint64_t n)
{
	usage->count[dim] = wire_count_add(usage->count[dim], n,
	    &usage->marks);
}

void
wire_split_input(const struct wire_input_split *split, struct usage *usage)
{
	uint64_t total = split->total, audio, image, text, cached, rest;
	uint64_t cached_audio, cached_image, hour, five;

	audio = wire_count_within(split->audio, total, &usage->marks);
	image = wire_count_within(split->image, total - audio, &usage->marks);
	text = total - audio - image;
	cached = wire_count_within(split->cached, total, &usage->marks);
	if (split->cached_split) {
		cached_audio = lesser(lesser(split->cached_audio, audio),
		    cached);
		cached_image = lesser(lesser(split->cached_image, image),
		    cached - cached_audio);
	} else {
		rest = cached - lesser(cached, text);
		cached_image = lesser(rest, image);
		cached_audio = rest - cached_image;
	}
	/* What is left must be text; if there is too little, the details
	 * contradict each other. */
	rest = wire_count_within(cached - cached_audio - cached_image, text,
	    &usage->marks);
	text -= rest;
	add(usage, USAGE_CACHE_READ, rest + cached_image);
	add(usage, USAGE_CACHE_READ_AUDIO, cached_audio);
	audio -= cached_audio;
	image -= cached_image;
	total = text + image + audio;
	hour = wire_count_within(split->written_long, total, &usage->marks);
	five = wire_count_within(split->written, total - hour, &usage->marks);
	take(&audio, take(&image, take(&text, hour + five)));
	add(usage, USAGE_CACHE_WRITE_1H, hour);
	add(usage, USAGE_CACHE_WRITE_5M, five);
	add(usage, USAGE_INPUT, text);
	add(usage, USAGE_INPUT_AUDIO, audio);
	add(usage, USAGE_INPUT_IMAGE, image);
}

void
wire_split_output(uint64_t total, uint64_t audio, uint64_t image,
    struct usage *usage)
{
	audio = wire_count_within(audio, total, &usage->marks);
	image = wire_count_within(image, total - audio, &usage->marks);
	add(usage, USAGE_OUTPUT, total - audio - image);
	add(usage, USAGE_OUTPUT_AUDIO, audio);
	add(usage, USAGE_OUTPUT_IMAGE, image);
}
