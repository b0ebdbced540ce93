# Checks of the tree itself.
lint_tests = %D%/layers.sh %D%/headers.sh %D%/hosts.sh %D%/pages.sh \
	%D%/symbols.sh
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) %D%/bodies.py
if HAVE_PYTHON3
TESTS += %D%/bodies.py
endif
