"""Connections of a listening socket send small answers at once."""

from __future__ import annotations

import socket

from pages.ui.http.nodelay import send_at_once


def delay_is_off(listening: socket.socket) -> bool:
    """Tell whether what a fresh connection sends does not wait."""
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_connections_take_it_over_from_the_socket_that_listens() -> None:
    with socket.socket(socket.AF_INET) as listening, socket.socket(socket.AF_INET) as idle:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert not delay_is_off(listening)
        send_at_once()
        assert delay_is_off(listening)
        assert not idle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
