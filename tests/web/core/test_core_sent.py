"""What anybody may write into an address is a number only when it is one."""

import pytest

from nobishiro.web.core.sent import NO_KEY, key_sent


@pytest.mark.parametrize(("text", "key"), [("7", 7), ("0012", 12), ("9" * 17, int("9" * 17))])
def test_a_whole_number_is_a_key(text: str, key: int) -> None:
    assert key_sent(text) == key


@pytest.mark.parametrize("text", [None, "", "²", "१", "-1", "1.5", " 1", "x", "9" * 18])
def test_anything_else_is_a_key_no_row_has(text: str | None) -> None:
    assert key_sent(text) == NO_KEY
