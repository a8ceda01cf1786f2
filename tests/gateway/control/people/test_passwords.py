"""Passwords: hashed slowly, compared without telling, refused where they are easily guessed."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.control.acts.refusal import ControlError
from gateway.control.people import passwords
from gateway.control.people.passwords import WAITING, Passwords, check, one_time

RIGHT = "correct horse battery"


@pytest.fixture
async def hashes() -> AsyncIterator[Passwords]:
    made = Passwords(memory=64, passes=1)
    yield made
    made.close()


async def test_what_is_kept_is_argon2id_and_salted(hashes: Passwords) -> None:
    one, other = await hashes.hashed(RIGHT), await hashes.hashed(RIGHT)
    assert one != other and one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert RIGHT not in one
    assert await hashes.matches(one, RIGHT) and await hashes.matches(other, RIGHT)
    for wrong in ("", RIGHT + " ", RIGHT.upper(), "x" * 100_000):
        assert not await hashes.matches(one, wrong)


async def test_one_letter_typed_in_two_ways_is_one(hashes: Passwords) -> None:
    assert await hashes.matches(await hashes.hashed("pass wörd pass"), "pass wo\u0308rd pass")


async def test_who_has_no_password_is_compared_as_well(hashes: Passwords) -> None:
    assert not await hashes.matches("", RIGHT)
    assert not await hashes.matches("", "")
    assert not await hashes.matches("not a hash", RIGHT)
    slow = Passwords()  # as it is in service: what has no password takes as long as what has
    encoded = await slow.hashed(RIGHT)
    await slow.matches("", RIGHT)
    times = []
    for held in (encoded, ""):
        began = time.thread_time(), time.perf_counter()
        await slow.matches(held, "wrong")
        times.append(time.perf_counter() - began[1])
    slow.close()
    assert min(times) > 0.02
    assert max(times) < 10 * min(times)


async def test_a_storm_waits_for_nobody_but_itself(hashes: Passwords) -> None:
    answers = await asyncio.gather(*(hashes.hashed(RIGHT) for _ in range(WAITING + 5)), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, ControlError)]
    assert len(refused) == 5 and {(one.status, one.reason) for one in refused} == {(503, "control.busy")}
    assert await hashes.hashed(RIGHT)


@pytest.mark.parametrize(
    "weak", ["", "short", "a" * 40, "abcabcabcabc", "li is my name", "My LI password", "x" * 257, "tidegate 2026!"]
)
def test_what_is_easily_guessed_is_refused(weak: str) -> None:
    with pytest.raises(ControlError) as refused:
        check("li", weak)
    assert refused.value.reason == "control.password_weak"


@pytest.mark.parametrize("strong", [RIGHT, "另一匹马 电池 订书钉 正确", "x1y2z3 " * 30, "            ab cd ef"])
def test_what_it_is_made_of_is_its_owners_business(strong: str) -> None:
    check("wang", strong)


def test_one_that_is_given_can_be_read_out() -> None:
    told = {one_time() for _ in range(100)}
    assert len(told) == 100
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", one) for one in told)


async def test_given_and_chosen_over_the_api(api: Any) -> None:
    made = await api("POST", "/v1/people", json={"name": "bo", "roles": ["reviewer"], "reason": "new"})
    token = made["result"]["token"]
    assert made["result"]["password"] == "none"
    given = await api("PUT", "/v1/people/bo/password", json={"reason": "for the console"})
    secret = given["result"]["password"]
    rows = {one["name"]: one["password"] for one in (await api("GET", "/v1/people"))["people"]}
    assert rows == {"admin": "none", "bo": "once"}
    assert secret not in str(await api.plant.recorded())
    await api("PUT", "/v1/me/password", token=token, json={"password": "short"})
    assert api.status == 400
    await api("PUT", "/v1/me/password", token=token, json={"password": RIGHT})
    assert api.status == 200
    rows = {one["name"]: one["password"] for one in (await api("GET", "/v1/people"))["people"]}
    assert rows["bo"] == "own"
    held = await api.plant.database.read(lambda session: passwords.of(session, "bo"))
    assert await api.plant.passwords.matches(held.encoded, RIGHT)
    assert RIGHT not in str(await api.plant.recorded()) and held.encoded not in str(await api.plant.recorded())
    answer = await api("PUT", "/v1/people/nobody/password", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (404, "control.person_unknown")
    await api("PUT", "/v1/people/admin/password", token=token, json={"reason": "mine now"})
    assert api.status == 403
    answer = await api("POST", f"/v1/acts/{given['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.not_undoable")


async def test_a_namesake_has_another_password(api: Any) -> None:
    await api("POST", "/v1/people", json={"name": "bo", "roles": ["reviewer"], "reason": "new"})
    await api("PUT", "/v1/people/bo/password", json={"reason": "r"})
    await api("DELETE", "/v1/people/bo", params={"reason": "left"})
    await api("POST", "/v1/people", json={"name": "bo", "roles": ["viewer"], "reason": "a namesake"})
    assert await api.plant.database.read(lambda session: passwords.told(session, "bo")) == "none"


async def test_what_came_back_from_the_journal_opens_nothing(api: Any) -> None:
    await api("PUT", "/v1/people/admin/password", json={"reason": "r"})

    def emptied(session: Any) -> None:
        session.get(passwords.Password, "admin").encoded = ""

    await api.plant.database.run(emptied)
    assert await api.plant.database.read(lambda session: passwords.of(session, "admin")) is None
    assert "tidegate people password admin" in (await api.plant.database.read(passwords.lost))[0]


async def test_checks_stand_back_behind_acts_and_messages(hashes: Passwords) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    told = await asyncio.get_running_loop().run_in_executor(
        hashes._threads, lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    )
    assert told == max(own, passwords.NICE) and os.getpriority(os.PRIO_PROCESS, 0) == own
