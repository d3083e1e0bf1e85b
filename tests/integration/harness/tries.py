"""Which tests are tried again when they fail; pytest.ini has the rule for all others."""

import pytest

# For a test that fails when something takes too long. A busy machine only ever makes it longer, so
# such a test may try three times; what is late by its own fault is late each time. Not for a test of
# bytes, counts or order: where these differ once, something is wrong.
by_the_clock = pytest.mark.flaky(reruns=2, reruns_delay=1)

# For tests of which one failure is enough: an exchange lost, a byte changed, a request smuggled.
once = pytest.mark.flaky(reruns=0)
