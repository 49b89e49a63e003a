"""What stands in for the library where only this file of ``_utils`` has arrived.

Python takes the folder ``fshalib`` beside this file when it is there. salt-ssh sends no folders, so
until the first state run only this file is there, and says what to do.
"""

raise ImportError(
    "the library of fsha is not on this host yet: with salt-ssh, run state.apply fsha test=True"
    " once; with a minion, run saltutil.sync_all"
)
