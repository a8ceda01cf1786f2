"""Which share is sampled, by configuration and environment."""

from __future__ import annotations

import pytest

from gateway.tracing.sampling import ARGUMENT, DEFAULT, SAMPLER, share


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, DEFAULT),
        ({SAMPLER: "always_on"}, 1.0),
        ({SAMPLER: "parentbased_always_off", ARGUMENT: "1"}, 0.0),
        ({SAMPLER: "traceidratio", ARGUMENT: "0.25"}, 0.25),
        ({SAMPLER: "ParentBased_TraceIdRatio", ARGUMENT: "0.25"}, 0.25),
        ({SAMPLER: "traceidratio"}, 1.0),
        ({SAMPLER: "traceidratio", ARGUMENT: "many"}, 1.0),
        ({SAMPLER: "traceidratio", ARGUMENT: "7"}, 1.0),
        ({SAMPLER: "jaeger_remote"}, DEFAULT),
    ],
)
def test_the_environment_says_it_where_the_configuration_does_not(environ: dict[str, str], told: float) -> None:
    assert share(None, environ) == told
    assert share(0.5, environ) == 0.5
    assert share(0.0, environ) == 0.0
