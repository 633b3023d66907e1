"""Only a server that says so tells that something is not there; every other failure is told as what it is."""

import pytest

from cellscale.errors import StorageError
from cellscale.storage.atomic import write_bytes
from cellscale.storage.storage_errors import explained, is_away
from cellscale.storage.uri import delete, exists, find, listing, read_bytes, read_if_there
from tests.storage.answering_server import answering
from tests.storage.servers import free_port
from tests.storage.test_away import amazon, google

WAYS = [exists, find, read_if_there, read_bytes, listing]
REFUSED, AWAY = r"the server refuses access \({}\): log in", "the store cannot be reached for now, try again later"


@pytest.fixture(autouse=True)
def client():
    pytest.importorskip("aiohttp", reason="no client for http is installed")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("code", "words"), [(401, REFUSED), (403, REFUSED), (500, AWAY), (503, AWAY)])
def test_an_answer_that_is_no_absence(way, code, words):
    with answering(code) as host, pytest.raises(StorageError, match=words.format(code)) as found:
        way(f"http://{host}/dataset")
    assert not isinstance(found.value.__cause__, FileNotFoundError)


@pytest.mark.parametrize("way", WAYS)
def test_no_answer(way):
    with pytest.raises(StorageError, match=AWAY):
        way(f"http://127.0.0.1:{free_port()}/dataset")


@pytest.mark.parametrize("way", WAYS)
def test_no_secure_connection(way):
    with answering(200) as host, pytest.raises(StorageError, match="no secure connection can be made"):
        way(f"https://{host}/dataset")


def test_absence():
    with answering(404) as host:
        place = f"http://{host}/dataset"
        assert (exists(place), find(place), read_if_there(place)) == (False, None, None)
        for way in (read_bytes, listing):
            with pytest.raises(StorageError, match="it does not exist: check the spelling") as found:
                way(place)
            assert isinstance(found.value.__cause__, FileNotFoundError)


@pytest.mark.parametrize("client", [google, amazon])
@pytest.mark.parametrize(
    ("code", "words"),
    [(400, "what no store would"), (401, REFUSED), (404, "it does not exist"), (500, AWAY), (503, AWAY)],
)
def test_clients_of_stores(client, code, words):
    with pytest.raises(StorageError, match=words.format(code)), explained("read", "x://bucket/key"):
        raise client(code)


@pytest.mark.parametrize("code", [405, 501])
@pytest.mark.parametrize("way", [lambda place: write_bytes(place, b"content"), delete])
def test_what_a_web_server_does_not_take_is_not_to_be_tried_again(way, code):
    with answering(code) as host, pytest.raises(StorageError, match=r"cannot be done at http://") as found:
        way(f"http://{host}/dataset/name")
    assert not is_away(found.value)
