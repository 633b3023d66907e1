"""The one place where clients of Google's services are made."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import google.auth
import grpc
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud import batch_v1
from google.cloud.batch_v1.services.batch_service.transports import BatchServiceGrpcTransport
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport

from cellscale.errors import CellscaleError, RequestError

__all__ = [
    "PATIENCE",
    "CloudError",
    "batch_client",
    "current_project",
    "explained",
    "insecure_channel",
    "logging_client",
]

ENDPOINT = "CELLSCALE_BATCH_ENDPOINT"
"""Environment variable ``host:port`` of a server that stands in for Google's, as ``STORAGE_EMULATOR_HOST`` is for
Cloud Storage: it is spoken to without encryption and without credentials."""

PATIENCE = Retry(
    predicate=if_exception_type(
        exceptions.ServiceUnavailable,
        exceptions.DeadlineExceeded,
        exceptions.InternalServerError,
        exceptions.Aborted,
    ),
    initial=0.5,
    maximum=30,
    timeout=900,
)
"""How requests are repeated: a conductor looks at its jobs for days, in which a service may be away for minutes."""

_MAKING = threading.Lock()


class CloudError(CellscaleError):
    """Google Cloud refused a request, or could not be reached."""


def batch_client() -> batch_v1.BatchServiceClient:
    """Return the client of Google Cloud Batch; the same for the whole process.

    Raises
    ------
    RequestError
        There are no credentials.
    """
    with _MAKING:
        return _batch_client(os.environ.get(ENDPOINT, ""))


@lru_cache(maxsize=4)
def _batch_client(endpoint: str) -> batch_v1.BatchServiceClient:
    if endpoint:
        return batch_v1.BatchServiceClient(transport=BatchServiceGrpcTransport(channel=insecure_channel(endpoint)))
    try:
        return batch_v1.BatchServiceClient()
    except DefaultCredentialsError as error:
        raise _no_credentials() from error


def logging_client() -> LoggingServiceV2Client:
    """Return a client of Cloud Logging.

    Raises
    ------
    RequestError
        There are no credentials.
    """
    endpoint = os.environ.get(ENDPOINT)
    if endpoint:
        return LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=insecure_channel(endpoint)))
    try:
        return LoggingServiceV2Client()
    except DefaultCredentialsError as error:
        raise _no_credentials() from error


def insecure_channel(endpoint: str) -> grpc.Channel:
    """Return a channel to a server that stands in for Google's."""
    return grpc.insecure_channel(endpoint)


def current_project() -> str:
    """Return the project that pays: ``GOOGLE_CLOUD_PROJECT``, or that of the credentials.

    Raises
    ------
    RequestError
        Neither names one.
    """
    project: Any = os.environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        try:
            project = google.auth.default()[1]
        except DefaultCredentialsError as error:
            raise _no_credentials() from error
    if not project:
        raise RequestError(
            "no Google Cloud project is chosen; run gcloud config set project PROJECT, or set GOOGLE_CLOUD_PROJECT"
        )
    return str(project)


def _no_credentials() -> RequestError:
    return RequestError("there are no credentials for Google Cloud; run gcloud auth application-default login")


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn refusals of Google Cloud inside the ``with`` block into errors that say what to do.

    Parameters
    ----------
    action
        What is being done, as in "submit the job".

    Raises
    ------
    CloudError
        ``cannot <action>: <reason>. <advice>``.
    """
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise CloudError(f"cannot {action}: {error.message}. {_advice(error)}") from error
    except exceptions.RetryError as error:
        raise CloudError(f"cannot {action}: Google Cloud did not answer in time ({error}). Try again.") from error
    except GoogleAuthError as error:
        raise CloudError(
            f"cannot {action}: the credentials are not accepted ({error}). Renew them with gcloud auth "
            "application-default login."
        ) from error


def _advice(error: exceptions.GoogleAPICallError) -> str:
    if isinstance(error, exceptions.PermissionDenied):
        return (
            "You need the role roles/batch.jobsEditor in the project and roles/iam.serviceAccountUser on the job's "
            "service account, and the Batch API must be enabled (docs/google-cloud.md)."
        )
    if isinstance(error, exceptions.ResourceExhausted):
        return (
            "A quota of the project is used up: wait, lower --parallelism, choose another machine, or ask for more "
            "quota (docs/google-cloud.md)."
        )
    if isinstance(error, exceptions.NotFound):
        return "It does not exist: check the project and the region, and that the job was not deleted."
    if isinstance(error, exceptions.InvalidArgument):
        return "Check the environment config and the compute configs."
    if isinstance(error, exceptions.Unauthenticated):
        return "Renew the credentials with gcloud auth application-default login."
    if isinstance(error, exceptions.ServiceUnavailable | exceptions.DeadlineExceeded):
        return "Google Cloud cannot be reached: check the network, and try again."
    return "Try again; if it stays, see docs/google-cloud.md."
