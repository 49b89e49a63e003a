"""One change of the CIB: plan, guard, commit, restore point."""
