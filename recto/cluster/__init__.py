"""Pages on the nodes of a Dask cluster. The only room that imports Dask, which is not installed with the rest (requirements-cluster.txt)."""

import logging

import dask
import distributed  # noqa: F401 - it sets its level when it is imported

logging.getLogger("distributed").setLevel(logging.WARNING)

# Where the user's configuration does not say otherwise: Dask looks at its threads a hundred times a second and at its loop fifty times, for
# diagrams of pure Python code. A node's threads only wait for page processes.
dask.config.update_defaults(
    {
        "distributed": {
            "worker": {"profile": {"enabled": False}},
            "admin": {"tick": {"interval": "1s"}, "system-monitor": {"interval": "5s"}},
        }
    }
)
