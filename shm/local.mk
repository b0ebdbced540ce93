# The segment.
noinst_LIBRARIES += %D%/libshm.a
%C%_libshm_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/catalogue.c %D%/catalogue.h \
	%D%/breaker.c %D%/breaker.h \
	%D%/cell.c %D%/cell.h \
	%D%/channel.c %D%/channel.h \
	%D%/channel_headers.c %D%/channel_headers.h \
	%D%/channel_report.c \
	%D%/directory.c %D%/directory.h \
	%D%/hold.c %D%/hold.h \
	%D%/budget.c %D%/budget.h %D%/layout.h %D%/limit.c %D%/limit.h \
	%D%/limit_internal.h %D%/swap.h \
	%D%/record.c %D%/record.h \
	%D%/reclaim.c \
	%D%/refill.c %D%/refill.h \
	%D%/ring.c %D%/ring.h \
	%D%/seat.c %D%/seat.h \
	%D%/segment.c %D%/segment.h
EXTRA_DIST += %D%/LAYOUT %D%/LEASES %D%/PROTOCOL
