"""Which division a point lies in: boundaries of the place in an index, whole columns at once.

A feature of the boundary that names a division in `properties.code` is that division's; one without is the place's own outline. Where towns have no
boundary, a point is matched to the place and no further: a town is never guessed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import shape

from haitang.base.declarations import Declarations, in_force
from haitang.hub.business.places.kinds import Boundary, Division, Place


@dataclass(frozen=True)
class Locator:
    """Boundaries with their codes, the smallest divisions last."""

    codes: npt.NDArray[np.str_]
    tree: shapely.STRtree

    def locate(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The code of the smallest division that holds or touches each point, an empty text for none and for NaN."""
        lng, lat = np.atleast_1d(np.asarray(longitude, float)), np.atleast_1d(np.asarray(latitude, float))
        there = np.flatnonzero(np.isfinite(lng) & np.isfinite(lat))
        found = np.full(len(lng), -1)
        which, boundary = self.tree.query(shapely.points(lng[there], lat[there]), predicate="intersects")
        np.maximum.at(found, there[which], boundary)
        named: npt.NDArray[np.str_] = np.append(self.codes, "")[found]
        return named


def locator() -> Locator:
    """The boundaries of the release in force; built once a release and process."""
    global _kept
    release = in_force()
    if _kept is None or _kept[0] is not release:
        _kept = release, _build(*_declared())
    return _kept[1]


_kept: tuple[Declarations, Locator] | None = None


def _declared() -> tuple[str, list[dict[str, Any]]]:
    place = next(iter(in_force().all(Place).values()), None)
    boundary = next(iter(in_force().all(Boundary).values()), None)
    return place.code if place else "", list(boundary.geojson.get("features", [])) if boundary else []


def _build(place: str, features: list[dict[str, Any]]) -> Locator:
    known = in_force().all(Division)
    sound: dict[str, list[Any]] = {}
    for feature in features:
        code = str((feature.get("properties") or {}).get("code", ""))
        drawn = shapely.make_valid(shape(feature["geometry"]))
        sound.setdefault(code if code in known else place, []).append(drawn)
    ordered = sorted(sound.items(), key=lambda item: (len(item[0]), item[0]))
    shapes = [shapely.union_all(parts) for _, parts in ordered]
    shapely.prepare(shapes)
    return Locator(np.array([code for code, _ in ordered], dtype=np.str_), shapely.STRtree(shapes))


class PlaceDivisions:
    """What `haitang.base.ports.divisions` promises."""

    def locate(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> list[str]:
        found: list[str] = locator().locate(longitude, latitude).tolist()
        return found

    def known(self) -> frozenset[str]:
        return frozenset(in_force().all(Division)) | {place.code for place in in_force().all(Place).values()}
