"""Pages as trees of elements: what is text stays text, so that nothing in it can become markup.

No page holds a script or a style of its own, since the content security policy lets neither run.
"""

import re
from xml.etree.ElementTree import Element, tostring

Child = Element | str
_CODE = re.compile(r"`([^`]+)`")


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """An element. A trailing underscore keeps an attribute's name from being a word of Python: `class_`."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def prose(text: str) -> list[Child]:
    """A text in which `words` between backticks are code."""
    parts = _CODE.split(text)
    return [element("code", part) if at % 2 else part for at, part in enumerate(parts)]


def link(address: str, *children: Child) -> Element:
    """A link."""
    return element("a", *children, href=address)


def table(heads: list[str], rows: list[list[list[Child]]]) -> Element:
    """A table of cells, each of which is a list of children; it scrolls by itself where the page is narrow."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = [element("tr", *(element("td", *cell) for cell in row)) for row in rows]
    grid = element("table", element("thead", head), element("tbody", *body))
    return element("div", grid, class_="wide", tabindex="0", role="region", aria_label=", ".join(heads))


def page(title: str, *children: Child) -> str:
    """A whole page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} - Tapedeck"),
        element("link", rel="icon", type="image/svg+xml", href="/assets/favicon.svg"),
        element("link", rel="stylesheet", href="/assets/page.css"),
        element("link", rel="stylesheet", href="/assets/docs.css"),
    )
    html = element("html", head, element("body", element("main", *children)), lang="en")
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html")
