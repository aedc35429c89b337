"""Label maps in every format found in public repositories."""

from pathlib import Path

import pytest

from ava_eval import FormatError, read_label_groups, read_label_map
from ava_eval.label_map import ava_groups, check_label_map
from tests.shared import SHARED, needs_shared

AVA = SHARED / "data/annotations/ava"


def written(folder: Path, text: str) -> Path:
    path = folder / "map.txt"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        'item {\n  name: "sit"\n  id: 11\n}\nitem {\n  name: "stand"\n  id: 12\n}\n',
        "item{name:\"sit\" id:11}item{id:12,name:'stand'}",
        '\ufeff# persons\nlabel {\r\n\tlabel_id: 11\r\n\tname: "sit"\r\n}\r\nlabel {\r\n name: "stand" label_id: 12 }',
        'item { name: "sit" id: 11 display: 3 }\n\n\n   item {\n\n name: "stand"\nid: 12 # twelve\n}',
        "11: sit\n12:stand",
        "11,sit\n12,stand",
        "id,name\n11,sit\n12,stand\n",
        "label_id\tlabel_name\n11\tsit\n12\tstand\n",
        "11 sit\n12 stand",
        'id,name\n11,"sit"\n12,stand',
    ],
)
def test_ids_and_names_in_every_layout(tmp_path: Path, text: str) -> None:
    assert read_label_map(written(tmp_path, text)) == {11: "sit", 12: "stand"}


def test_csv_quotes_are_removed(tmp_path: Path) -> None:
    names = read_label_map(written(tmp_path, 'id,name\n1,"sit (e.g., ""down"")"\n2,say "hello"\n'))
    assert names == {1: 'sit (e.g., "down")', 2: 'say "hello"'}


def test_a_list_of_names_is_numbered_from_one(tmp_path: Path) -> None:
    assert read_label_map(written(tmp_path, "\n jump/leap \r\nbend: low\n\nsing\n")) == {
        1: "jump/leap",
        2: "bend: low",
        3: "sing",
    }


def test_names_may_contain_numbers_and_signs(tmp_path: Path) -> None:
    for names in (
        ["100 m run", "200 m run", "high jump"],
        ["3 point shot", "dunk"],
        ["<none>", "dunk"],
        ["action", "no action"],
        ["kick: 1", "kick: 2"],
        ["#hashtag", "selfie"],
    ):
        assert list(read_label_map(written(tmp_path, "\n".join(names))).values()) == names


def test_json_of_names_and_ids(tmp_path: Path) -> None:
    for text in ('{"graze": 1, "rest": 2}', '{"1": "graze", "2": "rest"}'):
        assert read_label_map(written(tmp_path, text)) == {1: "graze", 2: "rest"}


