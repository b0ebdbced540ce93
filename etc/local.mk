# Sample configuration, init script, systemd unit, logrotate, completion.
#
# They name installed paths, which are known to make only.
substitute = sed \
	-e 's|[@]sbindir[@]|$(sbindir)|g' \
	-e 's|[@]youyunconfdir[@]|$(sysconfdir)/youyun|g' \
	-e 's|[@]youyunlogdir[@]|$(localstatedir)/log/youyun|g' \
	-e 's|[@]youyunstatedir[@]|$(localstatedir)/lib/youyun|g' \
	-e 's|[@]youyunuser[@]|$(YOUYUN_USER)|g'

etc_made = %D%/youyun.conf %D%/youyun.init %D%/youyun.service \
	%D%/youyun.logrotate
noinst_DATA = $(etc_made)
CLEANFILES += $(etc_made)
EXTRA_DIST += %D%/youyun.conf.in %D%/youyun.init.in %D%/youyun.service.in \
	%D%/youyun.logrotate.in %D%/youyunctl.bash %D%/youyunctl.zsh

bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions

$(etc_made): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	    $(substitute) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
%D%/youyun.conf: %D%/youyun.conf.in
%D%/youyun.init: %D%/youyun.init.in
%D%/youyun.service: %D%/youyun.service.in
%D%/youyun.logrotate: %D%/youyun.logrotate.in

# The operator's own youyun.conf is never touched: it gets a .sample beside
# it, and becomes a copy of that only when there was none.
install-data-hook: install-etc
install-etc: $(etc_made)
	$(MKDIR_P) '$(DESTDIR)$(bashcompdir)' '$(DESTDIR)$(zshcompdir)'
	$(INSTALL_DATA) $(srcdir)/%D%/youyunctl.bash \
	    '$(DESTDIR)$(bashcompdir)/youyunctl'
	$(INSTALL_DATA) $(srcdir)/%D%/youyunctl.zsh \
	    '$(DESTDIR)$(zshcompdir)/_youyunctl'
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/youyun' \
	    '$(DESTDIR)$(sysconfdir)/init.d' \
	    '$(DESTDIR)$(sysconfdir)/logrotate.d' \
	    '$(DESTDIR)$(systemdsystemunitdir)'
	$(INSTALL_DATA) %D%/youyun.conf \
	    '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf.sample'
	test -e '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf' || \
	    $(INSTALL_DATA) %D%/youyun.conf \
	    '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf'
	$(INSTALL_SCRIPT) %D%/youyun.init \
	    '$(DESTDIR)$(sysconfdir)/init.d/youyun'
	$(INSTALL_DATA) %D%/youyun.logrotate \
	    '$(DESTDIR)$(sysconfdir)/logrotate.d/youyun'
	$(INSTALL_DATA) %D%/youyun.service \
	    '$(DESTDIR)$(systemdsystemunitdir)/youyun.service'

uninstall-hook: uninstall-etc
uninstall-etc:
	if cmp -s '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf.sample' \
	    '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf'; then \
		rm -f '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf'; \
	fi
	rm -f '$(DESTDIR)$(sysconfdir)/youyun/youyun.conf.sample' \
	    '$(DESTDIR)$(sysconfdir)/init.d/youyun' \
	    '$(DESTDIR)$(sysconfdir)/logrotate.d/youyun' \
	    '$(DESTDIR)$(systemdsystemunitdir)/youyun.service' \
	    '$(DESTDIR)$(bashcompdir)/youyunctl' \
	    '$(DESTDIR)$(zshcompdir)/_youyunctl'
	-rmdir '$(DESTDIR)$(sysconfdir)/youyun' 2>/dev/null
.PHONY: install-etc uninstall-etc
