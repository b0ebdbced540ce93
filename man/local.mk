# Man pages, in mdoc. Those that name installed paths are made from .in files,
# by the substitution of etc/local.mk.
man_made = %D%/youyun.conf.5 %D%/youyunctl.8 %D%/youyund.8
nodist_man_MANS = $(man_made)
dist_man_MANS += %D%/youyun-payments.7 %D%/youyun-records.7
CLEANFILES += $(man_made)
EXTRA_DIST += %D%/youyun.conf.5.in %D%/youyunctl.8.in %D%/youyund.8.in

$(man_made): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	    $(substitute) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
%D%/youyun.conf.5: %D%/youyun.conf.5.in
%D%/youyunctl.8: %D%/youyunctl.8.in
%D%/youyund.8: %D%/youyund.8.in
