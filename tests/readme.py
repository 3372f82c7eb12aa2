"""The README's code blocks, and its `curl` lines as requests. Used by `test_readme_examples`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import httpx
from msgspec import Struct

README = Path(__file__).resolve().parents[1] / "README.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE = re.compile(r"<<-?\s*(['\"]?)(\w+)\1\s*$")
_TO_OTHERS = ("|", ">", ">>", "&&", "||", ";", "&")
_BODY = ("-d", "--data", "--data-raw", "--data-binary", "--json")
_SILENT = {"-s", "-S", "-sS", "-f", "-i", "-N", "-fsS", "--no-buffer", "--compressed", "-L", "-k", "--fail", "--silent"}
_FILE = "13.69.227.210\nlogin.microsoftonline.com\n"
"""What a file has that an example sends."""


class Command(Struct, frozen=True):
    """A command of a block of the README."""

    words: tuple[str, ...]
    stdin: str = ""


def blocks(language: str) -> Iterator[str]:
    """Yield the content of each block in ``language``."""
    yield from (text for found, text in _BLOCK.findall(README.read_text(encoding="utf-8")) if found == language)


def commands(program: str) -> Iterator[Command]:
    """Yield each command of ``program`` in the shell blocks, without what its output goes to."""
    for block in blocks("sh"):
        lines = iter(block.replace("\\\n", " ").splitlines())
        for line in lines:
            here = _HERE.search(line)
            sent = "\n".join(takewhile(here[2].__ne__, lines)) if here else ""
            words = _split(_HERE.sub("", line))
            if words[:1] == [program]:
                yield Command(tuple(words), sent)


def _split(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    return words[: min((words.index(one) for one in _TO_OTHERS if one in words), default=len(words))]


def request(command: Command, served: str, token: str) -> httpx.Request:
    """Return what ``curl`` would send, to ``served`` in place of the address, with ``token`` for a variable.

    Raises ValueError for an option that is not known here: a test that guessed would prove nothing.
    """
    method, body, address = "", None, ""
    headers, words = httpx.Headers(), iter(command.words[1:])
    for word in words:
        if word in ("-X", "--request"):
            method = next(words)
        elif word in ("-H", "--header"):
            name, _, value = next(words).partition(":")
            headers[name.strip()] = re.sub(r"\$\{?\w+\}?", token, value.strip())
        elif word in _BODY:
            body = _sent(next(words), command.stdin)
            headers.setdefault("Content-Type", _type_of(word))
        elif word in ("-o", "--output", "-w"):
            next(words)
        elif word in ("-I", "--head"):
            method = "HEAD"
        elif word.startswith("-") and word not in _SILENT:
            raise ValueError(f"{word} of {shlex.join(command.words)}")
        elif not word.startswith("-"):
            address = word
    where = re.sub(r"^(https?://)?[^/]+", served, address)
    return httpx.Request(method or ("GET" if body is None else "POST"), where, headers=headers, content=body)


def _type_of(option: str) -> str:
    return "application/json" if option == "--json" else "application/x-www-form-urlencoded"


def _sent(value: str, stdin: str) -> str:
    if value == "@-":
        return stdin or _FILE
    return _FILE if value.startswith("@") else value
