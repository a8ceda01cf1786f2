"""``[[routes]]``: which requests are judged, how their messages are read, and what becomes of them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator, model_validator

from filters.text.markup import Markup
from gateway.common.defaults import defaults
from gateway.config.sections.kinds import MessageKind
from gateway.config.sections.refusal import Refusals
from gateway.config.sections.senders.asking import Whoami
from gateway.config.values.match import AddressText, MatchText
from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.source_names import (
    TOKEN,
    EachOf,
    MaybeHashed,
    MaybeSource,
    PlacesOf,
    Pointer,
    SendersOf,
    SourceOf,
    SourcesOf,
    TextsOf,
)
from gateway.config.values.spelled import OrOne
from gateway.config.values.surface import (
    WITH_PAGES,
    Content,
    FormatName,
    SurfaceName,
    content_by_surface,
    markup_by_surface,
    what_frames_hold,
)
from gateway.config.values.units import Duration, Range, RateOf, Size
from gateway.http.wire.path import Template, parse_template
from gateway.surfaces import MIRRORED, SURFACES
from gateway.surfaces.input.settings import RoomFormat, SurfaceSettings
from gateway.websocket.habits import Habits

SURFACE = defaults(SurfaceSettings)
HABITS = defaults(Habits)


def _origin(value: str) -> str:
    if value not in {"*", "same"} and re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?|null", value) is None:
        raise ValueError("is not an origin: write “https://www.example.com”, “https://*.example.com”, “same” or “*”")
    return value


Origin = Annotated[str, AfterValidator(_origin)]
Scalar = str | int | float | bool


def _conditions(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: wanted if isinstance(wanted, list) else [wanted] for key, wanted in value.items()}


Conditions = Annotated[dict[Pointer, tuple[Scalar, ...]], BeforeValidator(_conditions), OrOne(within=True)]


class Cors(Section):
    """Cross-origin headers on answers of our own; the platform's answers keep the platform's."""

    origins: tuple[Origin, ...] = required("Origins that may read the answers.", min_length=1)
    methods: tuple[str, ...] = setting(("GET", "POST", "PUT", "PATCH", "DELETE"), "Methods told in a preflight answer.")
    headers: tuple[str, ...] = setting(("Content-Type", "Authorization"), "Request headers told in a preflight answer.")
    credentials: bool = setting(False, "Allow cookies and authorisation.")
    max_age: Duration = setting("10m", "How long a preflight answer is remembered.", ge=0)

    @field_validator("credentials", mode="after")
    @classmethod
    def _never_for_all(cls, value: bool, info: ValidationInfo) -> bool:
        if value and "*" in info.data.get("origins", ()):
            raise ValueError("does not go with origins “*”: name the origins that may use cookies")
        return value


def _one_line_each(value: dict[str, Secret]) -> dict[str, Secret]:
    for name, secret in value.items():
        if TOKEN.fullmatch(name) is None:
            raise ValueError("has a name that is no header's: use letters, digits and -")
        if not secret.get_secret_value().isprintable():
            raise ValueError(f"has control characters in “{name}”: a header is one line")
    return value


def _header(value: str) -> str:
    if value and TOKEN.fullmatch(value) is None:
        raise ValueError("is no header's name: use letters, digits and -")
    return value


Fields = Annotated[dict[str, Secret], AfterValidator(_one_line_each)]
HeaderName = Annotated[str, AfterValidator(_header)]


class Release(Section):
    """How a held message gets to the platform once a person approved it: the first of these that is configured. What
    the platform refuses for good, and what it could not be asked for in time, its sender may send again."""

    match: AddressText | None = setting(
        None, "Method and path of the platform's address for publishing, with {room} where it needs it."
    )
    headers: Fields = setting(
        {}, "Header fields of that request, such as an authorisation; with replay, instead of the sender's."
    )
    on_behalf: HeaderName = setting(
        "", "Header field that tells the platform in whose name, with the sender as it was read."
    )
    replay: tuple[HeaderName, ...] | None = setting(
        None,
        "Send the request again as it came, with these of its credentials (Authorization, Cookie …); no other is sent. "
        "Not of a message on a socket.",
    )
    ticket: bool = setting(
        False, "The sender is told that it may be sent again: the same text passes the text findings once."
    )
    idempotent: bool = setting(
        False,
        "The platform honours Idempotency-Key: it publishes once, however often it is asked. Otherwise nothing is sent "
        "twice whose fate is not known, and a person decides.",
    )
    retry_for: Duration = setting("15m", "How long a platform that is away is asked again.", ge=0)

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Release:
        if self.match is None and self.replay is None and not self.ticket:
            raise ValueError("leads nowhere: write match, replay, or ticket = true")
        return self


class Takedown(Section):
    """How the platform is asked to delete a message that was delivered."""

    match: AddressText = required(
        "Method and path of the platform's deletion, with {id}, and {room} where it needs it."
    )
    headers: Fields = setting({}, "Header fields of that request, such as an authorisation.")
    gone_when: Conditions = setting(
        {}, "JSON values of the answer that mean it is gone, where the platform answers everything with 200."
    )
    confirm_within: Duration = setting("1m", "Unconfirmed for longer alarms.", gt=0)


class Removal(Section):
    """On a relayed route: the requests that delete messages, by a user or by the platform."""

    of: str = required("Route whose messages are deleted.")
    id: SourceOf = required("Where the deletion names the message.")
    by: Literal["platform", "tidegate"] = setting("platform", "Whose id that is.")
    actor: Literal["user", "platform"] = setting("user", "Who deletes by these requests, for the record.")
    gone_when: Conditions = setting(
        {}, "JSON values of the answer that mean it is gone, where the platform answers everything with 200."
    )


class Socket(Section):
    """Bounds and habits of a WebSocket route."""

    plain: Literal["relay", "refuse"] = setting(
        "relay", "A GET that asks for no WebSocket (long polling, a page) is relayed unread, or refused with 426."
    )
    max_frame: Size = setting(HABITS.max_frame, "Largest frame from a client; beyond: closed with 1009.", ge=128)
    max_message: Size = setting(
        HABITS.max_message, "Largest message, its fragments joined; beyond: closed with 1009.", ge=128
    )
    max_fragments: int = setting(HABITS.max_fragments, "Fragments of one message; beyond: closed with 1008.", ge=1)
    max_packets: int = setting(
        SURFACE.max_packets, "Packets in one frame of a packet format; beyond: closed with 1008.", ge=1
    )
    max_buffered: Size = setting(
        HABITS.max_buffered,
        "Bytes waiting for a slow side, or of a client's for verdicts; then no more are read.",
        ge=4096,
    )
    max_checking: int = setting(
        HABITS.max_checking,
        "Messages of one socket being judged at once, and frames waiting their turn; then it is not read.",
        ge=1,
    )
    max_controls: RateOf = setting(
        HABITS.max_controls, "Pings and pongs of a client on a judged socket; beyond: closed with 1008."
    )
    max_malformed: RateOf = setting(
        HABITS.max_malformed, "Frames of a client that cannot be read as a message; beyond: closed with 1008."
    )
    slow_timeout: Duration = setting(
        HABITS.slow_timeout, "A client may stay too slow for; beyond: closed with 1013.", gt=0
    )
    idle_timeout: Duration = setting(HABITS.idle_timeout, "Silence in both directions; beyond: closed with 1001.", gt=0)
    ping_interval: Duration = setting(HABITS.ping_interval, "How often a silent client is pinged; 0: never.", ge=0)
    ping_timeout: Duration = setting(HABITS.ping_timeout, "A pong must come within; beyond: closed with 1001.", gt=0)
    mute_after: RateOf | None = setting(HABITS.mute_after, "Refusals on one socket that mute it.")
    mute_for: Duration = setting(HABITS.mute_for, "How long such a mute lasts.", gt=0)
    close_blocked: bool = setting(
        HABITS.close_blocked, "Close the socket of a blocked sender; otherwise they may go on watching."
    )


_OF_KINDS = ("text", "room", "edit", "policy", "parts", "optional_text")


class Route(Section):
    """One route. With a surface and a policy its messages are judged; without, requests are relayed untouched."""

    name: str = required("Name in records, metrics and limits.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    match: MatchText = required(
        "Method and normalised path, with {placeholders} for whole segments: “POST /api/articles/{room}/comments”, "
        "“PUT|PATCH forum.example/posts/{room}”; with /** at its end, and whatever lies below that."
    )
    transport: Literal["http", "websocket"] = setting("http", "Requests, or a WebSocket.")
    surface: SurfaceName | None = setting(None, "What the messages are; unset: nothing is judged.")
    upstream: str = required("Where it is relayed to.")
    unjudged: Literal["refuse", "relay"] = setting(
        "refuse",
        "What is written to a judged address, or below it, by a method or path that no route names: refused with 403, "
        "or relayed and judged by nobody. Reading (GET, HEAD, OPTIONS) is always relayed; with "
        "a body, which many platforms take for that of a POST, only where it is relay or a route names it (else 400).",
    )
    method_override: Literal["form:_method", "header:X-HTTP-Method-Override"] | None = setting(
        None,
        "By what a POST to this address may say that it is one of match’s methods, where the platform takes it so "
        "(forms of Rails, Laravel, Symfony, Spring): it is judged by this route, and its deletions are seen by a "
        "removal route of DELETE. A POST that does not say so, or says it twice, is refused.",
    )
    policy: str = setting("", "Which policy judges; needed with a surface.")
    news: bool = setting(
        False,
        "Comments on news: nothing but a person's approval publishes them. The policy must hold every message "
        "(check = “review”), or the route does not start.",
    )
    delay: Duration = setting(
        "0s",
        "What passes appears so much later (延时发布): until then a takedown keeps it from going. Needs [review].",
        ge=0,
        le=300,
    )
    services: tuple[str, ...] = setting(
        (), "What this service is in the words of the regulations, for config check --obligations; by surface if empty."
    )

    trust: tuple[Range, ...] = setting(
        (), "Peers whose word on the sender is taken, besides server.trusted_proxies; jwt: sources need none."
    )
    sender: SendersOf = setting(
        (),
        "Who sends; the first source counts that is present, not empty and not null. “whoami:” is what the platform "
        "says (whoami). “ip:”, the client's address (IPv6: its /64), and “const:NAME”, the same for everybody, name no "
        "person: limits count them, and no block, strike or credit is theirs. “hash:” before any source keeps a keyed "
        "digest of it.",
    )
    whoami: Whoami | None = setting(None, "How the platform is asked who sends, for “whoami:” in sender.")
    room: PlacesOf = setting(
        ("path:room",),
        "Where it is sent: an article, a video, a group; the first source that is present, or one composed of several, "
        "such as “{form:content_type}:{form:object_pk}”.",
        min_length=1,
    )
    digest_sender: Literal["credentials", "always", "never"] = setting(
        SURFACE.digest_sender,
        "Whether a sender is kept as a digest (sha256:…): where it is read from a credential, by its name "
        "(Authorization, Cookie, session, token, API key), always, or never.",
    )
    room_format: RoomFormat = setting(
        SURFACE.room_format,
        "How rooms are spelled; another spelling is refused, so that a platform which makes one room of several has no "
        "second one here. “refuse”: any way, but not with a format at the end of the path (7.json), which frameworks "
        "take off; “keep”: any way. “number”: digits without a zero before them (not 01, +1, 1.0, 1-title). "
        "“number-title”: 12-any-title is the room 12. “uuid”: in lower case, with dashes. “lower”: letters in lower "
        "case, digits, and “-._” between them.",
    )
    device: MaybeHashed = setting("", "Device, for blocks and limits; may be missing.")
    registrant: MaybeHashed = setting("", "Registrant token, for blacklists; may be missing.")
    location: SourcesOf = setting(SURFACE.location, "Location as the front tells it; may be missing.")
    verified: MaybeSource = setting("", "Whether the front vouches for a verified identity; unset: accounts in state.")
    level: MaybeSource = setting("", "Credit level from 0 to 100 as the front tells it; unset: accounts in state.")

    format: FormatName = setting(SURFACE.format, f"What a WebSocket's frames hold.{what_frames_hold()}")
    text: TextsOf = setting(
        (),
        "What is judged: JSON Pointers, in which * is every element of an array (“json:/blocks/*/text”), form fields, "
        "“filename:FIELD” for what uploads are called (“filename:*”: all of them), or “text:” for a plain body.",
    )
    optional_text: bool = setting(SURFACE.optional_text, "A message may have no text, because it is an image alone.")
    markup: Markup | None = setting(
        None,
        "What the platform undoes before people read a text: words are found through it. “markdown”: HTML in it too. "
        f"Unset: {markup_by_surface()}.",
    )
    parts: SourcesOf = setting(
        SURFACE.parts, "Parts that nothing here can judge: images, links to media. See the parts check."
    )
    message_when: Conditions = setting(
        SURFACE.message_when, "JSON values that make a body or frame a message; empty: each is one."
    )
    relay_when: Conditions = setting(
        SURFACE.relay_when, "JSON values that make it none, to be relayed untouched; the rest is refused."
    )
    messages: tuple[MessageKind, ...] = setting(
        (), "Several kinds of message at this address; in the place of message_when and relay_when.", max_length=64
    )
    otherwise: Literal["refuse", "relay"] = setting(
        "refuse", "With messages: what is none of them is refused, or relayed and judged by nobody."
    )
    each: EachOf = setting(
        SURFACE.each,
        "Elements of an array of JSON that are a message each: “/*” where the body is one (a body that is none is one "
        "message), “/events/*” where it stands within. json: is then read within an element, whole: around it.",
    )
    cut_refused: bool = setting(
        False,
        "With each: refused elements are cut out of the array and the rest goes on, so that the platform's answer has "
        "none for them. Otherwise one that is refused refuses the whole request.",
    )
    max_elements: int = setting(
        SURFACE.max_elements,
        "Elements of an array that are messages (each), or texts of one message (* in text); beyond: 413.",
        ge=1,
        le=1024,
    )
    edit: bool | None = setting(
        SURFACE.edit,
        "Messages replace earlier ones; judged like new ones, recorded as edits. Unset: those of PUT and PATCH do.",
    )
    max_body: Size = setting("64KiB", "Largest judged body; beyond: 413.", ge=1)
    max_text: int = setting(
        SURFACE.max_text, "Code points of judged text in a message, all fields together; beyond: 413.", ge=1
    )

    content: Content | None = setting(None, f"When the text goes into the journal; unset: {content_by_surface()}.")
    keep: tuple[Literal["ip", "device", "registrant", "location"], ...] = setting(
        (), "Optional personal fields that the journal keeps, because they are necessary."
    )

    language: Literal["auto", "zh", "en"] | None = setting(
        None, "Language of what the gateway tells this route's clients; unset: sentences.language."
    )
    refusal: Refusals = setting(
        (), "The platform's own shapes for refusals and notices, the first that fits; without: RFC 9457 and our own."
    )
    cors: Cors | None = setting(None, "Cross-origin headers on our own answers.")
    origins: tuple[Origin, ...] = setting(
        ("same",), "Origins whose pages may open the WebSocket. A client that sends no Origin is no page.", min_length=1
    )
    websocket: Socket = setting({}, "Bounds of a WebSocket route.")

    page: str = setting(
        "",
        f"The platform's page on which the bullets show, with {{room}}. Needed with {WITH_PAGES}.",
        pattern="^(/.*)?$",
    )
    playback: MaybeSource = setting("", "Where in the video a bullet belongs.")
    playback_unit: Literal["s", "ms"] = setting(SURFACE.playback_unit, "Unit of playback.")
    shown_sender: MaybeSource = setting("", "Name that the bullet itself shows; unset: the static version shows none.")
    access: AddressText | None = setting(
        None,
        "Asked of the upstream, with the reader's own cookies and under the host that it, or match, names (else the "
        "upstream's own), before a room's static version is shown; unset: public.",
    )

    upstream_id: MaybeSource = setting(
        SURFACE.upstream_id, "Where the JSON of the platform's answer tells its own id of the message: a json: source."
    )
    id_to: MaybeSource = setting(SURFACE.id_to, "Where our id is written into the message: a JSON Pointer or a header.")
    takedown: Takedown | None = setting(None, "How the platform is asked to delete a message.")
    release: Release | None = setting(None, "How a held message gets to the platform once a person approved it.")
    removal: Removal | None = setting(None, "On a relayed route: it deletes messages of another route.")

    @property
    def template(self) -> Template:
        """``match``, parsed."""
        return parse_template(self.match)

    @property
    def judged(self) -> bool:
        """Whether messages of this route are judged."""
        return self.surface is not None

    @property
    def kinds(self) -> tuple[Route, ...]:
        """The kinds of message that are judged, each as a route of its own."""
        made = []
        for kind in self.messages:
            if not kind.relay:
                said = {name: getattr(kind, name) for name in _OF_KINDS if getattr(kind, name) not in ((), "", None)}
                made.append(self.model_copy(update={**said, "messages": ()}))
        return tuple(made)

    @property
    def mirrored(self) -> bool:
        """Whether each message of this route has a static version (law 6)."""
        return self.surface in MIRRORED

    @property
    def markup_undone(self) -> Markup:
        """``markup``, or what the surface makes of its absence."""
        return self.markup or SURFACES[self.surface].markup if self.surface is not None else "off"

    @property
    def content_kept(self) -> Content:
        """``content``, or what the surface makes of its absence."""
        assert self.surface is not None
        return self.content or SURFACES[self.surface].content
