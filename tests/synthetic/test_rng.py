import random
import statistics
from collections import Counter

from avdet.synthetic.rng import Deck, Dice


def test_equal_words_give_the_stream_that_python_promises_for_them() -> None:
    dice, other = Dice("a", 7), random.Random("a/7")
    assert [dice.uniform(2.0, 4.0) for _ in range(5)] == [2.0 + 2.0 * other.random() for _ in range(5)]


def test_other_words_give_another_stream() -> None:
    assert Dice("a", 7).uniform(0, 1) != Dice("a", 8).uniform(0, 1)


def test_whole_numbers_reach_both_ends() -> None:
    dice = Dice("ends")
    assert {dice.integer(2, 4) for _ in range(100)} == {2, 3, 4}


def test_weights_are_shares() -> None:
    dice = Dice("weights")
    drawn = Counter(dice.weighted({"a": 3.0, "b": 1.0, "never": 0.0}) for _ in range(4000))
    assert 0.72 < drawn["a"] / 4000 < 0.78 and drawn["never"] == 0


def test_the_bell_is_near_to_normal() -> None:
    dice = Dice("bell")
    drawn = [dice.bell() for _ in range(4000)]
    assert abs(statistics.mean(drawn)) < 0.05 and abs(statistics.stdev(drawn) - 1.0) < 0.04


def test_a_deck_deals_each_card_once_a_round_in_changing_order() -> None:
    deck = Deck([1, 2, 3, 4, 5, 6], Dice("deck"))
    rounds = [[deck.deal() for _ in range(6)] for _ in range(3)]
    assert all(sorted(one) == [1, 2, 3, 4, 5, 6] for one in rounds)
    assert rounds[0] != rounds[1] or rounds[1] != rounds[2]
