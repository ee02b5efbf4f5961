"""Every error that Recto raises on purpose.

    RectoError
    ├── SettingsError                a wrong config.toml or RECTO_* variable stops the start
    ├── RequestError                 the client can mend it: 4xx
    │   ├── NotSignedIn, NotAllowed, CsrfRejected, OriginRejected
    │   ├── NotAcceptable            406
    │   ├── RequestTooSlow           408
    │   ├── UpgradeRequired          426
    │   ├── JobNotFound, BatchNotFound, PageNotFound, FileNotFound, UserNotFound, TokenNotFound, SessionNotFound,
    │   │   DeliveryNotFound
    │   ├── UploadTooLarge, UploadEmpty, UploadUnsupported, UploadIncomplete, ContentDigestWrong
    │   ├── DocumentUrlsOff, DocumentNotFetched
    │   ├── UploadNotFound, DirectUploadUnavailable
    │   ├── OptionInvalid, LanguageUnknown, AddressRefused
    │   ├── IdempotencyKeyInvalid, IdempotencyKeyReused, IdempotencyKeyInUse
    │   ├── PasswordRejected, UserExists, UserHasJobs
    │   ├── SignOnFailed, IdentityUnknown   a sign-in through a provider
    │   ├── JobFailed                the result of a failed job was asked for
    │   ├── ResultNotMade            a format of a finished job's result, or a picture of a page, could not be made
    │   ├── JobUnfinished            what only a finished job has was to be changed
    │   ├── CorrectionInvalid, CorrectionNotFound, CorrectionNotLatest
    │   ├── PageChanged              somebody else has corrected the page meanwhile
    │   ├── UserDisabled, UserStorageFull   403
    │   └── UserQueueFull, TooManyRequests, TooManySignIns   429
    ├── ServiceError                 the service cannot serve now: 503, 507
    │   ├── QueueFull, DatabaseBusy, SignOnUnavailable
    │   ├── StorageUnavailable
    │   │   └── OutcomeUnknown      the database was lost during a commit
    │   └── StorageFull
    ├── LeaseLost                    another attempt owns the job now
    ├── NoAnswer                     a host that Recto called did not answer
    └── DocumentError                why a document or a page could not be read; ends a job, or is named in its warnings
        ├── DocumentDamaged, DocumentEncrypted, PasswordWrong
        ├── DocumentEmpty, DocumentTooLarge, DocumentUnsupported, DocumentMissing
        ├── PageNotInDocument, LanguageNotInstalled, EngineMissing
        ├── PdfaNotPossible
        ├── PageDamaged, PageUnsupported, PageTooLarge, PageTimeout, PageCrashed, PageOutOfMemory, PageUnreadable,
        │   PageNotPreprocessed
        └── JobTimeout, JobCancelled, WorkerLost, AttemptsExhausted

Each class has a stable `code`, the HTTP status it is answered with, a short title, and whether trying the same again later
can succeed. The detail is a full sentence that tells the reader the next step.
"""

from functools import partial
from typing import Any, ClassVar


class RectoError(Exception):
    """Base of the tree. `members` are further JSON values for the client, e.g. the limit that was passed."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross process boundaries with their members."""
        return partial(type(self), **self.members), (self.detail,)


class SettingsError(RectoError):
    """config.toml or a RECTO_* variable is wrong."""

    code = "settings_invalid"
    title = "Invalid settings"


class RequestError(RectoError):
    """The client sent something that it can mend."""

    code = "request_invalid"
    status = 400
    title = "Invalid request"


class NotSignedIn(RequestError):
    """No session and no valid token."""

    code = "not_signed_in"
    status = 401
    title = "Sign-in needed"


class SignOnFailed(RequestError):
    """A provider of sign-ins sent somebody back who may not be who they say."""

    code = "sign_on_failed"
    status = 403
    title = "Sign-in did not succeed"


class IdentityUnknown(RequestError):
    """Who signed in elsewhere is nobody here."""

    code = "identity_unknown"
    status = 403
    title = "Not a user here"


class NotAllowed(RequestError):
    """Signed in, but without the right."""

    code = "not_allowed"
    status = 403
    title = "Not allowed"


