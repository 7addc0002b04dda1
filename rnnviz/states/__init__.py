"""The state h of every unit at every step of every sequence: kept on disk, and searched in."""
