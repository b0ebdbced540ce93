# The copy of a customer's data.
noinst_LIBRARIES += %D%/libexport.a
%C%_libexport_a_SOURCES = \
	%D%/export.c %D%/export.h \
	%D%/tables.c %D%/tables.h \
	%D%/zip.c %D%/zip.h
