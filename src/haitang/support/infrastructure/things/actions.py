"""Writes about things: which devices are listened to, and as what."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import IntegrityError, connection, transaction

from haitang.base import clock
from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing, ThingLocation
from haitang.support.security.evidence.facts import Secret
from haitang.support.standards.coordinates import SYSTEMS, convert

NO_SUCH_THING = error("things.no_such_thing", 404, "没有设备“{id}”。")
MN_TAKEN = error("things.mn_taken", 409, "设备编号 MN {mn} 已由另一台设备使用，请核对。")
NOT_PROVISIONAL = error("things.not_provisional", 409, "设备“{title}”不在待确认状态，请刷新页面。")
ALWAYS_REPLAY = error("things.always_replay", 409, "“{title}”是为回放登记的设备，其数据始终标为回放。")
BAD_ID = error("things.bad_id", 400, "设备编号“{id}”不可用：用字母、数字、下划线和连字符，不以 replay_ 开头，最多 64 个字符。")
ID_TAKEN = error("things.id_taken", 409, "设备编号“{id}”已被使用。")
REPLAY = "replay_"  # the id of a thing that was registered for a replay begins so
RESERVED = ("groups", "health", "register")  # addresses of pages under /things/
NO_SUCH_DEVICE = error("things.no_such_device", 400, "没有声明设备类型“{device}”，请从列表中选择。")
BAD_KEY = error("things.bad_key", 400, "SM4 密钥须为 16 个 ASCII 字符。")
BAD_ORIGIN = error("things.bad_origin", 400, "数据来源只能是 live、replay 或 simulated。")
BAD_ADDRESS = error("things.bad_address", 400, "来源地址“{address}”不是 IP 地址或网段，例如 10.1.2.3 或 10.1.0.0/16。")
NO_REASON = error("things.no_reason", 400, "请写明维护事由。")
BAD_WINDOW = error("things.bad_window", 400, "维护结束时间须晚于开始时间，也须晚于现在。")
LONG_WINDOW = error("things.long_window", 400, "一次维护最长 {days} 天；更久请停用设备。")
WINDOW_OVER = error("things.window_over", 409, "这次维护已经结束，请刷新页面。")
LONGEST_WINDOW = timedelta(days=30)
NO_SUCH_SYSTEM = error("things.no_such_system", 400, "没有坐标系“{system}”，请从列表中选择。")
OUT_OF_RANGE = error("things.out_of_range", 400, "经度须在 -180 到 180 之间，纬度须在 -90 到 90 之间，并请核对两者是否颠倒。")
NO_MOVE_REASON = error("things.no_move_reason", 400, "请写明位置变更的事由。")
MOVED_WHEN = error("things.moved_when", 400, "变更时间须不晚于现在，并晚于上一次登记的 {since}。")


@dataclass(frozen=True)
class Credential:
    """What a device must show: the password that its packets carry (empty: not checked), the SM4 key of encrypted ones (empty: none, 16 ASCII characters),
    the network that it connects from (CIDR, empty: any). Raises BAD_KEY, BAD_ADDRESS."""

    password: str = ""
    sm4_key: str = ""
    address: str = ""

    def __post_init__(self) -> None:
        if self.sm4_key and not (self.sm4_key.isascii() and len(self.sm4_key) == 16):
            raise BAD_KEY()
        try:
            ip_network(self.address or "0.0.0.0/0", strict=False)
        except ValueError:
            raise BAD_ADDRESS(address=self.address) from None

    def give(self, thing: Thing) -> None:
        thing.password, thing.sm4_key, thing.address = self.password, self.sm4_key, self.address

    def facts(self) -> dict[str, object]:
        return {"password": Secret(self.password), "sm4_key": Secret(self.sm4_key), "address": self.address}


NO_CREDENTIAL = Credential()


@action("things.seed", title="登记设备")
def seed_thing(*, act: Act, id: str, declared: Declared) -> Thing:
    """Register a device of the place's folder; one that is there already stays as the table has it."""
    found = Thing.objects.filter(pk=id).first()
    if found is None:
        found = _create(
            act, id=id, title=declared.title, device=declared.device, organization_id=declared.organization, division=declared.division,
            longitude=declared.longitude, latitude=declared.latitude, mn=declared.mn, password=declared.password or "", origin=declared.origin,
        )  # fmt: skip
    act.record("thing", id, {"device": found.device, "mn": found.mn, "status": found.status, "origin": found.origin})
    return found


@action("things.admit_provisionally", title="暂时接入设备")
def admit_provisionally(*, act: Act, mn: str, device: str, address: str, title: str = "", origin: str = "live") -> Thing:
    """Take in an unknown station while commissioning; a person decides later. Its id is `hj212_<mn>`, its password is not checked until then."""
    found = Thing.objects.filter(mn=mn).first()
    if found is None:
        title = title or f"未登记监测站 {mn}"
        found = _create(act, id=_id_of(mn), title=title, device=device, mn=mn, status=Thing.PROVISIONAL, origin=origin)
        announce(act, found)
    act.record("thing", found.id, {"mn": mn, "device": device, "address": address, "status": found.status, "origin": found.origin})
    return found


