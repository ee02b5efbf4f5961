"""The alert rules against Prometheus' own judge of them."""

import re

import pytest
import yaml

from tests.alerts.prometheus import RULES, promtool

pytestmark = pytest.mark.services
EXAMPLES = ("alerts_test.yml", "alerts_days_test.yml")


def test_rules_and_configuration_are_what_prometheus_takes() -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


def test_rules_fire_and_stay_silent_as_their_examples_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", *EXAMPLES)


def test_each_rule_has_an_example_in_which_it_fires() -> None:
    (group,) = yaml.safe_load((RULES / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    examples = "".join((RULES / name).read_text(encoding="utf-8") for name in EXAMPLES)
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:\n", examples)
    assert {rule["alert"] for rule in group["rules"]} == set(fired)
