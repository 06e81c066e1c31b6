"""`nobishiro backends`: the engines that can run the reductions."""

from __future__ import annotations

from nobishiro.cli.options import JsonOption, LanguageOption
from nobishiro.cli.terminal import Terminal, default_language


def backends(as_json: JsonOption = False, lang: LanguageOption = None) -> None:
    """List the engines, what each can do, and what one that is missing needs.

    Example: nobishiro backends
    """
    from nobishiro.engine.backends import list_backends
    from nobishiro.pipelines.wording import word

    terminal = Terminal(lang or default_language(), as_json)
    known = list_backends()
    terminal.table(
        ("", "", "", ""),
        [
            (
                b.name,
                "✓" if b.available else "–",
                ", ".join(sorted(b.capabilities)),
                word(b.why_not or "", terminal.language),
            )
            for b in known
        ],
    )
    terminal.document(
        {
            "backends": [
                {
                    "name": b.name,
                    "available": b.available,
                    "capabilities": sorted(b.capabilities),
                    "why_not": b.why_not,
                }
                for b in known
            ]
        }
    )