@action("things.register_provisionally", title="暂时登记设备")
def register_provisionally(*, act: Act, id: str, device: str, title: str = "") -> Thing:
    """Take in a device that nobody has decided on yet, for MQTT or HTTP: its data are stored as with HJ 212's commissioning mode; a person decides later."""
    if device not in in_force().all(Device):
        raise NO_SUCH_DEVICE(device=device)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", id) or id.startswith(REPLAY) or id in RESERVED:
        raise BAD_ID(id=id)
    if Thing.objects.filter(pk=id).exists():
        raise ID_TAKEN(id=id)
    made = _create(act, id=id, title=title or f"未登记设备 {id}", device=device, mn=None, status=Thing.PROVISIONAL)
    act.record("thing", id, {"device": device, "status": made.status})
    announce(act, made)
    return made


@action("things.register_replay", title="登记回放设备")
def register_replay(*, act: Act, thing: Thing) -> Thing:
    """The device that plays what another has recorded: of the same type at the same place, marked replay for ever, under an id of its own."""
    found = Thing.objects.filter(pk=f"{REPLAY}{thing.id}"[:64]).first()
    if found is None:
        title = f"{thing.title}（回放）"[:200]
        found = _create(
            act, id=f"{REPLAY}{thing.id}"[:64], title=title, device=thing.device, organization_id=thing.organization_id, division=thing.division,
            longitude=thing.longitude, latitude=thing.latitude, mn=None, origin="replay",
        )  # fmt: skip
        announce(act, found)
    act.record("thing", found.id, {"of": thing.id, "origin": found.origin})
    return found


@action("things.admit", title="确认接入设备", resource="thing")
def admit(
    *, act: Act, thing: Thing, device: str, title: str, organization: str = "", longitude: float | None = None, latitude: float | None = None,
    credential: Credential = NO_CREDENTIAL,
) -> Thing:  # fmt: skip
    """A person takes a provisional station into service: as what device, for whom, where, with what credential."""
    if thing.status != Thing.PROVISIONAL:
        raise NOT_PROVISIONAL(title=thing.title)
    if device not in in_force().all(Device):
        raise NO_SUCH_DEVICE(device=device)
    thing.status, thing.device, thing.organization_id = Thing.ADMITTED, device, organization
    thing.title = title or thing.title
    credential.give(thing)
    _place(act, thing, longitude, latitude)
    thing.save()
    act.record("thing", thing.id, {"mn": thing.mn, "device": device, "organization": organization, **credential.facts()})
    announce(act, thing)
    return thing


@action("things.refuse", title="拒绝接入设备", resource="thing")
def refuse(*, act: Act, thing: Thing, reason: str) -> Thing:
    """Stop listening to a provisional station; what it sent stays in the lake under its id."""
    if thing.status != Thing.PROVISIONAL:
        raise NOT_PROVISIONAL(title=thing.title)
    return _retire(act, thing, reason)


@action("things.retire", title="停用设备", resource="thing")
def retire(*, act: Act, thing: Thing, reason: str) -> Thing:
    """Take a device out of service; it is no longer answered."""
    return _retire(act, thing, reason)


@action("things.set_origin", title="标明数据来源", resource="thing")
def set_origin(*, act: Act, thing: Thing, origin: str) -> Thing:
    """Say that what a thing sends from now on is live, replayed or simulated."""
    if origin not in ("live", "replay", "simulated"):
        raise BAD_ORIGIN()
    if thing.id.startswith(REPLAY) and origin != "replay":
        raise ALWAYS_REPLAY(title=thing.title)
    act.record("thing", thing.id, {"origin_before": thing.origin, "origin": origin})
    thing.origin = origin
    thing.save(update_fields=["origin"])
    announce(act, thing)
    return thing


@action("things.set_credential", title="设置设备凭据", resource="thing")
def set_credential(*, act: Act, thing: Thing, credential: Credential) -> Thing:
    """Replace the whole credential."""
    credential.give(thing)
    thing.save(update_fields=["password", "sm4_key", "address"])
    act.record("thing", thing.id, credential.facts())
    return thing


@action("things.plan_maintenance", title="登记设备维护", resource="thing")
def plan_maintenance(*, act: Act, thing: Thing, starts_at: datetime, ends_at: datetime, reason: str) -> MaintenanceWindow:
    """Say that a thing is worked on from `starts_at` until `ends_at` (both aware). What was silent before stays silent: only what would open within is held."""
    check_window(act, starts_at=starts_at, ends_at=ends_at, reason=reason)
    made = MaintenanceWindow.objects.create(thing=thing, starts_at=starts_at, ends_at=ends_at, reason=reason, noted_by=act.actor.ref)
    act.record(
        "thing", thing.id, {"window": made.pk, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat(), "reason": Secret(reason)}
    )
    announce(act, thing)
    return made


def check_window(act: Act, *, starts_at: datetime, ends_at: datetime, reason: str) -> None:
    """Raises NO_REASON, BAD_WINDOW, LONG_WINDOW."""
    if not reason:
        raise NO_REASON()
    if ends_at <= starts_at or ends_at <= act.at:
        raise BAD_WINDOW()
    if ends_at - starts_at > LONGEST_WINDOW:
        raise LONG_WINDOW(days=LONGEST_WINDOW.days)


