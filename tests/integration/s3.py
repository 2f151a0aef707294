"""A real S3 protocol server on the loopback interface, and a connection to it that can be cut."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from environments import Environment

SERVER = """
import sys, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(port=0)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def s3_server(environment: Environment) -> Iterator[int]:
    """Run a server from an environment with moto; the block gets its port."""
    command = [environment.python, "-c", SERVER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield next(int(line) for line in process.stdout if line.strip().isdigit())
        finally:
            process.kill()


class CutWire:
    """A way to a local port that breaks down once so many bytes went there: connections end, new ones are refused.

    Args:
        port: Where it leads.
        after: How many bytes it carries there.
    """

    def __init__(self, port: int, after: int) -> None:
        self._target, self._left = port, after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break down now."""
        for connection in (self._listener, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if counted:
                    self._left -= len(content)
                    if self._left < 0:
                        self.cut()
                        return
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)
