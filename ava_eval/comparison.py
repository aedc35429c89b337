"""Two detection files side by side: what does sound buy?"""

from __future__ import annotations

from dataclasses import dataclass

from ava_eval.bootstrap import Interval, bootstrap_difference
from ava_eval.result import Result, percent


@dataclass
class Comparison:
    """Two results on the same ground truth; `difference` is second minus first mAP over resampled videos."""

    first_name: str
    second_name: str
    first: Result
    second: Result
    difference: Interval | None

    @property
    def chance_second_is_better(self) -> float | None:
        """Share of the bootstrap samples in which the second has the higher mAP."""
        return None if self.difference is None else float((self.difference.samples > 0).mean())

    def gains(self) -> dict[str, float | None]:
        """Second minus first AP by class, None where either has none."""
        pairs = zip(self.first.ap.items(), self.second.ap.values(), strict=True)
        return {name: None if a is None or b is None else b - a for (name, a), b in pairs}


def compare(first: Result, second: Result, first_name: str = "first", second_name: str = "second") -> Comparison:
    """Pair two results of `evaluate` on one ground truth, label map, protocol and IoU."""
    if (first.protocol, first.iou, list(first.ap)) != (second.protocol, second.iou, list(second.ap)):
        raise ValueError("results of different protocols, IoUs or label maps cannot be compared; evaluate both alike.")
    return Comparison(first_name, second_name, first, second, bootstrap_difference(first, second))


def comparison_table(comparison: Comparison) -> str:
    """AP of both and the gain by class, the largest gain first, then the means and the interval.

    Classes without AP in either are left out.
    """
    both = comparison.gains().items()
    gains = {
        name: gain for name, gain in both if (comparison.first.ap[name], comparison.second.ap[name]) != (None, None)
    }
    width = max(len(name) for name in ("class", "mean", *gains))
    one, other = comparison.first_name, comparison.second_name
    wide, wider = (max(12, len(name)) for name in (one, other))
    lines = [f"{'class':<{width}}  {one:>{wide}}  {other:>{wider}}    gain"]
    for name in sorted(gains, key=lambda name: (gains[name] is None, -(gains[name] or 0.0))):
        aps = comparison.first.ap[name], comparison.second.ap[name]
        lines.append(f"{name:<{width}}  {percent(aps[0]):>{wide}}  {percent(aps[1]):>{wider}}  {percent(gains[name])}")
    means = comparison.first.mean_ap, comparison.second.mean_ap
    gain = None if means[0] is None or means[1] is None else means[1] - means[0]
    lines.append(f"{'mean':<{width}}  {percent(means[0]):>{wide}}  {percent(means[1]):>{wider}}  {percent(gain)}")
    return "\n".join([*lines, "", verdict(comparison)])


def verdict(comparison: Comparison) -> str:
    """One sentence on whether the difference is more than the choice of videos."""
    interval, chance = comparison.difference, comparison.chance_second_is_better
    if interval is None or chance is None:
        return "Fewer than two videos: no interval for the difference."
    return (
        f"{comparison.second_name} minus {comparison.first_name}: 95 % interval"
        f" {100 * interval.low:+.2f} to {100 * interval.high:+.2f} mAP over {len(interval.samples)} paired draws of"
        f" videos; {comparison.second_name} is better in {100 * chance:.1f} % of them."
    )
