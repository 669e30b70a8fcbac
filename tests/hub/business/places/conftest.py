"""The small district."""

from tests.hub.business.world import world as world
