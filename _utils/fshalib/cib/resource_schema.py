"""How resources are described: primitives, templates, groups, clones, bundles."""

from fshalib.cib.agent import Agent
from fshalib.cib.element_schema import ElementSchema
from fshalib.cib.field_types import ID, PARAMETER, PARAMETER_VALUE
from fshalib.cib.fields import Attribute, Id, Several, Single, Within
from fshalib.cib.members import Members
from fshalib.cib.nvset_field import Sets
from fshalib.cib.operations import Operations, OperationsId
from fshalib.cib.options import (
    BOOLEAN,
    INTEGER,
    META,
    OPERATION,
    PROPERTIES,
    PROPERTY_ALIASES,
)
from fshalib.schema.types import Named, Plain, Record, Text

TEXT = Plain("text")
ANY_NAME = Text("a name", r"[^\x00-\x1f]+")
VALUES = Named(PARAMETER_VALUE, PARAMETER, "a mapping of parameters")
META_SECTION = Record(META, "a mapping of meta attributes", others=PARAMETER_VALUE)
PROPERTIES_SECTION = Record(
    PROPERTIES, "a mapping of cluster properties", PROPERTY_ALIASES, others=PARAMETER_VALUE
)

DESCRIPTION = Attribute("description", TEXT, "a note for people")
PARAMS = Sets(
    "params",
    "instance_attributes",
    VALUES,
    "the agent's parameters, as `crm_resource --show-metadata` names them",
    options=False,
    example={"ip": "10.101.20.219", "nic": "eth0"},
)
META_SETS = Sets("meta", "meta_attributes", META_SECTION, "meta attributes of this object")
UTILIZATION = Sets(
    "utilization",
    "utilization",
    VALUES,
    "capacities that it needs, or has, by name",
    options=False,
    example={"cpu": 2},
)


_IMPLIED = {"enabled": "true", "record-pending": "true", "start-delay": "0s"}
OPERATION_SCHEMA = ElementSchema(
    "op",
    (
        Attribute("name", OPERATION["name"].kind, OPERATION["name"].doc, example="monitor"),
        *(
            Attribute(name, known.kind, known.doc, theirs=known.theirs, default=_IMPLIED.get(name))
            for name, known in OPERATION.items()
            if name != "name"
        ),
        Sets("params", "instance_attributes", VALUES, "parameters of this operation alone",
             options=False, example={"OCF_CHECK_LEVEL": 10}),
        Sets("meta", "meta_attributes", Named(PARAMETER_VALUE, PARAMETER),
             "options of the operation that depend on rules"),
        OperationsId(ID),
        Attribute("id-ref", ID, "id of operations to use, in place of all other keys"),
    ),
    "a mapping (name, interval, timeout …)",
)  # fmt: skip
OPERATIONS = Operations(OPERATION_SCHEMA)

_COMMON = (META_SETS, PARAMS, UTILIZATION, OPERATIONS)
PRIMITIVE = ElementSchema(
    "primitive",
    (
        Agent(required=False),
        Attribute("template", ID, "template for everything that is not set here, in place of "
                  "`agent`"),
        DESCRIPTION,
        *_COMMON,
    ),
)  # fmt: skip
TEMPLATE = ElementSchema("template", (Agent(), DESCRIPTION, *_COMMON))
GROUP = ElementSchema(
    "group",
    (
        Members("members", "the primitives, in the order in which they start", ("primitive",),
                several=True),
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of all members", options=False),
    ),
)  # fmt: skip
CLONE = ElementSchema(
    "clone",
    (
        Members("resource", "the primitive or group that is cloned; promotable with "
                "`meta: {promotable: true}`", ("primitive", "group")),
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of all instances", options=False),
    ),
)  # fmt: skip


def _container(tag: str) -> ElementSchema:
    return ElementSchema(
        tag,
        (
            Attribute("image", TEXT, "the container's image", required=True,
                      example="registry.example/fs:1.11"),
            Attribute("replicas", INTEGER, "how many run at most", theirs="1"),
            Attribute("replicas-per-host", INTEGER, "how many run on one node", default="1"),
            Attribute("promoted-max", INTEGER, "how many are promoted", theirs="0"),
            Attribute("masters", INTEGER, "older name of promoted-max"),
            Attribute("run-command", TEXT, "what runs inside"),
            Attribute("network", TEXT, "network of the container tool"),
            Attribute("options", TEXT, "further options of the container tool"),
        ),
    )  # fmt: skip


_PORT = ElementSchema(
    "port-mapping",
    (
        Attribute("port", INTEGER, "port on the replica's address"),
        Attribute("internal-port", INTEGER, "port inside, if it differs"),
        Attribute("range", Text("a range of ports", r"[0-9-]+"), "ports, in place of `port`"),
        Id(ID),
    ),
)
_STORAGE = ElementSchema(
    "storage-mapping",
    (
        Attribute("source-dir", TEXT, "path on the host"),
        Attribute("source-dir-root", TEXT, "path on the host with a part for each replica"),
        Attribute("target-dir", TEXT, "path inside", required=True),
        Attribute("options", TEXT, "mount options"),
        Id(ID),
    ),
)
_NETWORK = ElementSchema(
    "network",
    (
        Attribute("ip-range-start", TEXT, "first of the replicas' addresses"),
        Attribute("control-port", INTEGER, "port of Pacemaker inside", theirs="3121"),
        Attribute("host-interface", TEXT, "interface for the addresses"),
        Attribute("host-netmask", INTEGER, "prefix length of the addresses", theirs="32"),
        Attribute("add-host", BOOLEAN, "whether /etc/hosts inside names the replicas",
                  default="true"),
        Several("ports", _PORT, "ports that lead into the container", example=[{"port": 5060}]),
    ),
)  # fmt: skip
BUNDLE = ElementSchema(
    "bundle",
    (
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of the bundle", options=False),
        Single("docker", _container("docker"), "the container, run by docker"),
        Single("podman", _container("podman"), "the container, run by podman"),
        Single("rkt", _container("rkt"), "the container, run by rkt (not in Pacemaker 3)"),
        Single("network", _NETWORK, "addresses and ports"),
        Within("storage", Several("storage", _STORAGE, "what is mounted inside",
                                  example=[{"source-dir": "/srv/fs", "target-dir": "/srv"}])),
        Members("resource", "the primitive that runs inside", ("primitive",), required=False),
    ),
)  # fmt: skip
