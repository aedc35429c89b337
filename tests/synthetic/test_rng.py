import random
import statistics
from collections import Counter

from avdet.synthetic.rng import Rng, ShuffledCycle


def test_equal_words_give_the_stream_of_pythons_random() -> None:
    rng, expected = Rng("a", 7), random.Random("a/7")
    assert [rng.uniform(2.0, 4.0) for _ in range(5)] == [2.0 + 2.0 * expected.random() for _ in range(5)]


def test_other_words_give_another_stream() -> None:
    assert Rng("a", 7).uniform(0, 1) != Rng("a", 8).uniform(0, 1)


def test_integers_include_both_ends() -> None:
    rng = Rng("ends")
    assert {rng.integer(2, 4) for _ in range(100)} == {2, 3, 4}


def test_weights_are_relative_frequencies() -> None:
    rng = Rng("weights")
    drawn = Counter(rng.weighted_choice({"a": 3.0, "b": 1.0, "never": 0.0}) for _ in range(4000))
    assert 0.72 < drawn["a"] / 4000 < 0.78 and drawn["never"] == 0


def test_normal_numbers_have_mean_0_and_standard_deviation_1() -> None:
    rng = Rng("bell")
    drawn = [rng.normal() for _ in range(4000)]
    assert abs(statistics.mean(drawn)) < 0.05 and abs(statistics.stdev(drawn) - 1.0) < 0.04


def test_a_shuffled_cycle_draws_each_item_once_per_round_in_changing_order() -> None:
    cycle = ShuffledCycle([1, 2, 3, 4, 5, 6], Rng("deck"))
    rounds = [[cycle.draw() for _ in range(6)] for _ in range(3)]
    assert all(sorted(one) == [1, 2, 3, 4, 5, 6] for one in rounds)
    assert rounds[0] != rounds[1] or rounds[1] != rounds[2]
