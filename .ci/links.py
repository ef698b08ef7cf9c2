"""Follows every link of a built site that stays in it: python .ci/links.py FOLDER.

Prints a line for each that leads nowhere, a page, a file or an anchor, and for each thing that
a page would fetch from elsewhere; exit 1 if there are any.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """The anchors of a page, its links, and what it fetches."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[k] for k in ("id", "name") if given.get(k)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        key = FETCHED.get(tag)
        if key in given and given.get("rel", "") not in ("canonical", "index", "search"):
            self.fetched.append(given[key])


def faults(site: Path) -> list[str]:
    """Return what is wrong with the links of a site, a line each."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            if wrong := _wrong(link, path, pages, link in page.fetched):
                found.append(f"{path.relative_to(site)}: {link}: {wrong}")
    return found


def _wrong(link: str, path: Path, pages: dict[Path, Page], fetched: bool) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        outside = fetched and parts.scheme != "data"
        return "is fetched from elsewhere" if outside else None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "there is no such anchor"
    return None


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    lines = faults(site)
    print("\n".join(lines) if lines else f"{site.name}: every link leads somewhere")
    sys.exit(1 if lines else 0)
