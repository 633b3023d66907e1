"""What gives access to data is not written anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.storage.redaction import redacted
from cellscale.storage.storage_errors import explained

SECRET = "AKIA0SECRET0VALUE0"


@pytest.mark.parametrize(
    "text",
    [
        f"https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4&X-Goog-Signature={SECRET}&x=1",
        f"https://b.s3.amazonaws.com/o?X-Amz-Credential={SECRET}%2Fus&X-Amz-Signature={SECRET}",
        f"https://x/o?GoogleAccessId=me&Signature={SECRET}&Expires=1",
        f"https://account.blob.core.windows.net/c/o?sv=2022&sig={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}==",
        f'{{"access_token": "{SECRET}", "expires_in": 3599}}',
        f"{{'refresh_token': '{SECRET}'}}",
        f"aws_secret_access_key = {SECRET}",
        f"password={SECRET};",
        f"https://user:{SECRET}@host/path",
        f"https://{SECRET}@host/path",
        f"https://:{SECRET}@host/path",
        f"https://user:p@ss{SECRET}@host/path",
        f"https://host/o?x=1&key={SECRET}",
        f"https://host/api/o?code={SECRET}",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};EndpointSuffix=x",
        f"{{'Authorization': 'Digest {SECRET}'}}",
        f"Authorization: {SECRET}",
        f"refused ya29.{SECRET}-x_y.z by the server",
        f"eyJhbGciOiJSUzI1NiJ9.eyJ{SECRET}.c2lnbmF0dXJl",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    ],
)
def test_secrets_are_hidden(text) -> None:
    assert SECRET not in redacted(text)
    assert "[hidden]" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "gs://bucket/OMETIFF/tokens and signatures.ome.tiff",
        "3 of 7 cells: 0.5 µm/px (file)",
        "cannot read s3://bucket/a@b/c.tif: it does not exist",
        "exit code=3, the key: DAPI; abfs://container@account.dfs.core.windows.net/images",
        "signal: 0.5; design=2; https://host:8080/path?generation=12",
    ],
)
def test_other_texts_stay_as_they_are(text) -> None:
    assert redacted(text) == text


@given(st.text())
def test_any_text_can_be_cleaned_twice(text) -> None:
    assert redacted(redacted(text)) == redacted(text)


def test_errors_of_stores_are_clean() -> None:
    from cellscale.errors import StorageError

    with pytest.raises(StorageError) as caught, explained("read", "gs://bucket/x"):
        raise OSError(f"400 for https://host/o?X-Goog-Signature={SECRET}")
    assert SECRET not in str(caught.value)
