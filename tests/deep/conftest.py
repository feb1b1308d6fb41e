"""Random cases: a few that are always the same, or with
`--hypothesis-profile=deep` (`make test-deep`) many that differ from run to
run.
"""

from hypothesis import HealthCheck, settings

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile(
    "few", max_examples=25, derandomize=True, database=None, **COMMON
)
settings.register_profile("deep", max_examples=2_000, print_blob=True, **COMMON)
settings.load_profile("few")
