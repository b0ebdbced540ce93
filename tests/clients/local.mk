# The official client packages against the gateway.
EXTRA_DIST += %D%/package.json %D%/package-lock.json \
	%D%/sdk.test.mjs %D%/test_sdks.py

if HAVE_PYTHON3
TESTS += %D%/test_sdks.py
endif

clean-local: clean-clients
clean-clients:
	-rm -rf tests/clients/sdk
.PHONY: clean-clients
