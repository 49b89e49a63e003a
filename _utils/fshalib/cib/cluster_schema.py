"""How the rest of a configuration is described: nodes, options, fencing levels, ACLs, alerts."""

from fshalib.cib.alert_select import Select
from fshalib.cib.element_schema import ElementSchema
from fshalib.cib.field_types import ID, PARAMETER_VALUE
from fshalib.cib.fields import Attribute, Commas, Id, References, Several
from fshalib.cib.nvset_field import Sets
from fshalib.cib.options import (
    BOOLEAN,
    DURATION,
    INTEGER,
    OPERATION,
    SCORE,
    STRING,
)
from fshalib.cib.resource_schema import (
    ANY_NAME,
    DESCRIPTION,
    META_SECTION,
    PROPERTIES_SECTION,
    TEXT,
    UTILIZATION,
    VALUES,
)
from fshalib.schema.types import Choice, Record

NODE = ElementSchema(
    "node",
    (
        Attribute("type", Choice(("member", "remote", "ping")), "kind of node", default="member"),
        DESCRIPTION,
        Attribute("score", SCORE, "score of the node (no use known)"),
        Sets("attributes", "instance_attributes", VALUES,
             "permanent node attributes; standby and maintenance belong to the operator unless "
             "they stand here", options=False, example={"site": "east"}),
        UTILIZATION,
    ),
)  # fmt: skip
PROPERTY_SETS = ElementSchema(
    "crm_config",
    (
        Sets("sets", "cluster_property_set", PROPERTIES_SECTION, "cluster properties",
             example={"stonith-enabled": False}),
    ),
)  # fmt: skip
RSC_DEFAULTS = ElementSchema(
    "rsc_defaults",
    (
        Sets("sets", "meta_attributes", META_SECTION,
             "defaults for the meta attributes of all resources",
             example={"resource-stickiness": 100}),
    ),
)  # fmt: skip
OP_DEFAULTS = ElementSchema(
    "op_defaults",
    (
        Sets("sets", "meta_attributes", Record(
            {n: f for n, f in OPERATION.items() if n not in ("name", "interval", "role")},
            "a mapping of options of operations", others=PARAMETER_VALUE),
            "defaults for the options of all operations",
            example={"timeout": "60s"}),
    ),
)  # fmt: skip


LEVEL = ElementSchema(
    "fencing-level",
    (
        Attribute("target", ANY_NAME, "the node", example="freeswitch-dev"),
        Attribute("target-pattern", TEXT, "a regular expression for nodes, in place of `target`"),
        Attribute("target-attribute", TEXT, "nodes by an attribute, in place of `target` …"),
        Attribute("target-value", TEXT, "… and its value"),
        Attribute("index", INTEGER, "levels are tried in this order, 1 first", required=True,
                  example=1),
        Commas("devices", ID, "fencing devices that must all succeed, in order",
               ["fence-freeswitch-dev"]),
    ),
)  # fmt: skip
TAG = ElementSchema(
    "tag", (References("references", "obj_ref", ID, "ids of the tagged objects", example=["fs"]),)
)
_PERMISSION = ElementSchema(
    "acl_permission",
    (
        Attribute("kind", Choice(("read", "write", "deny")), "what is permitted", required=True,
                  example="read"),
        Attribute("xpath", TEXT, "for the elements that this XPath matches", example="//nodes"),
        Attribute("reference", ID, "for the object with this id"),
        Attribute("object-type", TEXT, "for elements with this tag"),
        Attribute("attribute", TEXT, "only for this attribute of the elements"),
        DESCRIPTION,
        Id(ID),
    ),
)  # fmt: skip
ACL_ROLE = ElementSchema(
    "acl_role",
    (
        DESCRIPTION,
        Several("permissions", _PERMISSION, "what the role may do; the first match counts",
                ordered=True, example=[{"kind": "read", "xpath": "/cib"}]),
    ),
)  # fmt: skip
_ROLES = References("roles", "role", ID, "roles of the user or group", ordered=True, required=False,
                    example=["operator"])  # fmt: skip
ACL_USER = ElementSchema(
    "acl_target",
    (Attribute("name", TEXT, "the user's name, if it is not the id", "login"), _ROLES),
)
ACL_GROUP = ElementSchema(
    "acl_group",
    (Attribute("name", TEXT, "the group's name, if it is not the id", "login"), _ROLES),
)

_ALERT_META = Sets(
    "meta",
    "meta_attributes",
    Record(
        {
            "timeout": Attribute("timeout", DURATION, "how long the program may take",
                                 theirs="30s").field,
            "timestamp-format": Attribute("timestamp-format", STRING,
                                          "format of the time, as for date(1)",
                                          theirs="%H:%M:%S.%06N").field,
            "enabled": Attribute("enabled", BOOLEAN, "whether the alert is sent",
                                 theirs="true").field,
        },
        "a mapping (timeout, timestamp-format, enabled)",
        others=PARAMETER_VALUE,
    ),
    "meta attributes of the alert",
)  # fmt: skip
_ALERT_PARAMS = Sets("params", "instance_attributes", VALUES, "parameters of the program",
                     options=False)  # fmt: skip
_RECIPIENT = ElementSchema(
    "recipient",
    (
        Attribute("value", TEXT, "the value of CRM_alert_recipient for the program",
                  required=True, example="ops@example.org"),
        DESCRIPTION,
        _ALERT_META,
        _ALERT_PARAMS,
        Id(ID),
    ),
)  # fmt: skip
ALERT = ElementSchema(
    "alert",
    (
        Attribute("path", TEXT, "the program to run", required=True,
                  example="/usr/share/pacemaker/alerts/alert_file.sh"),
        DESCRIPTION,
        _ALERT_META,
        _ALERT_PARAMS,
        Select(),
        Several("recipients", _RECIPIENT, "to whom the alert goes", ordered=True,
                example=[{"value": "/var/log/cluster-events"}]),
    ),
)  # fmt: skip
