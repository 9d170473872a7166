"""Text in a page stays text."""

from html.parser import HTMLParser

from server.documents.html import element, page, prose, table

MARKUP = '<b onclick="x()">&amp;</b>'


class Tags(HTMLParser):
    """What a browser would take for elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


def test_what_looks_like_markup_is_text() -> None:
    made = page(MARKUP, element("p", MARKUP, element("em", "x"), MARKUP, title=MARKUP), table([MARKUP], [[[MARKUP]]]))
    assert made.startswith("<!doctype html>")
    assert made.count("&lt;b onclick=") == 5
    assert {"em", "td"} <= set(Tags(made).found)
    assert "b" not in Tags(made).found


def test_children_keep_their_order() -> None:
    made = page("t", element("p", "one ", element("i", "two"), " three ", element("b", "four"), " five"))
    assert "<p>one <i>two</i> three <b>four</b> five</p>" in made


def test_words_between_backticks_are_code() -> None:
    assert "<p>a <code>b</code> c</p>" in page("t", element("p", *prose("a `b` c")))
