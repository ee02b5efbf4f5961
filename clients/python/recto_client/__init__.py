"""Client of Recto, the self-hosted OCR service. `Client` submits documents, waits for them and brings their results.

    with Client("http://127.0.0.1:8080", token) as recto:
        job = recto.submit("scan.pdf", languages="eng+deu")
        print(recto.text(job))
        recto.download(job, "pdf", "searchable.pdf")

It speaks HTTP alone, and knows nothing of the service's own modules.
"""

from recto_client.errors import (
    Busy,
    DigestMismatch,
    DocumentChanged,
    JobFailed,
    NotAllowed,
    NotFound,
    NotReachable,
    NotSignedIn,
    Problem,
    RectoError,
    UnexpectedAnswer,
    WaitTimeout,
)
from recto_client.job import Job, Reason

__version__ = "0.1.0"

from recto_client.client import Client

__all__ = [
    "Busy",
    "Client",
    "DigestMismatch",
    "DocumentChanged",
    "Job",
    "JobFailed",
    "NotAllowed",
    "NotFound",
    "NotReachable",
    "NotSignedIn",
    "Problem",
    "Reason",
    "RectoError",
    "UnexpectedAnswer",
    "WaitTimeout",
    "__version__",
]
