"""A member of a JSON file is put in and taken out; the rest stays as people wrote it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.errors import InvalidArguments
from mcp_daan.setup.members import put, take_out, values_of

ENTRY = {"command": "/bin/daan", "args": ["serve"]}
COMMENTED = """\
// Our servers.
{
    "inputs": [], /* none */
    "servers": {
        // The other one.
        "other": { "command": "x" }, // keep me
    },
}
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {}, optional={"servers": st.dictionaries(st.text(max_size=6), VALUES, max_size=3), "a": VALUES, '"{,': VALUES}
)


def test_comments_order_and_trailing_commas_stay() -> None:
    """Only the lines of the new member are added."""
    after = put(COMMENTED, "servers", "daan", ENTRY)

    lines = after.splitlines()
    assert COMMENTED.splitlines() == lines[:6] + lines[12:]
    assert values_of(after, "f") == {"inputs": [], "servers": {"other": {"command": "x"}, "daan": ENTRY}}


def test_a_member_put_in_and_taken_out_leaves_the_text_as_it_was() -> None:
    """Comments, blanks and all."""
    assert take_out(put(COMMENTED, "servers", "daan", ENTRY), "servers", "daan") == COMMENTED


def test_a_member_that_stands_there_is_replaced_in_its_place() -> None:
    """An update moves nothing."""
    before = '{"servers": {"daan": {"command": "old", "args": [1, {"x": "}"}]}, "z": 1}}'

    assert put(before, "servers", "daan", ENTRY)[:21] == '{"servers": {"daan": '
    assert values_of(put(before, "servers", "daan", ENTRY), "f") == {"servers": {"daan": ENTRY, "z": 1}}


@pytest.mark.parametrize("text", ["", "  \n", "{}", "{ }\n", "{\n}\n", "{ // none yet\n}", '{"servers": {}}'])
def test_an_empty_file_and_an_empty_object_take_a_member(text: str) -> None:
    """Whatever their layout."""
    assert values_of(put(text, "servers", "daan", ENTRY), "f") == {"servers": {"daan": ENTRY}}


def test_the_last_member_is_taken_out_with_the_comma_before_it() -> None:
    """JSON knows no trailing comma, so none may be left."""
    assert json.loads(take_out('{"servers": {"a": 1, "daan": {}}}', "servers", "daan")) == {"servers": {"a": 1}}


def test_what_is_not_there_is_not_taken_out() -> None:
    """Neither a member of a section nor the section need exist."""
    assert [take_out(text, "servers", "daan") for text in ("{}", "", '{"servers": {"a": 1}}')] == [
        "{}",
        "",
        '{"servers": {"a": 1}}',
    ]


@pytest.mark.parametrize("text", ["{", "[]", "nonsense", '{"a": }', "[" * 100_000])
def test_a_broken_file_is_refused(text: str) -> None:
    """It is the person's to mend."""
    with pytest.raises(InvalidArguments, match="not valid JSON"):
        values_of(text, "f")


def test_a_section_that_is_no_object_is_refused() -> None:
    """It is not overwritten."""
    with pytest.raises(InvalidArguments, match="`servers` is not an object"):
        put('{"servers": []}', "servers", "daan", ENTRY)


@given(DOCUMENTS, st.sampled_from([None, 1, "\t"]))
def test_whatever_else_stands_in_the_file_keeps_its_value(
    document: dict[str, object], indent: int | str | None
) -> None:
    """For any document in any layout."""
    text = json.dumps(document, indent=indent)
    servers = document.get("servers", {})
    assert isinstance(servers, dict)
    after = put(text, "servers", "daan", ENTRY)

    assert {**document, "servers": {**servers, "daan": ENTRY}} == values_of(after, "f")
    left = {name: value for name, value in servers.items() if name != "daan"}
    assert {**document, "servers": left} == values_of(take_out(after, "servers", "daan"), "f")
