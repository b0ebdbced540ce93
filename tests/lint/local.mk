# Checks of the tree itself.
lint_tests = %D%/layers.sh %D%/headers.sh %D%/hosts.sh %D%/symbols.sh
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests)
