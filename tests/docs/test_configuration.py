"""docs/configuration.md says what the settings are: no key more, none less, each with its true default."""

import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mcp_daan.app import SECRET_VARIABLES
from mcp_daan.config import FILE, RemoteOrFile, Settings, read_settings
from mcp_daan.errors import InvalidArguments
from mcp_daan.variables import OWN_VARIABLES

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## `\[(\w+)\]`\n(.*?)(?=^## )", re.M | re.S)
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.M)
VARIABLE = re.compile(r"^\| `([A-Z_0-9]+)` \|", re.M)

Row = tuple[str, str, str, str]


def documented() -> dict[str, Row]:
    """Type, default, variable and meaning of each documented key."""
    page = PAGE.replace(r"\|", "¦")
    return {
        f"{section}.{key}": (kind, default.replace("¦", r"\|"), variable, meaning)
        for section, body in SECTION.findall(page)
        for key, kind, default, variable, meaning in ROW.findall(body)
    }


def fields() -> dict[str, FieldInfo]:
    """Every setting that there is, with `NAME` for the name of a database."""
    found: dict[str, FieldInfo] = {}
    for section, outer in Settings.model_fields.items():
        kind: Any = outer.annotation
        assert issubclass(kind, BaseModel)
        found |= {f"{section}.{key}": field for key, field in kind.model_fields.items()}
    return found | {f"d1.databases.NAME.{key}": field for key, field in RemoteOrFile.model_fields.items()}


def written(default: Any) -> str:
    """*default* as the page writes it."""
    if default is None:
        return "–"
    return "empty" if default in ([], {}) else f"`{default}`"


def another(field: FieldInfo) -> tuple[str, Any]:
    """What a variable may hold to set *field* to something else than its default, and what that makes of it."""
    kind: Any = field.annotation
    if isinstance(field.default, int | float):
        return str(field.default + 1), kind(field.default + 1)
    if isinstance(field.default, list):
        return "one, two", ["one", "two"]
    branches = [kind, *get_args(kind)]
    choices = [choice for branch in branches if get_origin(branch) is Literal for choice in get_args(branch)]
    chosen = choices[-1] if choices else "example"
    return chosen, chosen


def test_every_setting_is_documented_and_nothing_else() -> None:
    """The page has exactly the keys of the settings."""
    expected = set(fields())

    actual = set(documented())

    assert expected == actual


@pytest.mark.parametrize("key", sorted(fields()))
def test_the_documented_default_is_the_true_one(key: str) -> None:
    """A default on the page is the default in the code."""
    expected = written(fields()[key].default)

    _, actual, _, _ = documented()[key]

    assert expected == actual


@pytest.mark.parametrize("key", sorted(key for key in fields() if documented()[key][2] != "file only"))
def test_the_documented_variable_sets_it(key: str, tmp_path: Path) -> None:
    """Each variable on the page is heard, and lands in its own key."""
    section, name = key.split(".")
    text, expected = another(fields()[key])

    settings = read_settings(tmp_path, {documented()[key][2].strip("`"): text})

    assert expected == getattr(getattr(settings, section), name) != fields()[key].default


@pytest.mark.parametrize("key", sorted(key for key in fields() if documented()[key][2] == "file only"))
def test_what_is_called_file_only_cannot_be_set_by_a_variable(key: str, tmp_path: Path) -> None:
    """A variable for such a key is an error, not a setting that is passed over."""
    name = f"DAAN_{key.upper().replace('.', '_')}"

    with pytest.raises(InvalidArguments):
        read_settings(tmp_path, {name: "example"})


def test_every_variable_beside_the_settings_is_documented() -> None:
    """The secret variables and the server's own ones stand on the page, and no other."""
    expected = {*SECRET_VARIABLES, *OWN_VARIABLES, "CLOUDFLARE_ACCOUNT_ID"}

    actual = set(VARIABLE.findall(PAGE))

    assert expected == actual


def test_the_example_is_a_valid_file(tmp_path: Path) -> None:
    """What people copy from the page can be read."""
    text = re.findall(r"```toml\n(.*?)```", PAGE, re.S)[0]
    (tmp_path / FILE).write_text(text, encoding="utf-8")

    settings = read_settings(tmp_path, {})

    assert set(tomllib.loads(text)) == settings.model_fields_set
