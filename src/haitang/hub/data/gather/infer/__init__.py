"""Proposes a resource from a file: names, types, key, code tables, what is sensitive, units, coordinates; and says of each what is uncertain."""

from haitang.hub.data.gather.infer.proposal import propose
from haitang.hub.data.gather.infer.types import Proposal

__all__ = ["Proposal", "propose"]
