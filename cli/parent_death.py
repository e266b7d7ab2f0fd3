"""Children that do not outlive their parent, however it dies. Linux only; elsewhere nothing happens here.

A worker's processes are forked by Dramatiq. When its main process is killed nobody would stop them any more.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys

from .embedded_launcher import PR_SET_PDEATHSIG

#: From linux/prctl.h: read the signal that this process gets when its parent dies.
PR_GET_PDEATHSIG = 2


def death_signal() -> signal.Signals:
    """What our children are to get when we die.

    The signal that we get ourselves when our parent dies (a fleet that was killed leaves nothing behind), else
    SIGTERM: they finish what they run.
    """
    own = ctypes.c_int(0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(own))
    return signal.Signals(own.value or signal.SIGTERM)


def forked_children_die_with_us() -> None:
    """Ask that every process forked from now on gets ``death_signal`` when we die.

    Must be called in the thread that forks.
    """
    if sys.platform != "linux":
        return
    multiprocessing.set_start_method("fork", force=True)
    number, parent = death_signal(), os.getpid()
    libc = ctypes.CDLL(None)

    def follow_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    os.register_at_fork(after_in_child=follow_parent)
