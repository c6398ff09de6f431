"""The pure part of creating a container: documents in, an OCI specification out.

`build` makes config.json of a create body and `HostFacts`; `planned` lists the mount points beforehand, so
that the engine can make the volumes among them; `named_groups` belongs into shim.json.
"""

from pyctr.engine.spec.build import build
from pyctr.engine.spec.facts import HostFacts
from pyctr.engine.spec.process import named_groups

__all__ = ["HostFacts", "build", "named_groups"]
