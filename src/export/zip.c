#include "export/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"

struct zip {
	struct archive *archive;
	struct buf *out;	/* of the present call */
};

static la_ssize_t
take(struct archive *archive, void *arg, const void *data, size_t len)
{
	struct zip *zip = arg;

	if (zip->out != NULL && buf_append(zip->out, data, len))
		return (la_ssize_t)len;
	archive_set_error(archive, ARCHIVE_FATAL, "no room");
	return -1;
}

struct zip *
zip_open(void)
{
	struct zip *zip = calloc(1, sizeof(*zip));
	struct archive *a = archive_write_new();

	if (zip == NULL || a == NULL) {
		archive_write_free(a);
		free(zip);
		return NULL;
	}
	zip->archive = a;
	/* Nothing is held back to fill a block. */
	if (archive_write_set_format_zip(a) == ARCHIVE_OK &&
	    archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
	    archive_write_open(a, zip, NULL, take, NULL) == ARCHIVE_OK)
		return zip;
	zip_close(&zip);
	return NULL;
}

void
zip_close(struct zip **zip)
{
	if (*zip == NULL)
		return;
	(*zip)->out = NULL;
	archive_write_fail((*zip)->archive);
	archive_write_free((*zip)->archive);
	free(*zip);
	*zip = NULL;
}

bool
zip_begin(struct zip *zip, struct buf *out, const char *name)
{
	struct archive_entry *entry = archive_entry_new();
	bool ok;

	if (entry == NULL)
		return false;
	zip->out = out;
	/* How long it will be isn't known. */
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, (time_t)(clock_wall().us / 1000000),
	    0);
	ok = archive_write_header(zip->archive, entry) == ARCHIVE_OK;
	archive_entry_free(entry);
	return ok;
}

bool
zip_add(struct zip *zip, struct buf *out, const void *data, size_t len)
{
	zip->out = out;
	return len == 0 ||
	    archive_write_data(zip->archive, data, len) == (la_ssize_t)len;
}

bool
zip_finish(struct zip *zip, struct buf *out)
{
	zip->out = out;
	return archive_write_close(zip->archive) == ARCHIVE_OK;
}
