#include "admin/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"

#define FILE_MAX_BYTES (16u << 20)

char *
text_file_read(const char *path)
{
	size_t len, n;
	char *text;
	FILE *in;

	in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (in == NULL) {
		complain("cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	text = malloc(FILE_MAX_BYTES + 1);
	len = 0;
	while (text != NULL && len < FILE_MAX_BYTES &&
	    (n = fread(text + len, 1, FILE_MAX_BYTES - len, in)) > 0)
		len += n;
	if (text == NULL || ferror(in) || len == FILE_MAX_BYTES) {
		complain("cannot read %s: %s", path, len == FILE_MAX_BYTES ?
		    "it is larger than 16 MiB" : strerror(errno));
		free(text);
		text = NULL;
	} else {
		text[len] = '\0';
		if (strlen(text) != len) {
			complain("%s is no text", path);
			free(text);
			text = NULL;
		}
	}
	if (in != stdin)
		fclose(in);
	return text;
}
