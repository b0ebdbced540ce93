/*
 * zip.h: a zip archive, written piece by piece and never kept whole.
 * Layer: export.
 * Written by: one thread.
 */
#ifndef EXPORT_ZIP_H
#define EXPORT_ZIP_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct zip;

/* NULL: no memory. */
struct zip *zip_open(void);
void	zip_close(struct zip **zip);

/* What becomes of the archive by the following is appended to out; false: there
 * was no room, and the archive is broken. */
bool	zip_begin(struct zip *zip, struct buf *out, const char *name)
	    __attribute__((warn_unused_result));
bool	zip_add(struct zip *zip, struct buf *out, const void *data, size_t len)
	    __attribute__((warn_unused_result));
/* The last file's, and the archive's. */
bool	zip_finish(struct zip *zip, struct buf *out)
	    __attribute__((warn_unused_result));

#endif
