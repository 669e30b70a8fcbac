"""One archive that installs without a network: the checkout, its built web assets, every wheel, a bill of materials, checksums."""
