"""Development only: run Python as the owner of the source on the host.

Python imports this module whenever it starts. The container starts as root; from here on it is the user and group
that own the mounted /app, so that migrations, caches and lock files written in the container belong to them. No user
id has to be built into the image, and Python in `docker compose exec` is covered too.
"""

import os

if os.getuid() == 0:
    owner = os.stat("/app")  # noqa: PTH116 # importing pathlib would slow down every start
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
