from __future__ import annotations

import hashlib

import numpy as np
import pytest

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.synthetic import assumptions, errors


def test_headcounts_are_carried_back_by_the_formula() -> None:
    assert assumptions.carried_back("wuling", 2011) == pytest.approx(0.263 * 17.2 / 12.7)
    targets = assumptions.area_targets()
    assert targets["wuling"].headcount == pytest.approx(0.3562, abs=1e-4)
    assert targets["liupan"].headcount == pytest.approx(0.192 * 17.2 / 7.2)
    assert targets["dabie"].mean_income == 4275.9


def test_every_area_has_targets_and_the_population_adds_up() -> None:
    targets = assumptions.area_targets()
    assert set(targets) == set(reference.areas()["area_id"])
    assert targets["wuling"].rural_population == round(7_930_000 / 0.263)
    assert 200e6 <= sum(t.rural_population for t in targets.values()) <= 215e6
    for target in targets.values():
        assert target.headcount_range[0] <= target.headcount <= target.headcount_range[1]


def test_published_shares_are_read_not_typed() -> None:
    water = assumptions.access_target("water_safe")
    assert water.key == pytest.approx(0.609)
    assert water.areas == {"qinba": pytest.approx(1 - 0.693)}
    assert water.other > water.key
    assert assumptions.key_mean_income() == 3273
    with pytest.raises(PovmonError, match="no published 'happiness'"):
        assumptions.published("wuling", 2011, "happiness")


def test_implied_mean_is_the_lognormal_one() -> None:
    mean = assumptions.implied_mean(0.40, 0.35)
    rng = np.random.default_rng(1)
    sigma = 0.6417  # sqrt(2) Phi^-1(0.675)
    sample = np.exp(np.log(mean) - sigma**2 / 2 + sigma * rng.standard_normal(400_000))
    assert (sample < 2300).mean() == pytest.approx(0.40, abs=0.005)


def test_sidecar_holds_the_checksum() -> None:
    content = (paths.reference() / "synthetic_assumptions.yml").read_bytes()
    sidecar = reference.metadata("synthetic_assumptions")
    assert sidecar["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_rate_without_its_kind_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**assumptions.load(), "errors": {"rates": {"income_sum": 0.1, "novelty": 0.1}}}
    monkeypatch.setattr(errors, "load", lambda: changed)
    with pytest.raises(PovmonError, match="novelty"):
        errors._check_rates()
