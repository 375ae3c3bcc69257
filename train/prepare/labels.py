"""Which design language a picture shows, read from the names of the folders that it lies in."""

import re
from pathlib import Path

from isneaker.languages import LANGUAGES

# How people and shops write the languages, and lines of shoes that are known by their own name; letters only.
_SPELLINGS = {
    "nike": "nike airjordan jordan airmax airforce nikesb",
    "adidas": "adidas addidas yeezy",
    "puma": "puma",
    "converse": "converse chucktaylor allstar",
    "vans": "vans",
    "new_balance": "newbalance nb",
    "reebok": "reebok rebook",
    "asics": "asics asic",
    "under_armour": "underarmour underarmor ua",
}
_LANGUAGE_OF = {spelling: language for language, words in _SPELLINGS.items() for spelling in words.split()}
_ANYWHERE = sorted((spelling for spelling in _LANGUAGE_OF if len(spelling) > 3), key=len, reverse=True)


def language_named(folder: str) -> str | None:
    """One of LANGUAGES, whatever case, hyphens and extra words a folder's name has: "New Balance", "nike-air-max" ->
    new_balance, nike; None where it names none."""
    letters = re.sub("[^a-z]", "", folder.lower())
    if letters in _LANGUAGE_OF or letters == "other":
        return _LANGUAGE_OF.get(letters, "other")
    return next((_LANGUAGE_OF[spelling] for spelling in _ANYWHERE if spelling in letters), None)


def language_of(path: Path, top: str) -> tuple[str, str | None]:
    """Path of a picture inside a folder of name `top` -> its language, named by the innermost folder that names one, and
    the folder nearest to it where none does, for then the language is "other"."""
    folders = [*reversed(path.parts[:-1]), top]
    named = (language_named(folder) for folder in folders)
    language = next((each for each in named if each), None)
    assert language is None or language in LANGUAGES
    return language or "other", None if language else folders[0]
