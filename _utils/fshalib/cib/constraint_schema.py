"""How constraints are described: locations, colocations, orders, tickets."""

from fshalib.cib.element_schema import ElementSchema
from fshalib.cib.field_types import HOST, ID
from fshalib.cib.fields import Attribute, Within
from fshalib.cib.location_rules import Rules
from fshalib.cib.options import (
    BOOLEAN,
    ROLE,
    SCORE,
)
from fshalib.cib.resource_schema import ANY_NAME, TEXT
from fshalib.cib.resource_set import ResourceSets
from fshalib.schema.types import Choice

_LIFETIME = Within(
    "lifetime", Rules("lifetime", "rules that say when it holds (not in Pacemaker 3)")
)
_DISCOVERY = Attribute(
    "resource-discovery",
    Choice(("always", "never", "exclusive")),
    "whether the cluster looks for the resource on the node before it runs there",
    default="always",
)
LOCATION = ElementSchema(
    "rsc_location",
    (
        Attribute("rsc", ID, "the resource, or a tag of several", "resource",
                  example="VoiceServices"),
        Attribute("rsc-pattern", TEXT, "regular expression for resources, not `resource`"),
        Attribute("role", ROLE, "only for instances in this role", default="Started"),
        Attribute("node", HOST, "the node; together with score", example="freeswitch-dev"),
        Attribute("score", SCORE,
                  "how much: positive prefers, negative avoids, -INFINITY forbids; a "
                  "preference above the stickiness undoes every switchover",
                  example=50),
        _DISCOVERY,
        ResourceSets(),
        Rules(),
        _LIFETIME,
    ),
)  # fmt: skip
COLOCATION = ElementSchema(
    "rsc_colocation",
    (
        Attribute("rsc", ID, "the resource to place", "resource", example="fs"),
        Attribute("with-rsc", ID, "the resource to place it with", "with",
                  example="ip_shared"),
        Attribute("score", SCORE, "INFINITY: together; -INFINITY: apart; otherwise how much",
                  theirs="0", default="0", example="INFINITY"),
        Attribute("rsc-role", ROLE, "only while `resource` is in this role", "role",
                  default="Started"),
        Attribute("with-rsc-role", ROLE, "only while `with` is in this role", "with-role",
                  default="Started"),
        Attribute("node-attribute", TEXT,
                  "same value of this node attribute, in place of the same node", default="#uname"),
        Attribute("influence", BOOLEAN, "whether `resource` influences where `with` runs",
                  theirs="critical of the resource"),
        _LIFETIME,
        ResourceSets(),
    ),
)  # fmt: skip
_ACTIONS = Choice(("start", "promote", "demote", "stop"))
ORDER = ElementSchema(
    "rsc_order",
    (
        Attribute("first", ID, "the resource that acts first", example="ip_shared"),
        Attribute("then", ID, "the resource that acts then", example="fs"),
        Attribute("first-action", _ACTIONS, "what `first` must have done", default="start"),
        Attribute("then-action", _ACTIONS, "what `then` waits to do", theirs="first-action"),
        Attribute("kind", Choice(("Optional", "Mandatory", "Serialize")),
                  "how strict the order is", theirs="Mandatory"),
        Attribute("score", SCORE, "older form of kind: 0 is Optional, more is Mandatory"),
        Attribute("symmetrical", BOOLEAN, "whether stopping goes in the reverse order",
                  theirs="true, with Serialize false"),
        Attribute("require-all", BOOLEAN, "whether all instances of a clone count, or one",
                  default="true"),
        _LIFETIME,
        ResourceSets(),
    ),
)  # fmt: skip
TICKET = ElementSchema(
    "rsc_ticket",
    (
        Attribute("ticket", ANY_NAME, "the ticket that is needed", required=True,
                  example="site-a"),
        Attribute("rsc", ID, "the resource", "resource", example="VoiceServices"),
        Attribute("rsc-role", ROLE, "only for this role", "role", default="Started"),
        Attribute("loss-policy", Choice(("stop", "demote", "fence", "freeze")),
                  "what happens when the ticket is lost", theirs="stop, or demote"),
        ResourceSets(),
    ),
)  # fmt: skip