class UserDisabled(RequestError):
    """Name and password are right, but an administrator has disabled the user."""

    code = "user_disabled"
    status = 403
    title = "Account disabled"


class CsrfRejected(RequestError):
    """A cookie-authenticated unsafe request without a valid CSRF token."""

    code = "csrf_rejected"
    status = 403
    title = "Form expired"


class OriginRejected(RequestError):
    """A cookie-authenticated WebSocket handshake of a page from elsewhere."""

    code = "origin_rejected"
    status = 403
    title = "Not from this page"


class UpgradeRequired(RequestError):
    """A WebSocket's address was asked for without a handshake."""

    code = "upgrade_required"
    status = 426
    title = "WebSocket needed"


class NotAcceptable(RequestError):
    """A result was asked for in no format that there is."""

    code = "not_acceptable"
    status = 406
    title = "No such format"


class RequestTooSlow(RequestError):
    """The body arrived slower than limits.min_body_bytes_per_s."""

    code = "request_too_slow"
    status = 408
    title = "Request too slow"


class JobNotFound(RequestError):
    """No such job, or somebody else's: the answer is the same."""

    code = "job_not_found"
    status = 404
    title = "No such job"


class BatchNotFound(RequestError):
    """No such batch, or somebody else's: the answer is the same."""

    code = "batch_not_found"
    status = 404
    title = "No such batch"


class PageNotFound(RequestError):
    """A page that the job has not read."""

    code = "page_not_found"
    status = 404
    title = "No such page"


class FileNotFound(RequestError):
    """A file of a job that is not there, or a link that no longer holds."""

    code = "file_not_found"
    status = 404
    title = "No such file"


class UserNotFound(RequestError):
    """No user of that name."""

    code = "user_not_found"
    status = 404
    title = "No such user"


class TokenNotFound(RequestError):
    """No API token with that id."""

    code = "token_not_found"
    status = 404
    title = "No such token"


class DeliveryNotFound(RequestError):
    """The job has no webhook delivery of that id."""

    code = "delivery_not_found"
    status = 404
    title = "No such delivery"


class SessionNotFound(RequestError):
    """No such sign-in, or not the user's own."""

    code = "session_not_found"
    status = 404
    title = "No such sign-in"


class UploadTooLarge(RequestError):
    """The body is above server.max_upload_bytes."""

    code = "upload_too_large"
    status = 413
    title = "Document too large"


class UploadEmpty(RequestError):
    """No document, or one of zero bytes."""

    code = "upload_empty"
    status = 400
    title = "No document"


class UploadIncomplete(RequestError):
    """The connection ended before the announced length."""

    code = "upload_incomplete"
    status = 400
    title = "Upload incomplete"


class ContentDigestWrong(RequestError):
    """The body is not what the header Content-Digest says, or the header cannot be understood."""

    code = "content_digest_wrong"
    status = 400
    title = "Not what the digest says"


class UploadNotFound(RequestError):
    """Nothing is in the store under the upload that a submission names."""

    code = "upload_not_found"
    status = 404
    title = "No such upload"


class DirectUploadUnavailable(RequestError):
    """The File Storage is a folder: documents have to come through the Backend."""

    code = "direct_upload_unavailable"
    status = 409
    title = "Send the document here"


class UploadUnsupported(RequestError):
    """The content is no format that Recto reads, whatever its name says."""

    code = "upload_unsupported"
    status = 415
    title = "Not a supported document"


class DocumentUrlsOff(RequestError):
    """Documents are to be sent: outbound.document_urls is off."""

    code = "document_urls_off"
    status = 403
    title = "Documents are not fetched"


class DocumentNotFetched(RequestError):
    """The host of a document_url did not give the document."""

    code = "document_not_fetched"
    status = 422
    title = "Document not fetched"


class OptionInvalid(RequestError):
    """An option is unknown or has a bad value."""

    code = "option_invalid"
    status = 422
    title = "Invalid option"


class LanguageUnknown(OptionInvalid):
    """No running Worker has the language."""

    code = "language_unknown"
    title = "Language not installed"


