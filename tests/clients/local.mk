# The official client packages against the gateway.
EXTRA_DIST += %D%/package.json %D%/package-lock.json \
	%D%/sdk.test.mjs %D%/test_sdks.py \
	%D%/translated.test.mjs %D%/test_translated.py

if HAVE_PYTHON3
TESTS += %D%/test_sdks.py %D%/test_translated.py
endif

clean-local: clean-clients
clean-clients:
	-rm -rf tests/clients/sdk tests/clients/translated
.PHONY: clean-clients
