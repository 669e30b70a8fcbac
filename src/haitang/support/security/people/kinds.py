"""Kinds of people: role, organization, sign-in policy."""

from typing import Annotated

from pydantic import Field

from haitang.base.declarations import Declaration, Reference, SpanText, Text, Tunable, Word, kind

Count = Annotated[int, Field(ge=1, le=1000)]
Length = Annotated[int, Field(ge=8, le=64)]


@kind("role", title="角色", folder="roles")
class Role(Declaration):
    """A role that a person holds in an organization: what its holder may do.

    `may` names permissions (each action registers one): `case.read`, `case.*` for all of a room's, `case.handle@own` for what belongs to
    the holder's organization only. A procedure names roles under `by`. `apart`: roles that nobody holds beside this one.
    """

    title: Text
    may: list[str] = []
    apart: Annotated[list[str], Reference("role")] = []
    persona: Text | None = None  # what the demo says of the persona that plays this role


@kind("organization", title="机构", folder="organizations", shape="table", where="place")
class Organization(Declaration):
    """An organization of the place: a department, town, operating company.

    `fills`: the organization roles (words that applications use, such as `ecology_bureau`) that it fills.
    """

    title: Text
    fills: list[Word] = []
    parent: Annotated[str, Reference("organization")] | None = None
    division: str | None = None


@kind("sign_in", title="登录策略", folder="sign_in")
class SignIn(Declaration):
    """How one sort of person signs in; its id is the sort: `staff`, `citizen` or `enterprise`. Every key but the title is the place's to tune.

    Password: `least` characters, unlike the last `history` ones, to be changed after `password_age`. After `attempts` wrong passwords each further one
    delays the next by twice as long, from `first_delay` up to `longest_delay`. A session ends after `idle` without a click and after
    `session` in any case; a screen on a wall stays open without a click for `wall` at most. `second_factor`: the roles whose holders need one; `proof`: for how long a proof of identity opens sensitive actions.
    """

    title: Text
    least: Annotated[Length, Tunable("密码最少字符数")] = 10
    history: Annotated[int, Field(ge=0, le=24), Tunable("不得重复使用最近几次的密码")] = 5
    password_age: Annotated[SpanText | None, Tunable("密码最长使用时间；不写为不限")] = None
    attempts: Annotated[Count, Tunable("连续输错几次后开始延迟")] = 5
    first_delay: Annotated[SpanText, Tunable("首次延迟")] = "1min"
    longest_delay: Annotated[SpanText, Tunable("最长延迟")] = "15min"
    idle: Annotated[SpanText, Tunable("无操作多久后退出")] = "2h"
    session: Annotated[SpanText, Tunable("一次登录最长持续时间")] = "12h"
    proof: Annotated[SpanText, Tunable("验证身份后多久内可办理重要操作")] = "10min"
    wall: Annotated[SpanText, Tunable("大屏授权的最长有效期")] = "365d"
    second_factor: Annotated[list[str], Reference("role"), Tunable("必须使用第二因素的角色")] = []
