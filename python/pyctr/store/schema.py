"""The tables. What ``ps`` shows is in columns, so that listing parses no JSON.

Times are integer nanoseconds since 1970, 0 for never. ``owner`` is who is at work on a row, ``pid:start``
(see ``owner.py``), empty when nobody is.
"""

from __future__ import annotations

SCHEMA = (
    """
    CREATE TABLE containers (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        image TEXT NOT NULL,            -- as the user named it
        image_id TEXT NOT NULL,
        command TEXT NOT NULL,          -- for ps
        network TEXT NOT NULL,          -- HostConfig.NetworkMode
        labels TEXT NOT NULL,           -- JSON object, '' for none
        mounts TEXT NOT NULL,           -- JSON array of MountPoint, '' for none
        auto_remove INTEGER NOT NULL,
        state TEXT NOT NULL,            -- creating created starting running paused exited dead removing
        owner TEXT NOT NULL,
        boot TEXT NOT NULL,             -- boot id of the last start
        pid INTEGER NOT NULL,
        started INTEGER NOT NULL,
        finished INTEGER NOT NULL,
        exit_code INTEGER NOT NULL,
        oom_killed INTEGER NOT NULL,
        error TEXT NOT NULL,
        doc TEXT NOT NULL               -- JSON: Path, Args, Config, HostConfig, Driver
    ) WITHOUT ROWID
    """,
    "CREATE INDEX containers_at_work ON containers (owner) WHERE owner <> ''",
    "CREATE INDEX containers_live ON containers (state) WHERE state IN ('running', 'paused')",
    """
    CREATE TABLE volumes (
        name TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        anonymous INTEGER NOT NULL,
        labels TEXT NOT NULL,           -- JSON object, '' for none
        options TEXT NOT NULL           -- JSON object, '' for none
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE volume_users (
        volume TEXT NOT NULL,
        container TEXT NOT NULL,
        PRIMARY KEY (volume, container)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX volume_users_by_container ON volume_users (container)",
    """
    CREATE TABLE execs (
        id TEXT PRIMARY KEY,
        container TEXT NOT NULL,
        pid INTEGER NOT NULL,
        state TEXT NOT NULL,            -- created running exited
        exit_code INTEGER,
        doc TEXT NOT NULL               -- JSON: the body it was made from
    ) WITHOUT ROWID
    """,
    "CREATE INDEX execs_by_container ON execs (container)",
    """
    CREATE TABLE images (
        id TEXT PRIMARY KEY,            -- sha256:..., of doc
        created INTEGER NOT NULL,
        size INTEGER NOT NULL,          -- bytes of all files in all layers
        gone INTEGER NOT NULL,          -- removed by force; kept for the containers made from it
        layers TEXT NOT NULL,           -- chain ids, top first, with spaces between
        doc TEXT NOT NULL               -- the image configuration, byte for byte
    ) WITHOUT ROWID
    """,
    "CREATE TABLE image_names (name TEXT PRIMARY KEY, image TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX image_names_by_image ON image_names (image)",
    """
    CREATE TABLE layers (
        id TEXT PRIMARY KEY,            -- chain id, 64 hexadecimal digits
        diff_id TEXT NOT NULL,
        size INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE TABLE image_layers (image TEXT, layer TEXT, PRIMARY KEY (image, layer)) WITHOUT ROWID",
    "CREATE INDEX image_layers_by_layer ON image_layers (layer)",
    """
    CREATE TABLE layer_claims (
        layer TEXT, token TEXT, owner TEXT, PRIMARY KEY (token, layer)
    ) WITHOUT ROWID
    """,
)
