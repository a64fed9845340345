"""In development, run Python as the owner of the source, whoever that is on the host.

Python imports this module at every start. The container's root steps back to the user and group that own the
mounted /app, so that a new migration, a cache or a lock file belongs to them, as if written on the host.
"""

import os

if os.getuid() == 0:
    owner = os.stat("/app")  # noqa: PTH116  # pathlib would slow every start down
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
