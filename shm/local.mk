# The segment.
noinst_LIBRARIES += %D%/libshm.a
%C%_libshm_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/catalogue.c %D%/catalogue.h \
	%D%/cell.c %D%/cell.h \
	%D%/directory.c %D%/directory.h \
	%D%/hold.c %D%/hold.h \
	%D%/layout.h %D%/record.h \
	%D%/reclaim.c \
	%D%/ring.c %D%/ring.h \
	%D%/seat.c %D%/seat.h \
	%D%/segment.c %D%/segment.h
EXTRA_DIST += %D%/LAYOUT %D%/PROTOCOL
