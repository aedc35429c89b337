"""Bars and plots of the report."""

from __future__ import annotations

from ava_eval import evaluate
from ava_eval.average_precision import class_curves
from ava_eval.charts import bar_table, gain_table, line_plot, plain_table, precision_recall_plot
from ava_eval.matching import true_positives
from tests.ava_eval.random_cases import LABEL_MAP, truth_table


def test_bars_are_scaled_up_if_all_values_are_small() -> None:
    assert '<rect x="0.00%" width="50.00%"' in bar_table("class", "AP", [("sit", [0.5], []), ("walk", [1.0], [])])
    assert '<rect x="0.00%" width="50.00%"' in bar_table("class", "AP", [("sit", [0.05], []), ("walk", [0.1], [])])


def test_gains_are_sorted_and_losses_point_left() -> None:
    text = gain_table({"sit": -0.1, "sing": 0.2})
    assert text.index("sing") < text.index("sit")
    assert 'gain"><rect x="50.00%" width="50.00%"' in text
    assert 'loss"><rect x="25.00%" width="25.00%"' in text


def test_plain_table_aligns_numbers() -> None:
    text = plain_table(["name", "boxes"], [["run", "1,234"]])
    assert text == (
        '<table><tr><th class="">name</th><th class="number">boxes</th></tr>'
        '<tr><td class="">run</td><td class="number">1,234</td></tr></table>'
    )


def test_precision_recall_plot_follows_the_envelope() -> None:
    """True, false, true positive: precision 1 up to recall 1/2, then 2/3 up to recall 1, in a square of side 150."""
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3), ("v", 2, (0, 0, 1, 1), 3)])
    found = truth.iloc[[0, 0, 1]].assign(score=[0.9, 0.8, 0.7])
    result = evaluate(truth, found, LABEL_MAP)
    curves = class_curves(result.selection, true_positives(result.selection, result.match, 0.5))
    assert 'd="M0.0 0.0H75.0V50.0H150.0V150"' in precision_recall_plot([curves[1]])
    assert precision_recall_plot([None]).count("<path") == 1


def test_line_plot_axis_ends_at_a_round_number() -> None:
    text = line_plot([{0.3: 0.5, 0.5: 0.3, 0.9: None}], "IoU", "mAP")
    assert ">60<" in text
    assert text.count("<circle") == 2
