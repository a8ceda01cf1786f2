"""Where a refused person can turn to, and by which code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from gateway.appeals.codes import Codes


class AppealAddress(NamedTuple):
    """Of one policy. ``address``: empty where the policy says ``off``; ``codes``: None where nothing is appealed here
    (no ``[appeals]``)."""

    address: str = ""
    codes: Codes | None = None

    def of(self, message_id: str) -> tuple[str, str]:
        """Address and code for one message; its id is filled in where the answer is written."""
        if self.codes is None:
            return self.address, ""
        code = self.codes.code(message_id)
        return self.address.replace("{code}", code), code

    @property
    def standing(self) -> str:
        """The address where no message is at hand; empty where it needs one."""
        return "" if "{id}" in self.address or "{code}" in self.address else self.address


NOWHERE: Final = AppealAddress()
