"""What HTML's elements and attributes mean for what a person sees (HTML Living Standard, sections 13 and 15.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

# Elements that begin a line of their own, so that words on both sides are two.
LINES: Final = frozenset(
    """
    address article aside blockquote br center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hr legend li main nav ol option p pre section summary table tbody td tfoot th thead title tr ul
    """.split()  # noqa: SIM905  # a list would be a word a line
)
INLINE: Final = frozenset(
    """
    a abbr acronym audio b bdi bdo big button caption cite code col colgroup data del dfn em embed font i iframe img
    input ins kbd label map mark marquee nobr noscript object param picture q rp rt ruby s samp script select small
    source span strike strong style sub sup svg template textarea time track tt u var video wbr
    """.split()  # noqa: SIM905  # a list would be a word a line
)
# Their content is text up to their end, whatever stands in it (sections 13.2.5.2 to 13.2.5.5), and shown or not.
RAW: Final = {
    "iframe": False, "noembed": False, "noframes": False, "noscript": False, "script": False, "style": False,
    "textarea": True, "title": False, "xmp": True,
}  # fmt: skip
RAW_END: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW}
UNSHOWN: Final = frozenset({"audio", "canvas", "datalist", "object", "rp", "rt", "template", "video"})
"""Not shown, or (``rt``) not in the line that is read."""
_UNSEEN_STYLE: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:opacity|font-size)\s*:\s*0(?![.\d]*[1-9])"
    r"|(?<![-\w])color\s*:\s*transparent",
    re.IGNORECASE,
)
_STYLE_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
IMAGES: Final = frozenset({"audio", "canvas", "embed", "iframe", "image", "img", "input", "object", "svg", "video"})
VOID: Final = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "image",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    }
)
# What ends an element whose end need not be written (section 13.1.2.4), unless one of ``BARS`` has begun since.
_CELLS: Final = frozenset({"tbody", "td", "tfoot", "th", "tr"})
ENDED_BY: Final[dict[str, frozenset[str]]] = {
    "dd": frozenset({"dd", "dt"}),
    "dt": frozenset({"dd", "dt"}),
    "li": frozenset({"li"}),
    "option": frozenset({"optgroup", "option"}),
    "p": LINES - frozenset({"br"}),
    "rp": frozenset({"rp", "rt"}),
    "rt": frozenset({"rp", "rt"}),
    "td": _CELLS,
    "th": _CELLS,
    "tr": frozenset({"tbody", "tfoot", "tr"}),
}
BARS: Final = frozenset({"button", "dl", "object", "ol", "ruby", "select", "table", "template", "ul"})
# Attributes that say how something looks or behaves.
LOOKS: Final = frozenset(
    """
    align alink async autofocus autoplay bgcolor border cellpadding cellspacing checked class cols colspan color
    compact controls decoding dir disabled download draggable face frameborder height hidden hspace id lang loading
    loop muted noshade nowrap open readonly rel required reversed role rows rowspan selected size span start style
    tabindex target type valign vspace width
    """.split()  # noqa: SIM905  # a list would be a word a line
)


def is_unseen(name: str, attributes: Sequence[re.Match[str]]) -> bool:
    """By its own attributes: ``hidden``, a style that shows nothing, a field that is none, a dialogue not open."""
    if name == "dialog" and not any(attribute[1].lower() == "open" for attribute in attributes):
        return True
    for attribute in attributes:
        kind = attribute[1].lower()
        if kind == "hidden":
            return True
        if kind == "style" or (kind == "type" and name == "input"):
            value = next((attribute[group] for group in (2, 3, 4) if attribute[group] is not None), "")
            if kind == "type":
                if value.lower() == "hidden":
                    return True
            elif _UNSEEN_STYLE.search(_STYLE_COMMENT.sub("", value)):
                return True
    return False