class IdempotencyKeyInvalid(RequestError):
    """The header Idempotency-Key holds no key."""

    code = "idempotency_key_invalid"
    status = 400
    title = "Invalid idempotency key"


class IdempotencyKeyReused(RequestError):
    """The key was sent before with another document or other options."""

    code = "idempotency_key_reused"
    status = 422
    title = "Idempotency key used for something else"


class IdempotencyKeyInUse(RequestError):
    """Another request with this key is still arriving, or is being recorded."""

    code = "idempotency_key_in_use"
    status = 409
    title = "Idempotency key in use"
    retryable = True


class AddressRefused(OptionInvalid):
    """Recto does not call this address, or only with an administrator's leave (outbound.allowed_hosts)."""

    code = "address_refused"
    title = "Address refused"


class PasswordRejected(RequestError):
    """Wrong current password, or a new one that is too weak."""

    code = "password_rejected"
    status = 422
    title = "Password not accepted"


class UserExists(RequestError):
    """The user name is taken."""

    code = "user_exists"
    status = 409
    title = "User name taken"


class UserHasJobs(RequestError):
    """A user with jobs is not removed: their documents would be left without an owner."""

    code = "user_has_jobs"
    status = 409
    title = "User has jobs"


class JobFailed(RequestError):
    """The result of a failed job was asked for."""

    code = "job_failed"
    status = 409
    title = "The job failed"


class ResultNotMade(RequestError):
    """A format of the result, or a picture of a page, could not be made; the job itself and its other results are fine."""

    code = "result_not_made"
    status = 422
    title = "Could not be made"


class JobUnfinished(RequestError):
    """The job has not ended: what was read can be corrected then."""

    code = "job_unfinished"
    status = 409
    title = "The job has not ended"


class CorrectionInvalid(RequestError):
    """A correction that names what the page does not have, or whose text cannot be one."""

    code = "correction_invalid"
    status = 422
    title = "Invalid correction"


class CorrectionNotFound(RequestError):
    """No such correction of the page, or one that was undone."""

    code = "correction_not_found"
    status = 404
    title = "No such correction"


class CorrectionNotLatest(RequestError):
    """Later corrections count on this one: they are undone first."""

    code = "correction_not_latest"
    status = 409
    title = "Not the latest correction"


class PageChanged(RequestError):
    """The page was corrected since the client saw it."""

    code = "page_changed"
    status = 409
    title = "Page changed meanwhile"


class UserQueueFull(RequestError):
    """The user has as many unfinished jobs as queue.max_unfinished_per_user allows."""

    code = "user_queue_full"
    status = 429
    title = "Too many unfinished jobs"
    retryable = True


class UserStorageFull(RequestError):
    """The user's documents take as many bytes as they may."""

    code = "user_storage_full"
    status = 403
    title = "Your storage is full"


class TooManyRequests(RequestError):
    """More sign-ins, tokens or uploads than section [limits] allows in that time."""

    code = "too_many_requests"
    status = 429
    title = "Too many requests"
    retryable = True


class TooManySignIns(RequestError):
    """Too many sign-ins failed for this user name, or from this address."""

    code = "too_many_sign_ins"
    status = 429
    title = "Too many failed sign-ins"
    retryable = True


class ServiceError(RectoError):
    """The service cannot do it now; nothing that was accepted is affected."""

    code = "service_unavailable"
    status = 503
    title = "Service unavailable"
    retryable = True


class QueueFull(ServiceError):
    """All users together have queue.max_unfinished unfinished jobs."""

    code = "queue_full"
    title = "Queue full"


class DatabaseBusy(ServiceError):
    """The database stayed locked for longer than database.busy_timeout_s."""

    code = "database_busy"
    title = "Database busy"


class StorageUnavailable(ServiceError):
    """The File Storage cannot be read or written."""

    code = "storage_unavailable"
    title = "File storage unavailable"


class OutcomeUnknown(StorageUnavailable):
    """The database was lost while it committed: that may have been done, or not."""

    code = "outcome_unknown"
    title = "Outcome unknown"


class SignOnUnavailable(ServiceError):
    """The provider of sign-ins does not answer, or not as one."""

    code = "sign_on_unavailable"
    title = "Sign-in elsewhere is not possible now"


