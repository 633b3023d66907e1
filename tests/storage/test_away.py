"""What passes by itself is told from what does not, whichever client says so."""

import errno

import pytest

from cellscale.errors import ModelError, StorageError
from cellscale.storage.storage_errors import explained, is_away


def google(code):
    retry = pytest.importorskip("gcsfs.retry")
    return retry.HttpError({"code": code, "message": "said"})


def google_service(code):
    return pytest.importorskip("google.api_core.exceptions").from_http_status(code, "said")


def amazon(code):
    botocore = pytest.importorskip("botocore.exceptions")
    facts = {"Error": {"Code": "Said"}, "ResponseMetadata": {"HTTPStatusCode": code}}
    return pytest.importorskip("s3fs.errors").translate_boto_error(botocore.ClientError(facts, "GetObject"))


def unconnected():
    return pytest.importorskip("botocore.exceptions").EndpointConnectionError(endpoint_url="http://nobody")


def caught(error):
    with pytest.raises(StorageError) as found:
        raise StorageError("cannot read it") from error
    return found.value


@pytest.mark.parametrize("client", [google, google_service, amazon])
def test_answers(client) -> None:
    assert [code for code in (401, 403, 404, 408, 412, 429, 500, 503) if is_away(caught(client(code)))] == [
        408,
        429,
        500,
        503,
    ]


def test_no_answer() -> None:
    assert is_away(caught(ConnectionResetError()))
    assert is_away(caught(TimeoutError()))
    assert is_away(caught(unconnected()))
    assert not is_away(caught(OSError(errno.ENOSPC, "full")))
    assert not is_away(caught(FileNotFoundError()))
    assert not is_away(caught(None))


def test_whatever_it_was_raised_from_counts() -> None:
    with pytest.raises(ModelError) as found:
        raise ModelError("no network") from caught(google(503))
    assert is_away(found.value)
    assert not is_away(TimeoutError())  # of something else than storage, as far as we know


def test_it_is_said_in_words() -> None:
    said = r"cannot be reached for now, try again later \(HttpError: said, 503\)"
    with pytest.raises(StorageError, match=said), explained("read", "gs://bucket/x"):
        raise google(503)
