"""Published reference data for the tests of the spec builder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def reference() -> Path:
    """The directory with the OCI schemas and docker's profile: PYCTR_REFERENCE, or beside the checkout."""
    beside = Path(__file__).parents[4] / "shared" / "reference"
    path = Path(os.environ.get("PYCTR_REFERENCE", beside))
    if not path.is_dir():
        pytest.skip("no reference data: set PYCTR_REFERENCE to the directory that has seccomp-default.json")
    return path


@pytest.fixture
def validate(reference: Path) -> Any:
    """Validate a config.json against the OCI schema; raises jsonschema.ValidationError."""
    import jsonschema  # type: ignore[import-untyped]
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    schemas = reference / "oci-runtime-spec-schema"
    found = {path.name: json.loads(path.read_text()) for path in schemas.glob("*.json")}
    registry: Any = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT4)) for name, schema in found.items()
    )
    return jsonschema.Draft4Validator(found["config-schema.json"], registry=registry).validate
