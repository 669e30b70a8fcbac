"""Sources that are asked or watched by the platform itself: databases, folders, each on its schedule."""