@action("things.end_maintenance", title="结束设备维护", resource="window")
def end_maintenance(*, act: Act, window: MaintenanceWindow) -> MaintenanceWindow:
    """End a window now, before its time; one that has not begun is thereby cancelled."""
    window = MaintenanceWindow.objects.select_for_update().get(pk=window.pk)
    if window.state(act.at) not in ("planned", "running"):
        raise WINDOW_OVER()
    window.ended_at = act.at
    window.save(update_fields=["ended_at"])
    act.record("thing", window.thing_id, {"window": window.pk, "planned_end": window.ends_at.isoformat()})
    announce(act, window.thing)
    return window


@dataclass(frozen=True)
class Point:
    """A point as it was told, in degrees of a system of `coordinates.SYSTEMS`. Raises NO_SUCH_SYSTEM, OUT_OF_RANGE."""

    longitude: float
    latitude: float
    system: str = "cgcs2000"

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise NO_SUCH_SYSTEM(system=self.system)
        if not (-180 <= self.longitude <= 180 and -90 <= self.latitude <= 90):
            raise OUT_OF_RANGE()

    def normalized(self) -> tuple[float, float]:
        """Longitude and latitude in CGCS2000, to about a centimetre."""
        lng, lat = convert(self.longitude, self.latitude, self.system, "cgcs2000")
        return round(float(lng), 7), round(float(lat), 7)

    @property
    def stated(self) -> str:
        return "" if self.system == "cgcs2000" else f"{self.longitude:.7g}, {self.latitude:.7g} ({self.system})"


@action("things.relocate", title="变更设备位置", resource="thing")
def relocate(*, act: Act, thing: Thing, to: Point, reason: str, since: datetime | None = None) -> ThingLocation:
    """Note that a thing stands elsewhere since `since` (aware, default now). What it observed before stays where it stood then."""
    if not reason:
        raise NO_MOVE_REASON()
    at, last = since or act.at, thing.locations.first()
    if at > act.at or (last is not None and at <= last.since):
        raise MOVED_WHEN(since=f"{last.since.astimezone(clock.CHINA):%Y-%m-%d %H:%M}" if last else "—")
    thing.longitude, thing.latitude = to.normalized()
    thing.save(update_fields=["longitude", "latitude"])
    made = ThingLocation.objects.create(
        thing=thing, longitude=thing.longitude, latitude=thing.latitude, since=at, reason=reason, moved_by=act.actor.ref, stated=to.stated
    )
    act.record("thing", thing.id, {
        "longitude": made.longitude, "latitude": made.latitude, "since": at.isoformat(), "system": to.system, "reason": Secret(reason),
    })  # fmt: skip
    announce(act, thing)
    return made


# One statement for all: through the model it took a third of a busy listener's time.
_SEEN = """
    update things_thing as thing set first_seen = coalesce(thing.first_seen, heard.at), last_seen = heard.at
    from unnest(%s::text[], %s::timestamptz[]) as heard(id, at) where thing.id = heard.id"""


def seen(times: dict[str, datetime]) -> None:
    """Note when things were last heard. Telemetry, not a decision: the observations themselves are the evidence."""
    with connection.cursor() as cursor:
        ids = sorted(times)  # several listeners note at once: the same order keeps them out of each other's way
        cursor.execute(_SEEN, [ids, [times[id] for id in ids]])


def announce(act: Act, thing: Thing) -> None:
    act.announce("twin", {"things": [thing.id], "status": thing.status})


def _id_of(mn: str) -> str:
    """An id that stands in an address; a number with other characters gets a digest of itself."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", mn)
    return f"hj212_{plain}" if plain == mn else f"hj212_{plain}_{hashlib.sha256(mn.encode()).hexdigest()[:8]}"


def _create(act: Act, *, id: str, mn: str | None, **fields: object) -> Thing:
    try:
        with transaction.atomic():
            thing = Thing.objects.create(id=id, mn=mn or None, **fields)
    except IntegrityError:
        raise MN_TAKEN(mn=mn) from None
    _note_location(act, thing)
    return thing


def _place(act: Act, thing: Thing, longitude: float | None, latitude: float | None) -> None:
    if longitude is None or latitude is None or (longitude, latitude) == (thing.longitude, thing.latitude):
        return
    thing.longitude, thing.latitude = longitude, latitude
    _note_location(act, thing)


def _note_location(act: Act, thing: Thing) -> None:
    if thing.longitude is not None and thing.latitude is not None:
        ThingLocation.objects.create(thing=thing, longitude=thing.longitude, latitude=thing.latitude, since=act.at, moved_by=act.actor.ref)


def _retire(act: Act, thing: Thing, reason: str) -> Thing:
    before, thing.status = thing.status, Thing.RETIRED
    thing.save(update_fields=["status"])
    act.record("thing", thing.id, {"mn": thing.mn, "status_before": before, "reason": reason})
    announce(act, thing)
    return thing