def test_json_that_counts_from_0(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As PySlowFast's, whose CSV files still have ids from 1."""
    assert read_label_map(written(tmp_path, '{"rest": 1, "graze": 0}')) == {2: "rest", 1: "graze"}
    assert "counts its 2 classes from 0" in caplog.text


def test_escaped_quotes_are_unescaped(tmp_path: Path) -> None:
    assert read_label_map(written(tmp_path, r'item { name: "say \"hi\" {loud}" id: 1 }')) == {1: 'say "hi" {loud}'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "defines 0 classes"),
        ("\n \n", "defines 0 classes"),
        ('item { name: "sit" }', "class 1 has name 'sit' and id ''"),
        ("item { id: 3 }", "class 1 has name '' and id '3'"),
        ("item { name: sit down id: 3 }", "needs a name in quotes"),
        ('item { name: "sit down id: 3 }', "needs a name in quotes"),
        ('item { name: "sit" id: 1.5 }', "id '1.5'"),
        ('item { name: "sit" id: 0 }', "start at 1, so add 1 to all"),
        ('item { name: "a" id: 1 } item { name: "b" id: 1 }', "defines the id 1 twice"),
        ('item { name: "a" id: 1 } item { name: "a" id: 2 }', "gives the name 'a' to the ids 1 and 2"),
        ('item { name: "a" id: 1 ', "if it is truncated"),
        ('item { name: "a" id: 1 } }', "unmatched '}'"),
        ('item { name: "a" { id: 1 } }', "unmatched '{'"),
        ("a\x00b", "zero bytes"),
        ('["sit", "stand"]', "looks like JSON, but maps no class names to ids"),
        ('{"sit": "stand"}', "looks like JSON, but maps no class names to ids"),
        ('{"sit": 0, "stand": 2}', "gives 'sit' the id 0; AVA's ids start at 1, so add 1 to all"),
        ('{"sit": 1, "stand": 1}', "defines the id 1 twice"),
        ("sit,11\nstand,12\n", "holds rows such as 'sit,11' instead of class names"),
        ("v,902,0.1,0.2,0.3,0.4,11,0.5\n", "holds rows such as"),
        ("name,id\nsit,11\nstand,12\n", "line 1: 'name,id' would become a class; remove the line, or number all"),
        ("name\nsit\nstand\n", "line 1: 'name' would become a class"),
        ("\nlabel_name\nsit\n", "line 2: 'label_name' would become a class"),
        ("sit\n# poses\nstand\n", "line 2: '# poses' would become a class"),
        ("sit: 1\nstand: 2\n", "holds lines such as 'sit: 1' instead of class names"),
        ("- sit\n- stand\n", "holds lines such as '- sit' instead of class names"),
        ("id,name\n", "defines 0 classes"),
        ("11: sit\n\n12; stand\n13: run\n", "map.txt, line 3: '12; stand' has no id, but most lines have one"),
        ("11 sit\n12stand\n13 run\n", "line 2: '12stand' has no id"),
        ("index,verb\n1,sit\n0,stand\n", "line 1: 'index,verb' has no id"),
        ("<!DOCTYPE html>\n<html><style>a { color: red }</style></html>\n", "is a web page; download the file itself"),
        ("\n<html>\nsit\n", "is a web page"),
    ],
)
def test_files_that_are_not_label_maps(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_label_map(written(tmp_path, text))


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_bytes(b"sit\n\xff\xfe")
    with pytest.raises(FormatError, match="not UTF-8 text \\(byte 4\\)"):
        read_label_map(path)


def test_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="has over 10000000 bytes, so it is not a label map"):
        read_label_map(written(tmp_path, "v,902,0,0,1,1,12,0.5\n" * 500_000))


def test_label_maps_from_code_are_checked() -> None:
    check_label_map({1: "a", 2: "b"})
    with pytest.raises(FormatError, match="the label map gives 'a' the id 0"):
        check_label_map({0: "a"})


@needs_shared
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("ava_action_list_v2.2.pbtxt", 80),
        ("ava_action_list_v2.1_for_activitynet_2018.pbtxt.txt", 60),
        ("ava_action_list_v2.2_for_activitynet_2019.pbtxt", 60),
        ("derenlei_pose_only/ava labels.txt", 60),
        ("../custom_ava/ethereal311_birds/annotations/labelmap.txt", 8),
        ("../custom_ava/ethereal311_birds/annotations/ava_action_list_v2.2.pbtxt", 8),
    ],
)
def test_real_files(path: str, count: int) -> None:
    assert len(read_label_map(AVA / path)) == count


@needs_shared
def test_groups_are_those_of_the_file_or_of_ava() -> None:
    """AVA's own types and the groups by id agree on all 80 classes."""
    typed = read_label_groups(AVA / "ava_action_list_v2.2.pbtxt")
    names = read_label_map(AVA / "ava_action_list_v2.2.pbtxt")
    assert typed == ava_groups(names)
    assert [list(typed.values()).count(group) for group in ("pose", "object", "person interaction")] == [14, 49, 17]
    assert read_label_groups(AVA / "ava_action_list_v2.2_for_activitynet_2019.pbtxt")[79] == "person interaction"


def test_classes_other_than_avas_have_no_groups(tmp_path: Path) -> None:
    assert read_label_groups(written(tmp_path, "sit\nstand\n")) == {}
