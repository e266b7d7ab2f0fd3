"""The command ``jobfleet``: run a fleet, look at it, repair it; its embedded servers and its demo."""
