/*
 * price_options.h: the options of "price set" and "cost set".
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_PRICE_OPTIONS_H
#define ADMIN_PRICE_OPTIONS_H

#include "admin/admin.h"
#include "admin/args.h"
#include "base/price.h"

/* One for each field of a price row, in their order, and what is no number. */
#define PRICE_OPTIONS \
	{ "input", "PRICE", "per million input tokens", false }, \
	{ "output", "PRICE", "per million output tokens", false }, \
	{ "cache-read", "PRICE", "input served from a cache; default: as " \
	  "input", false }, \
	{ "cache-write-5m", "PRICE", "input written to a short-lived cache; " \
	  "default: as input", false }, \
	{ "cache-write-1h", "PRICE", "input written to a long-lived cache; " \
	  "default: as input", false }, \
	{ "input-audio", "PRICE", "per million audio tokens in", false }, \
	{ "output-audio", "PRICE", "per million audio tokens out", false }, \
	{ "cache-read-audio", "PRICE", "audio served from a cache; default: " \
	  "as audio in", false }, \
	{ "input-image", "PRICE", "per million image tokens in", false }, \
	{ "output-image", "PRICE", "per million image tokens out", false }, \
	{ "per-image", "PRICE", "for an image made", false }, \
	{ "per-call", "PRICE", "for a call, besides all else", false }, \
	{ "per-minute", "PRICE", "for a minute of audio", false }, \
	{ "per-1000-characters", "PRICE", "of text to be spoken", false }, \
	{ "per-tool-call", "PRICE", "for a tool that the provider runs", \
	  false }, \
	{ "long-above", "COUNT", "input tokens above which the long prices " \
	  "hold for the whole call", false }, \
	{ "long-input", "PRICE", "input of a long call", false }, \
	{ "long-output", "PRICE", "output of a long call", false }, \
	{ "long-cache-read", "PRICE", "cache reads of a long call", false }, \
	{ "long-cache-write-5m", "PRICE", "cache writes of a long call", \
	  false }, \
	{ "long-cache-write-1h", "PRICE", "the same, long-lived", false }, \
	{ "long-input-multiplier", "FACTOR", "on input prices of a long call " \
	  "that have no long price", false }, \
	{ "long-output-multiplier", "FACTOR", "the same for output", false }, \
	{ "flex-multiplier", "FACTOR", "if served in the flex tier", false }, \
	{ "scale-multiplier", "FACTOR", "in the scale tier", false }, \
	{ "priority-multiplier", "FACTOR", "in the priority tier", false }, \
	{ "fast-tier-multiplier", "FACTOR", "in the fast tier", false }, \
	{ "ultrafast-tier-multiplier", "FACTOR", "in the ultrafast tier", \
	  false }, \
	{ "batch-multiplier", "FACTOR", "in the batch tier", false }, \
	{ "other-tier-multiplier", "FACTOR", "in a tier that is not known", \
	  false }, \
	{ "fast-multiplier", "FACTOR", "at the fast speed", false }, \
	{ "us-multiplier", "FACTOR", "if served in the United States", \
	  false }, \
	{ "eu-multiplier", "FACTOR", "in the European Union", false }, \
	{ "other-region-multiplier", "FACTOR", "in another region", false }, \
	{ "minimum", "PRICE", "the least that a call costs", false }, \
	{ "image", "SIZE:QUALITY=PRICE", "for an image of that size and " \
	  "quality; repeats", true }, \
	{ "free", NULL, "costs nothing, on purpose", false }

/* The price out of such options; what is wrong has been printed. */
enum admin_exit	price_options_read(const struct args *args,
	    struct price *price_r) __attribute__((warn_unused_result));

#endif
