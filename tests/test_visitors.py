"""Visitors without a browser wait for a run of the page that the page itself began anew, and take a bad end for one."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.visitors import in_its_own_loop, rerun

EARLY, WELL = ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_SUCCESSFULLY


class Socket:
    """Says how runs ended, one after another."""

    def __init__(self, *ends: Any) -> None:
        self.ends, self.asked = list(ends), []

    async def send(self, message: bytes) -> None:
        self.asked.append(BackMsg.FromString(message))

    async def recv(self) -> bytes:
        return ForwardMsg(script_finished=self.ends.pop(0)).SerializeToString()


def test_a_page_that_runs_again_by_itself_is_waited_for() -> None:
    socket = Socket(EARLY, EARLY, WELL, WELL)
    assert in_its_own_loop(rerun(socket, "encoder=spectral")) >= 0
    assert [one.rerun_script.query_string for one in socket.asked] == ["encoder=spectral"]
    assert socket.ends == [WELL]


@pytest.mark.parametrize("end", [ForwardMsg.FINISHED_WITH_COMPILE_ERROR, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY])
def test_a_run_that_did_not_end_well_fails(end: Any) -> None:
    with pytest.raises(AssertionError):
        in_its_own_loop(rerun(Socket(EARLY, end)))
