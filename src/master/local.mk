# The daemon.
sbin_PROGRAMS += %D%/youyund
%C%_youyund_SOURCES = \
	%D%/child.c %D%/child.h \
	%D%/lock.c %D%/lock.h \
	%D%/logfile.c %D%/logfile.h \
	%D%/main.c %D%/master.h \
	%D%/payment.c %D%/payment.h \
	%D%/pem.c %D%/pem.h \
	%D%/postgres.c %D%/postgres.h \
	%D%/reload.c %D%/reload.h \
	%D%/run.c %D%/run.h \
	%D%/scrub.c \
	%D%/segment.c %D%/segment.h \
	%D%/sockets.c %D%/sockets.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/start.c %D%/start.h \
	%D%/title.c %D%/title.h \
	%D%/wake.c %D%/wake.h
%C%_youyund_LDADD = $(LINK_PORTAL) $(LINK_MAILER) $(LINK_WORKER) \
	$(LINK_FLUSHER)
