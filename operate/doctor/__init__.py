"""The doctor: checks the machine, the services and each hop from an upload to a tile, and names the fix."""
