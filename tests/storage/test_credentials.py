"""What gives access is taken out of URIs, and is there again when a file is opened."""

import pickle

import pytest

from cellscale.storage import credentials
from cellscale.storage.credentials import has_credentials, known, learn, opened_by, without_credentials
from cellscale.storage.redaction import redacted
from cellscale.storage.uri import filesystem, join
from cellscale.workspace.layout import workspace_paths

SECRET = "FAKESECRET0"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    monkeypatch.setattr(credentials, "_KNOWN", {})


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        (f"http://me:{SECRET}@host:8080/a/b", "http://host:8080/a/b"),
        (f"https://{SECRET}@host/a", "https://host/a"),
        (f"https://:{SECRET}@host/a", "https://host/a"),
        (f"https://me:p@{SECRET}@host/a", "https://host/a"),
        (f"ftp://me:{SECRET}@host", "ftp://host"),
        (f"https://host/m.onnx?X-Amz-Date=1&X-Amz-Signature={SECRET}", "https://host/m.onnx"),
        (f"https://host/m.onnx?sv=2022&sig={SECRET}", "https://host/m.onnx"),
        (f"https://host/m.onnx?key={SECRET}", "https://host/m.onnx"),
        (f"https://host/m.onnx?CODE={SECRET}", "https://host/m.onnx"),
    ],
)
def test_a_uri_loses_what_gives_access_until_it_is_opened(given, clean):
    assert without_credentials(given) == clean
    assert opened_by(clean) == given
    assert has_credentials(clean)
    assert SECRET not in repr(known())


@pytest.mark.parametrize(
    "text",
    [
        "gs://bucket/a@b?sig=1.ome.tiff",
        "s3://bucket/x:y@z/a.tif",
        "https://host/a?generation=12",
        "abfs://container@account.dfs.core.windows.net/images",
        "file:///data/a@b.tif",
        "/data/user:word@host/a.tif",
        "name@host",
        "--image_filter=a:b@c",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert without_credentials(text) == text
    assert opened_by(text) == text
    assert not has_credentials(text)


def test_an_option_keeps_its_name():
    assert without_credentials(f"--images_path=http://me:{SECRET}@host/a") == "--images_path=http://host/a"


def test_files_below_a_folder_and_beside_it_are_opened_as_the_same_user():
    folder = without_credentials(f"http://me:{SECRET}@host/data/OMETIFF/")
    assert opened_by(str(join(folder, "a.ome.tiff"))) == f"http://me:{SECRET}@host/data/OMETIFF/a.ome.tiff"
    assert opened_by("http://host/data/jobs") == f"http://me:{SECRET}@host/data/jobs"
    assert opened_by("http://host:81/data") == "http://host:81/data"
    assert opened_by("https://host/data") == "https://host/data", "not over another protocol"


def test_the_nearest_folder_decides():
    for user, folder in (("one", "a"), ("two", "a/b")):
        without_credentials(f"http://{user}:{SECRET}@host/{folder}")
    assert opened_by("http://host/a/c") == f"http://one:{SECRET}@host/a/c"
    assert opened_by("http://host/a/b/c") == f"http://two:{SECRET}@host/a/b/c"
    assert opened_by("http://host/a/bc") == f"http://one:{SECRET}@host/a/bc"


def test_a_signature_serves_its_own_address_and_what_is_below():
    folder = without_credentials(f"https://host/container?sig={SECRET}")
    assert opened_by(f"{folder}/a.tiff") == f"https://host/container/a.tiff?sig={SECRET}"
    assert opened_by("https://host/other") == "https://host/other"


def test_the_client_of_the_store_has_them():
    _, key = filesystem(without_credentials(f"http://me:{SECRET}@host/a.tif"))
    assert key == f"http://me:{SECRET}@host/a.tif"


def test_a_dataset_has_clean_folders():
    assert SECRET not in repr(workspace_paths(f"http://me:{SECRET}@host/data"))


def test_known_secrets_are_hidden_wherever_they_stand():
    without_credentials(f"http://me:{SECRET}%21@host/a")
    assert redacted(f"login as me with {SECRET}! failed") == "login as me with [hidden] failed"


def test_a_process_that_works_for_us_learns_them():
    clean = without_credentials(f"http://me:{SECRET}@host/a")
    sent = pickle.dumps(known())
    credentials._KNOWN.clear()
    assert opened_by(clean) == clean
    learn(pickle.loads(sent))
    assert opened_by(clean) == f"http://me:{SECRET}@host/a"
