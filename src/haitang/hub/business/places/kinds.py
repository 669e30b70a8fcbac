"""Kinds of a place: place, division, boundary."""

from typing import Any

from pydantic import Field

from haitang.base.declarations import Declaration, Text, kind


@kind("place", title="地方", folder="place", shape="one", where="place")
class Place(Declaration):
    """A place: a district or municipality. `code` is its division code (GB/T 2260), `map_approval` the 审图号 printed on public maps."""

    title: Text
    code: str = Field(pattern=r"^\d{6}$")
    level: str = "district"
    product_name: Text | None = None  # what the page header says
    emblem: str | None = None  # an image file beside place.yaml
    map_approval: str | None = None
    applications: list[str] = []  # empty: all that are installed
    centre: tuple[float, float] | None = None  # longitude, latitude, CGCS2000


@kind("division", title="区划", folder="divisions", shape="table", where="place")
class Division(Declaration):
    """A division of the place: town, street or village. `id` is its code (GB/T 10114: 9 digits town, 12 digits village)."""

    title: Text
    level: str
    parent: str | None = None


@kind("boundary", title="边界", folder="boundary", shape="geojson", where="place")
class Boundary(Declaration):
    """The boundary of the place as GeoJSON in CGCS2000 (EPSG:4490), with its source in the member `source`."""

    geojson: dict[str, Any]
