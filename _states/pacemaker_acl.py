"""Access to the configuration: roles, and the users and groups that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_acl"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def role(name, transaction=None, spec=None, **options):
    """Make sure that an ACL role is configured exactly so.

    name
        The role's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:acl_roles:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        operator:
          pacemaker_acl.role:
            - permissions: [{kind: read, xpath: /cib}]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "acl_role", spec, transaction, options=options)


def user(name, transaction=None, spec=None, **options):
    """Make sure that a user has exactly these roles.

    name
        The user's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:acl_users:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        alice:
          pacemaker_acl.user:
            - roles: [operator]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "acl_user", spec, transaction, options=options)


def group(name, transaction=None, spec=None, **options):
    """Make sure that a group of users has exactly these roles.

    name
        The group's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:acl_groups:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        night-shift:
          pacemaker_acl.group:
            - roles: [operator]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "acl_group", spec, transaction, options=options)


def absent(name, transaction=None):
    """Make sure that a role, user or group is not configured; references to it are removed too.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "acl_role", transaction=transaction, absent=True
    )
