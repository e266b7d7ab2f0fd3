"""What runs for a moment between us and an embedded server: ``python -I -S embedded_launcher.py ...``.

1. As root it becomes the user that the server runs as.
2. It asks Linux to signal the server when our process dies, however it dies. (macOS has no such request: there a
   server outlives a ``kill -9`` of its owner and is ended by the next start.)
3. It becomes the server, keeping its process id.

A process of its own, because the same work in ``preexec_fn`` can deadlock in a process that has threads.
Linux counts the THREAD that started the server as its parent: start servers from a thread that lives as long as they do.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: From linux/prctl.h: the signal that this process gets when its parent dies.
PR_SET_PDEATHSIG = 1


def launch(signal_number: int, parent: int, user: int, group: int, command: list[str]) -> None:
    """Become the command; never returns. A user of -1 means: stay who we are."""
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit(1)
    # Python ignores SIGPIPE, and what is ignored stays so in the program that replaces it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)


if __name__ == "__main__":
    chosen_signal, owner, user_id, group_id = map(int, sys.argv[1:5])
    launch(chosen_signal, owner, user_id, group_id, sys.argv[5:])
