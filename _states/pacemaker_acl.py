"""Access to the configuration: roles, and the users and groups that have them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_acl"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def role(name, transaction=None, form=None, **options):
    """Make sure that an ACL role is configured exactly so.

    name
        The role's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:acl_roles:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        operator:
          pacemaker_acl.role:
            - permissions: [{kind: read, xpath: /cib}]
            - transaction: voice
    """
    return _stage("acl_role", name, transaction, form, options)


def user(name, transaction=None, form=None, **options):
    """Make sure that a user has exactly these roles.

    name
        The user's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:acl_users:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        alice:
          pacemaker_acl.user:
            - roles: [operator]
            - transaction: voice
    """
    return _stage("acl_user", name, transaction, form, options)


def group(name, transaction=None, form=None, **options):
    """Make sure that a group of users has exactly these roles.

    name
        The group's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:acl_groups:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        night-shift:
          pacemaker_acl.group:
            - roles: [operator]
            - transaction: voice
    """
    return _stage("acl_group", name, transaction, form, options)


def absent(name, transaction=None):
    """Make sure that a role, user or group is not configured; what refers to it goes with it.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "acl_role", {}, transaction, True)