class StorageFull(ServiceError):
    """Not enough free space for another document."""

    code = "storage_full"
    status = 507
    title = "Storage full"


class LeaseLost(RectoError):
    """Another attempt owns the job, or the job was deleted: this attempt may change nothing any more."""

    code = "lease_lost"
    title = "Lease lost"


class NoAnswer(RectoError):
    """A host that Recto called did not answer in time, or not in HTTP. The member `reason` says what was wrong."""

    code = "no_answer"
    status = 502
    title = "No answer"


class DocumentError(RectoError):
    """Why a document, a page or a job could not be read."""

    code = "document_unreadable"
    status = 422
    title = "Document not readable"


class DocumentDamaged(DocumentError):
    """The file is not what its type says, or breaks off."""

    code = "document_damaged"
    title = "Document damaged"


class DocumentEncrypted(DocumentError):
    """A PDF that does not open without a password."""

    code = "document_encrypted"
    title = "Document encrypted"


class PasswordWrong(DocumentError):
    """The password that was given does not open the PDF."""

    code = "password_wrong"
    title = "Wrong password"


class DocumentEmpty(DocumentError):
    """A document without pages."""

    code = "document_empty"
    title = "Document empty"


class DocumentTooLarge(DocumentError):
    """More pages or pixels than the limits allow."""

    code = "document_too_large"
    title = "Document too large"


class DocumentUnsupported(DocumentError):
    """No format that Recto reads."""

    code = "document_unsupported"
    title = "Document not supported"


class DocumentMissing(DocumentError):
    """The job's document is no longer in the File Storage."""

    code = "document_missing"
    title = "Document missing"


class PageNotInDocument(DocumentError):
    """The `pages` option names pages that the document does not have."""

    code = "page_not_in_document"
    title = "No such page"


class LanguageNotInstalled(DocumentError):
    """The engine has no data for a language."""

    code = "language_not_installed"
    title = "Language not installed"


class EngineMissing(DocumentError):
    """Tesseract, or the chosen way to reach it, is not installed."""

    code = "engine_missing"
    title = "OCR engine missing"


class PdfaNotPossible(DocumentError):
    """The searchable PDF cannot be made a PDF/A; every other format can."""

    code = "pdfa_not_possible"
    title = "No PDF/A"


class PageDamaged(DocumentError):
    """One page cannot be decoded; the others may be fine."""

    code = "page_damaged"
    title = "Page damaged"


class PageUnsupported(DocumentError):
    """One page is stored in a rare way that is not decoded; the others may be read."""

    code = "page_unsupported"
    title = "Page not supported"


class PageTooLarge(DocumentError):
    """One page has more pixels than ocr.max_page_px, or a side above the engine's limit."""

    code = "page_too_large"
    title = "Page too large"


class PageTimeout(DocumentError):
    """A page took longer than its size allows, twice."""

    code = "page_timeout"
    title = "Page took too long"


class PageCrashed(DocumentError):
    """A page ended its process, twice."""

    code = "page_crashed"
    title = "Page crashed its process"


class PageOutOfMemory(DocumentError):
    """A page needed more than worker.process_memory_bytes."""

    code = "page_out_of_memory"
    title = "Page needed too much memory"


class PageUnreadable(DocumentError):
    """The engine gave up on the page."""

    code = "page_unreadable"
    title = "Page not readable"


class PageNotPreprocessed(DocumentError):
    """The engine saw no picture of the whole page: its text was taken from the PDF."""

    code = "page_not_preprocessed"
    title = "Page was not preprocessed"


class JobTimeout(DocumentError):
    """The job took longer than its pages allow."""

    code = "job_timeout"
    title = "Job took too long"


class JobCancelled(DocumentError):
    """The owner stopped the job."""

    code = "cancelled"
    title = "Cancelled"


class WorkerLost(DocumentError):
    """The Worker was not heard from for queue.lease_s; said of the requeue, the job goes on elsewhere."""

    code = "worker_lost"
    title = "Worker lost"


class AttemptsExhausted(DocumentError):
    """The job lost its worker queue.max_attempts times."""

    code = "attempts_exhausted"
    title = "Gave up after several attempts"
