"""The kind `page`: rows of indicators, maps, charts and tables."""

from typing import Any, Literal

from haitang.base.declarations import Declaration, Text, kind


@kind("page", title="页面", folder="pages")
class Page(Declaration):
    """A page. Each row is a list of cells: an indicator's id, or a mapping whose first key is the cell type and its subject:

    {map: air_station, colour: aqi}    things of a device type on the map
    {chart: air_hour, x: hour, y: aqi, by: station}    a chart of a table
    {calendar: air_day, value: aqi}    a year of days
    {table: air_hour, sort: -hour}     a table
    {cases: air_exceedance}            open cases of a type
    """

    title: Text
    for_: list[Literal["public", "desk", "wall", "phone"]]
    rows: list[list[str | dict[str, Any]]]

    model_config = {**Declaration.model_config, "alias_generator": lambda name: "for" if name == "for_" else name}
