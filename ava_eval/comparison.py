"""Compares two detection files, for example of an audiovisual and a video-only model."""

from __future__ import annotations

from dataclasses import dataclass

from ava_eval.bootstrap import Interval, bootstrap_difference
from ava_eval.result import Result, percent


@dataclass
class Comparison:
    """Two results on the same ground truth; `difference` is the bootstrap of second minus first mAP."""

    first_name: str
    second_name: str
    first: Result
    second: Result
    difference: Interval | None

    @property
    def fraction_second_better(self) -> float | None:
        """Fraction of the bootstrap samples in which the second has the higher mAP."""
        return None if self.difference is None else float((self.difference.samples > 0).mean())

    def gains(self) -> dict[str, float | None]:
        """Second minus first AP by class, None if either has no AP."""
        pairs = zip(self.first.ap.items(), self.second.ap.values(), strict=True)
        return {name: None if a is None or b is None else b - a for (name, a), b in pairs}


def compare(first: Result, second: Result, first_name: str = "first", second_name: str = "second") -> Comparison:
    """Compare two results of `evaluate` with the same ground truth, label map, protocol, IoU and rule for ties."""
    if _rules(first) != _rules(second):
        raise ValueError(
            "results of different protocols, IoUs, rules for ties or label maps cannot be compared;"
            " evaluate both with the same ones."
        )
    return Comparison(first_name, second_name, first, second, bootstrap_difference(first, second))


def _rules(result: Result) -> tuple[object, ...]:
    return result.protocol, result.iou, result.ties, list(result.ap)


def comparison_table(comparison: Comparison) -> str:
    """AP of both and the gain by class, the largest gain first, then the means and the interval, as text.

    Classes without AP in both results are left out.
    """
    first_ap, second_ap = comparison.first.ap, comparison.second.ap
    gains = {
        name: gain for name, gain in comparison.gains().items() if (first_ap[name], second_ap[name]) != (None, None)
    }
    rows = [
        (name, first_ap[name], second_ap[name], gains[name])
        for name in sorted(gains, key=lambda name: (gains[name] is None, -(gains[name] or 0.0)))
    ]
    means = comparison.first.mean_ap, comparison.second.mean_ap
    rows.append(("mean", *means, None if means[0] is None or means[1] is None else means[1] - means[0]))
    width = max(len(name) for name in ("class", "mean", *gains))
    width1, width2 = (max(12, len(name)) for name in (comparison.first_name, comparison.second_name))
    header = f"{'class':<{width}}  {comparison.first_name:>{width1}}  {comparison.second_name:>{width2}}    gain"
    lines = [
        f"{name:<{width}}  {percent(ap1):>{width1}}  {percent(ap2):>{width2}}  {percent(gain)}"
        for name, ap1, ap2, gain in rows
    ]
    return "\n".join([header, *lines, "", difference_sentence(comparison)])


def difference_sentence(comparison: Comparison) -> str:
    """The 95 % interval of the difference as a sentence."""
    interval, fraction = comparison.difference, comparison.fraction_second_better
    if interval is None or fraction is None:
        return "Fewer than two videos: no interval for the difference."
    return (
        f"{comparison.second_name} minus {comparison.first_name}: 95 % interval"
        f" {100 * interval.low:+.2f} to {100 * interval.high:+.2f} mAP over {len(interval.samples)} bootstrap samples"
        f" of videos; {comparison.second_name} is better in {100 * fraction:.1f} % of them."
    )
