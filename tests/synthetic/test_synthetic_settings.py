from avdet.synthetic.synthetic_settings import UNLABELLED, SampleSettings, manifest_entry


def test_the_manifest_keeps_its_keys_so_that_existing_sets_stay_valid() -> None:
    entry = manifest_entry(6, 0, SampleSettings())
    assert entry["version"] == 6 and entry["seed"] == 0
    assert list(entry["settings"]) == [
        "num_train", "num_val", "duration_s", "width_px", "height_px", "fps", "sample_rate", "gop", "people", "act_s",
        "looks", "same_look", "one_heard", "off_screen", "music_s", "stray_change", "noise_db", "box_jitter",
    ]  # fmt: skip
    assert entry["settings"]["people"] == {"1": 0.33, "2": 0.5, "3": 0.17}
    unlabelled = manifest_entry(3, 1, UNLABELLED)["settings"]
    assert list(unlabelled) == ["world", "trimmed", "from_life"]
    assert unlabelled["from_life"] is True and unlabelled["world"]["looks"]["drum"] == 1
