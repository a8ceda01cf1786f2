"""Django with django-contrib-comments, as they come from PyPI, and a browser without scripts: forms and cookies."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node
from tests.platforms import install
from tests.platforms.acts import DISGUISES, Acts, Enter, Told, last
from tests.platforms.gate import FREE
from tests.platforms.presets import preset_gate
from tests.platforms.program import Program

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "django-comments"
SITE = Path(__file__).parent / "programs" / "django_site.py"
PEOPLE = ["root", "alice", "bob", "dan", "mia", "floyd", "olga", "twice", "lin", "max",
          *(f"sly{number}" for number in range(len(DISGUISES)))]  # fmt: skip
KNOWN = {
    'sender = "hash:ip:"\n': 'sender = ["whoami:", "hash:ip:"]\n'
    'whoami = { ask = "GET /auth/user/", credentials = "cookie:sessionid", id = "json:/pk", on_error = "reject", '
    'logout = ["POST /accounts/login/", "POST /accounts/logout/"] }\n'
}
"""What the preset leaves to be written by hand, where a site can say who is logged in: here it has dj-rest-auth."""
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Page(NamedTuple):
    """One page of a browser: where it is, its status and its source."""

    url: str
    status: int
    source: str

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that goes to this address, as they stand there."""
        reader = Forms()
        reader.feed(self.source)
        return next(fields for to, fields in reader.forms if to == action)


class Forms(HTMLParser):
    """``forms``: of each its action and its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((fields.get("action", ""), {}))
        if not self.forms:
            return
        named = self.forms[-1][1]
        if tag == "input" and "name" in fields and fields.get("type") not in ("submit", "checkbox"):
            named[fields["name"]] = fields.get("value", "")
        elif tag == "input" and fields.get("type") == "checkbox" and "checked" in fields:
            named[fields["name"]] = fields.get("value", "on")
        elif tag == "textarea":
            self._area = fields["name"]
            named[self._area] = ""
        elif tag == "select":
            self._select = fields["name"]
        elif tag == "option" and "selected" in fields:
            named[self._select] = fields["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][1][self._area] += data


class Comments(HTMLParser):
    """``texts``: of an article's page, as a browser shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and not attrs:
            self._within = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._within:
            self.texts[-1] += data


