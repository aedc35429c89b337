import pytest

from avdet.data.sampler import EpochSampler, HardNegativeSchedule


def test_an_epoch_has_every_clip_at_most_once_in_a_new_order() -> None:
    sampler = EpochSampler(10, 4, seed=1)
    epochs = []
    for epoch in range(2):
        sampler.start(epoch)
        batches = list(sampler)
        assert [len(batch) for batch in batches] == [4, 4]
        epochs.append([spec.index for batch in batches for spec in batch])
        assert len(set(epochs[-1])) == 8
    assert epochs[0] != epochs[1]


def test_resuming_within_an_epoch_gives_its_remaining_batches() -> None:
    sampler = EpochSampler(100, 8, seed=3)
    sampler.start(5)
    whole = list(sampler)
    sampler.start(5, 7)
    assert list(sampler) == whole[7:]


def test_processes_split_each_batch() -> None:
    alone = list(EpochSampler(64, 8, seed=2))
    parts = [list(EpochSampler(64, 8, seed=2, rank=rank, world_size=2)) for rank in range(2)]
    for whole, first, second in zip(alone, *parts, strict=True):
        assert sorted(map(repr, whole)) == sorted(map(repr, first + second))


def test_batches_that_cannot_be_split_or_filled_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 3"):
        EpochSampler(64, 8, seed=0, world_size=3)
    with pytest.raises(ValueError, match="3 training clips do not fill a batch of 8"):
        EpochSampler(3, 8, seed=0)


def test_hard_negatives_start_in_the_second_half() -> None:
    schedule = HardNegativeSchedule(0.25, epochs=5)
    assert [schedule.at(epoch) for epoch in range(5)] == [0.0, 0.0, 0.0, 0.25, 0.25]
