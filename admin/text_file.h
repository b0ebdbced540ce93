/*
 * text_file.h: a file that the operator wrote, as a whole.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_TEXT_FILE_H
#define ADMIN_TEXT_FILE_H

/* 0-terminated, at most 16 MiB; "-" is standard input.  Caller frees; NULL
 * and said why. */
char	*text_file_read(const char *path);

#endif
