"""docs/settings.md lists every setting as the code has it."""

import settings_page
from avdet.config import Config
from tests.conftest import REPOSITORY


def test_the_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs/settings.md").read_text(encoding="utf-8")
    assert page == settings_page.settings_page(), "run python tools/settings_page.py"


def test_every_setting_has_a_description() -> None:
    for section, _ in settings_page.SECTIONS.values():
        for name, field in section.model_fields.items():
            if name != "kind" and not (section is Config and name in {"model", "data", "train", "test"}):
                assert field.description and field.description.endswith("."), f"{section.__name__}.{name}"


def test_a_benchmark_lists_only_what_differs_from_its_base() -> None:
    charades = settings_page.settings_page().partition("`kind: charades`")[2].partition("`kind: ")[0]
    assert "| `test_aggregation` | `max` | `mean`, `max` |" in charades and "test_num_clips" not in charades


def test_defaults_are_written_as_yaml() -> None:
    page = settings_page.settings_page()
    assert "| `audio` | `true` | `true`, `false`, `only` | true: audio and video;" in page
    assert "| `fusion_stages` | `[res3, res4]` | `pool1`, `res2`, `res3`, `res4` |" in page
    assert "| `weights` | `null` |  | Checkpoint to start from" in page
