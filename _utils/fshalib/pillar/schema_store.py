"""The pillar's section ``recovery_store``."""

from fshalib.pillar.field_types import PORT
from fshalib.schema.types import Choice, Field, Record, Whole

PAIR = "pair"
RECOVERY_STORE = Record(
    {
        "mode": Field(
            Choice((PAIR, "external", "none")),
            "where the rows are from which calls are recovered. pair: in a PostgreSQL on each "
            "node, replicated both ways; external: in a database that you run, see "
            "freeswitch:configuration:core_db_dsn; none: nowhere, calls end with their node",
            "external",
        ),
        "port": Field(PORT, "pair: port of the store, on 127.0.0.1 and on the links", 15432),
        "keep_megabytes": Field(
            Whole(128, 1048576, "megabytes"),
            "pair: how much of its log a node keeps for a peer that is away (a fifth of the free "
            "space, 4096 at most). A call costs 10 kB",
            example=1024,
        ),
    }
)
