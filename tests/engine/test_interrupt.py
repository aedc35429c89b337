import os
import signal

import pytest

from avdet.engine.interrupt import StopSignal


def test_the_first_signal_is_recorded_and_the_second_stops() -> None:
    before = signal.getsignal(signal.SIGINT)  # shells let background processes ignore it
    with StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
