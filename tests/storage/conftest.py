"""Object stores for tests."""

import pytest

from tests.storage.servers import BUCKET, google_cloud_storage, s3


@pytest.fixture(scope="module")
def gcs_proxy(tmp_path_factory):
    """A server of Google Cloud Storage, as the proxy in front of it."""
    with google_cloud_storage(tmp_path_factory.mktemp("gcs")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def s3_proxy():
    """A server of S3, as the proxy in front of it."""
    with s3() as proxy:
        yield proxy


@pytest.fixture(params=["gs", "s3"])
def store(request):
    """The proxy of a store, and the URI of a bucket in it."""
    proxy = request.getfixturevalue({"gs": "gcs_proxy", "s3": "s3_proxy"}[request.param])
    yield proxy, f"{request.param}://{BUCKET}"
    proxy.fail = lambda method, path, body: None
