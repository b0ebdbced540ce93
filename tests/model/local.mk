# The money protocol's model, searched by spin.
TESTS += %D%/run.sh
EXTRA_DIST += %D%/run.sh %D%/money.pml %D%/README

# More calls and deaths, and a control for each mechanism: minutes.
model-check:
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/tests/model/run.sh --large
.PHONY: model-check