class Reader:
    """Somebody at a browser."""

    def __init__(self, node: Node, name: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.sender = ""
        self.session = session
        self.page = Page("", 0, "")
        self._base = f"http://127.0.0.1:{node.port}"

    async def open(self, path: str) -> Page:
        async with self.session.get(self._base + path, headers={"Accept": BROWSER}) as answer:
            self.page = Page(str(answer.url), answer.status, await answer.text())
        return self.page

    async def send(self, path: str, fields: dict[str, str] | aiohttp.FormData) -> Page:
        """A form, and where its answer leads."""
        head = {"Accept": BROWSER, "Origin": self._base, "Referer": self.page.url}
        async with self.session.post(self._base + path, data=fields, headers=head) as answer:
            return Page(str(answer.url), answer.status, await answer.text())

    async def log_in(self, password: str) -> None:
        page = await self.open("/accounts/login/")
        fields = page.form("") | {"username": self.name, "password": password}
        page = await self.send("/accounts/login/", fields)
        assert page.url.endswith("/articles/1/"), page
        self.sender = str(PEOPLE.index(self.name) + 1)

    async def write(self, text: str) -> Told:
        page = await self.open("/articles/1/")
        fields = page.form("/comments/post/") | {"comment": text}
        if not await self.known():
            fields |= {"name": self.name, "email": f"{self.name}@site.example"}
        page = await self.send("/comments/post/", fields)
        found = re.search(r"/comments/posted/\?c=(\d+)", page.url)
        return Told(True, key=found[1]) if found else Told(False, page.source)

    async def change(self, key: str, text: str) -> Told:
        path = f"/admin/django_comments/comment/{key}/change/"
        page = await self.open(path)
        fields = {**page.form(""), "comment": text, "_save": "Save"}
        page = await self.send(path, fields)
        return Told(page.url.endswith("/comment/"), page.source, key)

    async def read(self) -> list[str]:
        reader = Comments()
        reader.feed((await self.open("/articles/1/")).source)
        return reader.texts

    async def known(self) -> bool:
        return f"<p id=reader>{self.name}</p>" in (await self.open("/articles/1/")).source


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """Its port."""
    python = install.python("django") / "python"
    folder = tmp_path_factory.mktemp("django")
    env = {"SITE_FOLDER": str(folder)}
    made = await asyncio.create_subprocess_exec(python, SITE, "migrate", *PEOPLE, env=os.environ | env)
    assert await made.wait() == 0
    port = free_port()
    program = Program("site", [python, SITE, "serve", str(port)], folder, f"http://127.0.0.1:{port}/articles/1/", env)
    await program.start()
    yield port
    await program.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(site: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with preset_gate(PRESET, tmp_path_factory.mktemp("gate"), site, changes=KNOWN) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(node: Node) -> AsyncIterator[Enter]:
    async with AsyncExitStack() as sessions:
        entered = 0

        async def reader(name: str, *, language: str = "en", logged_in: bool = True) -> Reader:
            nonlocal entered
            entered += 1
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(local_addr=(f"127.0.1.{entered}", 0)),
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                headers={"Accept-Language": language},
            )
            made = Reader(node, name, await sessions.enter_async_context(session))
            if logged_in:
                await made.log_in(name)
            return made

        yield reader


class TestDjango(Acts):
    async def test_a_refusal_is_a_page_in_its_readers_language(self, enter: Enter) -> None:
        lin = await enter("lin", language="zh-CN,zh;q=0.9")
        told = await lin.write("有人 代开发票 吗")
        assert not told.went
        assert '<html lang="zh-CN">' in told.words
        assert await lin.known()

    async def test_a_visitor_writes_and_is_an_address(self, enter: Enter, node: Node) -> None:
        vera = await enter("vera", logged_in=False)
        assert (await vera.write("vera was here")).went
        record = last(node)
        assert record["weak"]
        assert record["sender"].startswith("hash:")
        assert not (await vera.write("vera has cheappills")).went

    async def test_two_log_ins_of_one_person_are_one_person(self, enter: Enter, node: Node) -> None:
        first, second = await enter("twice"), await enter("twice")
        told = [await (first, second)[number % 2].write(f"twice, {number}") for number in range(FREE + 2)]
        assert [one.went for one in told] == [True] * FREE + [False] * 2

    async def test_who_runs_the_site_is_judged_when_changing_a_comment(self, enter: Enter, node: Node) -> None:
        max_, root = await enter("max"), await enter("root")
        key = (await max_.write("max began with this")).key
        assert (await root.change(key, "max, as root has it")).went
        assert last(node)["edit"]
        assert "max, as root has it" in await max_.read()
        told = await root.change(key, "max has cheappills")
        assert not told.went
        assert self.RULES in told.words
        assert (await root.change(key, "max calls you idiot")).went
        assert "max calls you *****" in await max_.read()
        assert await root.known()

    async def test_a_form_that_is_not_the_sites_own_is_the_sites_matter(self, enter: Enter) -> None:
        """CSRF tokens, hashes and honeypots are the platform's, and work as before."""
        bob = await enter("bob")
        page = await bob.open("/articles/1/")
        fields = page.form("/comments/post/") | {"comment": "bob, forged"}
        del fields["csrfmiddlewaretoken"]
        page = await bob.send("/comments/post/", fields)
        assert page.status == 403
        assert "CSRF" in page.source
        assert "bob, forged" not in await bob.read()

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node, site: int) -> None:
        """Log-in, log-out, uploads, previews' pages, redirects."""
        bob = await enter("bob")
        page = await bob.open("/articles/1/")
        file = aiohttp.FormData()
        file.add_field("csrfmiddlewaretoken", page.form("/comments/post/")["csrfmiddlewaretoken"])
        file.add_field("file", b"x" * 300_000, filename="long.bin")
        page = await bob.send("/attach/", file)
        assert "long.bin: 300000 bytes" in page.source
        page = await bob.send("/accounts/logout/", (await bob.open("/articles/1/")).form("/comments/post/"))
        assert not await bob.known()
        assert (await bob.write("bob, logged out")).went
        assert last(node)["weak"]
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{site}/articles/1/") as answer:
            direct = re.sub(r'value="[^"]*"', "", await answer.text())
        stranger = await enter("nobody", logged_in=False)
        assert re.sub(r'value="[^"]*"', "", (await stranger.open("/articles/1/")).source) == direct
